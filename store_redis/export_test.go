package redisstore

import (
	"context"

	"github.com/googlesession/googlesession"
)

var (
	EncodeUser    = encodeUser
	DecodeUser    = decodeUser
	EncodeDevice  = encodeDevice
	DecodeDevice  = decodeDevice
	EncodeMembers = encodeMembers
	CutNumbers    = cutNumbers
)

// LastWordCode is the control character of the last user agent word.
const LastWordCode = packedMark + len(userAgentWords)

// MemberMark is the control character before a member of a session's record.
const MemberMark = memberMark

// A Record is what parseSession returns.
type Record struct {
	Created, Abs, Idle, Token int64 // in milliseconds
	Device                    string
	Kind                      googlesession.SessionKind
	PublicID                  googlesession.PublicID // zero if it is that of the Ref
	Label                     string
}

func ParseSession(record string) Record {
	t, m := parseSession(record)
	return Record{t.created, t.abs, t.idle, t.token, m.device, m.kind, m.publicID, unescape.Replace(m.label)}
}

// Place parses the text for the next page of all sessions, and returns its text again.
func Place(text string) (string, error) {
	p, err := parsePlace(text)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// EnterPlace returns the text of the place at which a page begins that is asked for with the
// text, if the masters have these IDs.
func EnterPlace(text string, ids ...string) (string, error) {
	p, err := parsePlace(text)
	if err != nil {
		return "", err
	}
	var all masters
	for _, id := range ids {
		all = append(all, master{id: id})
	}
	if err := p.enter(context.Background(), all); err != nil || p.ended() {
		return "", err
	}
	return p.String(), nil
}

// Slots reads a reply of CLUSTER NODES, for a client that knows the masters with these IDs.
func Slots(nodes string, ids ...string) (digest string, moving bool, err error) {
	var all masters
	for _, id := range ids {
		all = append(all, master{id: id})
	}
	return all.parseNodes(nodes)
}

// TagOf returns the tag in a key.
func TagOf(s *Store, key string) ([12]byte, bool) { return s.tagOf(key) }

// KeyOf returns the key of the user with this tag.
func KeyOf(s *Store, tag [12]byte) string { return s.key(tag) }
