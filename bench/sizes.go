package bench

import (
	"database/sql"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
	redisstore "github.com/googlesession/googlesession/store_redis"
	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// A content says what the sessions are that sizes fills a store with.
type content struct {
	name string
	each int // sessions of each user
	edit func(n *googlesession.NewSession, session int)
}

// contents returns what sizes compares. Each differs from the first or the second in one
// respect.
func contents() []content {
	plain := func(*googlesession.NewSession, int) {}
	return []content{
		{"one of each user", 1, plain},
		{"ten of each user", perUser, plain},
		{"ten, with a public ID of their own", perUser, func(n *googlesession.NewSession, session int) {
			n.PublicID = googlesession.PublicID(n.Ref.ID[16:])
		}},
		{"ten, with a label of 20 bytes too", perUser, func(n *googlesession.NewSession, session int) {
			n.PublicID = googlesession.PublicID(n.Ref.ID[16:])
			n.Label, n.Kind = fmt.Sprintf("%020d", session), googlesession.KindIssued
		}},
		{"one, and 1 KiB of Data", 1, func(n *googlesession.NewSession, session int) {
			n.User.Data = strings.Repeat(fmt.Sprintf("%016d", session), 64)
		}},
	}
}

// sizes measures how many bytes a session and its share of the user take in each store.
func (r *Run) sizes() {
	size := r.pick(20_000, 1000)
	rows := [][]string{{"sessions"}}
	stores := r.sized()
	for _, store := range stores {
		rows[0] = append(rows[0], store.name+", bytes")
	}
	for i, c := range contents() {
		row := []string{c.name}
		for _, store := range stores {
			bytes := store.weigh(i, func(s googlesession.SessionStore) { c.fill(s, size) })
			row = append(row, fmt.Sprint(bytes/size))
		}
		rows = append(rows, row)
	}
	heading(r.out, "Bytes of a session", sprint("%d sessions, the users included. A user's texts take 193 bytes, and a device 117. "+
		"In SQL, tables and indexes after VACUUM or OPTIMIZE.", size))
	printTable(r.out, rows)
}

// fill creates size sessions.
func (c content) fill(store googlesession.SessionStore, size int) {
	var wg sync.WaitGroup
	for worker := range atOnce {
		wg.Go(func() {
			for user := worker; user < size/c.each; user += atOnce {
				for i := range c.each {
					n := newSession(user*perUser + i)
					c.edit(&n, user*perUser+i)
					must1(store.CreateSession(background, n))
				}
			}
		})
	}
	wg.Wait()
}

// A sizedStore weighs stores of one kind.
type sizedStore struct {
	name string

	// weigh opens an empty store with this number, fills it, and returns how many bytes that
	// has taken.
	weigh func(number int, fill func(googlesession.SessionStore)) int
}

func (r *Run) sized() []sizedStore {
	all := []sizedStore{{"memory", func(_ int, fill func(googlesession.SessionStore)) int {
		before := heap()
		store := memstore.New(nil)
		fill(store)
		defer runtime.KeepAlive(store)
		return int(heap() - before) //nolint:gosec // less than 2^63
	}}}
	if r.servers.Redis != "" {
		all = append(all, sizedStore{"Redis", func(number int, fill func(googlesession.SessionStore)) int {
			client, store := r.newRedis(sprint("sizes:%d:", number), 0)
			defer func() { must(client.Close()) }()
			// The connections take memory too, so they are opened before.
			warm := must1(redisstore.New(client, &redisstore.Options{Prefix: r.servers.keys + sprint("warm:%d:", number)}))
			contents()[0].fill(warm, 10*atOnce)
			before := usedMemory(client)
			fill(store)
			return usedMemory(client) - before
		}})
	}
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		if d.Dialect == sqlstore.SQLite { // a file of its own, because VACUUM copies the whole file
			d.dsn = strings.Replace(d.dsn, "bench.db", "sizes.db", 1)
		}
		all = append(all, sizedStore{d.Name, func(number int, fill func(googlesession.SessionStore)) int {
			db, prefix := d.open(), sprint("sizes_%d_", number)
			store := d.store(db, prefix)
			before := d.bytes(db, prefix)
			fill(store)
			bytes := d.bytes(db, prefix) - before
			must(store.Close())
			must(db.Close())
			return bytes
		}})
	}
	return all
}

func usedMemory(client *redis.Client) int {
	_, after, _ := strings.Cut(client.Info(background, "memory").Val(), "used_memory:")
	digits, _, _ := strings.Cut(after, "\r\n")
	return must1(strconv.Atoi(digits))
}

// bytes returns how many bytes the tables with this prefix and their indexes take, without
// room that the database would use again. For SQLite it is the size of the file.
func (d Database) bytes(db *sql.DB, prefix string) (bytes int) {
	var question string
	switch d.Dialect {
	case sqlstore.PostgreSQL:
		must1(db.ExecContext(background, fmt.Sprintf("VACUUM FULL %[1]susers, %[1]ssessions", prefix)))
		question = "SELECT pg_total_relation_size('%[1]susers') + pg_total_relation_size('%[1]ssessions')"
	case sqlstore.MySQL:
		must1(db.ExecContext(background, fmt.Sprintf("OPTIMIZE TABLE %[1]susers, %[1]ssessions", prefix)))
		question = "SELECT SUM(data_length + index_length) FROM information_schema.tables " +
			"WHERE table_schema = DATABASE() AND table_name IN ('%[1]susers', '%[1]ssessions')"
	default:
		must1(db.ExecContext(background, "VACUUM"))
		question = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	}
	must(db.QueryRowContext(background, strings.ReplaceAll(question, "%[1]s", prefix)).Scan(&bytes))
	return bytes
}
