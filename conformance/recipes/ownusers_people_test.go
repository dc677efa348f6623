package recipes_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/storekit"
)

//recipe:own-users
const peopleSchema = `
CREATE TABLE people (
	id       TEXT COLLATE "C" PRIMARY KEY, -- Google's subject
	present  BOOL NOT NULL,                -- false after a deletion
	record   JSONB NOT NULL,               -- a googlesession.User
	browsers BYTEA                         -- 16 bytes each, the most recent first
);
`

// people is a user store on a table of the application.
type people struct {
	db *pgxpool.Pool
}

// A person is a row of the table. The zero person has no row.
type person struct {
	present  bool
	user     googlesession.User
	browsers []byte
	now      time.Time // the database's clock
}

// change calls f with the person, and writes what f has changed. An error of f is returned as it
// is, and nothing is then written. Every other error wraps ErrUnavailable, also if a commit was
// not answered.
func (s people) change(ctx context.Context, id string, badArgument error, f func(*person) error) (p person, err error) {
	if badArgument != nil {
		return p, fmt.Errorf("%w: %w", googlesession.ErrUnavailable, badArgument)
	}
	var refusal error // what the contract names, and not an outage
	err = pgx.BeginTxFunc(ctx, s.db, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		// The lock also orders calls for a user who has no row yet.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", id); err != nil {
			return err
		}
		if err := p.read(ctx, tx, id); err != nil {
			return err
		}
		before := p
		if refusal = f(&p); refusal != nil {
			return refusal
		}
		if p.present == before.present && p.user == before.user && slices.Equal(p.browsers, before.browsers) {
			return nil
		}
		if isAdmin(before) && !isAdmin(p) {
			if refusal, err = otherAdmin(ctx, tx, id); refusal != nil || err != nil {
				return errors.Join(refusal, err)
			}
		}
		return p.write(ctx, tx, id, before)
	})
	if refusal != nil {
		return person{}, refusal
	}
	if err != nil {
		return person{}, fmt.Errorf("%w: people: %w", googlesession.ErrUnavailable, err)
	}
	return p, nil
}

// read reads the row and the clock, after the lock was taken.
func (p *person) read(ctx context.Context, tx pgx.Tx, id string) error {
	var now int64
	var record []byte
	err := tx.QueryRow(ctx, `
		SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
			coalesce(present, false), coalesce(record, '{}'), browsers
		FROM (SELECT) AS one LEFT JOIN people ON id = $1`, id).Scan(&now, &p.present, &record, &p.browsers)
	p.now = time.UnixMilli(now).UTC()
	return errors.Join(err, json.Unmarshal(record, &p.user))
}

// write writes the row. It raises Version if the User has changed.
func (p *person) write(ctx context.Context, tx pgx.Tx, id string, before person) (err error) {
	if p.present != before.present || p.user != before.user { // the browsers are not part of the User
		p.user.ID = id
		if p.user.Version, err = storekit.NextVersion(before.user.Version, p.now.UnixMilli()); err != nil {
			return err
		}
	}
	record, err := json.Marshal(p.user)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO people VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET present = excluded.present, record = excluded.record, browsers = excluded.browsers`,
		id, p.present, record, p.browsers)
	return err
}

func isAdmin(p person) bool {
	return p.present && p.user.Admin && !p.user.Disabled
}

// otherAdmin returns ErrLastAdmin as the refusal, if no other user is an enabled administrator.
func otherAdmin(ctx context.Context, tx pgx.Tx, id string) (refusal, err error) {
	// Two administrators who demote each other wait here, so that the second sees the first.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('people: last administrator'), 0)"); err != nil {
		return nil, err
	}
	var found bool
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM people
			WHERE id <> $1 AND present AND record @> '{"Admin": true, "Disabled": false}')`, id).Scan(&found)
	if err == nil && !found {
		return googlesession.ErrLastAdmin, nil
	}
	return nil, err
}

// existing is change for a user who exists. It returns ErrNotFound for every other ID.
func (s people) existing(ctx context.Context, id string, badArgument error, f func(*person) error) (person, error) {
	if badArgument == nil && !storekit.ValidUserID(id) {
		return person{}, googlesession.ErrNotFound
	}
	return s.change(ctx, id, badArgument, func(p *person) error {
		if !p.present {
			return googlesession.ErrNotFound
		}
		return f(p)
	})
}

