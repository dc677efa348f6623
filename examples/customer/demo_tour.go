package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/googlesession/googlesession"
)

// The routes in this file show what the library promises. They open browsers inside the
// program, copy a cookie as a thief would, and feign an outage.
const (
	demoBrowsersPath = "/demo/browsers"
	demoThiefPath    = "/demo/thief"
	demoOutagePath   = "/demo/outage"
)

// tourRoutes adds the routes. The browsers inside the program use the routes of mux.
func (a *app) tourRoutes(mux *http.ServeMux) {
	inside := ignoreTrailingSlash(mux)
	own := func(h http.HandlerFunc) http.Handler { return a.sessions.RequireUser(a.demo.trustedPagesOnly(h)) }
	mux.Handle("POST "+demoBrowsersPath, own(func(w http.ResponseWriter, r *http.Request) { a.openDemoBrowser(w, r, inside) }))
	mux.HandleFunc(demoBrowsersPath, methodNotAllowed("POST"))
	mux.Handle("DELETE "+demoBrowsersPath+"/{id}", own(a.closeDemoBrowser))
	mux.HandleFunc(demoBrowsersPath+"/{id}", methodNotAllowed("DELETE"))
	mux.Handle("POST "+demoBrowsersPath+"/{id}/send", own(a.sendFromDemoBrowser))
	mux.HandleFunc(demoBrowsersPath+"/{id}/send", methodNotAllowed("POST"))
	mux.Handle("GET "+demoBrowsersPath+"/{id}/events", a.sessions.EndWithSession(liveRecheck)(own(a.serveDemoBrowserEvents)))
	mux.HandleFunc(demoBrowsersPath+"/{id}/events", methodNotAllowed("GET, HEAD"))
	mux.Handle("POST "+demoThiefPath, own(func(w http.ResponseWriter, r *http.Request) { a.copyCookie(w, r, inside) }))
	mux.HandleFunc(demoThiefPath, methodNotAllowed("POST"))
	mux.Handle("POST "+demoThiefPath+"/send", a.demo.trustedPagesOnly(http.HandlerFunc(a.replayCookie)))
	mux.HandleFunc(demoThiefPath+"/send", methodNotAllowed("POST"))
	mux.Handle("POST "+demoOutagePath, a.demo.trustedPagesOnly(http.HandlerFunc(a.beginOutage)))
	mux.Handle("DELETE "+demoOutagePath, a.demo.trustedPagesOnly(http.HandlerFunc(a.endOutage)))
	mux.HandleFunc(demoOutagePath, methodNotAllowed("POST, DELETE"))
}

