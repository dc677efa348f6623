// Package soak runs the library for a while as it runs in production. Several processes
// serve HTTP on one store, many users act at once, and faults happen all the time. A judge
// compares every answer with the promises of the library.
package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"time"

	"github.com/googlesession/googlesession/googletest"
)

// Backends are the stores that [Run] knows.
var Backends = []string{"memory", "sqlite", "postgres", "mysql", "redis"}

// Options are the settings of a soak.
type Options struct {
	// Backend is the store to run on, one of [Backends].
	Backend string

	// For is for how long faults happen. It must be positive.
	For time.Duration

	// Processes is how many processes serve the application. Zero means 2.
	Processes int

	// Workers is how many workers send requests at once. Zero means 8.
	Workers int

	// Users is how many users the workers act for. Zero means 12.
	Users int

	// StoreTimeout is the StoreTimeout of each Manager. Zero means 1 second.
	StoreTimeout time.Duration

	// Pause is the longest time between two faults. The shortest time is half of Pause.
	// Zero means 2 seconds.
	Pause time.Duration

	// Seed decides the order of acts and faults. Zero means a random seed.
	Seed uint64

	// Break names a mistake that the store makes on purpose. It is one of [Breaks], or ""
	// for a store without a mistake.
	Break string
}

const (
	clientID    = "soak.apps.googleusercontent.com"
	adminEmail  = "admin@example.com"
	maxSessions = 6 // the limit of sessions of one user
)

func (o *Options) complete() error {
	if o.Processes == 0 {
		o.Processes = 2
	}
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.Users == 0 {
		o.Users = 12
	}
	if o.StoreTimeout == 0 {
		o.StoreTimeout = time.Second
	}
	if o.Pause == 0 {
		o.Pause = 2 * time.Second
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64() //nolint:gosec // the seed decides an order and is not a secret
	}
	if o.For <= 0 || o.Processes < 0 || o.Workers < 0 || o.Users < 0 || o.StoreTimeout < 0 || o.Pause < 0 {
		return errors.New("soak: a duration or number is not positive")
	}
	return checkBreak(o.Break)
}

// A run is one soak.
type run struct {
	Options

	google *googletest.Google
	apps   []*app
	users  []*user
	admin  *administrator
	report *Report
}

// Run runs a soak until faults have happened for the time o.For, or until ctx is done. It
// then ends all servers and processes that it has started. It returns an error only if the
// soak could not run; the findings of the judge are in the report.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "googlesession-soak-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	r := &run{Options: o, google: googletest.NewGoogle(clientID), report: newReport(o)}
	keys := httptest.NewServer(r.google.Handler())
	defer keys.Close()
	b, err := startBackend(ctx, o.Backend, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.remove()) }()
	defer r.stopApps()
	if err := r.startApps(ctx, b, keys.URL); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	r.soak(ctx, b)
	return r.report, nil
}

// prepare makes the users and signs the administrator in, before faults happen.
func (r *run) prepare(ctx context.Context) error {
	for i := range r.Users {
		email := fmt.Sprintf("user%d@example.com", i)
		r.users = append(r.users, &user{email: email, id: r.google.Subject(email), report: r.report})
	}
	r.admin = &administrator{run: r, user: &user{email: adminEmail, id: r.google.Subject(adminEmail), report: r.report}}
	if err := r.admin.signIn(ctx); err != nil {
		return fmt.Errorf("soak: signing the administrator in: %w", err)
	}
	return nil
}

// soak lets the workers work while faults happen, and for one StoreTimeout after the last
// fault.
func (r *run) soak(ctx context.Context, b *backend) {
	ctx, stop := context.WithCancel(ctx)
	var workers, schedule sync.WaitGroup
	for i := range r.Workers {
		w := &worker{run: r, random: rand.New(rand.NewPCG(r.Seed, uint64(i)+1))} //nolint:gosec // the random numbers choose requests and are not secrets
		workers.Go(func() { w.work(ctx) })
	}
	began := time.Now()
	faulty, end := context.WithTimeout(ctx, r.For)
	defer end()
	schedule.Go(func() { r.happen(faulty, b) })
	schedule.Wait()
	rest, enough := context.WithTimeout(ctx, r.StoreTimeout) // the workers go on for this time after the last fault
	defer enough()
	<-rest.Done()
	stop()
	workers.Wait()
	r.report.lasted(time.Since(began))
}

// startApps starts the apps, each in a process of its own, or in this process if the
// backend is the memory store.
func (r *run) startApps(ctx context.Context, b *backend, keys string) error {
	for i := range r.Processes {
		a := &app{report: r.report, client: &http.Client{
			Timeout:   20 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: r.Workers},
		}}
		r.apps = append(r.apps, a)
		c := appConfig{
			Backend: r.Backend, Keys: keys, Addr: "127.0.0.1:0", Users: b.users,
			StoreTimeout: r.StoreTimeout, Break: r.Break, Seed: r.Seed + uint64(i),
		}
		if err := b.lead(a, &c); err != nil {
			return err
		}
		if err := a.start(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) stopApps() {
	for _, a := range r.apps {
		a.stop()
	}
}
