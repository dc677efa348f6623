package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/googlesession/googlesession"
)

type customer struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

var errNoCustomer = errors.New("no such customer")

// A customerStore keeps customers. IDs are positive and never reused. Get and Delete
// return errNoCustomer for an unknown ID.
type customerStore interface {
	List(ctx context.Context) ([]customer, error) // in order of ID
	Get(ctx context.Context, id int64) (customer, error)
	Create(ctx context.Context, name, email string) (customer, error)
	Delete(ctx context.Context, id int64) error
}

// customerRoutes serves the customers to signed-in users. RequireUser also refuses
// requests that a page of another site sends.
func (a *app) customerRoutes(mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) {
		mux.Handle(pattern, a.sessions.RequireUser(h))
	}
	handle("GET /api/customer", a.listCustomers)
	handle("POST /api/customer", a.createCustomer)
	mux.HandleFunc("/api/customer", methodNotAllowed("GET, HEAD, POST"))
	handle("GET /api/customer/{id}", a.getCustomer)
	handle("DELETE /api/customer/{id}", a.deleteCustomer)
	mux.HandleFunc("/api/customer/{id}", methodNotAllowed("GET, HEAD, DELETE"))
}

func (a *app) listCustomers(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	all, err := a.stores.customers.List(ctx)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"description": "All customers", "results": all})
}

func (a *app) createCustomer(w http.ResponseWriter, r *http.Request) {
	in, err := readCustomer(w, r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	c, err := a.stores.customers.Create(ctx, in.Name, in.Email)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	id := strconv.FormatInt(c.ID, 10)
	user, _ := googlesession.UserFrom(ctx)
	a.recordAudit(ctx, auditEntry{Actor: user.ID, Action: "customer_added", Target: id})
	w.Header().Set("Location", "/api/customer/"+id)
	writeJSON(w, http.StatusCreated, c)
}

func (a *app) getCustomer(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	c, err := a.stores.customers.Get(ctx, customerID(r))
	if err != nil {
		a.writeError(w, r, notFound(err))
		return
	}
	writeJSON(w, http.StatusOK, c)
}

func (a *app) deleteCustomer(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	id := customerID(r)
	if err := a.stores.customers.Delete(ctx, id); err != nil {
		a.writeError(w, r, notFound(err))
		return
	}
	user, _ := googlesession.UserFrom(ctx)
	a.recordAudit(ctx, auditEntry{Actor: user.ID, Action: "customer_deleted", Target: strconv.FormatInt(id, 10)})
	w.WriteHeader(http.StatusNoContent)
}

// customerID returns the ID in the path. If the path has anything but a number in its
// shortest spelling (7, not 07), it returns 0, which is not the ID of any customer.
func customerID(r *http.Request) int64 {
	text := r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(id, 10) != text {
		return 0
	}
	return id
}

const (
	maxName  = 100 // in characters
	maxEmail = 254 // RFC 5321, section 4.5.3.1.3, allows 256 bytes with the angle brackets
)

// readCustomer reads a customer without an ID from the body. The error is a Denial.
func readCustomer(w http.ResponseWriter, r *http.Request) (customer, error) {
	var in customer
	err := readJSON(w, r, `{"name":"…","email":"…"}`, map[string]any{"name": &in.Name, "email": &in.Email})
	if err != nil {
		return customer{}, err
	}
	if !isText(in.Name, maxName) {
		return customer{}, badRequest("A customer has a name of at most 100 characters.")
	}
	if local, domain, _ := strings.Cut(in.Email, "@"); !isText(in.Email, maxEmail) ||
		local == "" || domain == "" || strings.ContainsAny(in.Email, " <>") {
		return customer{}, badRequest("A customer has an e-mail address.")
	}
	return in, nil
}

// isText reports whether s is one line of at most size characters and is not blank.
func isText(s string, size int) bool {
	return strings.TrimSpace(s) != "" && utf8.RuneCountInString(s) <= size && !strings.ContainsFunc(s, unicode.IsControl)
}

// methodNotAllowed answers every request with 405 and the given Allow header.
func methodNotAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		writeProblem(w, http.StatusMethodNotAllowed, googlesession.CodeMethodNotAllowed, "This method is not allowed here.")
	}
}

// notFound converts errNoCustomer to a Denial. It returns any other error unchanged.
func notFound(err error) error {
	if errors.Is(err, errNoCustomer) {
		return newDenial(http.StatusNotFound, googlesession.CodeNotFound, "There is no such customer.")
	}
	return err
}
