package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/googlesession/googlesession"
)

// convoy measures how many simultaneous sign-ins of one user delay the requests of another
// user, and the administrator who disables the user that signs in.
func convoy(ctx context.Context, d *database, s sizes) ([]row, error) {
	t, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.close() }()
	site, err := newSite(t, t) //nolint:contextcheck // newSite fetches no keys, so it needs no context
	if err != nil {
		return nil, err
	}
	admin, err1 := site.signIn("admin@example.com")
	victim, err2 := site.signIn("victim@example.com")
	attacker, err3 := site.signIn("attacker@example.com")
	cookie, body, err4 := site.token("attacker@example.com")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}

	ctx, over := context.WithCancel(ctx)
	defer over()
	var flood, others sync.WaitGroup
	began := time.Now()
	var busy atomic.Int64
	for range s.signIns {
		flood.Go(func() {
			if site.call(http.MethodPost, "/login", cookie, body).Code == http.StatusServiceUnavailable {
				busy.Add(1)
			}
		})
	}
	var seen *watch
	others.Go(func() { seen = site.look(ctx, victim) })
	tries, disabled := 0, time.Duration(0)
	others.Go(func() {
		wait(ctx, 100*time.Millisecond)
		asked := time.Now()
		for ok := false; !ok; {
			tries++
			ok = site.call(http.MethodPatch, "/admin/users/"+attacker.id, admin.cookie, `{"disabled":true}`).Code == http.StatusOK
		}
		disabled = time.Since(asked)
	})
	flood.Wait()
	lasted := time.Since(began)
	over()
	others.Wait()
	load := fmt.Sprintf("%d sign-ins of one user at once", s.signIns)
	return []row{
		{load, d.name, "another user's GET", seen.String()},
		{load, d.name, "the administrator disables the user", fmt.Sprintf("%s, tries %d", short(disabled), tries)},
		{load, d.name, "the sign-ins", fmt.Sprintf("%s, %d unavailable", short(lasted), busy.Load())},
	}, nil
}

// A counting store counts the checks of one user's sessions.
type counting struct {
	*table

	tag    [12]byte // the tag of the user
	checks atomic.Int64
}

func (c *counting) CheckSession(ctx context.Context, r googlesession.Ref, touchAfter time.Duration) (googlesession.Session, error) {
	if r.Tag == c.tag {
		c.checks.Add(1)
	}
	return c.table.CheckSession(ctx, r, touchAfter)
}

// manyStreams measures what a user with many streams does to the store and to another user
// by sending a few small requests.
func manyStreams(ctx context.Context, d *database, s sizes) ([]row, error) {
	t, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.close() }()
	store := &counting{table: t}
	site, err := newSite(store, store) //nolint:contextcheck // newSite fetches no keys, so it needs no context
	if err != nil {
		return nil, err
	}
	user, err1 := site.signIn("attacker@example.com")
	victim, err2 := site.signIn("victim@example.com")
	cookie, body, err3 := site.token("attacker@example.com")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	store.tag = googlesession.UserTag(user.id)
	ctx, over := context.WithCancel(ctx)
	defer over()
	var streams sync.WaitGroup
	opened := make(chan struct{}, s.streams)
	stream := site.manager.RequireUser(site.manager.EndWithSession(time.Hour)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		opened <- struct{}{}
		<-r.Context().Done()
	})))
	for range s.streams {
		streams.Go(func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://app.test/events", http.NoBody)
			r.Header.Set("Cookie", user.cookie)
			stream.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	for range s.streams {
		<-opened
	}
	wait(ctx, time.Second) // by then the streams have checked their session for the first time
	quiet, enough := context.WithTimeout(ctx, 2*time.Second)
	defer enough()
	before := site.look(quiet, victim)

	const requests, every = 25, 280 * time.Millisecond
	busy, done := context.WithCancel(ctx)
	var small sync.WaitGroup
	store.checks.Store(0)
	began := time.Now()
	small.Go(func() {
		defer done()
		for i := range requests {
			switch i % 3 {
			case 0: // ends the other sessions of the user
				site.call(http.MethodDelete, "/sessions", user.cookie, "")
			case 1:
				site.call(http.MethodPost, "/login", cookie, body)
			default: // ends a session that never existed
				site.call(http.MethodPost, "/logout", "__Host-Http-session="+forged(store.tag), "")
			}
			wait(ctx, every)
		}
	})
	during := site.look(busy, victim)
	small.Wait()
	checks := store.checks.Load()
	seconds := time.Since(began).Seconds()
	over()
	streams.Wait()
	load := fmt.Sprintf("%d streams of one session, %d small requests", s.streams, requests)
	return []row{
		{load, d.name, "checks of the user's sessions", fmt.Sprintf("%.0f/s", float64(checks)/seconds)},
		{load, d.name, "another user's GET, before", before.String()},
		{load, d.name, "another user's GET, meanwhile", during.String()},
	}, nil
}

// forged returns a value that has the form of a session cookie's value and contains the
// user's tag. It belongs to no session.
func forged(tag [12]byte) string {
	ref := googlesession.Ref{Tag: tag}
	_, _ = rand.Read(ref.ID[:])
	return ref.String()
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
