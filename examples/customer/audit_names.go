package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/googlesession/googlesession"
)

// An auditUser is the user that an entry names by ID. A deleted user has an ID only.
type auditUser struct {
	ID    string `json:"id"`
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
}

// An auditCustomer is the customer that an entry names by number. A deleted customer has an
// ID only.
type auditCustomer struct {
	ID    int64  `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// auditNames looks up the users and customers of entries. It asks a store once for each,
// however many entries name it.
type auditNames struct {
	app       *app
	users     map[string]*auditUser
	customers map[string]*auditCustomer
}

func (a *app) newAuditNames() *auditNames {
	return &auditNames{app: a, users: map[string]*auditUser{}, customers: map[string]*auditCustomer{}}
}

// describe returns an entry as administrators see it.
func (n *auditNames) describe(ctx context.Context, e auditEntry) (auditJSON, error) {
	sessions := strings.Fields(e.Sessions)
	body := auditJSON{
		ID: e.ID, Time: timestamp(e.Time), Actor: e.Actor, Target: e.Target, Action: e.Action, Reason: e.Reason,
		IP: e.IP, UserAgent: e.UserAgent, Label: e.Label,
	}
	if len(sessions) == 1 {
		body.Session = sessions[0]
	} else {
		body.Sessions = sessions
	}
	var err error
	if e.Actor != googleActor && e.Actor != systemActor {
		body.ActorUser, err = n.user(ctx, e.Actor)
	}
	switch {
	case err != nil || e.Target == "" || strings.Contains(e.Target, "@"):
	case strings.HasPrefix(e.Action, customerPrefix):
		body.TargetCustomer, err = n.customer(ctx, e.Target)
	default:
		if _, isSession := googlesession.ParseRef(e.Target); isSession != nil {
			body.TargetUser, err = n.user(ctx, e.Target)
		}
	}
	return body, err
}

func (n *auditNames) user(ctx context.Context, id string) (*auditUser, error) {
	if known := n.users[id]; known != nil {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	u, err := n.app.stores.users.User(ctx, id)
	if err != nil && !errors.Is(err, googlesession.ErrNotFound) {
		return nil, err
	}
	n.users[id] = &auditUser{ID: id, Email: u.Email, Name: u.Name}
	return n.users[id], nil
}

func (n *auditNames) customer(ctx context.Context, number string) (*auditCustomer, error) {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, nil //nolint:nilnil // the entry is about several customers, and does not name one
	}
	if known := n.customers[number]; known != nil {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	c, err := n.app.stores.customers.Get(ctx, id)
	if err != nil && !errors.Is(err, errNoCustomer) {
		return nil, err
	}
	n.customers[number] = &auditCustomer{ID: id, Name: c.Name, Email: c.Email}
	return n.customers[number], nil
}
