package redisstore

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis demands SHA-1 as the name of a script, and security does not depend on it
	_ "embed"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// An op stands for a method of the store and for the script that does the method's work.
type op int

const (
	opCheck op = iota
	opCreate
	opRevoke
	opRevokeUser
	opPutUser
	opList
	opScan
	opSwapBinding
	opCount
)

// sendOnce reports whether the client must send the command at most once, because a late
// duplicate would do harm.
func (o op) sendOnce() bool { return o == opCreate || o == opRevokeUser }

// awaitsReplicas reports whether the method waits for [Options.Replicas].
func (o op) awaitsReplicas() bool {
	return o == opRevoke || o == opRevokeUser || o == opPutUser || o == opSwapBinding
}

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
	//go:embed scan.lua
	scanLua string
	//go:embed swap_binding.lua
	swapBindingLua string
)

// scripts holds the scripts in the form in which they are sent to servers, indexed by op.
type scripts [opCount]script

type script struct{ text, sha string }

// newScripts returns the scripts, with shared.lua in front of each but check.lua. The first
// line of a script's file declares the script's flags. Redis before 7.0 and miniredis do
// not understand that line, so newScripts leaves it out unless declared is set.
func newScripts(declared bool) *scripts {
	all := &scripts{}
	for o, file := range [opCount]string{checkLua, createLua, revokeLua, revokeUserLua, putUserLua, listLua, scanLua, swapBindingLua} {
		declaration, text, _ := strings.Cut(file, "\n")
		if op(o) != opCheck {
			text = sharedLua + text
		}
		if declared {
			text = declaration + "\n" + text
		}
		sum := sha1.Sum([]byte(text)) //nolint:gosec // Redis demands SHA-1 as the name of a script, and security does not depend on it
		all[o] = script{text, hex.EncodeToString(sum[:])}
	}
	return all
}

// errReplica reports that the server is not a master. The error is temporary, because each
// call asks for the role again until the server is a master.
var errReplica = errors.New("the server is a replica that accepts writes (replica-read-only no)")

// replicaReply is the reply of a script that finds out that the server is a replica.
const replicaReply = "replica"

// run runs the script of o on the master that has the user with this tag, and returns the
// script's reply.
func (s *Store) run(ctx context.Context, o op, tag [12]byte, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := s.key(tag)
	all, err := s.loadScripts(ctx, key)
	if err != nil {
		return nil, err
	}
	words := append(make([]any, 0, 4+len(args)), "evalsha", all[o].sha, 1, key)
	words = append(words, args...)
	cmd, err := s.send(ctx, o, key, words)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		// The server has not run anything, because it does not have the script. It was
		// restarted, or it is not the server that was given the scripts. The next call loads
		// the scripts again, and the present call sends the script's text.
		s.loaded.CompareAndSwap(all, nil)
		withText := slices.Clone(words)
		withText[0], withText[1] = "eval", all[o].text
		cmd, err = s.send(ctx, o, key, withText)
	}
	if err != nil {
		return nil, err
	}
	return s.value(all, cmd)
}

// value returns what a script replied. It returns errReplica if the script has found out
// that the server is a replica.
func (s *Store) value(all *scripts, cmd *redis.Cmd) (any, error) {
	if cmd.Val() == any(replicaReply) {
		// check.lua asks for the role only if it has a use to record. So loaded is set to
		// nil, because then the next call asks for the role in loadScripts.
		s.loaded.CompareAndSwap(all, nil)
		return nil, errReplica
	}
	return cmd.Val(), nil
}

// send sends the command that consists of words, and returns the command and its error. It
// waits for replicas if o does.
func (s *Store) send(ctx context.Context, o op, key string, words []any) (*redis.Cmd, error) {
	cmd := redis.NewCmd(ctx, words...)
	var sent redis.Cmder = cmd
	if o.sendOnce() {
		sent = noRetryCmd{cmd}
	}
	if s.opts.Replicas > 0 && o.awaitsReplicas() {
		return cmd, s.sendConfirmed(ctx, key, sent)
	}
	return cmd, s.client.Process(ctx, sent)
}

// A noRetryCmd is a command that the client does not send again after an error. The
// client still follows a cluster's redirection, because a server that redirects a command
// has not run it.
type noRetryCmd struct{ *redis.Cmd }

func (noRetryCmd) NoRetry() bool { return true }

func (c noRetryCmd) Clone() redis.Cmder { return noRetryCmd{c.Cmd.Clone().(*redis.Cmd)} }

// loadScripts returns the scripts in the form that the servers understand. If s.loaded is
// nil, it loads them with SCRIPT LOAD, because Redis 7.4 and newer may forget a script that
// it knows only from EVAL. Concurrent calls that find s.loaded nil all load the scripts.
// They do not wait for each other, because one of these calls may be stuck.
func (s *Store) loadScripts(ctx context.Context, key string) (*scripts, error) {
	if all := s.loaded.Load(); all != nil {
		return all, nil
	}
	declared, err := s.understandsFlags(ctx, key)
	if err != nil {
		return nil, err
	}
	all := newScripts(declared)
	// The error is dropped, because run sends the text of a script that a server lacks.
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

// probeFlags declares the flags of the scripts that revoke, for the script with which
// understandsFlags probes a server. So a server refuses the probe only if it would refuse a
// revocation too, and it runs both if its memory is full.
const probeFlags = "#!lua flags=allow-oom\n"

// understandsFlags reports whether the server understands the line that declares a
// script's flags. It returns errReplica if the server is a replica.
func (s *Store) understandsFlags(ctx context.Context, key string) (bool, error) {
	cmd := redis.NewCmd(ctx, "eval", probeFlags+sharedLua+"return 1", 1, key)
	err := s.client.Process(ctx, cmd)
	switch {
	case err != nil && strings.Contains(err.Error(), "rror compiling script"):
		return false, nil
	case err == nil && cmd.Val() == any(replicaReply):
		return false, errReplica
	}
	return err == nil, err
}
