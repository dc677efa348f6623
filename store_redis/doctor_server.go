package redisstore

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

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
	d.lookAtReplication(info, name)

	get := []any{"config", "get"}
	for _, name := range configNames {
		get = append(get, name)
	}
	cmd := redis.NewMapStringStringCmd(ctx, get...)
	if err := master.Process(ctx, cmd); err != nil && !isReply(err) {
		return err
	}
	d.lookAtConfig(info, cmd.Val(), name)
	return d.lookAtCommands(ctx, master, name)
}

// lookAtInfo goes by what any user may ask.
func (d *doctor) lookAtInfo(info map[string]string, name string) {
	version, real := info["redis_version"]
	if major, _, _ := strings.Cut(version, "."); real && number(major) < 7 {
		d.severe("%sversion %s: the store needs Redis 7.0 or Valkey", name, version)
	}
	if real && d.undeclared {
		d.severe("%sthe server does not understand how the scripts are declared: a replica or an old primary may answer", name)
	}
	if info["loading"] == "1" {
		d.severe("%sthe server is loading its data: until it has, the store answers 503", name)
	}
	if info["aof_enabled"] == "0" {
		d.severe("%sappendonly is no: after a restart, sessions that were ended since the last snapshot live again", name)
	}
	if status := info["aof_last_write_status"]; status != "" && status != "ok" {
		d.severe("%sthe last write to the append-only log failed: until one succeeds, the store answers 503", name)
	}
	if status := info["rdb_last_bgsave_status"]; status != "" && status != "ok" {
		d.severe("%sthe last snapshot failed: with stop-writes-on-bgsave-error the store answers 503", name)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		d.note("%smaxmemory-policy is %s, better noeviction: an eviction signs users out, and may forget that a user is disabled", name, policy)
	}
	if limit := number(info["maxmemory"]); limit > 0 && number(info["used_memory"]) >= limit {
		d.severe("%smemory is full: sign-ins are 503, or with an eviction policy sign others out", name)
	}
	if unknown := missing(info, "redis_version", "role", "aof_enabled", "maxmemory_policy"); len(unknown) > 0 {
		d.note("%scannot tell: INFO lacks %s", name, strings.Join(unknown, ", "))
	}
}

func (d *doctor) lookAtReplication(info map[string]string, name string) {
	if role := info["role"]; role != "" && role != "master" {
		d.severe("%srole is %s, needed master", name, role)
		if info["slave_read_only"] == "0" {
			d.severe("%sreplica-read-only is no: the replica answers from its own past, and loses what it is told", name)
		}
		return
	}
	replicas, known := info["connected_slaves"]
	if _, fenced := info["min_slaves_good_slaves"]; number(replicas) > 0 && !fenced {
		d.note("%sreplicas without min-replicas-to-write: after a failover the old primary may go on admitting", name)
	}
	if known && number(replicas) < d.replicas {
		d.severe("%sOptions.Replicas is %d, connected are %s: revocations report ErrUnconfirmed", name, d.replicas, replicas)
	}
}

var configNames = []string{"hash-max-listpack-value", "min-replicas-max-lag", "appendfsync", "replica-read-only", "lua-time-limit"}

// shortestLimit of a script's time, in milliseconds: a revocation of many sessions does
// not reach it.
const shortestLimit = 100

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
	if config["replica-read-only"] == "no" && info["role"] == "master" {
		d.note("%sreplica-read-only is no, better yes: as a replica, after a failover, this server would answer from its own past", name)
	}
	if v, ok := config["lua-time-limit"]; ok && 0 < number(v) && number(v) < shortestLimit {
		d.note("%slua-time-limit is %s ms, better 5000: while a script of any program runs for longer, the store answers 503", name, v)
	}
	if unknown := missing(config, slices.Clone(configNames)...); len(unknown) > 0 {
		d.note("%scannot tell: CONFIG GET refuses %s", name, strings.Join(unknown, ", "))
	}
}

// lookAtCommands tries what the store sends beside its scripts.
func (d *doctor) lookAtCommands(ctx context.Context, master redis.UniversalClient, name string) error {
	load := redis.NewCmd(ctx, "script", "load", "return 1")
	if err := master.Process(ctx, load); err != nil && !isReply(err) {
		return err
	}
	if refused(load.Err()) {
		d.note("%sSCRIPT LOAD is refused: after a restart, and from Redis 7.4 on now and then, a call takes two round trips", name)
	}
	if d.replicas == 0 {
		return nil
	}
	wait := redis.NewCmd(ctx, "wait", 0, 0)
	if err := master.Process(ctx, wait); err != nil && !isReply(err) {
		return err
	}
	if refused(wait.Err()) {
		d.severe("%sWAIT is refused: revocations report ErrUnconfirmed", name)
	}
	return nil
}

func missing(values map[string]string, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, ok := values[name]; return ok })
}

// number returns s as an int, or 0 if it is not a number.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// isReply reports whether the server has answered, if only to refuse.
func isReply(err error) bool {
	var refusal redis.Error
	return errors.As(err, &refusal)
}

// refused reports whether the user may not send the command.
func refused(err error) bool { return redis.HasErrorPrefix(err, "NOPERM") }
