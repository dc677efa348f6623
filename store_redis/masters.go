package redisstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// A master is a server whose keys AllSessions goes through.
type master struct {
	id     string // the server's ID in the cluster; "" without a cluster
	client redis.UniversalClient
}

// masters are all masters, in the order of their IDs. Without a cluster it is one.
type masters []master

// errNodes reports that a master has slots, or is just receiving the first, which the client
// has not been told about yet. The error is temporary.
var errNodes = errors.New("the nodes of the cluster do not agree on the masters")

func listMasters(ctx context.Context, client redis.UniversalClient) (masters, error) {
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return masters{{client: client}}, nil
	}
	var mu sync.Mutex
	var all masters
	// ForEachMaster asks the cluster for its masters, and does not use those that it knows.
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, client *redis.Client) error {
		id := redis.NewStringCmd(ctx, "cluster", "myid")
		if err := client.Process(ctx, id); err != nil {
			return err
		}
		if id.Val() == "" || !isHex(id.Val()) {
			return errReply
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, master{id.Val(), client})
		return nil
	})
	if err == nil && len(all) == 0 {
		err = errNodes
	}
	slices.SortFunc(all, func(a, b master) int { return cmp.Compare(a.id, b.id) })
	return all, err
}

// slots asks the first master which master has which slots. It returns a digest of that, and
// whether a slot of the first master is moving. Without a cluster both results are zero.
func (m masters) slots(ctx context.Context) (digest string, moving bool, err error) {
	if m[0].id == "" {
		return "", false, nil
	}
	nodes := redis.NewStringCmd(ctx, "cluster", "nodes")
	if err := m[0].client.Process(ctx, nodes); err != nil {
		return "", false, err
	}
	return m.parseNodes(nodes.Val())
}

// send sends a command to the master with this index. In a cluster it then asks that master
// about the slots, in the same round trip, and returns what slots does.
func (m masters) send(ctx context.Context, node int, words []any) (cmd *redis.Cmd, digest string, moving bool, err error) {
	cmd = redis.NewCmd(ctx, words...)
	if m[node].id == "" {
		return cmd, "", false, m[node].client.Process(ctx, cmd)
	}
	nodes := redis.NewStringCmd(ctx, "cluster", "nodes")
	_, _ = m[node].client.Pipelined(ctx, func(p redis.Pipeliner) error {
		_ = p.Process(ctx, cmd)
		return p.Process(ctx, nodes)
	})
	if err := cmp.Or(cmd.Err(), nodes.Err()); err != nil {
		return cmd, "", false, err
	}
	digest, moving, err = m.parseNodes(nodes.Val())
	return cmd, digest, moving, err
}

// parseNodes reads a reply of CLUSTER NODES. A line has a node's ID, seven more fields, and
// the node's slots if it is a master. The seventh field is the epoch, a number that grows
// with each failover and each slot that a node takes over. Only the server's own line has
// also the slots that are moving, as [slot->-ID] or [slot-<-ID].
func (m masters) parseNodes(text string) (digest string, moving bool, err error) {
	var lines []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) <= 8 {
			continue
		}
		known, kept := m.has(fields[0]), []string{fields[0], fields[6]}
		for _, slot := range fields[8:] {
			if slot[0] != '[' {
				kept = append(kept, slot)
				continue
			}
			moving = true
			known = known && m.has(strings.TrimRight(slot[strings.LastIndexByte(slot, '-')+1:], "]"))
		}
		if !known {
			return "", false, errNodes
		}
		lines = append(lines, strings.Join(kept, " "))
	}
	if len(lines) == 0 {
		return "", false, errReply
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8]), moving, nil
}

func (m masters) has(id string) bool {
	return slices.ContainsFunc(m, func(m master) bool { return m.id == id })
}
