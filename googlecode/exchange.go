package googlecode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/googlesession/googlesession"
)

// tokenURL is the address at which Google exchanges codes. This package sends requests to
// no other address.
const tokenURL = "https://oauth2.googleapis.com/token" //nolint:gosec // an address and not a credential

const (
	authorizationURL = "https://accounts.google.com/o/oauth2/v2/auth"

	defaultTimeout = 5 * time.Second
	maxTimeout     = 30 * time.Second // browsers and proxies do not wait for much longer
	maxBody        = 64 << 10         // bytes of Google's answer, which has about 3 KiB
	maxHeader      = 64 << 10
)

// Config configures an [Exchanger]. ClientID and ClientSecret are required.
type Config struct {
	_ struct{}

	// ClientID is the OAuth client ID. It has to be the first of the ClientIDs in
	// googletoken.Config.
	ClientID string

	// ClientSecret is the secret of that client. Read it from the environment or a file, not
	// from the command line, which other users of the machine can see.
	ClientSecret string

	// HTTPClient sends the requests. The Exchanger uses a copy that follows no redirects,
	// keeps no cookies, and ends a request after Timeout. Nil means a client that uses the
	// proxy of the environment ([http.ProxyFromEnvironment]).
	HTTPClient *http.Client

	// AuthorizationURL is the address of the page on which a person chooses an account. ""
	// means Google's page. Tests use the address of a page that stands in for it.
	AuthorizationURL string

	// Timeout bounds an exchange. Zero means five seconds, and the maximum is 30.
	Timeout time.Duration
}

// An Exchanger exchanges codes for ID tokens. Make it with [New], because the zero
// Exchanger is not usable. It is safe for concurrent use. Printing it does not show the
// client secret.
type Exchanger struct {
	clientID         string
	secret           func() string // a function, because fmt prints a text in a field whatever its type is
	authorizationURL string
	client           http.Client
	timeout          time.Duration
}

var _ googlesession.CodeExchanger = (*Exchanger)(nil)

