package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	sqlstore "github.com/googlesession/googlesession/store_sql"
)

// sqlInvitations keeps invitations in the SQL database that has the users and sessions.
// The column accepted_by has the user who has claimed the invitation. The column
// accepted_at is 0 until the invitation is accepted.
type sqlInvitations struct{ sqlDB }

// insertInvitation inserts an invitation, unless there is one for the address already.
var insertInvitation = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `INSERT INTO invitations (email, admin, invited_by, created_at, accepted_by, accepted_at)
		VALUES (?, ?, ?, ?, '', 0) ON CONFLICT (email) DO NOTHING`,
	sqlstore.PostgreSQL: `INSERT INTO invitations (email, admin, invited_by, created_at, accepted_by, accepted_at)
		VALUES (?, ?, ?, ?, '', 0) ON CONFLICT (email) DO NOTHING`,
	sqlstore.MySQL: `INSERT IGNORE INTO invitations (email, admin, invited_by, created_at, accepted_by, accepted_at)
		VALUES (?, ?, ?, ?, '', 0)`,
}

func (s sqlInvitations) Create(ctx context.Context, i invitation) error {
	n, err := s.exec(ctx, insertInvitation[s.dialect], i.Email, i.Admin, i.InvitedBy, i.CreatedAt.UnixMilli())
	switch {
	case err != nil:
		return fmt.Errorf("inviting: %w", err)
	case n == 0:
		return errInvited
	}
	return nil
}

func (s sqlInvitations) List(ctx context.Context, after string, limit int) ([]invitation, error) {
	rows, err := s.db.QueryContext(ctx, s.rebind(selectInvitation+` WHERE email > ? ORDER BY email LIMIT ?`), after, limit)
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

func (s sqlInvitations) Claim(ctx context.Context, email, userID string, since time.Time) (invitation, error) {
	_, err := s.exec(ctx, `UPDATE invitations SET accepted_by = ?
		WHERE email = ? AND accepted_by = '' AND created_at > ?`, userID, email, since.UnixMilli())
	if err != nil {
		return invitation{}, fmt.Errorf("claiming an invitation: %w", err)
	}
	i, err := scanInvitation(s.db.QueryRowContext(ctx, s.rebind(selectInvitation+`
		WHERE email = ? AND accepted_by = ? AND accepted_at = 0 AND created_at > ?`), email, userID, since.UnixMilli()))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return invitation{}, errNotInvited
	case err != nil:
		return invitation{}, fmt.Errorf("reading an invitation: %w", err)
	}
	return i, nil
}

func (s sqlInvitations) Release(ctx context.Context, email, userID string) error {
	_, err := s.exec(ctx, `UPDATE invitations SET accepted_by = ''
		WHERE email = ? AND accepted_by = ? AND accepted_at = 0`, email, userID)
	if err != nil {
		return fmt.Errorf("releasing an invitation: %w", err)
	}
	return nil
}

func (s sqlInvitations) Accept(ctx context.Context, i invitation, userID string) (bool, error) {
	n, err := s.exec(ctx, `UPDATE invitations SET accepted_by = ?, accepted_at = ?
		WHERE email = ? AND created_at = ? AND accepted_at = 0 AND accepted_by IN ('', ?)`,
		userID, time.Now().UnixMilli(), i.Email, i.CreatedAt.UnixMilli(), userID)
	if err != nil {
		return false, fmt.Errorf("accepting an invitation: %w", err)
	}
	return n == 1, nil
}

func (s sqlInvitations) Delete(ctx context.Context, email string) error {
	n, err := s.exec(ctx, `DELETE FROM invitations WHERE email = ?`, email)
	switch {
	case err != nil:
		return fmt.Errorf("withdrawing an invitation: %w", err)
	case n == 0:
		return errNoInvitation
	}
	return nil
}

func (s sqlInvitations) DeleteByUser(ctx context.Context, userID string) error {
	if _, err := s.exec(ctx, `DELETE FROM invitations WHERE accepted_by = ?`, userID); err != nil {
		return fmt.Errorf("withdrawing a user's invitation: %w", err)
	}
	return nil
}

func (s sqlInvitations) DeleteExpired(ctx context.Context, then time.Time) error {
	_, err := s.exec(ctx, `DELETE FROM invitations WHERE accepted_at = 0 AND created_at <= ?`, then.UnixMilli())
	if err != nil {
		return fmt.Errorf("deleting expired invitations: %w", err)
	}
	return nil
}

const selectInvitation = `SELECT email, admin, invited_by, created_at, accepted_by, accepted_at FROM invitations`

// scanInvitation reads a row of selectInvitation.
func scanInvitation(row interface{ Scan(into ...any) error }) (invitation, error) {
	var i invitation
	var created, accepted int64
	if err := row.Scan(&i.Email, &i.Admin, &i.InvitedBy, &created, &i.ClaimedBy, &accepted); err != nil {
		return invitation{}, err
	}
	i.CreatedAt = time.UnixMilli(created)
	if accepted != 0 {
		i.AcceptedAt = time.UnixMilli(accepted)
	}
	return i, nil
}
