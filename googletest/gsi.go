package googletest

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/googlesession/googlesession/internal/strictjson"
)

// The parts of the script. Each file has a subject of its own.
var (
	//go:embed gsi.js
	gsiScript []byte
	//go:embed gsi_button.js
	gsiButton []byte
	//go:embed gsi_redirect.js
	gsiRedirect []byte
	//go:embed gsi.css
	gsiStyle string
)

// chooserPage is the page on which a user chooses an account in redirect mode. It is
// a format that takes the script's file name.
const chooserPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Choose an account</title>
</head>
<body>
<script src="./%s" data-page></script>
</body>
</html>
`

// ScriptHandler returns a handler that serves a script for pages. The script
// stands in for Google's, https://accounts.google.com/gsi/client, which cannot
// be loaded offline. It defines google.accounts.id with initialize,
// renderButton, prompt, cancel, disableAutoSelect, storeCredential and revoke.
//
// A click of the button asks for an e-mail address and offers the given accounts,
// which are e-mail addresses. The script then fetches a token from tokenPath, where
// [Google.TokenHandler] must be. The path is relative to the script, so a page of
// another origin can use the script, too. In redirect mode the browser goes to the
// script's own path with the query "page". There it finds a page on which the user
// chooses an account. That page posts the form that Google would post to login_uri.
//
// The button looks as the options of renderButton say, with a letter in the place of Google's
// logo. One Tap behaves as with FedCM. The query "moments=old" brings back the moments that
// FedCM has withdrawn.
//
// The script lets every visitor sign in as any user. A program that serves it must not be
// reachable from other machines.
func (g *Google) ScriptHandler(tokenPath string, accounts ...string) http.Handler {
	settings, err := json.Marshal(map[string]any{
		"clientID":  g.clientID,
		"tokenPath": tokenPath,
		"accounts":  append([]string{}, accounts...), // without accounts, the JSON must be [] and not null
		"style":     gsiStyle,
	})
	if err != nil {
		panic(fmt.Sprintf("googletest: %v", err)) // strings can always be encoded
	}
	// The parts share one function scope, so that they define no global names in the page. The
	// part with the documentation comes first. run is called last, because it needs all parts.
	script := slices.Concat([]byte("(() => {\n\"use strict\";\n"), gsiScript,
		[]byte("const settings = "), settings, []byte(";\n"), gsiButton, gsiRedirect, []byte("run();\n})();\n"))

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		media, body := "text/javascript", script
		if r.URL.RawQuery == "page" {
			src := html.EscapeString(url.PathEscape(path.Base(r.URL.Path)))
			media, body = "text/html", fmt.Appendf(nil, chooserPage, src)
		}
		w.Header().Set("Content-Type", media+"; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(body)
	})
}

// TokenHandler returns a handler that mints a token for any address. A POST of the JSON
// object {"email","name","nonce"} is answered with {"credential"}. Without a name, the
// token's name is invented from the address. Without a nonce, the token has no nonce
// claim. Other members, and an email that is not an e-mail address, are refused with 400.
//
// The handler lets every visitor sign in as any user. A program that serves
// it must not be reachable from other machines.
func (g *Google) TokenHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			http.Error(w, "application/json expected", http.StatusUnsupportedMediaType)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<10))
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			http.Error(w, "more than 4 KiB", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "body cut off", http.StatusBadRequest)
			return
		}
		d, err := g.parseTokenRequest(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := json.Marshal(map[string]string{"credential": g.Mint(d)})
		if err != nil {
			panic(fmt.Sprintf("googletest: %v", err)) // a string can always be encoded
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}

// parseTokenRequest returns the draft that the body of a request to
// [Google.TokenHandler] asks for.
func (g *Google) parseTokenRequest(body []byte) (*Draft, error) {
	members, err := strictjson.Object(body, 1)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string)
	for _, name := range members.Names() {
		if name != "email" && name != "name" && name != "nonce" {
			return nil, errors.New("only email, name and nonce are known")
		}
		if values[name], _, err = members.String(name); err != nil {
			return nil, err
		}
	}
	email, name, nonce := values["email"], strings.TrimSpace(values["name"]), values["nonce"]
	switch {
	case !looksLikeEmail(email):
		return nil, errors.New("email is not an e-mail address")
	case len(name) > 200 || strings.ContainsFunc(name, unicode.IsControl):
		return nil, errors.New("name is too long, or has control characters")
	case len(nonce) > 200:
		return nil, errors.New("nonce is too long")
	}
	d := g.Draft(email, nonce)
	if name != "" {
		d.setName(name)
	}
	return d, nil
}

// looksLikeEmail reports whether s has text, one @ and a domain. It catches
// typing errors. It does not decide what an e-mail address is.
func looksLikeEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && len(s) <= 254 && utf8.ValidString(s) &&
		!strings.Contains(domain, "@") &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}
