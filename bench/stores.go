package bench

import (
	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// An openStore is a store of the library that was opened without sessions.
type openStore struct {
	googlesession.SessionStore

	name   string
	settle func() // must be called after the store was filled
	close  func()
}

// stores opens a store of each kind whose server is available.
func (r *Run) stores(prefix string) []openStore {
	all := []openStore{{memstore.New(nil), "memory", func() {}, func() {}}}
	if r.servers.Redis != "" {
		client, store := r.newRedis(prefix, 0)
		all = append(all, openStore{store, "Redis", func() {}, func() { must(client.Close()) }})
	}
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		db := d.open()
		store := d.store(db, prefix)
		all = append(all, openStore{store, d.Name, func() { d.settle(db, prefix) }, func() {
			must(store.Close())
			must(db.Close())
		}})
	}
	return all
}
