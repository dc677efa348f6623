package redisstore

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/googlesession/googlesession"
)

// A Finding is something about the servers or the client that an operator should know.
type Finding struct {
	// Severe means that a promise does not hold, or will not hold for long.
	Severe bool
	Text   string
}

// Doctor looks at the settings of each master and of the client, and returns what
// could be better, the severe findings first. It returns nil if all is well. What it
// may not ask, because the server refuses a command, it lists as unknown. An error wraps
// [googlesession.ErrUnavailable] and means that a server could not be asked at all.
//
// Doctor tries the commands that the store needs on a key of its own under
// [Options.Prefix], and leaves nothing there.
func (s *Store) Doctor(ctx context.Context) ([]Finding, error) {
	d := doctor{client: settingsOf(s.client), replicas: s.opts.Replicas}
	d.lookAtClient()
	if err := d.lookAtScripts(ctx, s); err != nil {
		return nil, classify(ctx, "looking at the scripts", err)
	}
	err := eachMaster(ctx, s.client, func(ctx context.Context, master redis.UniversalClient) error {
		name := ""
		if c, ok := master.(*redis.Client); ok && master != s.client {
			name = c.Options().Addr + ": "
		}
		return d.lookAtServer(ctx, master, name)
	})
	if err != nil {
		return nil, classify(ctx, "looking at the servers", err)
	}
	slices.SortStableFunc(d.findings, func(a, b Finding) int {
		if a.Severe != b.Severe {
			return map[bool]int{true: -1, false: 1}[a.Severe]
		}
		return cmp.Compare(a.Text, b.Text)
	})
	return d.findings, nil
}

type doctor struct {
	client     settings
	replicas   int  // of Options
	undeclared bool // the server does not understand the declaration of a script

	mu       sync.Mutex // masters are asked at once
	findings []Finding
}

func (d *doctor) severe(format string, args ...any) { d.add(true, format, args...) }
func (d *doctor) note(format string, args ...any)   { d.add(false, format, args...) }

func (d *doctor) add(severe bool, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.findings = append(d.findings, Finding{severe, fmt.Sprintf(format, args...)})
}

func (d *doctor) lookAtClient() {
	c := d.client
	if !c.known {
		d.severe("client of an unknown type: whether it sends a command again, and where to, cannot be seen")
		return
	}
	if !c.contextDeadline {
		d.note("client: ContextTimeoutEnabled is false: a server that stalls is waited for longer than the caller's deadline")
	}
	if c.retries > 1 {
		d.note("client: MaxRetries is %d: it may be long until a 503 is answered", c.retries)
	}
	if c.replicas {
		d.note("client: it may read from replicas; the store's scripts do not")
	}
	if c.cache {
		d.note("client: it caches replies; the store's scripts are not among them")
	}
}

// lookAtScripts uses the store as a request does.
func (d *doctor) lookAtScripts(ctx context.Context, s *Store) error {
	var ref googlesession.Ref
	_, _ = rand.Read(ref.Tag[:]) // it never fails
	key := s.key(ref.Tag)
	declared, err := s.declares(ctx, key)
	if err == nil {
		d.undeclared = !declared
		err = s.check(ctx, ref, 0, new(googlesession.Session))
		if err == nil || errors.Is(err, googlesession.ErrNoSession) {
			return d.lookAtRights(ctx, s.client, key)
		}
	}
	if !isReply(err) && !errors.Is(err, errReplica) {
		return err
	}
	d.severe("scripts do not run: %v", err)
	return d.lookAtRights(ctx, s.client, key)
}

//go:embed rights.lua
var rightsLua string

// lookAtRights finds out which commands the scripts may not use.
func (d *doctor) lookAtRights(ctx context.Context, client redis.UniversalClient, key string) error {
	text := rightsLua
	if d.undeclared {
		_, text, _ = strings.Cut(text, "\n")
	}
	soon := time.Now().Add(time.Minute).UnixMilli() // for a user who may write and not remove
	cmd := redis.NewStringSliceCmd(ctx, "eval", text, 1, key, soon)
	if err := client.Process(ctx, cmd); err != nil && !isReply(err) {
		return err
	}
	for _, refusal := range cmd.Val() {
		d.severe("a command of the scripts is refused: %s", refusal)
	}
	return nil
}
