package redisstore

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// examineServer examines one master. The text of each of its findings begins with name.
func (d *doctor) examineServer(ctx context.Context, master redis.UniversalClient, name string) error {
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
	d.examineInfo(info, name)
	d.examineReplication(info, name)

	get := []any{"config", "get"}
	for _, name := range configNames {
		get = append(get, name)
	}
	cmd := redis.NewMapStringStringCmd(ctx, get...)
	if err := master.Process(ctx, cmd); err != nil && !isReply(err) {
		return err
	}
	d.examineConfig(info, cmd.Val(), name)
	return d.examineCommands(ctx, master, name)
}

// examineInfo adds findings from the fields of INFO, which most Redis users may send.
func (d *doctor) examineInfo(info map[string]string, name string) {
	version, real := info["redis_version"]
	if major, _, _ := strings.Cut(version, "."); real && number(major) < 7 {
		d.severe("%sversion is %s, but the store needs Redis 7.0 or newer, or Valkey", name, version)
	}
	if real && d.noFlags {
		d.severe("%sthe server does not understand the flags of the scripts, so a replica or an old primary may answer", name)
	}
	if info["loading"] == "1" {
		d.severe("%sthe server is loading its data, so requests are answered with 503 until it has finished", name)
	}
	if info["aof_enabled"] == "0" {
		d.severe("%sappendonly is no, so sessions that were ended since the last snapshot are live again after a restart", name)
	}
	if status := info["aof_last_write_status"]; status != "" && status != "ok" {
		d.severe("%sthe last write to the append-only log failed, so requests are answered with 503 until a write succeeds", name)
	}
	if status := info["rdb_last_bgsave_status"]; status != "" && status != "ok" {
		d.severe("%sthe last snapshot failed, so requests are answered with 503 if stop-writes-on-bgsave-error is yes", name)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		d.note("%smaxmemory-policy is %s and should be noeviction, because an eviction signs users out and may forget that a user is disabled", name, policy)
	}
	if limit := number(info["maxmemory"]); limit > 0 && number(info["used_memory"]) >= limit {
		d.severe("%smemory is full, so sign-ins are answered with 503 or, with an eviction policy, sign other users out", name)
	}
	if unknown := missing(info, "redis_version", "role", "aof_enabled", "maxmemory_policy"); len(unknown) > 0 {
		d.note("%sunknown, because INFO does not return it: %s", name, strings.Join(unknown, ", "))
	}
}

func (d *doctor) examineReplication(info map[string]string, name string) {
	if role := info["role"]; role != "" && role != "master" {
		d.severe("%srole is %s, but the store needs a master", name, role)
		if info["slave_read_only"] == "0" {
			d.severe("%sreplica-read-only is no, so the replica answers from outdated data and loses what is written to it", name)
		}
		return
	}
	replicas, known := info["connected_slaves"]
	if _, fenced := info["min_slaves_good_slaves"]; number(replicas) > 0 && !fenced {
		d.note("%sthere are replicas but no min-replicas-to-write, so the old primary may go on admitting after a failover", name)
	}
	if known && number(replicas) < d.replicas {
		d.severe("%sOptions.Replicas is %d, but %s replicas are connected, so revocations return ErrUnconfirmed", name, d.replicas, replicas)
	}
}

// configNames are the server's settings that examineConfig looks at.
var configNames = []string{"hash-max-listpack-value", "min-replicas-max-lag", "appendfsync", "replica-read-only", "lua-time-limit"}

// minTimeLimit is the shortest lua-time-limit, in milliseconds, that examineConfig accepts.
// The script that revokes many sessions takes less time than that.
const minTimeLimit = 100

func (d *doctor) examineConfig(info, config map[string]string, name string) {
	if v, ok := config["hash-max-listpack-value"]; ok && number(v) < 1024 {
		d.note("%shash-max-listpack-value is %s and should be 1024, because sessions then take about a third less memory", name, v)
	}
	if v, ok := config["appendfsync"]; ok && info["aof_enabled"] == "1" && v != "always" {
		d.note("%sappendfsync is %s and should be always, because a power cut otherwise takes back the latest revocations", name, v)
	}
	if v, ok := config["min-replicas-max-lag"]; ok && number(info["connected_slaves"]) > 0 && (number(v) < 2 || number(v) > 10) {
		d.note("%smin-replicas-max-lag is %s and should be 2 to 10 seconds", name, v)
	}
	if config["replica-read-only"] == "no" && info["role"] == "master" {
		d.note("%sreplica-read-only is no and should be yes, because this server would answer from outdated data if it became a replica", name)
	}
	if v, ok := config["lua-time-limit"]; ok && 0 < number(v) && number(v) < minTimeLimit {
		d.note("%slua-time-limit is %s ms and should be 5000, because requests are answered with 503 while any program's script runs for longer", name, v)
	}
	if unknown := missing(config, slices.Clone(configNames)...); len(unknown) > 0 {
		d.note("%sunknown, because CONFIG GET does not return it: %s", name, strings.Join(unknown, ", "))
	}
}

// examineCommands tries the commands that the store sends besides its scripts, and adds a
// finding for each command that the Redis user may not send.
func (d *doctor) examineCommands(ctx context.Context, master redis.UniversalClient, name string) error {
	load := redis.NewCmd(ctx, "script", "load", "return 1")
	if err := master.Process(ctx, load); err != nil && !isReply(err) {
		return err
	}
	if refused(load.Err()) {
		d.note("%sSCRIPT LOAD is refused, so a call takes two round trips after a restart, and now and then with Redis 7.4 or newer", name)
	}
	scan := redis.NewCmd(ctx, "scan", 0, "count", 1)
	if err := master.Process(ctx, scan); err != nil && !isReply(err) {
		return err
	}
	if refused(scan.Err()) {
		d.note("%sSCAN is refused, so AllSessions returns an error, and the other methods work", name)
	}
	if d.replicas == 0 {
		return nil
	}
	wait := redis.NewCmd(ctx, "wait", 0, 0)
	if err := master.Process(ctx, wait); err != nil && !isReply(err) {
		return err
	}
	if refused(wait.Err()) {
		d.severe("%sWAIT is refused, so revocations return ErrUnconfirmed", name)
	}
	return nil
}

// missing returns the names that are not keys of values. It overwrites the slice names.
func missing(values map[string]string, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, ok := values[name]; return ok })
}

// number returns s as an int, or 0 if it is not a number.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// isReply reports whether the error is one with which the server answered.
func isReply(err error) bool {
	var refusal redis.Error
	return errors.As(err, &refusal)
}

// refused reports whether the error says that the Redis user may not send the command.
func refused(err error) bool { return redis.HasErrorPrefix(err, "NOPERM") }