// New returns an Exchanger, or an error that joins everything that is wrong with the Config.
// It makes no request.
func New(c Config) (*Exchanger, error) {
	x := &Exchanger{
		clientID:         c.ClientID,
		secret:           func() string { return c.ClientSecret },
		authorizationURL: c.AuthorizationURL,
		timeout:          c.Timeout,
	}
	if x.authorizationURL == "" {
		x.authorizationURL = authorizationURL
	}
	if x.timeout == 0 {
		x.timeout = defaultTimeout
	}
	if c.HTTPClient != nil {
		x.client = *c.HTTPClient
	} else {
		x.client.Transport = &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			ForceAttemptHTTP2: true,
			// Each exchange has a connection of its own. Google may close a kept connection
			// at any time, and the sign-in would then fail, because the code must not be sent
			// twice.
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: maxHeader,
		}
	}
	x.client.Jar = nil
	x.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	var errs []error
	if !isGraphic(c.ClientID) {
		errs = append(errs, errors.New("googlecode: Config.ClientID is empty or has characters that no client ID has"))
	}
	if !isGraphic(c.ClientSecret) {
		errs = append(errs, errors.New("googlecode: Config.ClientSecret is empty or has characters that no client secret has, such as a line end"))
	}
	if x.timeout < 0 || x.timeout > maxTimeout {
		errs = append(errs, fmt.Errorf("googlecode: Config.Timeout is %v, not between 0 and %v", x.timeout, maxTimeout))
	}
	if u, err := url.Parse(x.authorizationURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		errs = append(errs, errors.New("googlecode: Config.AuthorizationURL is not an absolute URL"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return x, nil
}

// isGraphic reports whether s is printable ASCII without spaces, and not empty. A secret
// that was read from a file often ends with a line end.
func isGraphic(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

// ClientID returns [Config.ClientID].
func (x *Exchanger) ClientID() string { return x.clientID }

// AuthorizationURL returns [Config.AuthorizationURL], or Google's address if that is "".
func (x *Exchanger) AuthorizationURL() string { return x.authorizationURL }

// Exchange sends the code to Google and returns the ID token of the answer, unverified.
//
// It returns a [*googlesession.TokenError] with [googlesession.ReasonCode] if Google
// refuses the code. Google does so if the code was used or has expired, or if it belongs to
// another verifier, client or redirect URI. Every other error wraps
// [googlesession.ErrUnavailable], because Google does not answer in time, does not answer
// with a token, or refuses this server. If it refuses this server, the configuration is
// wrong, and the error says what to check.
func (x *Exchanger) Exchange(ctx context.Context, code, codeVerifier, redirectURI string) (idToken string, err error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	// The client is a copy, because its recorder is for this exchange alone.
	client, answer := x.client, &recorder{next: x.client.Transport}
	client.Transport = answer
	config := oauth2.Config{
		ClientID:     x.clientID,
		ClientSecret: x.secret(),
		RedirectURL:  redirectURI,
		// Without AuthStyleInParams, oauth2 would try two styles, and send the code twice.
		Endpoint: oauth2.Endpoint{TokenURL: tokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
	token, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, &client), code, oauth2.VerifierOption(codeVerifier))
	if err != nil {
		return "", answer.explain(ctx, err, redirectURI)
	}
	idToken, _ = token.Extra("id_token").(string)
	switch {
	case answer.problem != "":
		return "", unavailable(answer.problem)
	case answer.status != http.StatusOK:
		return "", unavailable(fmt.Sprintf("status %d", answer.status))
	case idToken == "":
		return "", unavailable("answer has no ID token; check that the authorization request has the scope openid")
	}
	return idToken, nil
}

// A recorder is a transport that records what is wrong with the answer. It drops the body
// of an answer that is too large or that is not JSON.
type recorder struct {
	next    http.RoundTripper // nil means http.DefaultTransport
	status  int               // 0 if there was no answer
	problem string            // "" if the answer is JSON of a permitted size
}

func (t *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	t.status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err != nil:
		t.problem = "answer was cut off"
		return nil, err
	case len(body) > maxBody:
		t.problem = "answer is larger than 64 KiB"
		body = nil
	case media != "application/json":
		t.problem = "answer is not JSON"
		body = nil
	}
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp, nil
}

// explain returns the error for an exchange that failed with err. It neither wraps nor
// quotes an error of package oauth2, because such an error holds Google's whole answer or a
// part of it.
func (t *recorder) explain(ctx context.Context, err error, redirectURI string) error {
	refused, isRefused := errors.AsType[*oauth2.RetrieveError](err)
	sending, isSending := errors.AsType[*url.Error](err)
	switch {
	case isRefused && refused.ErrorCode != "" && t.status >= 400 && t.status < 500:
		return t.refusal(refused.ErrorCode, redirectURI)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: googlecode: Google did not answer in time: %w", googlesession.ErrUnavailable, ctx.Err())
	case t.status != 0 && t.status != http.StatusOK:
		return unavailable(fmt.Sprintf("status %d", t.status))
	case t.problem != "":
		return unavailable(t.problem)
	case isSending:
		return fmt.Errorf("%w: googlecode: asking Google: %w", googlesession.ErrUnavailable, sending.Err)
	}
	return unavailable("answer is not that of a token endpoint")
}

// refusal returns the error for an error code of Google's answer (RFC 6749, section 5.2).
func (t *recorder) refusal(code, redirectURI string) error {
	if len(code) > 64 || !isGraphic(code) {
		code = "unreadable error code"
	}
	answer := fmt.Sprintf("%s, status %d", code, t.status)
	switch code {
	case "invalid_grant":
		return &googlesession.TokenError{Reason: googlesession.ReasonCode, Err: errors.New("Google refuses the code (" + answer + ")")}
	case "invalid_client", "unauthorized_client", "deleted_client":
		return unavailable("Google refuses this server (" + answer + "); check Config.ClientID and Config.ClientSecret")
	case "redirect_uri_mismatch":
		return unavailable("Google refuses the redirect URI (" + answer + "); register " + redirectURI + " for the client ID")
	}
	return unavailable("Google refuses the request (" + answer + ")")
}

func unavailable(why string) error {
	return fmt.Errorf("%w: googlecode: %s", googlesession.ErrUnavailable, why)
}
