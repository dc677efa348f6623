package snippets

import (
	"context"

	"github.com/googlesession/googlesession"
)

// Disable keeps a user out. When it has returned nil, all sessions of the user have ended on
// every server, their streams end, and a sign-in that has begun does not succeed.
func Disable(ctx context.Context, m *googlesession.Manager, userID, actor, reason string) error {
	ctx = googlesession.WithActor(ctx, actor, reason) // for the audit
	disabled := true
	_, err := m.SetAccess(ctx, userID, googlesession.AccessChange{Disabled: &disabled})
	return err
}
