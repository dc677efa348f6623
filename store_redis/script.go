package redisstore

import (
	"context"
	"crypto/sha1" //nolint:gosec // how Redis names scripts
	_ "embed"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// An op is a method of the store, and its script.
type op int

const (
	opCheck op = iota
	opCreate
	opRevoke
	opRevokeUser
	opPutUser
	opList
	opCount
)

// once: a second copy, late, would do harm.
func (o op) once() bool { return o == opCreate || o == opRevokeUser }

// confirmed: it waits for [Options.Replicas].
func (o op) confirmed() bool { return o == opRevoke || o == opRevokeUser || o == opPutUser }

var (
	//go:embed shared.lua
	sharedLua string
	//go:embed check.lua
	checkLua string
	//go:embed create.lua
	createLua string
	//go:embed revoke.lua
	revokeLua string
	//go:embed revoke_user.lua
	revokeUserLua string
	//go:embed put_user.lua
	putUserLua string
	//go:embed list.lua
	listLua string
)

// scripts are what a server is given.
type scripts [opCount]script

type script struct {
	text string
	sha  any // a string, as a command takes it
}

// newScripts puts the shared functions in front of all but the check. Undeclared
// scripts lack the first line, which Redis before 7.0 and miniredis do not understand.
func newScripts(declared bool) *scripts {
	all := &scripts{}
	for o, file := range [opCount]string{checkLua, createLua, revokeLua, revokeUserLua, putUserLua, listLua} {
		declaration, text, _ := strings.Cut(file, "\n")
		if op(o) != opCheck {
			text = sharedLua + text
		}
		if declared {
			text = declaration + "\n" + text
		}
		sum := sha1.Sum([]byte(text)) //nolint:gosec // how Redis names scripts
		all[o] = script{text, hex.EncodeToString(sum[:])}
	}
	return all
}

// errReplica is temporary: ready asks again until the server is a master.
var errReplica = errors.New("the server is a replica that accepts writes (replica-read-only no)")

// fromReplica is what all scripts return if they find that out. The check looks for it
// only where it records a use.
const fromReplica = "replica"

// run sends a script to the master of the user with this tag.
func (s *Store) run(ctx context.Context, o op, tag [12]byte, args ...any) (any, error) {
	return s.eval(ctx, o, tag, append(make([]any, before, before+len(args)), args...))
}

// before is how many arguments of a command come before those of its script.
const before = 4

// eval is run without a look at what was returned. It writes the first of the command's
// arguments; their room is allocated once.
func (s *Store) eval(ctx context.Context, o op, tag [12]byte, args []any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := s.key(tag)
	all, err := s.ready(ctx, key)
	if err != nil {
		return nil, err
	}
	args[0], args[1], args[2], args[3] = "evalsha", all[o].sha, 1, key
	cmd, err := s.send(ctx, o, key, args)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		// Nothing ran. The server is another one, or was restarted; whoever comes next
		// gives it the scripts.
		s.loaded.CompareAndSwap(all, nil)
		again := slices.Clone(args)
		again[0], again[1] = "eval", all[o].text
		cmd, err = s.send(ctx, o, key, again)
	}
	if err != nil {
		return nil, err
	}
	if cmd.Val() == any(fromReplica) {
		// The next check, too, goes by way of ready.
		s.loaded.CompareAndSwap(all, nil)
		return nil, errReplica
	}
	return cmd.Val(), nil
}

// send returns the command's error as well.
func (s *Store) send(ctx context.Context, o op, key string, args []any) (*redis.Cmd, error) {
	cmd := redis.NewCmd(ctx, args...)
	var sent redis.Cmder = cmd
	if o.once() {
		sent = onceCmd{cmd}
	}
	if s.opts.Replicas > 0 && o.confirmed() {
		return cmd, s.sendConfirmed(ctx, key, sent)
	}
	return cmd, s.client.Process(ctx, sent)
}

// A onceCmd is not sent again by the client, whatever the error. It still follows a
// cluster's redirections: then the first server has not run it.
type onceCmd struct{ *redis.Cmd }

func (onceCmd) NoRetry() bool { return true }

func (c onceCmd) Clone() redis.Cmder { return onceCmd{c.Cmd.Clone().(*redis.Cmd)} }

// ready returns the scripts that the servers understand, and sees to it once that they
// have them: a script that came with EVAL may be forgotten sooner, from Redis 7.4 on.
// Nobody waits for somebody else who is at it, and may be stuck.
func (s *Store) ready(ctx context.Context, key string) (*scripts, error) {
	if all := s.loaded.Load(); all != nil {
		return all, nil
	}
	declared, err := s.declares(ctx, key)
	if err != nil {
		return nil, err
	}
	all := newScripts(declared)
	// What fails here is found out, and made up for, by EVALSHA.
	_ = eachMaster(ctx, s.client, func(ctx context.Context, master redis.UniversalClient) error {
		_, err := master.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, script := range all {
				_ = p.Process(ctx, redis.NewCmd(ctx, "script", "load", script.text))
			}
			return nil
		})
		return err
	})
	s.loaded.CompareAndSwap(nil, all)
	return all, nil
}

// probe is declared as a revocation is, so that a server refuses it only if it would
// refuse a revocation as well: one whose memory is full runs both.
const probe = "#!lua flags=allow-oom\n"

// declares reports whether the server understands the line that declares a script.
func (s *Store) declares(ctx context.Context, key string) (bool, error) {
	cmd := redis.NewCmd(ctx, "eval", probe+sharedLua+"return 1", 1, key)
	err := s.client.Process(ctx, cmd)
	switch {
	case err != nil && strings.Contains(err.Error(), "rror compiling script"):
		return false, nil
	case err == nil && cmd.Val() == any(fromReplica):
		return false, errReplica
	}
	return err == nil, err
}
