package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/internal/contract"
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
	if err := contract.CheckSession(n); err != nil {
		return session, err
	}
	u, idle := n.User, n.IdleTimeout.Milliseconds()
	reply, err := s.run(ctx, opCreate, n.Ref.Tag, u.ID, flags(u), u.Version, encodeUser(u), n.Ref.ID[:],
		n.MaxLifetime.Milliseconds(), idle, googlesession.LoginWindow.Milliseconds(),
		contract.Limit(n, s.opts.PerUser), n.RefuseOverMax, contract.Replaced(n), contract.EncodeDevice(n.Device))
	if err != nil {
		return session, err
	}
	switch reply.status() {
	case 0:
		return session, googlesession.ErrExists
	case 1:
		return session, errOtherTag
	case 2:
		return session, googlesession.ErrUserDisabled
	case 3:
		return session, googlesession.ErrTooManySessions
	}
	record, now, abs := reply.text(1), reply.number(2), reply.number(3)
	return reply.session(record, times{created: now, abs: abs, idle: idle, seen: now}, n.Ref, n.Device)
}

// CheckSession implements [googlesession.SessionStore].
func (s *Store) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	session, err := s.check(ctx, r, touchAfter)
	if err != nil {
		return googlesession.Session{}, classify(ctx, "checking a session", err)
	}
	return session, nil
}

func (s *Store) check(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (session googlesession.Session, err error) {
	value, err := s.eval(ctx, opCheck, r.Tag, r.ID[:], touchAfter.Milliseconds())
	if err != nil {
		return session, err
	}
	reply, _ := value.(string)
	if reply == "" {
		return session, errReply
	}
	switch reply[0] {
	case '0':
		return session, googlesession.ErrNoSession
	case '1':
		return session, googlesession.ErrSessionExpired
	case '2':
		return session, googlesession.ErrUserDisabled
	case '3', '4':
	default:
		return session, errReply
	}
	t, rest := parseSession(reply[1:])
	last, record, _ := strings.Cut(rest, " ")
	if t.seen, err = strconv.ParseInt(last, 10, 64); err != nil {
		return session, errReply
	}
	session, err = newSession(record, t, r, googlesession.Device{})
	session.Touched = reply[0] == '4'
	return session, err
}

// RevokeSession implements [googlesession.SessionStore]. A client that sends it again,
// because an answer was lost, may find done what the first copy did: then it is false
// although this call has ended the session. So it is with PutUser.
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	n, err := s.count(ctx, opRevoke, r.Tag, r.ID[:])
	return n > 0, classify(ctx, "revoking a session", err)
}

// RevokeUser implements [googlesession.SessionStore]. It is sent at most once: a
// second copy, late, would end a session that has been created in between.
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	tag, kept := googlesession.UserTag(userID), []byte{}
	if keep != nil && keep.Tag == tag {
		kept = keep.ID[:]
	}
	n, err := s.count(ctx, opRevokeUser, tag, kept)
	return n, classify(ctx, "revoking a user's sessions", err)
}

// PutUser implements [googlesession.SessionStore].
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	applied, err := s.put(ctx, u)
	return applied, classify(ctx, "writing a user", err)
}

func (s *Store) put(ctx context.Context, u googlesession.User) (bool, error) {
	if err := contract.CheckUser(u); err != nil {
		return false, err
	}
	n, err := s.count(ctx, opPutUser, googlesession.UserTag(u.ID), u.ID, flags(u), u.Version, encodeUser(u), googlesession.LoginWindow.Milliseconds())
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
	reply, err := s.run(ctx, opList, ref.Tag)
	if err != nil {
		return nil, err
	}
	now, fields := reply.number(0), reply.pairs(1)
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
		session, err := reply.session(fields["p"], t, ref, contract.DecodeDevice([]byte(device)))
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	slices.SortFunc(sessions, func(a, b googlesession.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), slices.Compare(a.Ref.ID[:], b.Ref.ID[:]))
	})
	return sessions, reply.err
}

// count runs a script that returns a number.
func (s *Store) count(ctx context.Context, o op, tag [12]byte, args ...any) (int, error) {
	reply, err := s.run(ctx, o, tag, args...)
	if err != nil {
		return 0, err
	}
	return int(reply.status()), reply.err
}

// times are what a session's record says, in Unix milliseconds; idle is a duration.
type times struct{ created, abs, idle, seen int64 }

func (t times) ends() int64 { return min(t.abs, t.seen+t.idle) }

// parseSession returns zeros, which have expired, for what is no record. What follows
// the three times is the device.
func parseSession(record string) (t times, device string) {
	created, rest, _ := strings.Cut(record, " ")
	abs, rest, _ := strings.Cut(rest, " ")
	idle, device, _ := strings.Cut(rest, " ")
	var errs [3]error
	t.created, errs[0] = strconv.ParseInt(created, 10, 64)
	t.abs, errs[1] = strconv.ParseInt(abs, 10, 64)
	t.idle, errs[2] = strconv.ParseInt(idle, 10, 64)
	if errors.Join(errs[:]...) != nil {
		return times{}, ""
	}
	return t, device
}
