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
	// Severe means that a promise of the store does not hold, or will not hold for long.
	Severe bool

	// Text is one line in English. In a cluster, the text of a finding about one server
	// begins with the server's address.
	Text string
}

// Doctor examines the settings of each master and of the client. It returns a Finding for
// each setting that could be better, the severe ones first, and nil if there is none. A
// setting that the server does not let Doctor read is a finding too. An error wraps
// [googlesession.ErrUnavailable] and means that a server did not answer.
//
// Doctor tries the commands that the store needs on a key of its own under
// [Options.Prefix], and leaves nothing there.
func (s *Store) Doctor(ctx context.Context) ([]Finding, error) {
	d := doctor{client: settingsOf(s.client), replicas: s.opts.Replicas}
	d.examineClient()
	if err := d.examineScripts(ctx, s); err != nil {
		return nil, contractError(ctx, "examining the scripts", err)
	}
	err := eachMaster(ctx, s.client, func(ctx context.Context, master redis.UniversalClient) error {
		name := ""
		if c, ok := master.(*redis.Client); ok && master != s.client {
			name = c.Options().Addr + ": "
		}
		return d.examineServer(ctx, master, name)
	})
	if err != nil {
		return nil, contractError(ctx, "examining the servers", err)
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
	client   clientSettings
	replicas int  // Options.Replicas
	noFlags  bool // the server does not understand the line that declares a script's flags

	mu       sync.Mutex // guards findings, because the masters are examined concurrently
	findings []Finding
}

func (d *doctor) severe(format string, args ...any) { d.add(true, format, args...) }
func (d *doctor) note(format string, args ...any)   { d.add(false, format, args...) }

func (d *doctor) add(severe bool, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.findings = append(d.findings, Finding{severe, fmt.Sprintf(format, args...)})
}

func (d *doctor) examineClient() {
	c := d.client
	if !c.known {
		d.severe("client is of an unknown type, so it cannot be seen whether it repeats commands and which servers it uses")
		return
	}
	if !c.contextDeadline {
		d.note("client: ContextTimeoutEnabled is false, so a call waits for a stalled server beyond its caller's deadline")
	}
	if c.retries > 1 {
		d.note("client: MaxRetries is %d, so the 503 of an outage may come late", c.retries)
	}
	if c.replicas {
		d.note("client: it may read from replicas, but the store's scripts run on masters only")
	}
	if c.cache {
		d.note("client: it caches replies, but not those of the store's scripts")
	}
}

// examineScripts checks a session that does not exist, as a request would, and adds a
// finding if the script does not run. Then it calls examineRights. It returns an error only
// if the server does not answer.
func (d *doctor) examineScripts(ctx context.Context, s *Store) error {
	var ref googlesession.Ref
	_, _ = rand.Read(ref.Tag[:]) // rand.Read never returns an error
	key := s.key(ref.Tag)
	declared, err := s.understandsFlags(ctx, key)
	if err == nil {
		d.noFlags = !declared
		_, err = s.check(ctx, ref, 0)
		if err == nil || errors.Is(err, googlesession.ErrNoSession) {
			return d.examineRights(ctx, s.client, key)
		}
	}
	if !isReply(err) && !errors.Is(err, errReplica) {
		return err
	}
	d.severe("scripts do not run: %v", err)
	return d.examineRights(ctx, s.client, key)
}

//go:embed rights.lua
var rightsLua string

// examineRights tries each command of the scripts and adds a finding for each command that
// the server refuses.
func (d *doctor) examineRights(ctx context.Context, client redis.UniversalClient, key string) error {
	text := rightsLua
	if d.noFlags {
		_, text, _ = strings.Cut(text, "\n")
	}
	// The key expires after a minute if the Redis user may write it but not remove it.
	expires := time.Now().Add(time.Minute).UnixMilli()
	cmd := redis.NewStringSliceCmd(ctx, "eval", text, 1, key, expires)
	if err := client.Process(ctx, cmd); err != nil && !isReply(err) {
		return err
	}
	for _, refusal := range cmd.Val() {
		d.severe("a command of the scripts is refused: %s", refusal)
	}
	return nil
}
