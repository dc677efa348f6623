package googlesession

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/googlesession/googlesession/internal/strictjson"
)

// maxOwnGrant is the longest lifetime that users give their own tokens. The application may
// issue longer ones.
const maxOwnGrant = 366 * 24 * time.Hour

// serveBeginProgram answers with what a program needs to get a token from Google. The program
// passes on the nonce, keeps the secret, and posts it with the token.
func (m *Manager) serveBeginProgram(w http.ResponseWriter, r *http.Request) {
	err := m.checkHost(r)
	if err == nil {
		err = checkFromProgram(r)
	}
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	secret := newSecret()
	nonce, _ := nonceOf(secret)
	writeJSON(w, map[string]string{"client_id": m.cfg.Verifier.ClientID(), "nonce": nonce, "secret": secret})
}

// serveSignInProgram signs the user of a program in.
func (m *Manager) serveSignInProgram(w http.ResponseWriter, r *http.Request, p programSignIn) {
	token, s, err := m.signInProgram(r, p)
	if err != nil {
		m.answerDenial(w, r, denialFor(err))
		return
	}
	writeJSON(w, struct {
		Token   string      `json:"token"`
		Session sessionJSON `json:"session"`
		User    userJSON    `json:"user"`
	}{token, sessionBody(s, s.Ref), userBody(s.User)})
}

// serveTokens lists the user's own personal tokens.
func (m *Manager) serveTokens(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	list, err := m.Sessions(r.Context(), current.User.ID)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	out := []sessionJSON{}
	for _, s := range list {
		if isIssued(s) {
			out = append(out, sessionBody(s, current.Ref))
		}
	}
	writeJSON(w, map[string]any{"tokens": out})
}

// serveIssue makes a personal token for the user who asks. The token is in this answer and
// nowhere else.
func (m *Manager) serveIssue(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	grant, err := readGrant(w, r)
	if err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	if err := m.recordUse(r.Context(), current.Ref); err != nil {
		m.deny(w, r, denialFor(err))
		return
	}
	token, s, err := m.Issue(WithActor(r.Context(), current.User.ID, "own token"), current.User.ID, grant)
	switch {
	case errors.Is(err, ErrInvalidGrant):
		m.deny(w, r, denial(CodeBadRequest, err))
	case err != nil:
		m.deny(w, r, ownDenialFor(err))
	default:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		setPrivate(h)
		w.WriteHeader(http.StatusCreated)
		writeJSON(w, struct {
			Token   string      `json:"token"`
			Session sessionJSON `json:"session"`
		}{token, sessionBody(s, current.Ref)})
	}
}

// recordUse records that the session is in use now. The guard records a use at most once per
// TouchEvery, so a user who makes several tokens in that time would make the session the least
// recently used one, and the store would end it to make room for the next token.
func (m *Manager) recordUse(ctx context.Context, ref Ref) error {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	_, _, err := m.check(ctx, credential{ref: ref, by: byServer}, 0)
	return err
}

// serveRevokeToken ends one of the user's own personal tokens.
func (m *Manager) serveRevokeToken(w http.ResponseWriter, r *http.Request) {
	current, _ := SessionFrom(r.Context())
	m.revokeListed(WithActor(r.Context(), current.User.ID, "own token"), w, r, current.User.ID, isIssued)
}

func isIssued(s Session) bool { return s.Kind == KindIssued }

// readGrant reads the body of POST tokens strictly, so that a misspelled expires_in does not
// make a token of another lifetime.
func readGrant(w http.ResponseWriter, r *http.Request) (g Grant, err error) {
	if mediaType(r) != mediaJSON {
		return g, denial(CodeUnsupportedMediaType, errMediaType)
	}
	data, err := readBody(w, r, maxBody)
	if err != nil {
		return g, err
	}
	members, err := strictjson.Object(data, maxBodyDepth)
	if err != nil {
		return g, denial(CodeBadRequest, errors.Join(errBody, err))
	}
	for _, name := range members.Names() {
		if name != "label" && name != "expires_in" {
			return g, denial(CodeBadRequest, errBody)
		}
	}
	label, labelled, err := members.String("label")
	if err != nil || !labelled || label == "" { // a user cannot tell tokens without names apart
		return g, denial(CodeBadRequest, errBody)
	}
	seconds, ok, err := members.Int("expires_in")
	if err != nil || ok && (seconds < 1 || seconds > int64(maxOwnGrant/time.Second)) {
		return g, denial(CodeBadRequest, errBody)
	}
	return Grant{Label: label, MaxLifetime: time.Duration(seconds) * time.Second}, nil
}
