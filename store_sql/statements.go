package sqlstore

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// statements are the texts that a store sends, as [New] has expanded them. The texts
// stand in the files whose code sends them.
type statements struct {
	isStandby string // It is used in standby.go.
	checkStatements
	sessionStatements
	createStatements
	revokeStatements
	bindingStatements
	recordStatements
	userStatements
	listStatements
	dataStatements
	accessStatements
	purgeStatements
	transactionStatements
	schemaStatements
	migrateStatements
}

func newStatements(d dialect, prefix string) (statements, error) {
	e := newExpander(d, prefix)
	all := statements{
		isStandby:             e.expand(`SELECT {standby}`),
		checkStatements:       newCheckStatements(e),
		sessionStatements:     newSessionStatements(e),
		createStatements:      newCreateStatements(e),
		revokeStatements:      newRevokeStatements(e),
		bindingStatements:     newBindingStatements(e),
		recordStatements:      newRecordStatements(e),
		userStatements:        newUserStatements(e),
		listStatements:        newListStatements(e),
		dataStatements:        newDataStatements(e),
		accessStatements:      newAccessStatements(e),
		purgeStatements:       newPurgeStatements(e),
		transactionStatements: newTransactionStatements(e),
		schemaStatements:      newSchemaStatements(e),
		migrateStatements:     newMigrateStatements(e),
	}
	return all, errors.Join(e.errs...)
}

// An expander turns a text with placeholders into a statement for one database and one
// prefix. A placeholder is a name in braces: {sessions} is a table, {now} is the server's
// clock. The value of a placeholder may contain placeholders too.
type expander struct {
	dialect dialect
	values  map[string]string
	errs    []error
}

func newExpander(d dialect, prefix string) *expander {
	return &expander{dialect: d, values: map[string]string{
		"{prefix}":   prefix,
		"{users}":    prefix + "users",
		"{sessions}": prefix + "sessions",
		"{schema}":   prefix + "schema",

		"{standby}":        d.standby,
		"{clock}":          d.clock(),
		"{now}":            d.now,
		"{fixed_now}":      d.fixedNow(),
		"{durable}":        d.durable,
		"{wait_durable}":   d.waitDurable,
		"{not_standby}":    d.notStandby,
		"{on_conflict}":    d.onConflict,
		"{skip_locked}":    d.skipLocked,
		"{use_live_index}": d.useLiveIndex,
		"{in_subquery}":    d.inSubquery,
		"{end_subquery}":   d.endSubquery,

		"{session_columns}": sessionColumns,
		"{user_columns}":    userColumns,
		"{is_user}":         isUserCondition,
		"{renew}":           renewAssignments,
		"{is_live}":         isLiveCondition,
		"{in_batch}":        `IN (?` + strings.Repeat(", ?", batchSize-1) + `)`,

		"{not_ended}": fmt.Sprint(notEnded),
		"{by_revoke}": fmt.Sprint(endedByRevoke),
		"{by_user}":   fmt.Sprint(endedByUser),
		"{by_limit}":  fmt.Sprint(endedByLimit),
		"{by_expiry}": fmt.Sprint(endedByExpiry),
		"{by_token}":  fmt.Sprint(endedByToken),
	}}
}

// The values of the column revoked_by say why a session ended. The column revoked_ms is
// NULL if and only if the value is notEnded.
const (
	notEnded      = 0 // The session is live, or has expired without being marked yet.
	endedByRevoke = 1 // RevokeSession ended the session.
	endedByUser   = 2 // All sessions of the user were ended at once.
	endedByLimit  = 3 // A sign-in ended the session, to make room for a new session.
	endedByExpiry = 4 // A call found that the session had expired.
	endedByToken  = 5 // The user's TokensAfter refuses the token with which the session began.
)

// sessionColumns are fields of a Session, in the order of [sessionRow.fields].
const sessionColumns = `s.created_ms, s.abs_ms, s.idle_ms, s.seen_ms, s.revoked_by, s.token_ms, s.kind, s.public_id, s.binding`

// userColumns are the fields of a User, in the order of [userRow.fields]. A process of
// version 2 that deletes a user does not clear data. It changes created_ms, so the data then
// belongs to no user.
const userColumns = `u.id, u.email, u.name, u.picture, u.admin, u.disabled, u.version, u.created_ms, u.seen_ms, u.tokens_after_ms,
CASE WHEN u.data_ms = u.created_ms THEN u.data END`

// isUserCondition is true of a row of {users} that is a user of this store. The other
// rows are deleted users and copies of users whose records belong to another system.
const isUserCondition = `deleted_ms IS NULL AND copy_ms IS NULL`

// renewAssignments make the retention time of the row of a deleted user, or of a copy,
// begin again, because the statement has received a record of that user now.
const renewAssignments = `
copy_ms = CASE WHEN {users}.copy_ms < {now} THEN {now} ELSE {users}.copy_ms END,
deleted_ms = CASE WHEN {users}.deleted_ms < {now} THEN {now} ELSE {users}.deleted_ms END`

// isLiveCondition is true of a row of {sessions} that has not been ended and has not
// expired. The "+ 0" keeps PostgreSQL from searching the sessions of all users by abs_ms,
// when it should search the sessions of one user.
const isLiveCondition = `revoked_ms IS NULL AND {fixed_now} < abs_ms + 0 AND {fixed_now} < seen_ms + idle_ms`

// batchSize is the number of IDs for which a statement with {in_batch} has parameters.
const batchSize = 10

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// expand returns text as the database needs it. It adds an error to e.errs for an unknown
// placeholder and for a stray brace, and [New] returns these errors.
func (e *expander) expand(text string) string {
	text = e.replace(text)
	if strings.ContainsAny(text, "{}") {
		e.errs = append(e.errs, fmt.Errorf("sqlstore: dialect %q has no value for a placeholder in this statement: %s", e.dialect.name, text))
	}
	return e.dialect.numberParameters(text)
}

func (e *expander) replace(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, known := e.values[name]
		if !known {
			return name
		}
		return e.replace(value)
	})
}

func (e *expander) expandAll(texts []string) []string {
	expanded := make([]string, len(texts))
	for i, text := range texts {
		expanded[i] = e.expand(text)
	}
	return expanded
}

// fillBatch returns batchSize arguments for {in_batch}. If there are fewer IDs, the last
// ID is repeated.
func fillBatch[T any](ids []T) []any {
	args := make([]any, batchSize)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	return args
}
