package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/googlesession/googlesession"
)

type customer struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// A customerChange has the new values of a customer's fields. A nil field stays as it is, so
// that two people who change one field each do not undo each other.
type customerChange struct{ name, email *string }

var errNoCustomer = errors.New("no such customer")

// A customerStore keeps customers. IDs are positive and never reused. Get, Update and
// Delete return errNoCustomer for an unknown ID.
type customerStore interface {
	// List returns a page of the customers who match q, and how many match q in total.
	List(ctx context.Context, q customerQuery) (page []customer, total int64, err error)

	Get(ctx context.Context, id int64) (customer, error)

	// Create stores a new customer under a new ID and returns it. It ignores c.ID. If a
	// customer was created with the same request, it returns that customer and false. An
	// empty request is never the same.
	Create(ctx context.Context, c customer, request string) (made customer, isNew bool, err error)

	// Fill stores many new customers, or none if it returns an error.
	Fill(ctx context.Context, list []customer) error

	Update(ctx context.Context, id int64, change customerChange) (customer, error)
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
	handle("PATCH /api/customer/{id}", a.changeCustomer)
	handle("DELETE /api/customer/{id}", a.deleteCustomer)
	mux.HandleFunc("/api/customer/{id}", methodNotAllowed("GET, HEAD, PATCH, DELETE"))
}

// listCustomers answers with a page of the customers. The client of the original system asks
// without parameters and reads description and results only.
func (a *app) listCustomers(w http.ResponseWriter, r *http.Request) {
	q, err := readCustomerQuery(r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	list, total, err := a.stores.customers.List(ctx, q)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Description string     `json:"description"`
		Results     []customer `json:"results"`
		Total       int64      `json:"total"`
		Page        int64      `json:"page"`
		Pages       int64      `json:"pages"`
	}{"All customers", list, total, q.page, max(1, (total+q.limit-1)/q.limit)})
}

func (a *app) createCustomer(w http.ResponseWriter, r *http.Request) {
	in, err := readCustomer(w, r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	user, _ := googlesession.UserFrom(r.Context())
	request, err := requestDigest(r, user.ID, in.Name, in.Email)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	c, isNew, err := a.stores.customers.Create(ctx, in, request)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	if isNew {
		a.auditCustomer(ctx, "customer_added", c.ID)
	}
	w.Header().Set("Location", "/api/customer/"+strconv.FormatInt(c.ID, 10))
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

func (a *app) changeCustomer(w http.ResponseWriter, r *http.Request) {
	change, err := readCustomerChange(w, r)
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	c, err := a.stores.customers.Update(ctx, customerID(r), change)
	if err != nil {
		a.writeError(w, r, notFound(err))
		return
	}
	a.auditCustomer(ctx, "customer_changed", c.ID)
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
	a.auditCustomer(ctx, "customer_deleted", id)
	w.WriteHeader(http.StatusNoContent)
}

// auditCustomer records what the user of ctx has done with a customer.
func (a *app) auditCustomer(ctx context.Context, action string, id int64) {
	user, _ := googlesession.UserFrom(ctx)
	a.recordAudit(ctx, auditEntry{Actor: user.ID, Action: action, Target: strconv.FormatInt(id, 10)})
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
