package snippets

import (
	"context"
	"time"

	"github.com/googlesession/googlesession"
)

// EndIdle ends the sessions of a user that have not been used since the given time. When
// Revoke has returned nil, every server refuses the cookie.
func EndIdle(ctx context.Context, m *googlesession.Manager, userID string, since time.Time) error {
	list, err := m.Sessions(ctx, userID)
	for _, s := range list {
		if err == nil && s.SeenAt.Before(since) {
			err = m.Revoke(ctx, s.Ref)
		}
	}
	return err
}
