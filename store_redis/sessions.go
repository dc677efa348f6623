package redisstore

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

var (
	errReply    = errors.New("unexpected reply of a script")
	errOtherTag = errors.New("the key belongs to another user")
)

// CreateSession implements [googlesession.SessionStore]. It is sent at most once: a
// second copy, late, would bring a session back that has been revoked in between.
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	session, err := s.create(ctx, n)
	if err != nil {
		return googlesession.Session{}, classify(ctx, "creating a session", err)
	}
	return session, nil
}

func (s *Store) create(ctx context.Context, n googlesession.NewSession) (session googlesession.Session, err error) {
	if err := storekit.CheckNewSession(n); err != nil {
		return session, err
	}
	token, idle := storekit.TokenUnixMilli(n.TokenIssuedAt), n.IdleTimeout.Milliseconds()
	value, err := s.run(ctx, opCreate, n.Ref.Tag, append(userArgs(n.User), n.Ref.ID[:], token,
		n.MaxLifetime.Milliseconds(), idle, googlesession.SignInWindow.Milliseconds(),
		storekit.SessionLimit(n, s.opts.PerUser), n.RefuseOverMax, storekit.ReplacedID(n), encodeDevice(n.Device))...)
	if err != nil {
		return session, err
	}
	reply := newReply(value)
	switch reply.verdict(createReplies) {
	case 1:
		return session, googlesession.ErrExists
	case 2:
		return session, errOtherTag
	case 3:
		return session, googlesession.ErrUserDisabled
	case 4:
		return session, googlesession.ErrStaleToken
	case 5:
		return session, googlesession.ErrTooManySessions
	}
	record, now, abs := reply.text(1), reply.number(2), reply.number(3)
	return reply.session(record, times{created: now, abs: abs, idle: idle, seen: now, token: token}, n.Ref, n.Device)
}

// createReplies are the verdicts of create.lua, with the length of the reply.
var createReplies = map[int64]int{1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 9: 4}

// userArgs are the arguments of a script's apply.
func userArgs(u googlesession.User) []any {
	record := encodeUser(u)
	return []any{u.ID, flags(u, record), u.Version, record, storekit.TokenUnixMilli(u.TokensAfter)}
}

// CheckSession implements [googlesession.SessionStore].
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (session googlesession.Session, err error) {
	err = s.check(ctx, r, touchAfter, &session)
	return session, classify(ctx, "checking a session", err)
}

// check writes the session if it returns nil. To return it would be to copy it twice.
func (s *Store) check(ctx context.Context, r googlesession.Ref, touchAfter time.Duration, session *googlesession.Session) error {
	known := s.users.find(r.Tag)
	value, err := s.eval(ctx, opCheck, r.Tag, []any{before: r.ID[:], max(0, touchAfter.Milliseconds()), known.flags})
	if err != nil {
		return err
	}
	answer, bare := value.(string)
	if !bare {
		if known, answer, err = learn(r.Tag, newReply(value)); err != nil {
			return err
		}
		s.users.keep(known)
	}
	t, touched, err := parseAnswer(answer)
	if err != nil {
		return err
	}
	if bare && known.flags == "" {
		return errReply
	}
	*session = newSession(known.user, t, r, googlesession.Device{})
	session.Touched = touched
	// A server of an earlier version signs in without a look at the token.
	if storekit.IsStaleToken(session.TokenIssuedAt, known.user) {
		*session = googlesession.Session{}
		return googlesession.ErrSessionRevoked
	}
	return nil
}

// learn reads an answer with a record that was not known.
func learn(tag [12]byte, reply *reply) (user *knownUser, answer string, err error) {
	answer, flags, record := reply.text(0), reply.text(1), reply.text(2)
	if reply.err != nil || len(reply.values) != 3 {
		return nil, "", errReply
	}
	if len(flags) != flagsLen {
		flags = "" // they do not say whose they are, nor would they when it changes
	}
	u, err := decodeUser(record)
	if err == nil && googlesession.UserTag(u.ID) != tag {
		err = googlesession.ErrNoSession // a Ref whose tag is another user's names nothing
	}
	return &knownUser{tag, flags, u}, answer, err
}

// parseAnswer reads what the script says of a session. That it has expired is found out
// here.
func parseAnswer(answer string) (t times, touched bool, err error) {
	switch {
	case answer == "0":
		return t, false, googlesession.ErrNoSession
	case answer == "2":
		return t, false, googlesession.ErrUserDisabled
	case answer == "" || answer[0] != '3' && answer[0] != '4':
		return t, false, errReply
	}
	var last, seconds, micros int64
	record, err := cutNumbers(answer[1:], &last, &seconds, &micros)
	if err != nil {
		return t, false, errReply
	}
	t, _ = parseSession(record)
	t.seen = last
	// A clock that steps back does not prolong a session.
	if now := max(seconds*1000+micros/1000, last); now >= t.ends() {
		return t, false, googlesession.ErrSessionExpired
	}
	return t, answer[0] == '4', nil
}

