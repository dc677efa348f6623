package snippets

import (
	"context"
	"log/slog"

	"github.com/googlesession/googlesession"
)

// Listen makes the library accept what Google reports about accounts, at the route
// /api/security-events. The library ends the sessions, and the application learns of it.
func Listen(c *googlesession.Config, v googlesession.SecurityEventVerifier, log *slog.Logger) {
	c.SecurityEventVerifier = v
	c.Events = func(ctx context.Context, e googlesession.Event) {
		if e.Kind == googlesession.EventSecurityReport {
			log.WarnContext(ctx, "Google reports", "event", e.Reason, "user", e.UserID, "ended", e.Count)
		}
	}
}
