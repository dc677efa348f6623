package googletoken

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	defaultLeeway = time.Minute
	maxLeeway     = 5 * time.Minute
	defaultMaxAge = 10 * time.Minute
	maxMaxAge     = time.Hour      // the lifetime of Google's tokens
	maxLifetime   = 24 * time.Hour // the longest time from iat to exp; Google's libraries have the same bound
)

// Config configures a [Verifier]. Only ClientIDs is required.
type Config struct {
	_ struct{}

	// ClientIDs are the OAuth client IDs for which tokens may be issued. The aud claim
	// has to equal one of them. At least one is required, and none may be listed twice.
	// The first is the client ID of the page's sign-in button ([Verifier.ClientID]).
	// Google posts the security events of all clients of a project to one address. Events
	// for a client that is not listed are refused.
	ClientIDs []string

	// AuthorizedParties are the client IDs that may have requested an ID token. The azp
	// claim, if there is one, has to equal one of them. Empty means ClientIDs. An Android
	// or iOS app that requests tokens for this server has a client ID of its own, which
	// belongs here.
	AuthorizedParties []string

	// DangerouslyNoNonceFor are the client IDs of apps whose sign-in library cannot pass a
	// nonce of this server to Google. [Verifier.VerifyWithoutNonce] accepts a token that such
	// an app has requested (the azp claim), and Verify accepts it as before, with its nonce. The
	// Manager calls VerifyWithoutNonce only for a program that signs in for a bearer token, so a
	// page never signs in with such a token.
	//
	// A thief of a token without a nonce can sign in with it until it is MaxAge old, because
	// nothing ties the token to the program that has requested it. List only apps that need it.
	// A client ID in ClientIDs cannot be listed, because pages request tokens with those. Each
	// app is an authorized party too, so it need not be in AuthorizedParties.
	DangerouslyNoNonceFor []string

	// Leeway is how far Google's clock may be ahead of this server's. The iat and nbf
	// claims may lie that much in the future. Zero means one minute, and the maximum is
	// five. It does not apply to exp, because a browser posts a token within minutes, and a
	// token is valid for an hour.
	Leeway time.Duration

	// MaxAge is how long after iat an ID token is accepted. A token that is stolen with
	// its nonce cookie can be used for that long. With DangerouslySkipNonce the token
	// alone is enough. Zero means ten minutes, and the maximum is an hour.
	MaxAge time.Duration

	// HTTPClient fetches Google's keys. The Verifier uses a copy that follows no
	// redirects, and ends a fetch after ten seconds. Nil means a client that uses the
	// proxy of the environment ([http.ProxyFromEnvironment]).
	HTTPClient *http.Client
}

// A Verifier verifies ID tokens and security event tokens. Make it with [New]. It is safe
// for concurrent use.
type Verifier struct {
	clientIDs []string
	parties   []string
	nonceless []string
	leeway    time.Duration
	maxAge    time.Duration
	keys      *keySource
}

var (
	_ googlesession.TokenVerifier     = (*Verifier)(nil)
	_ googlesession.NoncelessVerifier = (*Verifier)(nil)
)

// New returns a Verifier, or an error that joins everything that is wrong with the Config.
// It makes no request. The first call of Verify or VerifyEvent fetches the keys.
func New(c Config) (*Verifier, error) {
	v := &Verifier{
		clientIDs: slices.Clone(c.ClientIDs),
		parties:   slices.Clone(c.AuthorizedParties),
		nonceless: slices.Clone(c.DangerouslyNoNonceFor),
		leeway:    c.Leeway,
		maxAge:    c.MaxAge,
	}
	if len(v.parties) == 0 {
		v.parties = v.clientIDs
	}
	v.parties = slices.Concat(v.parties, v.nonceless)
	if v.leeway == 0 {
		v.leeway = defaultLeeway
	}
	if v.maxAge == 0 {
		v.maxAge = defaultMaxAge
	}

	var errs []error
	if len(v.clientIDs) == 0 {
		errs = append(errs, errors.New("googletoken: Config.ClientIDs is required"))
	}
	errs = append(errs, checkList("ClientIDs", c.ClientIDs), checkList("AuthorizedParties", c.AuthorizedParties), checkList("DangerouslyNoNonceFor", c.DangerouslyNoNonceFor))
	for _, id := range c.DangerouslyNoNonceFor {
		if slices.Contains(c.ClientIDs, id) {
			errs = append(errs, errors.New("googletoken: Config.DangerouslyNoNonceFor has a client ID of ClientIDs, with which pages sign in"))
		}
	}
	if v.leeway < 0 || v.leeway > maxLeeway {
		errs = append(errs, fmt.Errorf("googletoken: Config.Leeway is %v, not between 0 and %v", v.leeway, maxLeeway))
	}
	if v.maxAge < 0 || v.maxAge > maxMaxAge {
		errs = append(errs, fmt.Errorf("googletoken: Config.MaxAge is %v, not between 0 and %v", v.maxAge, maxMaxAge))
	}
	var err error
	if v.keys, err = newKeySource(c.HTTPClient); err != nil {
		errs = append(errs, fmt.Errorf("googletoken: %w", err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return v, nil
}

// checkList refuses texts that cannot be client IDs, such as one with the line break at the
// end of the file that it was read from.
func checkList(name string, list []string) error {
	var errs []error
	for i, s := range list {
		if !isGraphic(s) {
			errs = append(errs, fmt.Errorf("googletoken: Config.%s[%d] is empty or has characters that no client ID has", name, i))
		}
		if slices.Contains(list[:i], s) {
			errs = append(errs, fmt.Errorf("googletoken: Config.%s[%d] is a duplicate", name, i))
		}
	}
	return errors.Join(errs...)
}
