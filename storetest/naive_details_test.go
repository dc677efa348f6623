package storetest_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

// This file has the small decisions of a naive store, each with the bugs that it may have.

// check refuses an invalid user, and a done context.
func (s *naive) check(ctx context.Context, u googlesession.User) error {
	if err := s.done(ctx); err != nil {
		return err
	}
	if s.has("no validation") {
		return nil
	}
	if u.ID == "" || len(u.ID) > 255 || !isText(u.ID) {
		return unavailable("bad ID" + s.leak(u.ID, "errors hold the user ID"))
	}
	if u.Version < 1 || u.Version >= 1<<53 {
		return unavailable("bad Version")
	}
	if err := validNaive(u); err != nil && !s.has("profiles not checked") {
		return fmt.Errorf("%w%s", err, s.leak(u.Name, "errors hold the Name"))
	}
	if err := s.checkData(u.Data); err != nil {
		return err
	}
	if badTime(u.TokensAfter) && !s.has("TokensAfter not checked") {
		return unavailable("bad TokensAfter")
	}
	return nil
}

// checkSession refuses an invalid new session, and a done context.
func (s *naive) checkSession(ctx context.Context, n googlesession.NewSession) error {
	if err := s.check(ctx, n.User); err != nil {
		return err
	}
	d := n.Device
	switch {
	case n.Ref.Tag != googlesession.UserTag(n.User.ID) && !s.has("tag ignored"):
		return unavailable("Ref of another user")
	case (n.MaxLifetime <= 0 || n.IdleTimeout <= 0) && !s.has("no lifetime means for ever"):
		return unavailable("no lifetime")
	case n.Max < 0 && !s.has("negative Max means the cap"):
		return unavailable("negative Max")
	case (!isText(d.IP) || !isText(d.UserAgent)) && !s.has("texts of devices not checked"):
		return unavailable("bad device" + s.leak(fmt.Sprintf("%q", d.UserAgent), "errors hold the UserAgent"))
	case (len(d.IP) > 64 || len(d.UserAgent) > 512) && !s.has("devices of any length") && !s.has("no validation"):
		return unavailable("long device")
	case badTime(n.TokenIssuedAt) && !s.has("TokenIssuedAt not checked"):
		return unavailable("bad TokenIssuedAt")
	}
	return s.checkLabel(n.Label)
}

