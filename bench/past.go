package bench

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// past measures calls for a user with many ended sessions, and for a user without any.
func (r *Run) past() {
	pile := r.pick(1_000_000, 500)
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		db := d.open()
		store := d.store(db, "past_")
		old, fresh := userOf(0), userOf(perUser)
		for _, u := range []googlesession.User{old, fresh} {
			must1(store.SignIn(background, googlesession.Identity{Subject: u.ID}))
		}
		fillEnded(db, d, "past_", old.ID, pile)
		d.settle(db, "past_")
		var number atomic.Int64
		subjects := func(u googlesession.User) []Subject {
			signIn := func() {
				n := newSession(int(number.Add(1)))
				n.User = must1(store.SignIn(background, googlesession.Identity{Subject: u.ID, Email: u.Email}))
				n.Ref.Tag = googlesession.UserTag(u.ID)
				must1(store.CreateSession(background, n))
			}
			return []Subject{
				{"sign-in", func() func() { return signIn }},
				{"list", func() func() { return func() { must1(store.Sessions(background, u.ID)) } }},
				{"RevokeUser", func() func() { return func() { must1(store.RevokeUser(background, u.ID, nil)) } }},
			}
		}
		r.compare("A user's past, "+d.Name, sprint("One user has %d ended sessions, the other begins with none.", pile),
			subjects(fresh), subjects(old), 50)
		must(store.Close())
		must(db.Close())
	}
}

// growth measures how long a sign-in takes, among few sessions and among many. The time
// includes the part of the purge that a sign-in does.
func (r *Run) growth() {
	few, many := r.pick(3000, 300), min(r.pick(3_000_000, 600), r.Largest)
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		db := d.open()
		signIns := func(prefix string, size int) []Subject {
			store := d.store(db, prefix)
			fillSQL(db, d, prefix, size)
			for _, index := range []string{"user ON gs_sessions (user_id, created_ms)", "abs ON gs_sessions (abs_ms)"} {
				must1(db.ExecContext(background, strings.ReplaceAll("CREATE INDEX gs_sessions_"+index, "gs_", prefix)))
			}
			d.settle(db, prefix)
			number := 20_000_000
			return []Subject{{"sign-in", func() func() {
				return func() {
					number++
					u := userOf(rand.IntN(size)) //nolint:gosec // the random choice of a user is not a secret
					n := newSession(number)
					n.User = must1(store.SignIn(background, googlesession.Identity{Subject: u.ID, Email: u.Email}))
					n.Ref.Tag = googlesession.UserTag(u.ID)
					must1(store.CreateSession(background, n))
				}
			}}}
		}
		r.compare("A sign-in among more sessions, "+d.Name, sprint("Among %d sessions, and among %d.", few, many),
			signIns("grow_few_", few), signIns("grow_many_", many), 0)
		must(db.Close())
	}
}

// compare measures pairs of subjects, and prints the second subject of each pair beside the
// first. If most is not 0, the second may take at most that many milliseconds. Otherwise it
// may take at most 1.3 times as long as the first.
func (r *Run) compare(title, text string, first, second []Subject, most float64) {
	figures := r.settings().measure(append(first, second...), 1)
	rows := [][]string{{"", "first, µs", "second, µs", "× first"}}
	for i, subject := range first {
		a, b := figures[i], figures[len(first)+i]
		rows = append(rows, []string{subject.Name, micro(a.Median()), micro(b.Median()), fmt.Sprintf("%.2f", b.Over(a))})
		if most > 0 {
			r.verdict(title+": "+subject.Name, b.Median()/float64(time.Millisecond), most, " ms")
		} else {
			r.verdict(title+": "+subject.Name, b.Over(a), 1.3, "")
		}
	}
	heading(r.out, title, text)
	printTable(r.out, rows)
}

// fillEnded inserts size ended sessions of one user into the table with this prefix.
func fillEnded(db *sql.DB, d Database, prefix, userID string, size int) {
	conn := must1(db.Conn(background))
	defer func() { must(conn.Close()) }()
	open, end := `X'`, `'`
	if d.Dialect == sqlstore.PostgreSQL {
		open, end = `'\x`, `'::bytea`
	}
	tag := googlesession.UserTag(userID)
	now := time.Now().UnixMilli()
	insert(conn, prefix+"sessions (id, tag, user_id, created_ms, abs_ms, idle_ms, seen_ms, revoked_ms, revoked_by)", size,
		func(row []byte, i int) []byte {
			id := sha256.Sum256(fmt.Appendf(nil, "ended %d", i))
			return fmt.Appendf(row, "(%[1]s%[3]s%[2]s,%[1]s%[4]s%[2]s,'%[5]s',%[6]d,%[7]d,%[8]d,%[6]d,%[6]d,3)", open, end,
				hex.EncodeToString(id[:]), hex.EncodeToString(tag[:]), userID, now-int64(size-i), now+lifetime.Milliseconds(), idle.Milliseconds())
		})
}
