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
	a.handleForAdmins(mux, "GET /api/admin/audit", a.listAudit)
	mux.HandleFunc("/api/admin/audit", methodNotAllowed("GET, HEAD"))
	a.handleForAdmins(mux, "GET /api/admin/audit.csv", a.serveAuditCSV)
	mux.HandleFunc("/api/admin/audit.csv", methodNotAllowed("GET, HEAD"))
	mux.Handle("GET /api/admin/live", a.adminLiveHandler())
	mux.HandleFunc("/api/admin/live", methodNotAllowed("GET, HEAD"))
}

type auditJSON struct {
	ID             int64          `json:"id"`
	Time           string         `json:"time"`
	Actor          string         `json:"actor"`
	ActorUser      *auditUser     `json:"actor_user,omitempty"`
	Target         string         `json:"target"`
	TargetUser     *auditUser     `json:"target_user,omitempty"`
	TargetCustomer *auditCustomer `json:"target_customer,omitempty"`
	Action         string         `json:"action"`
	Reason         string         `json:"reason"`
	IP             string         `json:"ip,omitempty"`
	UserAgent      string         `json:"user_agent,omitempty"`
	Label          string         `json:"label,omitempty"`
	Session        string         `json:"session,omitempty"`  // if the entry is about one session
	Sessions       []string       `json:"sessions,omitempty"` // if the entry is about several sessions
}

// listAudit answers with one page of audit entries, the newest first. The member next is
// what to send as ?after= for the following page; the last page does not have it.
func (a *app) listAudit(w http.ResponseWriter, r *http.Request) {
	query, err := readAuditQuery(r, "after", "limit")
	before := int64(math.MaxInt64)
	limit, errLimit := pageSize(r, 50)
	if err == nil {
		err = errLimit
	}
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
	filter, err := a.auditFilter(ctx, query)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	list, err := a.stores.audit.List(ctx, filter, before, limit+1)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	var page struct {
		Entries []auditJSON `json:"entries"`
		Next    int64       `json:"next,omitempty"`
	}
	page.Entries = make([]auditJSON, 0, len(list))
	names := a.newAuditNames()
	for _, e := range list[:min(limit, len(list))] {
		entry, err := names.describe(ctx, e)
		if err != nil {
			a.writeError(w, r, err)
			return
		}
		page.Entries = append(page.Entries, entry)
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
	n, err := readNumber(r.URL.Query().Get("limit"), defaultSize, maxPage)
	if err != nil {
		return 0, badRequest("A page has 1 to 200 entries.")
	}
	return n, nil
}

// timestamp formats a time as the library does, in UTC by RFC 3339 with milliseconds.
func timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