func isText(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func badTime(t time.Time) bool { return !t.IsZero() && (t.UnixMilli() <= 0 || t.UTC().Year() > 9999) }

// leak returns what an error holds in a store with that bug.
func (s *naive) leak(value, bug string) string {
	if s.has(bug) {
		return " " + value
	}
	return ""
}

func (s *naive) done(ctx context.Context) error {
	switch err := ctx.Err(); {
	case err == nil || s.has("done context ignored"):
		return nil
	case s.has("done context without its error"):
		return unavailable("context")
	default:
		return fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	}
}

func unavailable(text string) error {
	return fmt.Errorf("%w: naive: %s", googlesession.ErrUnavailable, text)
}

func (s *naive) now() time.Time {
	return time.Now().Add(s.offset).UTC().Truncate(time.Millisecond)
}

func (s *naive) has(bug string) bool { return s.bug == bug }

// pause releases the lock for a moment in a store with that bug, which splits one atomic step
// into two.
func (s *naive) pause(bug string) {
	if s.has(bug) {
		s.mu.Unlock()
		time.Sleep(time.Microsecond) //nolint:forbidigo // synctest
		s.mu.Lock()
	}
}

// key returns the text by which the store finds a user.
func (s *naive) key(userID string) string {
	switch {
	case s.has("user IDs folded"):
		return strings.ToLower(userID)
	case s.has("user IDs trimmed"):
		return strings.TrimRight(userID, " ")
	default:
		return userID
	}
}

// owns reports whether a session of owner is a session of user.
func (s *naive) owns(user, owner string) bool {
	if s.has("user IDs are patterns") {
		match, err := path.Match(user, owner)
		return match && err == nil
	}
	return user == owner
}

func (s *naive) find(r googlesession.Ref) *naiveSession {
	session := s.sessions[r.ID]
	if session == nil || session.Ref != r && !s.has("tag ignored") {
		return nil
	}
	return session
}

func (s *naive) same(keep, r googlesession.Ref) bool {
	switch {
	case s.has("keep ignored"):
		return false
	case s.has("tag of keep ignored"):
		return keep.ID == r.ID
	}
	return keep == r
}

func (s *naive) alive(session *naiveSession, now time.Time) bool {
	idle := session.IdleTimeout
	if s.has("touch shortens") && session.seen.After(session.created) {
		idle /= 2
	}
	lifetimeLeft := session.created.Add(session.MaxLifetime).Sub(now)
	idleLeft := session.seen.Add(idle).Sub(now)
	switch {
	case s.has("idle not checked"):
		idleLeft = 1
	case s.has("absolute not checked"):
		lifetimeLeft = 1
	case s.has("admitted at the end"):
		lifetimeLeft++
		idleLeft++
	case session.postponed:
		return lifetimeLeft > -time.Hour && idleLeft > -time.Hour
	case s.has("no lifetime means for ever") && (session.MaxLifetime <= 0 || session.IdleTimeout <= 0):
		return true
	}
	return lifetimeLeft > 0 && idleLeft > 0
}

func (s *naive) due(unused, touchAfter, idle time.Duration) bool {
	switch {
	case s.has("touch not clamped"):
	case s.has("NeverTouch clamped"):
		touchAfter = min(touchAfter, idle/2)
	case s.has("touch clamped to the idle timeout"):
		touchAfter = touchUpTo(touchAfter, idle)
	case s.has("touch clamped to an eighth"):
		touchAfter = touchUpTo(touchAfter, idle/8)
	default:
		touchAfter = touchUpTo(touchAfter, idle/2)
	}
	switch {
	case s.has("touch at every check"):
		return true
	case s.has("touch too late"):
		return unused > touchAfter
	default:
		return unused >= touchAfter
	}
}

// touchUpTo returns touchAfter, or limit if that is less, and NeverTouch unchanged.
func touchUpTo(touchAfter, limit time.Duration) time.Duration {
	if touchAfter == googlesession.NeverTouch {
		return touchAfter
	}
	return min(touchAfter, limit)
}

func (s *naive) touch(session *naiveSession, now time.Time) {
	switch {
	case s.has("touch does not extend"):
		return
	case s.has("touch by the caller's clock") && s.second:
		session.seen = now.Add(-10 * time.Millisecond)
		return
	case s.has("touch recreates"):
		s.pause(s.bug)
		s.sessions[session.Ref.ID] = session
	}
	before := session.binding
	s.pause("use writes the Binding back")
	if s.has("use writes the Binding back") {
		session.binding = before
	}
	if now.After(session.seen) {
		session.seen = now
	}
	s.unbind(session, "use forgets the Binding")
	session.touched = true
	s.unmark(session, "use resets the marks")
}

// session returns a copy for the caller.
func (s *naive) session(session *naiveSession) googlesession.Session {
	expires := session.created.Add(session.MaxLifetime)
	if idle := session.seen.Add(session.IdleTimeout); idle.Before(expires) || s.has("ExpiresAt past the end") {
		expires = idle
	}
	found := googlesession.Session{
		Ref: session.Ref, User: s.users[session.owner], Device: session.Device, Label: session.Label, Kind: session.Kind, PublicID: s.publicID(session),
		CreatedAt: session.created, SeenAt: session.seen, ExpiresAt: expires,
		TokenIssuedAt: s.tokenTime(session), Binding: session.binding,
	}
	switch {
	case s.has("session keeps its User"):
		found.User = session.User
	case s.has("once Touched, always Touched"):
		found.Touched = session.touched
	case s.has("local time"):
		found.CreatedAt = found.CreatedAt.In(time.FixedZone("", 3600))
	}
	return found
}

func (s *naive) newer(u, known googlesession.User) bool {
	switch {
	case s.has("older version applied"):
		return true
	case s.has("equal version applied"):
		return u.Version >= known.Version
	case s.has("versions are text"):
		return fmt.Sprint(u.Version) > fmt.Sprint(known.Version)
	case s.has("versions lose digits"):
		return float32(u.Version) > float32(known.Version)
	case s.has("versions for all users"):
		for _, other := range s.users {
			known.Version = max(known.Version, other.Version)
		}
	}
	return u.Version > known.Version
}

func (s *naive) order(a, b googlesession.Session) int {
	switch {
	case s.has("oldest first"):
		a, b = b, a
	case s.has("last used first"):
		return b.SeenAt.Compare(a.SeenAt)
	}
	return b.CreatedAt.Compare(a.CreatedAt)
}