// RevokeSession implements [googlesession.SessionStore]. A client that sends it again,
// because an answer was lost, may find done what the first copy did: then it is false
// although this call has ended the session. So it is with PutUser.
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	n, err := s.count(ctx, opRevoke, r.Tag, 1, r.ID[:])
	return n > 0, classify(ctx, "revoking a session", err)
}

// RevokeUser implements [googlesession.SessionStore]. It is sent at most once: a
// second copy, late, would end a session that has been created in between.
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	tag, kept := googlesession.UserTag(userID), []byte{}
	if keep != nil && keep.Tag == tag {
		kept = keep.ID[:]
	}
	n, err := s.count(ctx, opRevokeUser, tag, math.MaxInt32, kept)
	return n, classify(ctx, "revoking a user's sessions", err)
}

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	applied, err := s.put(ctx, u)
	return applied, classify(ctx, "writing a user", err)
}

func (s *Store) put(ctx context.Context, u googlesession.User) (bool, error) {
	if err := storekit.CheckUser(u); err != nil {
		return false, err
	}
	n, err := s.count(ctx, opPutUser, googlesession.UserTag(u.ID), 2, append(userArgs(u), googlesession.SignInWindow.Milliseconds())...)
	if n == 2 {
		return false, errOtherTag
	}
	return n == 1, err
}

// Sessions implements [googlesession.SessionStore].
func (s *Store) Sessions(ctx context.Context, userID string) ([]googlesession.Session, error) {
	sessions, err := s.list(ctx, userID)
	if err != nil {
		return nil, classify(ctx, "listing sessions", err)
	}
	return sessions, nil
}

func (s *Store) list(ctx context.Context, userID string) ([]googlesession.Session, error) {
	ref := googlesession.Ref{Tag: googlesession.UserTag(userID)}
	value, err := s.run(ctx, opList, ref.Tag)
	if err != nil {
		return nil, err
	}
	reply := newReply(value)
	now, fields := reply.number(0), reply.pairs(1)
	if reply.err != nil {
		return nil, reply.err
	}
	sessions := []googlesession.Session{}
	for field, value := range fields {
		if len(field) != 1+len(ref.ID) || field[0] != 's' {
			continue
		}
		id := field[1:]
		t, device := parseSession(value)
		t.seen = t.created
		if seen, ok := fields["t"+id]; ok {
			t.seen, _ = strconv.ParseInt(seen, 10, 64)
		}
		if now >= t.ends() {
			continue
		}
		copy(ref.ID[:], id)
		session, err := reply.session(fields["p"], t, ref, decodeDevice(device))
		if err != nil {
			return nil, err
		}
		if !storekit.IsStaleToken(session.TokenIssuedAt, session.User) {
			sessions = append(sessions, session)
		}
	}
	slices.SortFunc(sessions, func(a, b googlesession.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), slices.Compare(a.Ref.ID[:], b.Ref.ID[:]))
	})
	return sessions, nil
}

// count runs a script that returns a number from 0 to most.
func (s *Store) count(ctx context.Context, o op, tag [12]byte, most int64, args ...any) (int, error) {
	value, err := s.run(ctx, o, tag, args...)
	if err != nil {
		return 0, err
	}
	n, ok := value.(int64)
	if !ok || n < 0 || n > most {
		return 0, errReply
	}
	return int(n), nil
}

// times are what a session's record says, in Unix milliseconds; idle is a duration. Token
// is when the token was issued, or 0.
type times struct{ created, abs, idle, seen, token int64 }

func (t times) ends() int64 { return min(t.abs, t.seen+t.idle) }

// parseSession returns zeros, which have expired, for a text that is not a record. The
// device follows the three times, and the token's time follows the device.
func parseSession(record string) (t times, device string) {
	device, err := cutNumbers(record, &t.created, &t.abs, &t.idle)
	if err != nil {
		return times{}, ""
	}
	device, t.token = cutToken(device, t.created)
	return t, device
}

// cutNumbers reads numbers that a text begins with, each with a blank behind it.
func cutNumbers(text string, numbers ...*int64) (rest string, err error) {
	for _, n := range numbers {
		if text, err = cutNumber(text, n); err != nil {
			return "", err
		}
	}
	return text, nil
}

// cutNumber takes a third of the time of strconv.ParseInt, of which a check needs six.
func cutNumber(text string, n *int64) (rest string, err error) {
	const most = 18 // digits: more may not fit
	var value int64
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' && 0 < i && i <= most:
			*n = value
			return text[i+1:], nil
		case '0' <= c && c <= '9':
			value = value*10 + int64(c-'0')
		default:
			return "", errReply
		}
	}
	return "", errReply
}
