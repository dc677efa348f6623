package main

import (
	"context"
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// history measures how long calls for an account with many ended sessions take.
func history(ctx context.Context, d *database, s sizes) ([]row, error) {
	t, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.close() }()
	const id = "107000000000000000001"
	first, err := t.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := t.RevokeSession(ctx, first.Ref); err != nil {
		return nil, err
	}
	if err := t.copyRows(ctx, "sessions", s.ended, map[string]string{"id": d.id}); err != nil {
		return nil, err
	}
	if err := t.settle(ctx); err != nil {
		return nil, err
	}
	var rows []row
	yes, no := true, false
	for _, m := range []struct {
		what string
		call func() error
	}{
		{"sign-in", func() error { _, err := t.enter(ctx, id); return err }},
		{"Sessions", func() error { _, err := t.Sessions(ctx, id); return err }},
		{"RevokeUser", func() error { _, err := t.RevokeUser(ctx, id, nil); return err }},
		{"SetAccess, disable", func() error {
			_, err := t.SetAccess(ctx, id, googlesession.AccessChange{Disabled: &yes})
			return err
		}},
	} {
		var all []time.Duration
		for range 5 {
			one, err := timed(1, m.call)
			if err != nil {
				return nil, err
			}
			all = append(all, one...)
			if _, err := t.SetAccess(ctx, id, googlesession.AccessChange{Disabled: &no}); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row{fmt.Sprintf("%d ended sessions of the user", s.ended), d.name, m.what, spread(sorted(all))})
	}
	return rows, nil
}

// size measures how long a sign-in and a page of users take, among few users and among
// many.
func size(ctx context.Context, d *database, s sizes) ([]row, error) {
	var rows []row
	for _, live := range []int{3000, s.live} {
		found, err := sizeOf(ctx, d, live)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

func sizeOf(ctx context.Context, d *database, live int) ([]row, error) {
	t, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.close() }()
	if _, err := t.enter(ctx, "107000000000000000001"); err != nil { // makes the rows that copyRows copies
		return nil, err
	}
	user := fmt.Sprintf(d.number, "n")
	if err := t.copyRows(ctx, "users", live, map[string]string{"id": user}); err != nil {
		return nil, err
	}
	err = t.copyRows(ctx, "sessions", live, map[string]string{"id": d.id, "user_id": user, "tag": fmt.Sprintf(d.tag, user)})
	if err != nil {
		return nil, err
	}
	if err := t.settle(ctx); err != nil {
		return nil, err
	}
	next := 0
	signIns, err := timed(40, func() error {
		next++
		_, err := t.enter(ctx, fmt.Sprintf("1080%017d", next))
		return err
	})
	if err != nil {
		return nil, err
	}
	load := fmt.Sprintf("%d users with a session each", live)
	rows := []row{{load, d.name, "sign-in", spread(signIns)}}
	for _, page := range []struct{ what, after string }{
		{"first page of 50 users", ""},
		{"page of 50 users in the middle", fmt.Sprintf("%021d", live/2)},
	} {
		pages, err := timed(5, func() error {
			_, err := t.Users(ctx, googlesession.UserQuery{After: &googlesession.User{ID: page.after}, Limit: 51})
			return err
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{load, d.name, page.what, spread(pages)})
	}
	return rows, nil
}
