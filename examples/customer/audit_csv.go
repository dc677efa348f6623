package main

import (
	"context"
	"encoding/csv"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxCSV = 10_000 // entries in one file

	// csvWrite is the timeout for sending one page of a file.
	csvWrite = 15 * time.Second
)

// serveAuditCSV answers with the entries that match the filter as a file for spreadsheets
// (RFC 4180), the newest first. It sends the file page by page. If a store fails in the
// middle, it breaks the connection, so that the browser reports a failed download.
func (a *app) serveAuditCSV(w http.ResponseWriter, r *http.Request) {
	query, err := readAuditQuery(r)
	var filter auditFilter
	if err == nil {
		filter, err = a.auditFilter(r.Context(), query)
	}
	names := a.newAuditNames()
	var page []auditJSON
	if err == nil {
		page, err = a.auditPage(r.Context(), names, filter, math.MaxInt64)
	}
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	file := csv.NewWriter(w)
	file.UseCRLF = true
	_ = file.Write([]string{
		"id", "time", "action", "actor", "actor_email", "actor_name", "target", "target_email", "target_name",
		"reason", "ip", "user_agent", "label", "sessions",
	})
	connection := http.NewResponseController(w)
	for rows := 0; len(page) > 0; {
		for _, e := range page {
			_ = file.Write(csvRow(e))
		}
		rows += len(page)
		// An error of the writer means that the browser has gone.
		_ = connection.SetWriteDeadline(time.Now().Add(csvWrite))
		file.Flush()
		if file.Error() != nil {
			return
		}
		if page, err = a.auditPage(r.Context(), names, filter, page[len(page)-1].ID); err != nil {
			a.log.ErrorContext(r.Context(), "audit file broken off", "error", err)
			panic(http.ErrAbortHandler)
		}
		if rows >= maxCSV && len(page) > 0 {
			_ = file.Write([]string{"", "", "This file ends after 10,000 entries. There are older ones. Choose an earlier time as the end to get them."})
			break
		}
	}
	file.Flush()
}

// auditPage returns a page of entries with their names.
func (a *app) auditPage(ctx context.Context, names *auditNames, f auditFilter, before int64) ([]auditJSON, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	list, err := a.stores.audit.List(ctx, f, before, maxPage)
	if err != nil {
		return nil, err
	}
	page := make([]auditJSON, len(list))
	for i, e := range list {
		if page[i], err = names.describe(ctx, e); err != nil {
			return nil, err
		}
	}
	return page, nil
}

func csvRow(e auditJSON) []string {
	var actor, target auditUser
	if e.ActorUser != nil {
		actor = *e.ActorUser
	}
	switch {
	case e.TargetUser != nil:
		target = *e.TargetUser
	case e.TargetCustomer != nil:
		target.Email, target.Name = e.TargetCustomer.Email, e.TargetCustomer.Name
	}
	sessions := e.Sessions
	if e.Session != "" {
		sessions = []string{e.Session}
	}
	row := []string{
		strconv.FormatInt(e.ID, 10), e.Time, e.Action, e.Actor, actor.Email, actor.Name, e.Target, target.Email, target.Name,
		e.Reason, e.IP, e.UserAgent, e.Label, strings.Join(sessions, " "),
	}
	for i, cell := range row {
		row[i] = escapeFormula(cell)
	}
	return row
}

// escapeFormula puts an apostrophe before a cell that a spreadsheet would run as a formula.
// Names, reasons and descriptions of browsers are the words of other people.
func escapeFormula(cell string) string {
	if trimmed := strings.TrimLeft(cell, " "); trimmed != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(trimmed)[0]) {
		return "'" + cell
	}
	return cell
}
