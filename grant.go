package googlesession

import (
	"context"
	"errors"
	"time"
)

// ErrInvalidGrant says that [Manager.Issue] was given a Grant that cannot be kept, because the
// label is longer than 100 bytes, is not valid UTF-8 or has control characters, or because a
// duration is negative, is under a millisecond and not zero, or is over ten years.
var ErrInvalidGrant = errors.New("googlesession: invalid grant")

var errNoBearer = errors.New("googlesession: Config.Bearer is not set, so no guard would accept the token")

// defaultGrant is the lifetime of a session of Issue if the Grant has no lifetime.
const defaultGrant = 30 * 24 * time.Hour

// A Grant describes the session that [Manager.Issue] makes. The zero Grant is a session of 30
// days without a label.
type Grant struct {
	// Label is the name by which the user knows the token, such as "backup of the wiki". At most
	// 100 bytes of UTF-8 without control characters.
	Label string

	// MaxLifetime ends the session this long after Issue. Zero means 30 days. At most ten years.
	MaxLifetime time.Duration

	// IdleTimeout ends the session if it has not been used for this long. Zero means
	// MaxLifetime, and so does a greater value.
	IdleTimeout time.Duration
}

// Issue makes a session for a user without a sign-in, and returns its bearer token, for personal
// tokens and for programs that run without a person. The token is shown once, because the store
// has only its hash. It needs [Config.Bearer].
//
// The session is listed, limited and ended like every other one, and has the user's access as it
// is at each request. It never passes [Manager.RequireFresh], so it makes no other token. It
// counts towards [Config.MaxSessions]. One of Google's security events, or a deletion of the
// user, ends it too. Fractions of a millisecond are cut off.
//
// The error is [ErrInvalidGrant], [ErrNotFound], [ErrUserDisabled], [ErrTooManySessions], or
// wraps [ErrUnavailable], under [errors.Is].
func (m *Manager) Issue(ctx context.Context, userID string, g Grant) (token string, s Session, err error) {
	life, ok := g.lifetime()
	switch {
	case !m.cfg.Bearer:
		return "", Session{}, unavailable("issuing a token", errNoBearer)
	case !ok:
		return "", Session{}, ErrInvalidGrant
	case m.users == nil:
		return "", Session{}, unavailable("issuing a token", errNoUsers)
	}
	user, err := m.readUser(ctx, userID)
	if err != nil {
		return "", Session{}, err
	}
	if user.Disabled {
		return "", Session{}, ErrUserDisabled
	}
	token, ref := m.newBearerToken(userID)
	// The store compares TokenIssuedAt with TokensAfter. The store's clock, or Google's, may be
	// ahead of this server's.
	issued := time.Now()
	if least := user.TokensAfter.Add(time.Millisecond); issued.Before(least) {
		issued = least
	}
	n := m.newSession(ref, SignIn{User: user, Kind: KindIssued, Identity: Identity{IssuedAt: issued}}, life, Device{})
	n.Label = g.Label
	s, err = m.createSession(ctx, n)
	switch {
	case errors.Is(err, ErrStaleToken): // a security event has come meanwhile, and its time is ahead of this server's clock
		return "", Session{}, unavailable("issuing a token", err)
	case err != nil:
		return "", Session{}, err
	}
	e := sessionEvent(EventIssued, s)
	e.Actor = "" // from the context, because the user need not be there
	m.emit(ctx, e)
	return token, s, nil
}

// lifetime returns the lifetime of the session, or reports false for an invalid Grant.
func (g Grant) lifetime() (l Lifetime, ok bool) {
	const least = time.Millisecond
	if !isLabel(g.Label) || g.MaxLifetime < 0 || g.MaxLifetime > maxLifetime || g.IdleTimeout < 0 ||
		0 < g.MaxLifetime && g.MaxLifetime < least || 0 < g.IdleTimeout && g.IdleTimeout < least {
		return l, false
	}
	l = Lifetime{Idle: g.IdleTimeout, Max: g.MaxLifetime}
	if l.Max == 0 {
		l.Max = defaultGrant
	}
	if l.Idle == 0 || l.Idle > l.Max {
		l.Idle = l.Max
	}
	l.Max, l.Idle = l.Max.Truncate(least), l.Idle.Truncate(least)
	return l, true
}
