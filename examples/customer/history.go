package main

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

const (
	// historyDays is how far back one's own history goes. The audit may be kept for a
	// shorter time (-audit-days).
	historyDays = 28

	// maxHistory is how many entries of the audit a history is made from.
	maxHistory = 500
)

// historyRoutes serves each user the user's own sign-ins and ended sessions.
func (a *app) historyRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/history", a.sessions.RequireUser(http.HandlerFunc(a.serveHistory)))
	mux.HandleFunc("/api/history", methodNotAllowed("GET, HEAD"))
}

// A historyItem is a sign-in, or the end of a session. It neither names an administrator nor
// repeats an administrator's reason or device, because those are not for the user.
type historyItem struct {
	Time      string `json:"time"`
	Action    string `json:"action"`
	Actor     string `json:"actor"` // you, administrator, google, system or other
	Reason    string `json:"reason,omitempty"`
	Session   string `json:"session,omitempty"`
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Label     string `json:"label,omitempty"`
	New       bool   `json:"new,omitempty"`     // the first sign-in from this browser
	Live      bool   `json:"live,omitempty"`    // the session is live
	Current   bool   `json:"current,omitempty"` // the session of this request
}

func (a *app) serveHistory(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	session, _ := googlesession.SessionFrom(ctx)
	entries, err := a.readHistory(ctx, session.User.ID)
	var live []googlesession.Session
	if err == nil {
		live, err = a.sessions.Sessions(ctx, session.User.ID)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	items := historyOf(session.User.ID, entries)
	for i := range items {
		items[i].Current = items[i].Session == session.PublicID.String()
		items[i].Live = slices.ContainsFunc(live, func(s googlesession.Session) bool {
			return s.PublicID.String() == items[i].Session
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"history": items})
}

// readHistory returns the entries about the user and those about all users, the newest
// first.
func (a *app) readHistory(ctx context.Context, userID string) ([]auditEntry, error) {
	since := time.Now().AddDate(0, 0, -historyDays)
	own, err := a.stores.audit.List(ctx, auditFilter{Targets: []string{userID}, From: since}, math.MaxInt64, maxHistory)
	if err != nil {
		return nil, err
	}
	all, err := a.stores.audit.List(ctx, auditFilter{Action: string(googlesession.EventAllRevoked), From: since}, math.MaxInt64, maxHistory)
	if err != nil {
		return nil, err
	}
	both := append(own, all...)
	slices.SortFunc(both, func(a, b auditEntry) int { return cmp.Compare(b.ID, a.ID) })
	return both, nil
}

// historyOf makes the history of a user from entries of the audit, the newest first.
func historyOf(userID string, entries []auditEntry) []historyItem {
	entries = sinceDeletion(userID, entries)
	signIns, isNew := map[string]auditEntry{}, map[string]bool{}
	for _, e := range entries {
		switch googlesession.EventKind(e.Action) {
		case googlesession.EventSignedIn, googlesession.EventIssued:
			signIns[e.Sessions] = e
		case googlesession.EventNewDevice:
			isNew[e.Sessions] = true
		}
	}
	items := []historyItem{} // an empty slice is [] in JSON; a nil slice would be null
	for _, e := range entries {
		sessions := strings.Fields(e.Sessions)
		switch googlesession.EventKind(e.Action) {
		case googlesession.EventNewDevice, googlesession.EventBound:
			continue // a sign-in has the member new, and the list of sessions the member bound
		case googlesession.EventAllRevoked:
			sessions = []string{""} // the entry names no session
		}
		// An entry without a session has ended none, such as the replacement of a session by
		// a re-authentication.
		for _, session := range sessions {
			item := historyItem{
				Time: timestamp(e.Time), Action: e.Action, Actor: historyActor(userID, e), Reason: historyReason(e),
				Session: session, Label: e.Label,
			}
			// The device is that of the session's sign-in, because the request that ended the
			// session may be an administrator's.
			if from, ok := signIns[session]; ok && session != "" {
				item.IP, item.UserAgent = from.IP, from.UserAgent
				item.Label = cmp.Or(item.Label, from.Label)
			}
			item.New = isNew[session] && e.Action == string(googlesession.EventSignedIn)
			items = append(items, item)
		}
	}
	return items
}

// sinceDeletion leaves out the entries from before the user was deleted the last time, and
// the entries about all users from before the user's first entry.
func sinceDeletion(userID string, entries []auditEntry) []auditEntry {
	last := 0
	for i, e := range entries {
		if e.Target != userID {
			continue
		}
		if e.Action == string(googlesession.EventUserDeleted) {
			break
		}
		last = i + 1
	}
	return entries[:last]
}

// historyActor says who caused the entry, as the user may know it.
func historyActor(userID string, e auditEntry) string {
	switch {
	case e.Actor == userID:
		return "you"
	case e.Actor == googleActor || e.Action == string(googlesession.EventSecurityReport):
		return googleActor
	case e.Actor == systemActor:
		return systemActor
	case historyReason(e) == "replaced":
		return "other" // another person signed in with the same browser
	default:
		return "administrator"
	}
}

// historyReason returns the reason if the library or Google gave it. It returns "" for the
// words of an administrator.
func historyReason(e auditEntry) string {
	if e.Action == string(googlesession.EventSecurityReport) {
		return e.Reason // Google's
	}
	first, _, _ := strings.Cut(e.Reason, ":")
	switch googlesession.EventKind(e.Action) {
	case googlesession.EventSignedIn, googlesession.EventRevoked:
		if slices.Contains([]string{"again", "replaced", "limit"}, first) {
			return first
		}
	case googlesession.EventAccessChanged:
		return "disabled" // the only change that ends sessions
	}
	return ""
}
