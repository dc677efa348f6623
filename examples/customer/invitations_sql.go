package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sqlInvitations keeps invitations in a SQL database, beside users and sessions.
type sqlInvitations struct{ sqlDB }

// insertInvitation inserts nothing if there is one for the address.
var insertInvitation = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `INSERT INTO invitations (email, admin, invited_by, created_at, accepted_by, accepted_at)
		VALUES (?, ?, ?, ?, '', 0) ON CONFLICT (email) DO NOTHING`,
	sqlstore.PostgreSQL: `INSERT INTO invitations (email, admin, invited_by, created_at, accepted_by, accepted_at)
		VALUES (?, ?, ?, ?, '', 0) ON CONFLICT (email) DO NOTHING`,
	sqlstore.MySQL: `INSERT IGNORE INTO invitations (email, admin, invited_by, created_at, accepted_by, accepted_at)
		VALUES (?, ?, ?, ?, '', 0)`,
}

func (s sqlInvitations) Create(ctx context.Context, email string, admin bool, by string) (invitation, error) {
	now := time.Now()
	n, err := s.change(ctx, insertInvitation[s.dialect], email, admin, by, now.UnixMilli())
	switch {
	case err != nil:
		return invitation{}, fmt.Errorf("inviting: %w", err)
	case n == 0:
		return invitation{}, errInvited
	}
	return invitation{Email: email, Admin: admin, InvitedBy: by, CreatedAt: now}, nil
}

func (s sqlInvitations) List(ctx context.Context, after string, limit int) ([]invitation, error) {
	rows, err := s.db.QueryContext(ctx, s.text(selectInvitation+` WHERE email > ? ORDER BY email LIMIT ?`), after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []invitation
	for rows.Next() {
		i, err := scanInvitation(rows)
		if err != nil {
			return nil, fmt.Errorf("listing invitations: %w", err)
		}
		all = append(all, i)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	return all, nil
}

func (s sqlInvitations) Accept(ctx context.Context, email, userID string) (i invitation, first bool, err error) {
	n, err := s.change(ctx, `UPDATE invitations SET accepted_by = ?, accepted_at = ? WHERE email = ? AND accepted_by = ''`,
		userID, time.Now().UnixMilli(), email)
	if err != nil {
		return invitation{}, false, fmt.Errorf("accepting an invitation: %w", err)
	}
	i, err = scanInvitation(s.db.QueryRowContext(ctx, s.text(selectInvitation+` WHERE email = ?`), email))
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && i.AcceptedBy != userID:
		return invitation{}, false, errNotInvited
	case err != nil:
		return invitation{}, false, fmt.Errorf("reading an invitation: %w", err)
	}
	return i, n == 1, nil
}

func (s sqlInvitations) Delete(ctx context.Context, email string) error {
	n, err := s.change(ctx, `DELETE FROM invitations WHERE email = ?`, email)
	switch {
	case err != nil:
		return fmt.Errorf("withdrawing an invitation: %w", err)
	case n == 0:
		return errNoInvitation
	}
	return nil
}

func (s sqlInvitations) DeleteAccepted(ctx context.Context, userID string) error {
	if _, err := s.change(ctx, `DELETE FROM invitations WHERE accepted_by = ?`, userID); err != nil {
		return fmt.Errorf("withdrawing a user's invitation: %w", err)
	}
	return nil
}

const selectInvitation = `SELECT email, admin, invited_by, created_at, accepted_by, accepted_at FROM invitations`

// scanInvitation reads a row of selectInvitation.
func scanInvitation(row interface{ Scan(into ...any) error }) (invitation, error) {
	var i invitation
	var created, accepted int64
	if err := row.Scan(&i.Email, &i.Admin, &i.InvitedBy, &created, &i.AcceptedBy, &accepted); err != nil {
		return invitation{}, err
	}
	i.CreatedAt = time.UnixMilli(created)
	if i.AcceptedBy != "" {
		i.AcceptedAt = time.UnixMilli(accepted)
	}
	return i, nil
}
