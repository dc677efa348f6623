package googlesession

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A stranger can cause refusals at will, and an outage refuses every request. So the Manager
// logs the first notice of a kind with its details, counts the further ones of a minute, and
// then logs their number.

const (
	noticePeriod = time.Minute
	maxNotices   = 64 // kinds of notices that are counted apart
)

// A noticeKind tells notices apart. Its texts are constants and not text from a request, so
// there are few kinds. Only user comes from outside, from a token that Google has signed for
// a listed address.
type noticeKind struct {
	message string
	code    Code   // the Denial's code; "" if the notice is not about a refusal
	reason  string // the reason of a TokenError, or another detail of the code
	cause   string // the hint of a refusal, or the action that failed
	user    string // the user with an address in Config.Admins
}

// notices counts the notices of each kind. The zero value is ready.
type notices struct {
	mu    sync.Mutex
	kinds map[noticeKind]*noticeCount
}

// A noticeCount belongs to a kind of which a notice was logged at began.
type noticeCount struct {
	began time.Time
	more  int // how many notices of the kind followed and were not logged
}

// isRecent reports whether the kind's next notice is counted and not logged. A notice that
// comes after the minute, but before the number of the others is logged, is counted too.
func (c *noticeCount) isRecent(now time.Time) bool {
	age := now.Sub(c.began) // negative in a test, because the clock of each bubble of testing/synctest begins at the same time
	return age >= 0 && (age < noticePeriod || c.more > 0)
}

// add counts a notice and returns the kind under which it was counted. isFirst says that
// the caller has to log the notice. isSecond says that the caller has to call take after
// wait, to log the number of the further notices.
func (n *notices) add(kind noticeKind) (counted noticeKind, isFirst, isSecond bool, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if n.kinds == nil {
		n.kinds = make(map[noticeKind]*noticeCount)
	}
	if n.kinds[kind] == nil && len(n.kinds) >= maxNotices {
		for k, c := range n.kinds {
			if !c.isRecent(now) {
				delete(n.kinds, k)
			}
		}
		if len(n.kinds) >= maxNotices { // such as those of a verifier that invents reasons
			kind = noticeKind{message: kind.message}
		}
	}
	c := n.kinds[kind]
	if c == nil || !c.isRecent(now) {
		n.kinds[kind] = &noticeCount{began: now}
		return kind, true, false, 0
	}
	c.more++
	return kind, false, c.more == 1, c.began.Add(noticePeriod).Sub(now)
}

// take returns how many notices of the kind were counted, and forgets the kind, so that the
// next notice is logged.
func (n *notices) take(kind noticeKind) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.kinds[kind]
	if c == nil {
		return 0
	}
	delete(n.kinds, kind)
	return c.more
}

// notify logs a notice for the operator, or counts it if a notice of the same kind was
// logged in the last minute. It returns the Logger in both cases, and nil if the Logger does
// not log this level. attrs is called only for a notice that is logged.
//
// The number of further notices is logged a minute after the first, without the request's
// context. A timer runs only while notices are counted. The number is lost if the process
// ends before the minute is over.
func (m *Manager) notify(ctx context.Context, level slog.Level, kind noticeKind, attrs func() []slog.Attr) *slog.Logger {
	l := m.cfg.Logger
	if !l.Enabled(ctx, level) {
		return nil
	}
	kind, isFirst, isSecond, wait := m.notices.add(kind)
	switch {
	case isFirst:
		l.LogAttrs(ctx, level, kind.message, attrs()...)
	case isSecond:
		time.AfterFunc(wait, func() { m.logSuppressed(level, kind) }) //nolint:contextcheck // the number belongs to no single request
	}
	return l
}

// logSuppressed logs how many notices of a kind were counted.
func (m *Manager) logSuppressed(level slog.Level, kind noticeKind) {
	// A panic of the Logger's handler would end the process, because net/http does not
	// recover from it in this goroutine.
	defer func() { _ = recover() }()
	var attrs []slog.Attr
	for _, a := range []slog.Attr{
		slog.String("code", string(kind.code)),
		slog.String("reason", kind.reason),
		slog.String("cause", kind.cause),
		slog.String("user", kind.user),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	attrs = append(attrs, slog.Int("suppressed", m.notices.take(kind)), slog.Duration("period", noticePeriod))
	m.cfg.Logger.LogAttrs(context.Background(), level, kind.message, attrs...)
}