// openDemoBrowser signs a new browser in, and lets it follow its session until it is
// closed. It belongs to the session of the request.
func (a *app) openDemoBrowser(w http.ResponseWriter, r *http.Request, inside http.Handler) {
	session, _ := googlesession.SessionFrom(r.Context())
	email := session.User.Email
	err := readJSON(w, r, `{"email":"…"}`, map[string]any{"email": &email})
	if err == nil && !isInvitable(lowerASCII(email)) {
		err = badRequest("A browser signs in with the e-mail address of an account.")
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	b := &demoBrowser{
		ID: rand.Text(), Email: email, UserAgent: a.demo.browsers.nextUserAgent(), owner: session.PublicID,
		changed: make(chan struct{}),
	}
	b.client = a.newDemoClient(inside, b.UserAgent)
	if err := b.signIn(r.Context(), a.demo.google.Token); err != nil {
		if errors.Is(err, errSignInRefused) {
			err = newDenial(http.StatusConflict, "sign_in_refused", "This account may not sign in.")
		}
		a.writeError(w, r, err)
		return
	}
	// The browser outlives the request that opens it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), demoBrowserLife)
	b.done, b.close = ctx.Done(), cancel
	a.demo.browsers.add(ctx, b)
	go func() {
		select {
		case <-a.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	go b.follow(ctx)
	writeJSON(w, http.StatusCreated, b)
}

// ownDemoBrowser returns the browser in the path. The error is a Denial if the session of
// the request has not opened it.
func (a *app) ownDemoBrowser(r *http.Request, id string) (*demoBrowser, error) {
	session, _ := googlesession.SessionFrom(r.Context())
	if b := a.demo.browsers.find(id, session.PublicID); b != nil {
		return b, nil
	}
	return nil, newDenial(http.StatusNotFound, googlesession.CodeNotFound, "There is no such browser.")
}

// closeDemoBrowser signs the browser out and closes it.
func (a *app) closeDemoBrowser(w http.ResponseWriter, r *http.Request) {
	b, err := a.ownDemoBrowser(r, r.PathValue("id"))
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	_, _ = b.send(r.Context(), http.MethodPost, "/api/logout", "") // after an error the session expires by itself
	b.close()
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// sendFromDemoBrowser lets the browser send a request.
func (a *app) sendFromDemoBrowser(w http.ResponseWriter, r *http.Request) {
	var method, path, body string
	b, err := a.ownDemoBrowser(r, r.PathValue("id"))
	if err == nil {
		err = readJSON(w, r, `{"method":"…","path":"/api/…","body":"…"}`, map[string]any{"method": &method, "path": &path, "body": &body})
	}
	if err == nil && !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete}, method) {
		err = badRequest("The method is GET, POST, PATCH or DELETE.")
	}
	if err == nil && !isDemoPath(path) {
		err = badRequest("The path begins with /api/ and has no dot segments.")
	}
	var x exchange
	if err == nil {
		x, err = b.send(r.Context(), method, path, body)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, x)
}

// serveDemoBrowserEvents streams what the browser experiences, from its beginning or from
// the event after Last-Event-ID.
func (a *app) serveDemoBrowserEvents(w http.ResponseWriter, r *http.Request) {
	b, err := a.ownDemoBrowser(r, r.PathValue("id"))
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	connection := http.NewResponseController(w)
	number, _ := strconv.Atoi(r.Header.Get("Last-Event-ID")) // without the header, the first event is 0
	for {
		events, next, changed := b.eventsFrom(number)
		number = next - len(events)
		if err := connection.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
			return
		}
		for _, e := range events {
			number++
			if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", number, e.kind, e.data); err != nil {
				return
			}
		}
		if err := connection.Flush(); err != nil {
			return
		}
		select {
		case <-changed:
		case <-b.done:
			return
		case <-r.Context().Done():
			return
		case <-a.closing:
			return
		}
	}
}

// copyCookie copies a session cookie as a thief would, who has read a disk or a log. It
// copies the cookie of a browser inside the program, or that of the request.
func (a *app) copyCookie(w http.ResponseWriter, r *http.Request, inside http.Handler) {
	var id string
	err := readJSON(w, r, `{"browser":"…"}`, map[string]any{"browser": &id})
	cookies := r.CookiesNamed(a.sessionCookie())
	if err == nil && id != "" {
		var b *demoBrowser
		if b, err = a.ownDemoBrowser(r, id); err == nil {
			cookies = b.client.cookie(a.sessionCookie())
		}
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	client := a.newDemoClient(inside, "curl/8.15.0")
	client.steal(cookies)
	writeJSON(w, http.StatusCreated, map[string]string{"id": a.demo.browsers.addThief(client)})
}

// replayCookie asks with the copied cookie who is signed in. It needs no session, because
// the thief's copy must stay usable after the person has signed out. The ID of the copy is
// as hard to guess as a cookie.
func (a *app) replayCookie(w http.ResponseWriter, r *http.Request) {
	var id string
	err := readJSON(w, r, `{"id":"…"}`, map[string]any{"id": &id})
	var x exchange
	if err == nil {
		if client := a.demo.browsers.thief(id); client == nil {
			err = newDenial(http.StatusNotFound, googlesession.CodeNotFound, "There is no such copy of a cookie.")
		} else {
			x, err = client.send(r.Context(), http.MethodGet, "/api/user", "")
		}
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, x)
}

const maxOutage = 60 // seconds

// beginOutage lets the stores fail. It needs no session, because a session cannot be checked
// during an outage.
func (a *app) beginOutage(w http.ResponseWriter, r *http.Request) {
	var seconds int
	err := readJSON(w, r, `{"seconds":10}`, map[string]any{"seconds": &seconds})
	if err == nil && (seconds < 1 || seconds > maxOutage) {
		err = badRequest("An outage lasts 1 to 60 seconds.")
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	until := a.demo.outage.begin(time.Duration(seconds) * time.Second)
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]string{"until": timestamp(until)})
}

func (a *app) endOutage(w http.ResponseWriter, _ *http.Request) {
	a.demo.outage.end()
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
