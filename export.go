package googlesession

import (
	"context"
	"encoding/base64"
	"time"
)

// A UserExport holds everything that the library's stores have about a user, for a request
// under Article 15 of the GDPR or for a copy. It holds no secret, because the stores have
// none. Its JSON is that of GET user/export. Times are in UTC.
type UserExport struct {
	User     ExportedUser      `json:"user"`
	Sessions []ExportedSession `json:"sessions"` // the live sessions, newest first
	Browsers []string          `json:"browsers"` // the hashes of the browsers from which the user signed in, as base64url, the most recent first
}

// An ExportedUser is a user record in a [UserExport]. A zero TokensAfter is left out.
type ExportedUser struct {
	ID          string    `json:"id"`
	Email       string    `json:"email"`
	Name        string    `json:"name"`
	Picture     string    `json:"picture"`
	Admin       bool      `json:"admin"`
	Disabled    bool      `json:"disabled"`
	Data        string    `json:"data"`
	CreatedAt   time.Time `json:"created_at"`
	SeenAt      time.Time `json:"seen_at"`
	TokensAfter time.Time `json:"tokens_after,omitzero"`
	Version     int64     `json:"version"`
}

// An ExportedSession is a session in a [UserExport]. A zero TokenIssuedAt is left out.
type ExportedSession struct {
	ID            string    `json:"id"` // the text of its Ref
	PublicID      string    `json:"public_id"`
	Kind          string    `json:"kind"`
	Label         string    `json:"label"`
	Bound         bool      `json:"bound"` // Session.Bound
	CreatedAt     time.Time `json:"created_at"`
	SeenAt        time.Time `json:"seen_at"`
	ExpiresAt     time.Time `json:"expires_at"`
	TokenIssuedAt time.Time `json:"token_issued_at,omitzero"`
	IP            string    `json:"ip"`
	UserAgent     string    `json:"user_agent"`
}

// Export returns everything that the stores have about a user. What the application keeps
// about the user, such as its events, is not part of it. The error is [ErrNotFound] or wraps
// [ErrUnavailable].
func (m *Manager) Export(ctx context.Context, userID string) (UserExport, error) {
	if m.users == nil {
		return UserExport{}, unavailable("exporting a user", errNoUsers)
	}
	user, err := m.readUser(ctx, userID)
	if err != nil {
		return UserExport{}, err
	}
	sessions, err := m.Sessions(ctx, userID)
	if err != nil {
		return UserExport{}, err
	}
	browsers, err := m.readBrowsers(ctx, userID)
	if err != nil {
		return UserExport{}, err
	}
	e := UserExport{
		User: ExportedUser{
			ID: user.ID, Email: user.Email, Name: user.Name, Picture: user.Picture,
			Admin: user.Admin, Disabled: user.Disabled, Data: user.Data,
			CreatedAt: user.CreatedAt, SeenAt: user.SeenAt, TokensAfter: user.TokensAfter, Version: user.Version,
		},
		Sessions: make([]ExportedSession, 0, len(sessions)),
		Browsers: make([]string, 0, len(browsers)),
	}
	for _, s := range sessions {
		e.Sessions = append(e.Sessions, ExportedSession{
			ID: s.Ref.String(), PublicID: s.PublicID.String(), Kind: s.Kind.String(), Label: s.Label, Bound: s.Bound(),
			CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt, TokenIssuedAt: s.TokenIssuedAt,
			IP: s.Device.IP, UserAgent: s.Device.UserAgent,
		})
	}
	for _, b := range browsers {
		e.Browsers = append(e.Browsers, base64.RawURLEncoding.EncodeToString(b[:]))
	}
	return e, nil
}

func (m *Manager) readBrowsers(ctx context.Context, userID string) ([]BrowserID, error) {
	ctx, cancel := m.withStoreTimeout(ctx)
	defer cancel()
	browsers, err := m.users.Browsers(ctx, userID, nil)
	if err != nil {
		return nil, userError("reading a user's browsers", err)
	}
	return browsers, nil
}
