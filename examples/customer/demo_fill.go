package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/googlesession/googlesession"
)

// fill adds invented customers and users to the stores of a new demo, so that people and
// tests see long lists. Stores that people have added something to stay as they are.
func (d *demo) fill(ctx context.Context, s *stores, o options, log *slog.Logger) error {
	if o.demoCustomers > 0 {
		if err := fillCustomers(ctx, s.customers, o.demoCustomers, log); err != nil {
			return err
		}
	}
	if o.demoUsers > 0 {
		return d.fillUsers(ctx, s.users, o.demoUsers, log)
	}
	return nil
}

// fillCustomers adds customers to those that each new database has, until there are n.
func fillCustomers(ctx context.Context, store customerStore, n int, log *slog.Logger) error {
	newest, _, err := store.List(ctx, customerQuery{sort: "-id", page: 1, limit: 1})
	if err != nil {
		return err
	}
	first := len(seed())
	if len(newest) == 0 || newest[0].ID != int64(first) {
		log.Info("-demo-customers: the database has customers already")
		return nil
	}
	list := make([]customer, 0, n-first)
	for i := first; i < n; i++ {
		name, address := invented(i)
		list = append(list, customer{Name: name, Email: fmt.Sprintf("%s.%d@example.com", address, i+1)})
	}
	return store.Fill(ctx, list)
}

// fillUsers creates n users. Each of them has signed in at a different time. A few are
// administrators, and others are disabled.
func (d *demo) fillUsers(ctx context.Context, store googlesession.UserStore, n int, log *slog.Logger) error {
	known, err := store.Users(ctx, googlesession.UserQuery{Limit: 1})
	if err != nil {
		return err
	}
	if len(known) > 0 {
		log.Info("-demo-users: the database has users already")
		return nil
	}
	// Only the clock of the store sets the times of a sign-in. PutUser takes them from the
	// record, and the stores of users in this program are stores of sessions, too.
	copies, ok := store.(interface {
		PutUser(ctx context.Context, u googlesession.User) (bool, error)
	})
	if !ok {
		return fmt.Errorf("-demo-users: %T takes no records of users", store)
	}
	now := time.Now()
	for i := range n {
		name, address := invented(i)
		email := fmt.Sprintf("%s.%d@example.org", address, i+1)
		user, err := store.SignIn(ctx, googlesession.Identity{Subject: d.google.Subject(email), Email: email, Name: name, IssuedAt: now})
		if err != nil {
			return err
		}
		user.Version++
		user.Admin, user.Disabled = i%50 == 7, i%40 == 11
		user.SeenAt = now.Add(-time.Duration(i+1) * 7 * time.Minute)
		user.CreatedAt = user.SeenAt.AddDate(0, 0, -i%400)
		if _, err := copies.PutUser(ctx, user); err != nil {
			return err
		}
	}
	return nil
}
