package bench

import (
	"math/rand/v2"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// mostPage is how many milliseconds a page takes at most.
const mostPage = 50

// directory measures how long a page of users takes, among few users and among many.
func (r *Run) directory() {
	few, many := r.pick(3000, 300), r.pick(1_000_000, 600)
	text := sprint("Among %d users, and among %d.", few, many)
	inMemory := func(size int) []Subject {
		store := memstore.New(nil)
		for i := range size {
			u := userOf(i * perUser)
			must1(store.SignIn(background, googlesession.Identity{Subject: u.ID, Email: u.Email, Name: u.Name, Picture: u.Picture}))
		}
		return pagesOfUsers(store, size)
	}
	r.compare("A page of users, memory", text, inMemory(few), inMemory(many), mostPage)
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		db := d.open()
		inTables := func(prefix string, size int) []Subject {
			store := d.store(db, prefix)
			conn := must1(db.Conn(background))
			insertUsers(conn, prefix, size)
			must(conn.Close())
			d.settle(db, prefix)
			return pagesOfUsers(store, size)
		}
		r.compare("A page of users, "+d.Name, text, inTables("few_", few), inTables("many_", many), mostPage)
		must(db.Close())
	}
}

// pagesOfUsers returns queries of a store that has this number of users, of whom none is an
// administrator.
func pagesOfUsers(store googlesession.UserStore, size int) []Subject {
	yes := true
	random := func() googlesession.User { return userOf(perUser * rand.IntN(size/2)) } //nolint:gosec // the random choice of a page is not a secret
	page := func(query func() googlesession.UserQuery) func() func() {
		return func() func() {
			return func() {
				q := query()
				q.Limit = 200
				must1(store.Users(background, q))
			}
		}
	}
	return []Subject{
		{"page of 200", page(func() googlesession.UserQuery {
			u := random()
			return googlesession.UserQuery{After: &u}
		})},
		// The prefix is that of a thousand e-mail addresses, or of all if there are fewer.
		{"page of 200 by a prefix", page(func() googlesession.UserQuery {
			return googlesession.UserQuery{EmailPrefix: "USER" + random().Email[4:9]}
		})},
		{"page of administrators by the prefix of all", page(func() googlesession.UserQuery {
			return googlesession.UserQuery{EmailPrefix: "user", Admin: &yes}
		})},
	}
}

// everySession measures how long a page of all sessions takes, among few sessions and among
// many.
func (r *Run) everySession() {
	few, many := r.pick(1000, 300), min(r.pick(1_000_000, 600), r.Largest)
	text := sprint("Among %d sessions, and among %d. A page has 100 sessions, or about as many.", few, many)
	r.compare("A page of all sessions, memory", text,
		pagesOfSessions(newMemstore(few)), pagesOfSessions(newMemstore(many)), mostPage)
	if r.servers.Redis != "" {
		// The two stores have separate prefixes and one server, so SCAN visits the keys of both.
		fewClient, fewStore := r.newRedis("pages:few:", few)
		manyClient, manyStore := r.newRedis("pages:many:", many)
		r.compare("A page of all sessions, Redis", text, pagesOfSessions(fewStore), pagesOfSessions(manyStore), mostPage)
		must(fewClient.Close())
		must(manyClient.Close())
	}
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		db := d.open()
		inTables := func(prefix string, size int) []Subject {
			store := d.store(db, prefix)
			fillSQL(db, d, prefix, size)
			return pagesOfSessions(store)
		}
		r.compare("A page of all sessions, "+d.Name, text, inTables("pages_few_", few), inTables("pages_many_", many), mostPage)
		must(db.Close())
	}
}

// pagesOfSessions returns the calls that read one page after the other, and begin again after
// the last.
func pagesOfSessions(store googlesession.SessionStore) []Subject {
	return []Subject{{"page of 100", func() func() {
		after := ""
		return func() {
			_, next, err := store.AllSessions(background, after, 100)
			must(err)
			after = next
		}
	}}}
}
