package redisstore

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/googlesession/googlesession"
)

// users are some of the Users whom checks have returned: as many as there are places,
// each in the one that its tag says. A check tells the server which record is here, and
// is sent another one or none; so nothing is answered from here that the server has
// not, in the same step, said to be what it holds. All places taken, they are some 8 MB,
// and a deleted user is among them until another one takes the place. Safe for concurrent
// use.
type users [1 << 14]atomic.Pointer[knownUser]

// A knownUser is not changed once it is known.
type knownUser struct {
	tag   [12]byte
	flags any // a string, as a command takes it; "" says of no record that it is known
	user  googlesession.User
}

var nobody = &knownUser{flags: ""}

func (u *users) find(tag [12]byte) *knownUser {
	if known := u.at(tag).Load(); known != nil && known.tag == tag {
		return known
	}
	return nobody
}

// keep puts the user in the place of whoever was there.
func (u *users) keep(known *knownUser) { u.at(known.tag).Store(known) }

func (u *users) at(tag [12]byte) *atomic.Pointer[knownUser] {
	return &u[binary.LittleEndian.Uint32(tag[:])%uint32(len(u))] // tags are hashes
}
