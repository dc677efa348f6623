package googletest

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// registerFor makes the registrations that a response asks for.
func (b *BoundBrowser) registerFor(r *http.Request, res *http.Response) {
	items, ok := parseHeaderList(res.Header.Values("Secure-Session-Registration"))
	if !ok {
		b.notRegistered(errors.New("Secure-Session-Registration is malformed"))
		return
	}
	for _, item := range items {
		at, err := r.URL.Parse(item.params["path"])
		switch {
		case !slices.Contains(item.values, "ES256"):
			err = errors.New("Secure-Session-Registration does not offer ES256")
		case item.params["path"] == "" || item.params["challenge"] == "":
			err = errors.New("Secure-Session-Registration has no path or no challenge")
		case err == nil && !isOrigin(at):
			err = errors.New("the path is not on " + Origin)
		}
		if err != nil {
			b.notRegistered(err)
			continue
		}
		register := func() { b.register(r, at, item.params["challenge"], item.params["authorization"]) }
		if !b.holds(register) {
			register()
		}
	}
}

// holds reports whether the browser holds registrations. If so, Release calls register.
func (b *BoundBrowser) holds(register func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		return false
	}
	b.waiting = append(b.waiting, register)
	return true
}

// register registers a key for a new session.
func (b *BoundBrowser) register(r *http.Request, at *url.URL, challenge, authorization string) {
	s, err := b.requestRegistration(r, at, newBoundKey(), challenge, authorization)
	if err != nil {
		b.notRegistered(err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults.DropSession {
		b.record("dropped", s.id, nil)
		return
	}
	b.put(s)
	b.record("registered", s.id, nil)
}

// notRegistered records that no session was made.
func (b *BoundBrowser) notRegistered(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record("not registered", "", why)
}

// requestRegistration makes the request of a registration and returns the session.
func (b *BoundBrowser) requestRegistration(r *http.Request, at *url.URL, key *ecdsa.PrivateKey, challenge, authorization string) (*boundSession, error) {
	proof := b.sign(key, key, challenge, authorization)
	if proof == "" {
		return nil, errQuotaExceeded
	}
	// Release may register after the client is done with the response.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), refreshTimeout)
	defer cancel()
	status, body, header, err := b.post(ctx, r, at, "", proof)
	if err != nil {
		return nil, err
	}
	if status < 200 || status >= 300 {
		return nil, fmt.Errorf("status %d", status)
	}
	if len(body) == 0 {
		return nil, errors.New("the response has no configuration")
	}
	s, err := parseBoundSession(at, body)
	if err != nil {
		return nil, err
	}
	s.key = key
	s.keepChallenge(header)
	return s, nil
}

// proveRefresh returns the proof that answers the challenge, or "" if the quota does not
// allow it. A proof for the same challenge is sent again.
func (b *BoundBrowser) proveRefresh(s *boundSession, challenge string) string {
	b.mu.Lock()
	proof, again := s.proof, s.proves == challenge || b.faults.OldProof
	b.mu.Unlock()
	if proof != "" && again {
		return proof
	}
	proof = b.sign(s.key, nil, challenge, "")
	b.mu.Lock()
	defer b.mu.Unlock()
	if proof != "" {
		s.proof, s.proves = proof, challenge
	}
	return proof
}

// sign signs a proof, or returns "" if the quota does not allow it.
func (b *BoundBrowser) sign(signer, registered *ecdsa.PrivateKey, challenge, authorization string) string {
	b.mu.Lock()
	b.signed = slices.DeleteFunc(b.signed, func(at time.Time) bool { return time.Since(at) >= quotaPeriod })
	exceeded, faults := len(b.signed) >= b.quota, b.faults
	if !exceeded {
		b.signed = append(b.signed, time.Now())
	}
	b.mu.Unlock()
	if exceeded {
		return ""
	}
	if faults.OtherKey {
		signer = newBoundKey()
	}
	return signChallenge(signer, registered, challenge, authorization)
}

// post makes the request of a registration or, with a session's ID, of a refresh. It is made
// for the request r. If r is from another site, the post has only SameSite=None cookies.
func (b *BoundBrowser) post(ctx context.Context, r *http.Request, to *url.URL, id, proof string) (status int, body []byte, header http.Header, err error) {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), http.NoBody)
	if err != nil {
		return 0, nil, nil, err
	}
	post.Header.Set("Origin", Origin)
	post.Header.Set("Sec-Fetch-Site", "same-origin")
	post.Header.Set("Sec-Fetch-Mode", "no-cors")
	if id != "" {
		post.Header.Set("Sec-Secure-Session-Id", id)
	}
	if proof != "" {
		post.Header.Set("Secure-Session-Response", proof)
		if b.currentFaults().TwoProofs {
			post.Header.Add("Secure-Session-Response", proof)
		}
	}
	crossSite := r.Header.Get("Sec-Fetch-Site") == "cross-site"
	res, err := b.send(post, func(s http.SameSite) bool { return !crossSite || s == http.SameSiteNoneMode })
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, longestBoundBody))
	return res.StatusCode, body, res.Header, err
}