func (s people) SignIn(ctx context.Context, id googlesession.Identity) (googlesession.User, error) {
	p, err := s.change(ctx, id.Subject, storekit.CheckIdentity(id), func(p *person) error {
		switch old := p.user; {
		case p.present && old.Disabled:
			return nil
		case storekit.IsStaleToken(id.IssuedAt, old):
			return googlesession.ErrStaleToken
		case !p.present: // only Version and TokensAfter outlast a deletion
			p.present, p.user = true, googlesession.User{Version: old.Version, TokensAfter: old.TokensAfter, CreatedAt: p.now, SeenAt: p.now}
		default:
			p.user.SeenAt = p.now
			if !p.now.After(old.SeenAt) { // in the same millisecond, and each sign-in raises Version
				p.user.SeenAt = old.SeenAt.Add(time.Millisecond)
			}
		}
		p.user.ID, p.user.Email, p.user.Name, p.user.Picture = id.Subject, id.Email, id.Name, id.Picture
		return nil
	})
	return p.user, err
}

func (s people) User(ctx context.Context, id string) (googlesession.User, error) {
	p, err := s.existing(ctx, id, nil, func(*person) error { return nil })
	return p.user, err
}

func (s people) SetAccess(ctx context.Context, id string, a googlesession.AccessChange) (googlesession.User, error) {
	p, err := s.existing(ctx, id, nil, func(p *person) error {
		if a.Admin != nil {
			p.user.Admin = *a.Admin
		}
		if a.Disabled != nil {
			p.user.Disabled = *a.Disabled
		}
		return nil
	})
	return p.user, err
}

func (s people) SetData(ctx context.Context, id, data string, old *string) (googlesession.User, error) {
	p, err := s.existing(ctx, id, storekit.CheckData(data), func(p *person) error {
		if old != nil && p.user.Data != *old {
			return googlesession.ErrDataChanged
		}
		p.user.Data = data
		return nil
	})
	return p.user, err
}

func (s people) RefuseTokens(ctx context.Context, id string, t time.Time) (googlesession.User, error) {
	bad := storekit.CheckTokenTime(t)
	if bad == nil && !storekit.ValidUserID(id) {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	p, err := s.change(ctx, id, bad, func(p *person) error {
		if t := storekit.TokenTime(storekit.TokenUnixMilli(t)); t.After(p.user.TokensAfter) { // rounded up
			p.user.TokensAfter = t // also for a user who was deleted or has never signed in
		}
		return nil
	})
	if err == nil && !p.present {
		return googlesession.User{}, googlesession.ErrNotFound
	}
	return p.user, err
}

func (s people) DeleteUser(ctx context.Context, id string) error {
	_, err := s.existing(ctx, id, nil, func(p *person) error {
		last := p.user.TokensAfter
		if p.now.After(last) {
			last = p.now
		}
		*p = person{user: googlesession.User{Version: p.user.Version, TokensAfter: last}, now: p.now}
		return nil
	})
	return err
}

func (s people) Browsers(ctx context.Context, id string, seen *googlesession.BrowserID) (before []googlesession.BrowserID, err error) {
	_, err = s.existing(ctx, id, nil, func(p *person) error {
		var now []byte
		if seen != nil {
			now = append(now, seen[:]...)
		}
		for b := range slices.Chunk(p.browsers, len(googlesession.BrowserID{})) {
			before = append(before, googlesession.BrowserID(b))
			if seen == nil || googlesession.BrowserID(b) != *seen {
				now = append(now, b...)
			}
		}
		p.browsers = now[:min(len(now), googlesession.MaxBrowsers*len(googlesession.BrowserID{}))]
		return nil
	})
	return before, err
}

func (s people) Users(ctx context.Context, q googlesession.UserQuery) (page []googlesession.User, err error) {
	if err := storekit.CheckUserQuery(q); err != nil {
		return nil, fmt.Errorf("%w: %w", googlesession.ErrUnavailable, err)
	}
	after := "" // before every ID
	if q.After != nil {
		after = q.After.ID
	}
	rows, err := s.db.Query(ctx, `
		SELECT record FROM people
		WHERE present AND id > $1
			AND ($2::bool IS NULL OR (record->>'Admin')::bool = $2)
			AND ($3::bool IS NULL OR (record->>'Disabled')::bool = $3)
			AND starts_with(lower(record->>'Email' COLLATE "C"), $4)
			AND starts_with(lower(record->>'Name' COLLATE "C"), $5)
		ORDER BY id LIMIT $6`,
		after, q.Admin, q.Disabled, storekit.FoldCase(q.EmailPrefix), storekit.FoldCase(q.NamePrefix), max(q.Limit, 0))
	if err == nil {
		page, err = pgx.CollectRows(rows, pgx.RowTo[googlesession.User])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: people: %w", googlesession.ErrUnavailable, err)
	}
	return page, nil
}
