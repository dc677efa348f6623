package redisstore

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

// CreateSession implements [googlesession.SessionStore]. The client sends the command at
// most once, because a late duplicate would bring back a session that has been revoked
// meanwhile.
func (s *Store) CreateSession(ctx context.Context, n googlesession.NewSession) (googlesession.Session, error) {
	session, err := s.create(ctx, n)
	if err != nil {
		return googlesession.Session{}, contractError(ctx, "creating a session", err)
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
		storekit.SessionLimit(n, s.opts.PerUser), n.RefuseOverMax, storekit.ReplacedID(n), encodeMembers(n))...)
	if err != nil {
		return session, err
	}
	reply := newReply(value)
	switch reply.verdict(createReplies) {
	case createExists:
		return session, googlesession.ErrExists
	case createOtherTag:
		return session, errOtherTag
	case createDisabled:
		return session, googlesession.ErrUserDisabled
	case createStaleToken:
		return session, googlesession.ErrStaleToken
	case createTooMany:
		return session, googlesession.ErrTooManySessions
	}
	record, now, abs := reply.text(1), reply.number(2), reply.number(3)
	t, m := times{created: now, abs: abs, idle: idle, seen: now, token: token}, members{kind: n.Kind, publicID: storekit.PublicID(n)}
	session, err = reply.session(record, t, m, n.Ref)
	session.Device, session.Label = n.Device, n.Label
	return session, err
}

// The reply of create.lua begins with one of these verdicts.
const (
	createExists     = 1
	createOtherTag   = 2
	createDisabled   = 3
	createStaleToken = 4
	createTooMany    = 5
	createDone       = 9
)

// createReplies maps each verdict of create.lua to the length that the script's reply must
// have. The reply is a list whose first element is the verdict.
var createReplies = map[int64]int{
	createExists: 1, createOtherTag: 1, createDisabled: 1, createStaleToken: 1, createTooMany: 1, createDone: 4,
}

// userArgs returns u as the arguments that the function apply in shared.lua reads.
func userArgs(u googlesession.User) []any {
	record := encodeUser(u)
	return []any{u.ID, flags(u, record), u.Version, record, storekit.TokenUnixMilli(u.TokensAfter)}
}

// RevokeSession implements [googlesession.SessionStore]. If an answer is lost, the client
// sends the command again. RevokeSession may then return false although it has ended the
// session, because the first command ended the session.
func (s *Store) RevokeSession(ctx context.Context, r googlesession.Ref) (bool, error) {
	n, err := s.count(ctx, opRevoke, r.Tag, 1, r.ID[:])
	return n > 0, contractError(ctx, "revoking a session", err)
}

// RevokeUser implements [googlesession.SessionStore]. The client sends the command at most
// once, because a late duplicate would end a session that has been created meanwhile.
func (s *Store) RevokeUser(ctx context.Context, userID string, keep *googlesession.Ref) (int, error) {
	tag, kept := googlesession.UserTag(userID), []byte{}
	if keep != nil && keep.Tag == tag {
		kept = keep.ID[:]
	}
	n, err := s.count(ctx, opRevokeUser, tag, math.MaxInt32, kept)
	return n, contractError(ctx, "revoking a user's sessions", err)
}

// PutUser implements [googlesession.SessionStore]. If an answer is lost, the client sends
// the command again. PutUser may then return false although it has applied the user,
// because the first command applied the user.
func (s *Store) PutUser(ctx context.Context, u googlesession.User) (bool, error) {
	applied, err := s.put(ctx, u)
	return applied, contractError(ctx, "writing a user", err)
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
		return nil, contractError(ctx, "listing sessions", err)
	}
	return sessions, nil
}

func (s *Store) list(ctx context.Context, userID string) ([]googlesession.Session, error) {
	tag := googlesession.UserTag(userID)
	value, err := s.run(ctx, opList, tag)
	if err != nil {
		return nil, err
	}
	return parseList(tag, value)
}

// parseList returns the live sessions in a reply of list.lua, newest first. The user has
// this tag.
func parseList(tag [12]byte, value any) ([]googlesession.Session, error) {
	reply := newReply(value)
	now, fields := reply.number(0), reply.pairs(1)
	if reply.err != nil {
		return nil, reply.err
	}
	sessions := []googlesession.Session{}
	ref := googlesession.Ref{Tag: tag}
	for field, value := range fields {
		if len(field) != 1+len(ref.ID) || field[0] != 's' {
			continue
		}
		id := field[1:]
		t, m := parseSession(value)
		t.seen = t.created
		if seen, ok := fields["t"+id]; ok {
			t.seen, _ = strconv.ParseInt(seen, 10, 64)
		}
		if now >= t.expires() {
			continue
		}
		copy(ref.ID[:], id)
		session, err := reply.session(fields["p"], t, m, ref)
		if err != nil {
			return nil, err
		}
		session.Device, session.Label = decodeDevice(m.device), unescape.Replace(m.label)
		session.Binding = fields["b"+id]
		if !storekit.IsStaleToken(session.TokenIssuedAt, session.User) {
			sessions = append(sessions, session)
		}
	}
	slices.SortFunc(sessions, func(a, b googlesession.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), slices.Compare(a.Ref.ID[:], b.Ref.ID[:]))
	})
	return sessions, nil
}

// count runs the script of o and returns the number that the script replies with. It
// returns an error if the reply is not a number from 0 to most.
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
