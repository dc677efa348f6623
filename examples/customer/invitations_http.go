package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/googlesession/googlesession"
)

// codeExists is the code of a 409, for an address that has been invited already. The
// library has every other code that the application uses.
const codeExists = "exists"

// invitationRoutes serves the invitations to administrators.
func (a *app) invitationRoutes(mux *http.ServeMux) {
	a.handleForAdmins(mux, "GET /api/admin/invitations", a.listInvitations)
	a.handleForAdmins(mux, "POST /api/admin/invitations", a.createInvitation)
	mux.HandleFunc("/api/admin/invitations", methodNotAllowed("GET, HEAD, POST"))
	a.handleForAdmins(mux, "DELETE /api/admin/invitations/{email}", a.deleteInvitation)
	mux.HandleFunc("/api/admin/invitations/{email}", methodNotAllowed("DELETE"))
}

type invitationJSON struct {
	Email         string     `json:"email"`
	Admin         bool       `json:"admin"`
	InvitedBy     string     `json:"invited_by"`
	InvitedByUser *auditUser `json:"invited_by_user"`
	CreatedAt     string     `json:"created_at"`
	ExpiresAt     string     `json:"expires_at,omitempty"` // absent if the invitation is accepted
	AcceptedAt    string     `json:"accepted_at,omitempty"`
}

func (a *app) invitationBody(i invitation, by *auditUser) invitationJSON {
	body := invitationJSON{
		Email: i.Email, Admin: i.Admin, InvitedBy: i.InvitedBy, InvitedByUser: by, CreatedAt: timestamp(i.CreatedAt),
	}
	if i.AcceptedAt.IsZero() {
		body.ExpiresAt = timestamp(i.CreatedAt.Add(a.opts.invitationLifetime()))
	} else {
		body.AcceptedAt = timestamp(i.AcceptedAt)
	}
	return body
}

// listInvitations answers with one page of invitations in order of address. The member
// next is what to send as ?after= for the following page; the last page does not have it.
func (a *app) listInvitations(w http.ResponseWriter, r *http.Request) {
	after := lowerASCII(r.URL.Query().Get("after"))
	limit, err := pageSize(r, maxPage)
	if err == nil && !isPrintable(after) {
		err = badRequest("The parameter after is an address of the list.")
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	var list []invitation
	if err = a.stores.invitations.DeleteExpired(ctx, a.invitedSince()); err == nil {
		list, err = a.stores.invitations.List(ctx, after, limit+1)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	var page struct {
		Invitations []invitationJSON `json:"invitations"`
		Next        string           `json:"next,omitempty"`
	}
	page.Invitations = make([]invitationJSON, 0, len(list))
	names := a.newAuditNames()
	for _, i := range list[:min(limit, len(list))] {
		by, err := names.user(ctx, i.InvitedBy)
		if err != nil {
			a.writeError(w, r, err)
			return
		}
		page.Invitations = append(page.Invitations, a.invitationBody(i, by))
		if len(list) > limit {
			page.Next = i.Email
		}
	}
	writeJSON(w, http.StatusOK, page)
}

// createInvitation invites an address. It does not need a fresh sign-in, even if it
// invites an administrator, because PATCH /api/admin/users/{id} can make an administrator
// without a fresh sign-in, too.
func (a *app) createInvitation(w http.ResponseWriter, r *http.Request) {
	var email string
	var admin bool
	err := readJSON(w, r, `{"email":"…","admin":false}`, map[string]any{"email": &email, "admin": &admin})
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	email = lowerASCII(email)
	if !isInvitable(email) {
		a.writeError(w, r, badRequest("Invite an e-mail address of ASCII letters, digits and signs."))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	user, _ := googlesession.UserFrom(ctx)
	i := invitation{Email: email, Admin: admin, InvitedBy: user.ID, CreatedAt: time.UnixMilli(time.Now().UnixMilli())}
	if err = a.stores.invitations.DeleteExpired(ctx, a.invitedSince()); err == nil {
		err = a.stores.invitations.Create(ctx, i)
	}
	if errors.Is(err, errInvited) {
		err = newDenial(http.StatusConflict, codeExists, "This address has been invited already.")
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	e := auditEntry{Actor: user.ID, Action: "invited", Target: email}
	if admin {
		e.Reason = "as an administrator"
	}
	a.recordAudit(ctx, e)
	writeJSON(w, http.StatusCreated, a.invitationBody(i, &auditUser{ID: user.ID, Email: user.Email, Name: user.Name}))
}

func (a *app) deleteInvitation(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	user, _ := googlesession.UserFrom(ctx)
	email := lowerASCII(r.PathValue("email"))
	err := errNoInvitation
	if isInvitable(email) {
		err = a.stores.invitations.Delete(ctx, email)
	}
	if errors.Is(err, errNoInvitation) {
		err = newDenial(http.StatusNotFound, googlesession.CodeNotFound, "There is no such invitation.")
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	a.recordAudit(ctx, auditEntry{Actor: user.ID, Action: "invitation_withdrawn", Target: email})
	w.WriteHeader(http.StatusNoContent)
}

// isInvitable reports whether email is ASCII with one @ and a dot after it. Other
// characters are refused, because addresses that look alike, or that Unicode folds
// alike, may belong to different people.
func isInvitable(email string) bool {
	local, domain, _ := strings.Cut(email, "@")
	return isPrintable(email) && len(email) <= maxEmail && local != "" && !strings.Contains(domain, "@") &&
		strings.Contains(strings.Trim(domain, "."), ".")
}

// isPrintable reports whether s is ASCII without blanks and control characters.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
