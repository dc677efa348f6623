package main

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"
)

// auditRoutes serves the audit to administrators.
func (a *app) auditRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/admin/audit", a.sessions.RequireAdmin(http.HandlerFunc(a.listAudit)))
	mux.HandleFunc("/api/admin/audit", methodNotAllowed("GET, HEAD"))
}

type auditJSON struct {
	ID     int64  `json:"id"`
	Time   string `json:"time"`
	Actor  string `json:"actor"`
	Target string `json:"target"`
	Action string `json:"action"`
	Reason string `json:"reason"`
}

// listAudit answers with one page of audit entries, the newest first. The member next is
// what to send as ?after= for the following page; the last page does not have it.
func (a *app) listAudit(w http.ResponseWriter, r *http.Request) {
	before := int64(math.MaxInt64)
	limit, err := pageSize(r, 50)
	if text := r.URL.Query().Get("after"); text != "" && err == nil {
		before, err = strconv.ParseInt(text, 10, 64)
		if err != nil || before < 1 {
			err = badRequest("The parameter after is an ID of the list.")
		}
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	list, err := a.stores.audit.List(ctx, before, limit+1)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	var page struct {
		Entries []auditJSON `json:"entries"`
		Next    int64       `json:"next,omitempty"`
	}
	page.Entries = make([]auditJSON, 0, len(list))
	for _, e := range list[:min(limit, len(list))] {
		page.Entries = append(page.Entries, auditJSON{e.ID, timestamp(e.Time), e.Actor, e.Target, e.Action, e.Reason})
		if len(list) > limit {
			page.Next = e.ID
		}
	}
	writeJSON(w, http.StatusOK, page)
}

// maxPage is the largest number of entries on a page.
const maxPage = 200

// pageSize returns the query parameter limit, or defaultSize if the request does not have
// that parameter. The error is a Denial.
func pageSize(r *http.Request, defaultSize int) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultSize, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, badRequest("A page has 1 to 200 entries.")
	}
	return n, nil
}

// timestamp formats a time as the library does, in UTC by RFC 3339 with milliseconds.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
