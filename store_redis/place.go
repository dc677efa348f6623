package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// A place is how far AllSessions has come. Its text is what AllSessions returns as next. It
// holds no key and no user.
type place struct {
	round  int    // 1, or 2 if something has moved in the first round; 0 before and after the rounds
	moved  bool   // something has moved in this round
	slots  string // digest of which master had which slots when the round began; "" without a cluster
	id     string // the master's ID in the cluster; "" without a cluster
	run    string // the ID of the master's run that returned cursor, or ""
	cursor string // of SCAN

	node int // index of the master
}

// errPlace reports a text that AllSessions has not returned.
var errPlace = fmt.Errorf("%w: redisstore: the text for the next page of all sessions is malformed", googlesession.ErrNotFound)

// parsePlace is the inverse of String. The text "" is the beginning.
func parsePlace(text string) (*place, error) {
	if text == "" {
		return &place{}, nil
	}
	parts := strings.Split(text, "-")
	if len(parts) != 6 {
		return nil, errPlace
	}
	p := &place{moved: parts[1] == "1", slots: parts[2], id: parts[3], run: parts[4], cursor: parts[5]}
	p.round, _ = strconv.Atoi(parts[0])
	valid := (p.round == 1 || p.round == 2) && isHex(p.slots) && isHex(p.id) && isHex(p.run) && isCursor(p.cursor)
	if !valid || (p.slots == "") != (p.id == "") || p.String() != text {
		return nil, errPlace
	}
	return p, nil
}

func (p *place) String() string {
	moved := "0"
	if p.moved {
		moved = "1"
	}
	return strings.Join([]string{strconv.Itoa(p.round), moved, p.slots, p.id, p.run, p.cursor}, "-")
}

// enter finds the master at which the place is. If that is not a master any more, it goes to
// the next one.
func (p *place) enter(ctx context.Context, all masters) error {
	if p.round == 0 {
		return p.begin(ctx, 1, all)
	}
	if (p.id == "") != (all[0].id == "") {
		return errPlace // the text is from a store with another kind of client
	}
	node, found := slices.BinarySearchFunc(all, p.id, func(m master, id string) int { return strings.Compare(m.id, id) })
	if found {
		p.node = node
		return nil
	}
	p.moved = true
	return p.goTo(ctx, node, all)
}

// begin starts a round.
func (p *place) begin(ctx context.Context, round int, all masters) error {
	slots, moving, err := all.slots(ctx)
	if err != nil {
		return err
	}
	*p = place{round: round, moved: moving, slots: slots, id: all[0].id, cursor: "0"}
	return nil
}

// goTo goes to the beginning of the master with this index. Behind the last master, it
// begins the second round if something has moved in the first, and otherwise ends.
func (p *place) goTo(ctx context.Context, node int, all masters) error {
	switch {
	case node < len(all):
		p.node, p.id, p.run, p.cursor = node, all[node].id, "", "0"
		return nil
	case p.round == 1 && p.moved:
		return p.begin(ctx, 2, all)
	default:
		*p = place{}
		return nil
	}
}

// ended reports whether the last round is over, or the first has not begun.
func (p *place) ended() bool { return p.round == 0 }

// isCursor reports whether s is a cursor of SCAN, which is an unsigned number of 64 bits.
func isCursor(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == s
}

// isHex reports whether s has at most 40 characters, and each is a hexadecimal digit.
func isHex(s string) bool {
	return len(s) <= 40 && strings.Trim(s, "0123456789abcdef") == ""
}
