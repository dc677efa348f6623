package redisstore

// A user record is the byte 1, which is the number of its format, then members. A member is
// a byte that names the member, then its value. The value is a varint if the byte is at
// most 'Z', otherwise a text, written as its length, a uvarint, and its bytes. Empty texts
// and a zero TokensAfter are left out.
//
// So a version can skip members that a newer version has added. A change that an older
// version must not skip needs another format number, because decodeUser refuses formats
// that it does not know.
//
// Scripts do not read a record but its flags, which consist of three parts: 'd' if the user
// is disabled, otherwise 'e'; 'a' if the user is an administrator, otherwise '-'; and a
// digest, half a SHA-256 of the record, so that another record has other flags.

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

const recordFormat = 1

const (
	memberVersion = 'V'
	memberCreated = 'C'
	memberSeen    = 'S'
	memberFlags   = 'F'
	memberAfter   = 'T'
	memberID      = 'i'
	memberEmail   = 'e'
	memberName    = 'n'
	memberPicture = 'p'
	memberData    = 'd'
)

// The value of memberFlags consists of these bits.
const (
	flagAdmin = 1 << iota
	flagDisabled
)

const flagsLen = 2 + sha256.Size/2

var (
	errRecord    = errors.New("user record is damaged")
	errNewRecord = errors.New("user record has a newer format")
)

func flags(u googlesession.User, record []byte) string {
	f := []byte("e-")
	if u.Disabled {
		f[0] = 'd'
	}
	if u.Admin {
		f[1] = 'a'
	}
	sum := sha256.Sum256(record)
	return string(append(f, sum[:flagsLen-len(f)]...))
}

func encodeUser(u googlesession.User) []byte {
	var bits int64
	if u.Admin {
		bits |= flagAdmin
	}
	if u.Disabled {
		bits |= flagDisabled
	}
	b := make([]byte, 1, 64+len(u.ID)+len(u.Email)+len(u.Name)+len(u.Picture)+len(u.Data))
	b[0] = recordFormat
	number := func(member byte, n int64) { b = binary.AppendVarint(append(b, member), n) }
	text := func(member byte, s string) {
		if s != "" {
			b = append(binary.AppendUvarint(append(b, member), uint64(len(s))), s...)
		}
	}
	number(memberVersion, u.Version)
	number(memberCreated, u.CreatedAt.UnixMilli())
	number(memberSeen, u.SeenAt.UnixMilli())
	number(memberFlags, bits)
	if after := storekit.TokenUnixMilli(u.TokensAfter); after != 0 {
		number(memberAfter, after)
	}
	text(memberID, u.ID)
	text(memberEmail, u.Email)
	text(memberName, u.Name)
	text(memberPicture, u.Picture)
	text(memberData, u.Data)
	return b
}

// decodeUser is the inverse of encodeUser. If it returns an error, the User is zero.
func decodeUser(record string) (u googlesession.User, err error) {
	if record == "" || record[0] == 0 {
		return u, errRecord
	}
	if record[0] != recordFormat {
		return u, errNewRecord
	}
	for rest := record[1:]; rest != ""; {
		member, n, text, size := cutMember(rest)
		if size <= 0 {
			return googlesession.User{}, errRecord
		}
		rest = rest[size:]
		switch member {
		case memberVersion:
			u.Version = n
		case memberCreated:
			u.CreatedAt = fromUnixMilli(n)
		case memberSeen:
			u.SeenAt = fromUnixMilli(n)
		case memberFlags:
			u.Admin, u.Disabled = n&flagAdmin != 0, n&flagDisabled != 0
		case memberAfter:
			u.TokensAfter = storekit.TokenTime(n)
		case memberID:
			u.ID = text
		case memberEmail:
			u.Email = text
		case memberName:
			u.Name = text
		case memberPicture:
			u.Picture = text
		case memberData:
			u.Data = text
		}
	}
	if u.ID == "" || u.Version <= 0 {
		return googlesession.User{}, errRecord
	}
	return u, nil
}

// cutMember returns the byte that names the member at the beginning of s, the member's
// value, and how many bytes of s the member takes, which is 0 if it is damaged. The text
// shares the memory of s, so a decoded User keeps its whole record in memory.
func cutMember(s string) (member byte, n int64, text string, size int) {
	member = s[0]
	number := []byte(s[1:min(len(s), 1+binary.MaxVarintLen64)]) // at most 10 bytes, so that the copy stays on the stack
	if member <= 'Z' {
		n, size = binary.Varint(number)
		if size <= 0 {
			return member, 0, "", 0
		}
		return member, n, "", 1 + size
	}
	length, size := binary.Uvarint(number)
	if size <= 0 || length > math.MaxInt32 {
		return member, 0, "", 0
	}
	begin := 1 + size
	end := begin + int(length)
	if end > len(s) {
		return member, 0, "", 0
	}
	return member, 0, s[begin:end], end
}
