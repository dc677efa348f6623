package recipes_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/googlesession/googlesession"
)

//recipe:own-users
const accountsSchema = `
CREATE TABLE accounts (
	id        BIGSERIAL PRIMARY KEY,
	email     TEXT, -- proved by a mail of yours, or vouched for by Google; otherwise NULL
	google_id TEXT COLLATE "C" UNIQUE,
	role      TEXT NOT NULL DEFAULT 'member',
	version   BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email COLLATE "C"));
`

//recipe:own-users
type account struct {
	ID      int64  `json:"account"`
	Role    string `json:"role"`
	Version int64  `json:"version"` // every UPDATE of id, google_id or role raises it
}

//recipe:own-users
type accounts struct {
	db *pgxpool.Pool
	m  *googlesession.Manager // set after New, because the Config has the hook

	// connecting returns the account of the old session that the request has, if the person
	// has asked to connect a Google account in the last ten minutes.
	connecting func(*http.Request) (accountID int64, ok bool)
}

//recipe:own-users
func (a *accounts) signedIn(ctx context.Context, in googlesession.SignIn) error {
	if id, ok := a.connecting(in.Request); ok {
		if err := a.connect(ctx, id, in.User.ID); err != nil {
			return err
		}
	}
	found, err := a.find(ctx, in.Identity)
	if err != nil || found.data() == in.User.Data {
		return err
	}
	return a.publish(ctx, in.User.ID)
}

//recipe:own-users
func (a *accounts) find(ctx context.Context, id googlesession.Identity) (account, error) {
	found, err := a.linked(ctx, id.Subject)
	if !errors.Is(err, pgx.ErrNoRows) {
		return found, err
	}
	vouched := id.EmailAuthoritative()
	if vouched {
		_, err = a.db.Exec(ctx, `
			UPDATE accounts SET google_id = $1, version = version + 1
			WHERE lower(email COLLATE "C") = lower($2 COLLATE "C") AND google_id IS NULL
				AND NOT EXISTS (SELECT FROM accounts WHERE google_id = $1)`, id.Subject, id.Email)
		if err != nil {
			return account{}, err
		}
	}
	// If Google does not vouch for the address, the new account has none, so that it cannot
	// keep the owner of the address out.
	_, err = a.db.Exec(ctx, `
		INSERT INTO accounts (google_id, email)
		SELECT $1, CASE WHEN $3 THEN NULLIF($2, '') END
		WHERE NOT EXISTS (SELECT FROM accounts WHERE lower(email COLLATE "C") = lower(NULLIF($2, '') COLLATE "C"))
		ON CONFLICT DO NOTHING`, id.Subject, id.Email, vouched)
	if err != nil {
		return account{}, err
	}
	// Another sign-in of this person may have linked or made the account meanwhile.
	found, err = a.linked(ctx, id.Subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return account{}, errAccountExists
	}
	return found, err
}

var errAccountExists = googlesession.Denial{
	Status: http.StatusForbidden,
	Code:   "account_exists",
	Detail: "There is an account with this address. Please sign in as before, and connect Google in the settings.",
}

func (a *accounts) linked(ctx context.Context, googleID string) (found account, err error) {
	err = a.db.QueryRow(ctx, "SELECT id, role, version FROM accounts WHERE google_id = $1", googleID).
		Scan(&found.ID, &found.Role, &found.Version)
	return found, err
}

func (a account) data() string {
	text, _ := json.Marshal(a) //nolint:errchkjson // which cannot fail for numbers and texts
	return string(text)
}

//recipe:own-users
func (a *accounts) publish(ctx context.Context, googleID string) error {
	_, err := a.m.UpdateUserData(ctx, googleID, func(string) (string, error) {
		found, err := a.linked(ctx, googleID) // read again for each try
		if errors.Is(err, pgx.ErrNoRows) {
			return "", nil // the account was unlinked or deleted
		}
		return found.data(), err
	})
	return err
}

//recipe:own-users
func requireRole(m *googlesession.Manager, role string) func(http.Handler) http.Handler {
	return m.Require(func(_ context.Context, s googlesession.Session) error {
		var a account
		if json.Unmarshal([]byte(s.User.Data), &a) != nil || a.Role != role {
			return googlesession.ErrForbidden // also for a user without Data
		}
		return nil
	})
}

//recipe:own-users
func (a *accounts) setRole(ctx context.Context, accountID int64, role string) error {
	var googleID *string
	err := a.db.QueryRow(ctx, "UPDATE accounts SET role = $2, version = version + 1 WHERE id = $1 RETURNING google_id", accountID, role).Scan(&googleID)
	if err != nil || googleID == nil {
		return err
	}
	err = a.publish(ctx, *googleID)
	if errors.Is(err, googlesession.ErrNotFound) {
		return nil // the next sign-in makes the user
	}
	return err
}

//recipe:own-users
func (a *accounts) connect(ctx context.Context, accountID int64, googleID string) error {
	done, err := a.db.Exec(ctx, `
		UPDATE accounts SET google_id = $2, version = version + 1
		WHERE id = $1 AND (google_id IS NULL OR google_id = $2)
			AND NOT EXISTS (SELECT FROM accounts WHERE google_id = $2 AND id <> $1)`, accountID, googleID)
	if err == nil && done.RowsAffected() == 0 {
		return googlesession.Denial{Status: http.StatusForbidden, Code: "already_connected", Detail: "One of the two accounts is connected to another account."}
	}
	return err
}

//recipe:own-users
func (a *accounts) deleteAccount(ctx context.Context, accountID int64) error {
	var googleID *string
	err := a.db.QueryRow(ctx, "SELECT google_id FROM accounts WHERE id = $1", accountID).Scan(&googleID)
	if err == nil && googleID != nil {
		err = a.m.DeleteUser(ctx, *googleID)
	}
	if err != nil && !errors.Is(err, googlesession.ErrNotFound) {
		return err
	}
	_, err = a.db.Exec(ctx, "DELETE FROM accounts WHERE id = $1", accountID)
	return err
}

//recipe:own-users
func (a *accounts) events(ctx context.Context, e googlesession.Event) {
	if e.Kind != googlesession.EventUserDeleted {
		return
	}
	_, err := a.db.Exec(ctx, "UPDATE accounts SET google_id = NULL, version = version + 1 WHERE google_id = $1", e.UserID)
	if err != nil {
		slog.ErrorContext(ctx, "account of a deleted user is still linked", "user", e.UserID, "error", err)
	}
}
