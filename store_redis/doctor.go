package redisstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/googlesession/googlesession"
)

// A Finding is something about the servers or the client that an operator should know.
type Finding struct {
	// Severe: a promise does not hold, or not for long.
	Severe bool
	Text   string
}

// Doctor looks at the settings of each master and of the client, and returns what
// could be better, the severe first; none is nil. What it may not ask, because CONFIG
// is refused, it lists as unknown. An error wraps [googlesession.ErrUnavailable]: a
// server could not be asked at all.
func (s *Store) Doctor(ctx context.Context) ([]Finding, error) {
	d := doctor{client: settingsOf(s.client)}
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
	client   settings
	declared bool // the server understands the declaration of a script

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
	declared, err := s.declares(ctx, s.key(ref.Tag))
	if err == nil {
		d.declared = declared
		err = s.check(ctx, ref, 0, new(googlesession.Session))
	}
	switch {
	case errors.Is(err, googlesession.ErrNoSession):
		return nil
	case isReply(err):
		d.severe("scripts do not run: %v", err)
		return nil
	default:
		return err
	}
}

func (d *doctor) lookAtServer(ctx context.Context, master redis.UniversalClient, name string) error {
	info := make(map[string]string)
	for _, section := range []string{"server", "replication", "persistence", "memory"} {
		cmd := redis.NewStringCmd(ctx, "info", section)
		if err := master.Process(ctx, cmd); err != nil && !isReply(err) {
			return err
		}
		for line := range strings.Lines(cmd.Val()) {
			if field, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				info[field] = value
			}
		}
	}
	d.lookAtInfo(info, name)

	cmd := redis.NewMapStringStringCmd(ctx, "config", "get", "hash-max-listpack-value", "min-replicas-max-lag", "appendfsync")
	if err := master.Process(ctx, cmd); err != nil && !isReply(err) {
		return err
	}
	d.lookAtConfig(info, cmd.Val(), name)
	return nil
}

// lookAtInfo goes by what any user may ask.
func (d *doctor) lookAtInfo(info map[string]string, name string) {
	version, real := info["redis_version"]
	if major, _, _ := strings.Cut(version, "."); real && number(major) < 7 {
		d.severe("%sversion %s: the store needs Redis 7.0 or Valkey", name, version)
	}
	if real && !d.declared {
		d.severe("%sthe server does not understand how the scripts are declared: a replica or an old primary may answer", name)
	}
	if role := info["role"]; role != "" && role != "master" {
		d.severe("%srole is %s, needed master", name, role)
	}
	if info["aof_enabled"] == "0" {
		d.severe("%sappendonly is no: after a restart, sessions that were ended since the last snapshot live again", name)
	}
	if status := info["rdb_last_bgsave_status"]; status != "" && status != "ok" {
		d.severe("%sthe last snapshot failed: with stop-writes-on-bgsave-error the store answers 503", name)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		d.note("%smaxmemory-policy is %s, better noeviction: users are signed out early, and that one is disabled may be forgotten", name, policy)
	}
	if limit := number(info["maxmemory"]); limit > 0 && number(info["used_memory"]) >= limit {
		d.severe("%smemory is full: sign-ins are 503, or with an eviction policy sign others out", name)
	}
	if _, fenced := info["min_slaves_good_slaves"]; number(info["connected_slaves"]) > 0 && !fenced {
		d.note("%sreplicas without min-replicas-to-write: after a failover the old primary may go on admitting", name)
	}
	if unknown := missing(info, "redis_version", "role", "aof_enabled", "maxmemory_policy"); len(unknown) > 0 {
		d.note("%scannot tell: INFO lacks %s", name, strings.Join(unknown, ", "))
	}
}

func (d *doctor) lookAtConfig(info, config map[string]string, name string) {
	if v, ok := config["hash-max-listpack-value"]; ok && number(v) < 1024 {
		d.note("%shash-max-listpack-value is %s, better 1024: sessions then take about a third less memory", name, v)
	}
	if v, ok := config["appendfsync"]; ok && info["aof_enabled"] == "1" && v != "always" {
		d.note("%sappendfsync is %s: a power cut takes back the revocations of the last moments; always does not", name, v)
	}
	if v, ok := config["min-replicas-max-lag"]; ok && number(info["connected_slaves"]) > 0 && (number(v) < 2 || number(v) > 10) {
		d.note("%smin-replicas-max-lag is %s, better 2 to 10 seconds", name, v)
	}
	if unknown := missing(config, "hash-max-listpack-value", "min-replicas-max-lag", "appendfsync"); len(unknown) > 0 {
		d.note("%scannot tell: CONFIG GET refuses %s", name, strings.Join(unknown, ", "))
	}
}

func missing(values map[string]string, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, ok := values[name]; return ok })
}

// number is 0 for what is none.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// isReply reports whether the server has answered, if only to refuse.
func isReply(err error) bool {
	var refusal redis.Error
	return errors.As(err, &refusal)
}
