package bench

import (
	"fmt"
	"slices"
)

// mostCookies is how many different sessions of a memory store are asked for at most. So
// many sessions do not fit into a CPU's cache.
const mostCookies = 1 << 20

// scaling measures how long a request takes among different numbers of sessions, with the
// library and with a limit. All numbers of sessions are measured in turns, so that they can
// be compared.
func (r *Run) scaling() {
	const largestInRedis = 1_000_000 // a session takes about 300 bytes in Redis
	sizes := []int{pickIf(r.Quick, 100, 1000)}
	for _, size := range []int{100_000, 1_000_000, r.Largest} {
		if sizes[len(sizes)-1] < size && size <= r.Largest {
			sizes = append(sizes, size)
		}
	}
	r.scale("memory", lookUp, sizes, 1, func(size int) (Site, Site) {
		headers := cookies(size, mostCookies)
		return ours(newMemstore(size), headers), newSessionMap(size).site(headers)
	})
	if r.servers.Redis != "" {
		r.scale("Redis", oneGet, upTo(sizes, largestInRedis), atOnce, func(size int) (Site, Site) {
			client, store := r.newRedis(sprint("scale:%d:", size), size)
			headers := cookies(size, 100_000)
			records := r.servers.keys + "limit:"
			fillRecords(client, records, headers)
			return ours(store, headers), getSite(client, records, headers)
		})
	}
	for _, d := range r.databases() {
		if d.dsn == "" {
			continue
		}
		db := d.open()
		r.scale(d.Name, oneJoin, sizes, atOnce, func(size int) (Site, Site) {
			prefix := sprint("scale_%d_", size)
			store := d.store(db, prefix)
			fillSQL(db, d, prefix, size)
			headers := cookies(size, 100_000)
			return ours(store, headers), d.joinSite(db, prefix, headers)
		})
		must(db.Close())
	}
}

func upTo(sizes []int, most int) []int {
	return slices.DeleteFunc(slices.Clone(sizes), func(size int) bool { return size > most })
}

// scale measures and prints the table of one store, and judges how much the time grows with
// the number of sessions. at returns the two sites with that number of sessions.
func (r *Run) scale(store, limit string, sizes []int, workers int, at func(size int) (ours, limit Site)) {
	const most = 1.3
	var subjects []Subject
	for _, size := range sizes {
		site, limit := at(size)
		if workers > 1 {
			subjects = append(subjects, site.Asking(), limit.Asking())
		} else {
			subjects = append(subjects, site.Subject(), limit.Subject())
		}
	}
	figures := r.settings().measure(subjects, workers)
	rows := [][]string{{"sessions", "googlesession, µs", "× smallest", limit + ", µs", "× smallest", "googlesession × " + limit}}
	last := 2 * (len(sizes) - 1)
	for i, size := range sizes {
		site, limit := figures[2*i], figures[2*i+1]
		rows = append(rows, []string{
			fmt.Sprint(size), micro(site.Median()), fmt.Sprintf("%.2f", site.Over(figures[0])),
			micro(limit.Median()), fmt.Sprintf("%.2f", limit.Over(figures[1])), fmt.Sprintf("%.2f", site.Over(limit)),
		})
	}
	heading(r.out, "Among more sessions, "+store, "")
	printTable(r.out, rows)
	what := sprint("Among more sessions, %s: %d to %d", store, sizes[0], sizes[len(sizes)-1])
	grown, limitGrown := figures[last].Over(figures[0]), figures[last+1].Over(figures[1])
	if limit == oneJoin { // the time of the join grows too, because the index is deeper
		r.verdict(what+", times what the join grows", grown/limitGrown, most, "")
		return
	}
	r.verdict(what, grown, most, "")
	if limit == lookUp {
		r.verdict(what+", times what the map grows", grown/limitGrown, most, "")
	}
}
