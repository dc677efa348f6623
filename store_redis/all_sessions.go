package redisstore

// This file holds AllSessions, which goes through the keys of each master with SCAN and lists
// each user whose hash it finds, as Sessions does. SCAN returns every key that the server
// has from the first call of an iteration to the last. That is not enough if the server is
// another one meanwhile, or if the key moves to another server:
//
//   - After a restart or a failover the cursor is worthless. So scan.lua returns the ID of
//     the server's run, and begins again if that has changed.
//   - If slots of a cluster have moved, or a replica has taken over, while the masters were
//     scanned one after another, all masters are scanned a second time. A key that has moved
//     once is found at the latest then. Either it was still on the master that it left when
//     the first round scanned that master, or it was on the other master before the second
//     round began.
//
// A session may therefore be in several pages. A page takes a bounded number of steps, even
// if the database holds millions of keys of other programs, and it may then be empty.

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/googlesession/googlesession"
)

const (
	maxScans = 20   // the most SCANs of one page
	minCount = 10   // the fewest keys that a SCAN visits, of any program
	maxCount = 1000 // the most keys that a SCAN visits, because Redis serves no other client meanwhile
)

// AllSessions implements [googlesession.SessionStore]. A page has all sessions of about limit
// users, or of fewer if their keys are few among the keys of other programs.
//
// A session that is live throughout is in a page even if a server restarts or a replica
// takes over between two pages. In a Cluster that holds as long as the session's slot moves
// at most once between the first call and the last, by a reshard or by a failover. The Redis
// user needs the right to SCAN. Without the right to INFO, AllSessions does not notice a
// restart or a failover. It does not work through a proxy that spreads keys over several
// servers.
func (s *Store) AllSessions(ctx context.Context, after string, limit int) ([]googlesession.Session, string, error) {
	page, next, err := s.allSessions(ctx, after, limit)
	if err != nil {
		return nil, "", contractError(ctx, "listing all sessions", err)
	}
	return page, next, nil
}

func (s *Store) allSessions(ctx context.Context, after string, limit int) (page []googlesession.Session, next string, err error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, "", err
	}
	place, err := parsePlace(after)
	if err != nil {
		return nil, "", err
	}
	all, err := listMasters(ctx, s.client)
	if err != nil {
		return nil, "", err
	}
	if err := place.enter(ctx, all); err != nil {
		return nil, "", err
	}
	listed := make(map[[12]byte]bool)
	count := min(max(limit, minCount), maxCount)
	for scans := 0; !place.ended(); scans++ {
		if scans == maxScans || len(page) >= limit {
			return page, place.String(), nil
		}
		tags, err := s.scan(ctx, place, all, count)
		if err != nil {
			return nil, "", err
		}
		// SCAN may return a key twice.
		tags = slices.DeleteFunc(tags, func(tag [12]byte) bool {
			known := listed[tag]
			listed[tag] = true
			return known
		})
		sessions, err := s.listUsers(ctx, tags)
		if err != nil {
			return nil, "", err
		}
		page = append(page, sessions...)
		count = min(2*count, maxCount) // another SCAN means that few of the keys are the store's
		if place.cursor == "0" {
			if err := place.goTo(ctx, place.node+1, all); err != nil {
				return nil, "", err
			}
		}
	}
	return page, "", nil
}

// scan does one SCAN on the master at which the place is, moves the place on, and returns
// the tags of the users whose keys it has found.
func (s *Store) scan(ctx context.Context, p *place, all masters, count int) ([][12]byte, error) {
	scripts, err := s.loadScripts(ctx, s.key([12]byte{}))
	if err != nil {
		return nil, err
	}
	pattern := globEscape.Replace(s.opts.Prefix) + "{????????????????}"
	words := []any{"evalsha", scripts[opScan].sha, 0, p.cursor, pattern, count, p.run}
	cmd, slots, moving, err := all.send(ctx, p.node, words)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		s.loaded.CompareAndSwap(scripts, nil)
		words[0], words[1] = "eval", scripts[opScan].text
		cmd, slots, moving, err = all.send(ctx, p.node, words)
	}
	if err != nil {
		return nil, err
	}
	value, err := s.value(scripts, cmd)
	if err != nil {
		return nil, err
	}
	reply := newReply(value)
	cursor, run, mode := reply.text(0), reply.text(1), reply.text(2)
	keys := newReply(get[[]any](reply, 3))
	if reply.err != nil || !isCursor(cursor) || !isHex(run) {
		return nil, errReply
	}
	if p.id == "" && mode == "cluster" {
		return nil, errors.New("the server belongs to a cluster, but the client is not a *redis.ClusterClient")
	}
	p.cursor, p.run = cursor, run
	p.moved = p.moved || moving || slots != p.slots
	var tags [][12]byte
	for i := range keys.values {
		if tag, ok := s.tagOf(keys.text(i)); ok {
			tags = append(tags, tag)
		}
	}
	return tags, keys.err
}

// listUsers returns the sessions of the users with these tags, in one round trip.
func (s *Store) listUsers(ctx context.Context, tags [][12]byte) (sessions []googlesession.Session, err error) {
	if len(tags) == 0 {
		return nil, nil
	}
	scripts, err := s.loadScripts(ctx, s.key(tags[0]))
	if err != nil {
		return nil, err
	}
	cmds := make([]*redis.Cmd, len(tags))
	// The error is dropped, because each command has its own.
	_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, tag := range tags {
			cmds[i] = redis.NewCmd(ctx, "evalsha", scripts[opList].sha, 1, s.key(tag))
			_ = p.Process(ctx, cmds[i])
		}
		return nil
	})
	for i, cmd := range cmds {
		var value any
		switch err = cmd.Err(); {
		case err == nil:
			value, err = s.value(scripts, cmd)
		case redis.HasErrorPrefix(err, "NOSCRIPT"):
			value, err = s.run(ctx, opList, tags[i])
		}
		if err != nil {
			return nil, err
		}
		list, err := parseList(tags[i], value)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, list...)
	}
	return sessions, nil
}

// globEscape puts a backslash before each character that has a meaning in a pattern of SCAN.
var globEscape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// tagOf is the inverse of key. It reports false for a key that the store has not made.
func (s *Store) tagOf(key string) (tag [12]byte, ok bool) {
	text, found := strings.CutPrefix(key, s.opts.Prefix+"{")
	text, closed := strings.CutSuffix(text, "}")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if !found || !closed || err != nil || len(raw) != len(tag) {
		return tag, false
	}
	copy(tag[:], raw)
	return tag, s.key(tag) == key
}
