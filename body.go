package googlesession

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/googlesession/googlesession/internal/strictjson"
)

const (
	maxBody      = 64 << 10
	maxBodyDepth = 16
)

// loginBody is what POST login brings.
type loginBody struct {
	credential string
	reauth     bool // JSON only: by the user who is signed in
	form       bool
	next       string // of a form: where to go afterwards; a path of this site
}

var (
	errMediaType = errors.New("googlesession: neither JSON nor a form")
	errBody      = errors.New("googlesession: malformed body")
	errCSRF      = errors.New("googlesession: g_csrf_token and its cookie differ")
)

// readLogin reads the body strictly: nothing in it may be read in two ways. The
// errors are Denials.
func readLogin(w http.ResponseWriter, r *http.Request) (loginBody, error) {
	media := mediaType(r)
	if media != "application/json" && media != mediaForm {
		return loginBody{}, denial(CodeUnsupportedMediaType, errMediaType)
	}
	data, err := readBody(w, r, maxBody)
	if err != nil {
		return loginBody{}, err
	}
	if media == mediaForm {
		return readLoginForm(r, string(data))
	}
	members, err := strictjson.Object(data, maxBodyDepth)
	if err != nil {
		return loginBody{}, denial(CodeBadRequest, errors.Join(errBody, err))
	}
	credential, ok, err := members.String("credential")
	if err != nil || !ok {
		return loginBody{}, denial(CodeBadRequest, errBody)
	}
	reauth, _, err := members.Bool("reauth")
	if err != nil {
		return loginBody{}, denial(CodeBadRequest, errBody)
	}
	return loginBody{credential: credential, reauth: reauth}, nil
}

// readBody reads all of a body that is not larger than limit. The errors are Denials.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return data, nil
	case tooLarge:
		return nil, denial(CodeBodyTooLarge, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, denial(CodeTooSlow, err)
	default:
		return nil, denial(CodeBadRequest, errors.Join(errBody, err))
	}
}

// readLoginForm reads the form that Google's script posts. g_csrf_token is set by
// that script, so it is an extra check and not the defence: a sibling host could
// plant it (OWASP CSRF Prevention Cheat Sheet, naive double submit). The defence
// is the nonce.
func readLoginForm(r *http.Request, data string) (loginBody, error) {
	form, err := url.ParseQuery(data) // the body alone: r.Form would mix in the query
	if err != nil {
		return loginBody{}, denial(CodeBadRequest, errBody)
	}
	credential, state := form["credential"], form["state"]
	token := form["g_csrf_token"]
	if len(credential) != 1 || len(state) > 1 || len(token) > 1 {
		return loginBody{}, denial(CodeBadRequest, errBody)
	}
	cookies := r.CookiesNamed("g_csrf_token")
	if len(token) != 1 || token[0] == "" || len(cookies) != 1 || !equal(token[0], cookies[0].Value) {
		return loginBody{}, denial(CodeCrossOrigin, errCSRF)
	}
	body := loginBody{credential: credential[0], form: true, next: "/"}
	if len(state) == 1 {
		body.next = safePath(state[0])
	}
	return body, nil
}

// readAccess reads what PATCH of a user brings: {"admin"?, "disabled"?}, booleans and
// nothing else. A member that is misspelt must not look as if it had been obeyed.
func readAccess(w http.ResponseWriter, r *http.Request) (a AccessChange, err error) {
	if mediaType(r) != "application/json" {
		return AccessChange{}, denial(CodeUnsupportedMediaType, errMediaType)
	}
	data, err := readBody(w, r, maxBody)
	if err != nil {
		return AccessChange{}, err
	}
	members, err := strictjson.Object(data, maxBodyDepth)
	if err != nil {
		return AccessChange{}, denial(CodeBadRequest, errors.Join(errBody, err))
	}
	flags := map[string]**bool{"admin": &a.Admin, "disabled": &a.Disabled}
	for _, name := range members.Names() {
		flag, known := flags[name]
		if !known {
			return AccessChange{}, denial(CodeBadRequest, errBody)
		}
		value, _, err := members.Bool(name)
		if err != nil {
			return AccessChange{}, denial(CodeBadRequest, errors.Join(errBody, err))
		}
		*flag = &value
	}
	return a, nil
}
