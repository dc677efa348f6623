package conformance_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/conformance/servers"
	redisstore "github.com/googlesession/googlesession/store_redis"
)

// A clusterNode is a line of CLUSTER NODES.
type clusterNode struct {
	id, addr string
	slots    int // how many it has; 0 for a replica
	first    int // the first of them
}

// clusterNodes returns the masters of a cluster that have slots, in the order of their IDs.
func clusterNodes(t *testing.T, addr string) []clusterNode {
	t.Helper()
	text, err := servers.Redis(t.Context(), addr, "CLUSTER", "NODES")
	require.NoError(t, err)
	var nodes []clusterNode
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) <= 8 {
			continue
		}
		node := clusterNode{id: words[0]}
		node.addr, _, _ = strings.Cut(words[1], "@")
		for i, slots := range words[8:] {
			from, to, isRange := strings.Cut(slots, "-")
			first, err := strconv.Atoi(from)
			require.NoError(t, err)
			last := first
			if isRange {
				last, err = strconv.Atoi(to)
				require.NoError(t, err)
			}
			node.slots += last - first + 1
			if i == 0 {
				node.first = first
			}
		}
		nodes = append(nodes, node)
	}
	slices.SortFunc(nodes, func(a, b clusterNode) int { return strings.Compare(a.id, b.id) })
	return nodes
}

// reshard moves slots from one master to another.
func reshard(t *testing.T, from, to clusterNode, slots int) {
	t.Helper()
	out, err := servers.Redis(t.Context(), to.addr, "--cluster", "reshard", to.addr, "--cluster-from", from.id, "--cluster-to", to.id,
		"--cluster-slots", strconv.Itoa(slots), "--cluster-yes")
	require.NoError(t, err, out)
}

// pagesUntil reads pages until the lister is at another master than this one.
func (l *lister) pagesUntil(t *testing.T, at clusterNode) {
	t.Helper()
	for l.next == "" || strings.Contains(l.next, at.id) {
		require.True(t, l.page(t))
	}
}

// newCluster returns a cluster of the test's own, with sessions, and its three masters.
func newCluster(t *testing.T) (g *servers.Group, masters []clusterNode, store *redisstore.Store, want map[googlesession.Ref]googlesession.Session) {
	t.Helper()
	g, err := servers.StartRedisCluster(t.Context(), false)
	skipWithout(t, err)
	t.Cleanup(func() { require.NoError(t, g.Remove()) })
	store = openRedis(t, "redis+cluster://"+g.Addrs[0]+"?addr="+strings.Join(g.Addrs[1:], "&addr="), nil)
	masters = clusterNodes(t, g.Addrs[0])
	require.Len(t, masters, 3)
	return g, masters, store, signInMany(t, store, 1200)
}

// Slots move between two pages, from a master that has not been listed to one that has, and
// the other way. A slot is stuck while it moves. No session is missed.
func TestRedisClusterAllSessionsReshard(t *testing.T) {
	g, masters, store, want := newCluster(t)
	first, second, last := masters[0], masters[1], masters[2]

	l := newLister(store, 20)
	l.rest(t)
	l.requireSeen(t, want)
	quiet := l.pages
	require.Greater(t, quiet, 3)

	l = newLister(store, 20)
	l.patient = true
	l.pagesUntil(t, first)
	reshard(t, last, first, 200)
	l.rest(t)
	l.requireSeen(t, want)
	require.Greater(t, l.pages, quiet*3/2, "the masters are listed a second time")

	l = newLister(store, 20)
	l.patient = true
	l.pagesUntil(t, first)
	l.page(t)
	reshard(t, first, second, 100)
	l.rest(t)
	l.requireSeen(t, want)

	// Of two keys of a slot one has left for the first master, after that has been listed.
	number := clusterNodes(t, g.Addrs[0])[2].first
	slot := strconv.Itoa(number)
	var leaving string
	for range 2 {
		session := mustCreateIn(t, store, number)
		want[session.Ref] = session
		leaving = redisKey(session.User.ID)
	}
	moves := func(addr string, args ...string) {
		t.Helper()
		out, err := servers.Redis(t.Context(), addr, args...)
		require.NoError(t, err)
		require.Equal(t, "OK", out)
	}
	l = newLister(store, 20)
	l.patient = true
	l.pagesUntil(t, first)
	moves(first.addr, "CLUSTER", "SETSLOT", slot, "IMPORTING", last.id)
	moves(last.addr, "CLUSTER", "SETSLOT", slot, "MIGRATING", first.id)
	host, port, _ := strings.Cut(first.addr, ":")
	moves(last.addr, "MIGRATE", host, port, leaving, "0", "5000")
	l.rest(t)
	l.requireSeen(t, want)
	l = newLister(store, 20)
	l.rest(t)
	l.requireSeen(t, want)
}

// mustCreateIn signs in a user whose key is in this slot.
func mustCreateIn(t *testing.T, store *redisstore.Store, slot int) googlesession.Session {
	t.Helper()
	n := anySession(anyUser())
	for keySlot(redisKey(n.User.ID)) != slot {
		n = anySession(anyUser())
	}
	return mustCreate(t, store, n)
}

// keySlot returns the slot of a key of the store: CRC16 (XMODEM) of the part in braces.
func keySlot(key string) int {
	_, tag, _ := strings.Cut(key, "{")
	tag, _, _ = strings.Cut(tag, "}")
	var crc uint16
	for _, b := range []byte(tag) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc % 16384)
}

// Replicas take over between two pages. No session is missed.
func TestRedisClusterAllSessionsFailover(t *testing.T) {
	g, _, store, want := newCluster(t)
	l := newLister(store, 20)
	l.patient = true
	for range 3 {
		l.page(t)
	}
	for _, replica := range g.Addrs[3:] { // redis-cli makes the first three addresses masters
		require.True(t, worksAgain(func() error { return takeOver(replica) }))
		l.page(t)
	}
	l.rest(t)
	l.requireSeen(t, want)
}

// A client that does not know that its server belongs to a cluster would list a part of the
// sessions, so AllSessions is an outage.
func TestRedisClusterAllSessionsNeedsItsClient(t *testing.T) {
	url := clusterURL(t)
	client, err := redisstore.Open(url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	addrs := strings.Split(clusterService.get(t), ",")
	one := redis.NewClient(&redis.Options{Addr: clusterNodes(t, addrs[0])[0].addr})
	t.Cleanup(func() { _ = one.Close() })
	for name, client := range map[string]redis.UniversalClient{"one node": one, "of an unknown type": wrapped{client}} {
		_, _, err := newRedisStore(t, client, nil).AllSessions(t.Context(), "", 10)
		require.ErrorIs(t, err, googlesession.ErrUnavailable, name)
	}

	_, next, err := newRedisStore(t, client, &redisstore.Options{Prefix: "other:"}).AllSessions(context.WithoutCancel(t.Context()), "", 1)
	require.NoError(t, err)
	require.Empty(t, next, "three empty masters are one page")
	signInMany(t, newRedisStore(t, client, nil), 30)
	_, next, err = newRedisStore(t, client, nil).AllSessions(t.Context(), "", 1)
	require.NoError(t, err)
	_, _, err = openRedis(t, redisURL(t), nil).AllSessions(t.Context(), next, 10)
	require.ErrorIs(t, err, googlesession.ErrNotFound, "a place in a cluster is unknown to a server without a cluster")
}
