package soak

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/googlesession/googlesession/conformance/faults"
	"github.com/googlesession/googlesession/conformance/servers"
)

// slowest is the longest delay of one chunk of data, or of one call to the memory store.
const slowest = 40 * time.Millisecond

// A fault is a failure that the function do causes for the apps in hit. It returns when the
// failure is over.
type fault struct {
	name string
	do   func(ctx context.Context, hit []*app) error
}

// happen causes one fault after the other until ctx is done. Each kind of fault happens
// once before one is repeated, in an order that the seed decides.
func (r *run) happen(ctx context.Context, b *backend) {
	random := rand.New(rand.NewPCG(r.Seed, 0)) //nolint:gosec // the random numbers choose faults and are not secrets
	all := r.faults(b)
	for {
		for _, i := range random.Perm(len(all)) {
			r.recover(ctx, r.Pause/2+time.Duration(random.Int64N(int64(r.Pause/2))))
			if ctx.Err() != nil {
				return
			}
			hit := r.apps
			if random.IntN(2) == 0 {
				n := random.IntN(len(r.apps))
				hit = r.apps[n : n+1]
			}
			r.report.happened(all[i].name)
			if err := all[i].do(ctx, hit); err != nil {
				r.report.failed(fmt.Errorf("fault %s: %w", all[i].name, err))
			}
		}
	}
}

// recover measures how long each app takes to work again after a fault. It returns when d
// is over or ctx is done, and then the next fault may happen.
func (r *run) recover(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	began := time.Now()
	var probes sync.WaitGroup
	for _, a := range r.apps {
		probes.Go(func() {
			for ctx.Err() == nil {
				x := r.admin.askAt(ctx, a, request{method: http.MethodGet, path: "/user"})
				if !x.unknown() {
					break
				}
				pause(ctx, 5*time.Millisecond)
			}
			r.report.recovered(time.Since(began))
		})
	}
	probes.Wait()
	<-ctx.Done()
}

func (r *run) faults(b *backend) []fault {
	switch {
	case b.memory != nil:
		return r.memoryFaults()
	case b.server == nil:
		return append(r.processFaults(), fault{"write lock", func(ctx context.Context, _ []*app) error { return b.lock(ctx, r.long()) }})
	default:
		return append(append(r.processFaults(), r.networkFaults()...), r.serverFaults(b)...)
	}
}

// long returns the duration of a fault during which there are no answers.
func (r *run) long() time.Duration { return r.StoreTimeout * 3 / 2 }

// brief returns the duration of a fault that affects only some answers or new connections.
func (r *run) brief() time.Duration { return r.StoreTimeout / 2 }

func (r *run) networkFaults() []fault {
	return []fault{
		{"cut", during(0, (*faults.Proxy).Cut, func(*faults.Proxy) {})},
		{"refuse", during(r.brief(), (*faults.Proxy).Down, (*faults.Proxy).Up)},
		{"freeze", during(r.long(), (*faults.Proxy).Freeze, (*faults.Proxy).Thaw)},
		{"delay", during(r.brief(), func(p *faults.Proxy) { p.Delay(slowest) }, func(p *faults.Proxy) { p.Delay(0) })},
		{"lose request", during(r.brief(), func(p *faults.Proxy) { p.LoseRequests(4) }, func(p *faults.Proxy) { p.LoseRequests(0) })},
		{"tear answer", during(r.brief(), func(p *faults.Proxy) { p.TearAnswers(4) }, func(p *faults.Proxy) { p.TearAnswers(0) })},
	}
}

// during returns a function that causes a fault for the time d. begin starts the fault at
// the proxy of each app that is hit, and end ends it.
func during(d time.Duration, begin, end func(*faults.Proxy)) func(context.Context, []*app) error {
	return func(ctx context.Context, hit []*app) error {
		for _, a := range hit {
			begin(a.proxy)
		}
		pause(ctx, d)
		for _, a := range hit {
			end(a.proxy)
		}
		return nil
	}
}

func (r *run) memoryFaults() []fault {
	return []fault{
		{"refuse", flaky(r.brief(), func(f *flakyStore) { f.refuse = true }, func(f *flakyStore) { f.refuse = false })},
		{"freeze", flaky(r.long(), func(f *flakyStore) { f.thawed = make(chan struct{}) }, func(f *flakyStore) { close(f.thawed) })},
		{"delay", flaky(r.brief(), func(f *flakyStore) { f.delay = slowest }, func(f *flakyStore) { f.delay = 0 })},
		{"lose answer", flaky(r.brief(), func(f *flakyStore) { f.lose = 4 }, func(f *flakyStore) { f.lose = 0 })},
	}
}

// flaky returns a function that causes a fault for the time d. begin starts the fault in
// the store of each app that is hit, and end ends it.
func flaky(d time.Duration, begin, end func(*flakyStore)) func(context.Context, []*app) error {
	return func(ctx context.Context, hit []*app) error {
		for _, a := range hit {
			a.store.set(begin)
		}
		pause(ctx, d)
		for _, a := range hit {
			a.store.set(end)
		}
		return nil
	}
}

// processFaults returns the faults that hit the process of one app.
func (r *run) processFaults() []fault {
	return []fault{
		{"process killed", func(_ context.Context, hit []*app) error { return hit[0].kill() }}, //nolint:contextcheck // kill starts the process again even if ctx is done
		{"process stopped", func(ctx context.Context, hit []*app) error {
			hit[0].signal(servers.SignalPause)
			pause(ctx, r.long())
			hit[0].signal(servers.SignalResume)
			return nil
		}},
	}
}

func (r *run) serverFaults(b *backend) []fault {
	return []fault{
		{"server stopped", func(ctx context.Context, _ []*app) error {
			if err := b.server.Pause(); err != nil {
				return err
			}
			pause(ctx, r.long())
			return b.server.Resume()
		}},
		{"server killed", func(ctx context.Context, _ []*app) error {
			b.server.End(b.kill)
			return b.server.Start(context.WithoutCancel(ctx))
		}},
	}
}

// lock holds SQLite's write lock for d, as another process could do.
func (b *backend) lock(ctx context.Context, d time.Duration) error {
	db, err := sql.Open("sqlite", b.file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil // ctx is done, because the soak is over
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil // the apps hold the lock for longer than the busy timeout, or the soak is over
	}
	pause(ctx, d)
	_, err = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}
