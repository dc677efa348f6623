package main

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestPrivateIDs(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"checkTimes (V-10)", []string{"V-10"}},
		{"V-18 a kid with a NUL", []string{"V-18"}},
		{"after it, C-2, C-13: what is not a cookie", []string{"C-2", "C-13"}},
		{"E31: a standby has the session", []string{"E31"}},
		{"Google's form (B5): a same-origin one", []string{"B5"}},
		{"could have seen. E3, E4.", []string{"E3", "E4"}},
		{"Table L: what a guard answers", []string{"Table L"}},
		{"SHA-256, RS256, P-256, ES256, UTF-8, PS/2 and RFC 7519", nil},
		{"MPL-2.0 and CVE-2006-1", nil},
		{"Mozilla/5.0 (X11; Linux x86_64)", nil},
		{"?next=%E0%A4%A and /%C3%A4", nil},
		{`{"A0":1}`, nil},
		{`odd\x1e5 \u212a`, nil},
	} {
		require.Equal(t, tt.want, privateIDs(tt.line), "privateIDs(%q)", tt.line)
	}
}

func TestSentenceRules(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []rule
	}{
		{"Revoke ends one session.", nil},

		{"The number is 0 for what is none.", []rule{ruleNone}},
		{"A Ref is no cookie.", []rule{ruleNone}},
		{"Tokens are no sessions.", []rule{ruleNone}},
		{"It is as good as nil.", []rule{ruleNone}},
		{"There is no such user, and there are no others; nil if there is none.", nil},
		{"The session is no longer live, and is no more than a day old.", nil},
		{"The setting appendonly is no, better yes, and the other is no and should be yes.", nil},
		{"There is no session. That is no error.", []rule{ruleNone}},
		{"The answer `is no user` is quoted.", nil},

		{"It is not cancelled: the driver would drop the connection.", []rule{ruleColon}},
		{"It is shared: a store that answers at once, from memory, has none.", []rule{ruleColon}},
		{"A page is refused: a GET may come from anywhere.", []rule{ruleColon}},
		{"It has two parts: a name and a value.", nil},
		{"It accepts letters, digits and blanks: nothing else, no signs, no controls.", nil},
		{"It is `Cache-Control: no-store` at 12:30 on https://example.com/a:b for the rest.", nil},
		{"The header is \"Cache-Control: no-store\" at 12:30.", nil},
		{"Use it like this:", nil},
		{"The body is JSON: {\"next\": \"/\"}.", nil},
		{"Deprecated: use New.", nil},
		{"  - idle timeout: a session is admitted until it is over.", nil},
		{"  - It waits: the other call is not over: it began first.", []rule{ruleColon}},
		{"Note: the value is exposed.", nil},

		{"Nobody waits.", []rule{rulePerson}},
		{"It is anybody's invention.", []rule{rulePerson}},
		{"The device is shown to whoever asks.", []rule{rulePerson}},
		{"Who finds nothing has no rule.", []rule{rulePerson}},
		{"Who is it?", nil},
		{"It is what one needs.", []rule{rulePerson}},
		{"A session replaces the old one.", nil},
		{"The address is nobody@example.com.", nil},
	} {
		f := newFile("x.md")
		f.scanParagraphs(paragraphs(numbered(tt.text, 1)))
		got := slices.Sorted(maps.Keys(f.found))
		require.ElementsMatch(t, tt.want, got, "%q", tt.text)
	}
}

func TestSentences(t *testing.T) {
	p := paragraphs(numbered("One, e.g. this. `a. B` is\ncode. Two (v1.2).\n\n\tcode. Code.\n  - An item\n    goes on. Next\n", 1))
	var got []string
	var lines []int
	for _, p := range p {
		for _, s := range p.sentences() {
			got, lines = append(got, s.text), append(lines, s.line)
		}
	}
	require.Equal(t, []string{"One, e.g. this.", "`a. B` is code.", "Two (v1.2).", "An item goes on.", "Next"}, got)
	require.Equal(t, []int{1, 1, 2, 5, 6}, lines)
}

// source has a finding of each rule and, between them, what looks like one.
const source = `// Package p is here.
package p

//go:generate true
// V-1 is private.
type T struct {
	known bool // known: the type is
	other bool // nobody reads it
}

// f: it runs.
func f() error { //nolint:unused // a value is no error
	return New("this is no error", "J-4")
}
`

func TestScanGo(t *testing.T) {
	f, err := scan("p/p.go", []byte(source))
	require.NoError(t, err)
	var got []finding
	for _, found := range f.findings {
		got = append(got, finding{rule: found.rule, line: found.line})
	}
	require.ElementsMatch(t, []finding{
		{rule: ruleID, line: 5},
		{rule: ruleDocName, line: 7},
		{rule: ruleColon, line: 7},
		{rule: rulePerson, line: 8},
		{rule: ruleDocName, line: 11},
		{rule: ruleColon, line: 11},
		{rule: ruleNone, line: 12},
		{rule: ruleNone, line: 13},
		{rule: ruleID, line: 13},
	}, got)
	require.Equal(t, 4, f.commentLines)
	require.Equal(t, 8, f.codeLines)
	require.Equal(t, 6, f.sentences)
	require.Equal(t, map[rule]int{ruleColon: 2, rulePerson: 1}, f.sentencesWith)
}

func TestScanTests(t *testing.T) {
	f, err := scan("p/p_test.go", []byte("package p\n\nfunc TestCopyIsNoUser(t *T) { t.Run(\"nobody waits\", nil) }\n\nfunc TestNobody(t *T) {}\n"))
	require.NoError(t, err)
	require.Equal(t, map[rule]int{ruleNone: 1, rulePerson: 2}, f.found)
	require.Empty(t, f.sentencesWith, "names and strings are not sentences of comments")
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, file, text string
		ok               bool
	}{
		{"clean", "a.go", "// Package a is a.\npackage a\n", true},
		{"one colon", "a.go", "// Package a is a: it says so.\npackage a\n", true},
		{"two colons", "a.go", "// Package a is a: it says so. And again: it does.\npackage a\n", false},
		{"two persons", "a.go", "// Package a is for nobody. And for everybody.\npackage a\n", false},
		{"ID", "a.svelte", "<p>V-18</p>\n", false},
		{"ID in Markdown", "docs/a.md", "It is B2.\n", false},
		{"phrase in a script", "scripts/a", "# A user is no session.\n", false},
		{"phrase in a query", "a.sql", "-- A user is no session.\n", false},
		{"generated folder", "node_modules/a.js", "// A user is no session.\n", true},
		{"other file", "a.txt", "A user is no session.\n", true},
	} {
		files, err := read(fstest.MapFS{tt.file: {Data: []byte(tt.text)}}, nil)
		require.NoError(t, err, tt.name)
		var out bytes.Buffer
		require.Equal(t, tt.ok, printFailures(&out, files, false), "%s: %s", tt.name, &out)
		require.Equal(t, tt.ok, out.Len() == 0, "%s prints %s", tt.name, &out)
	}
}

func TestSample(t *testing.T) {
	files, err := read(fstest.MapFS{"p.go": {Data: []byte(source)}}, nil)
	require.NoError(t, err)
	var all, again bytes.Buffer
	printSample(&all, files, 100, 7)
	printSample(&again, files, 100, 7)
	require.Equal(t, all.String(), again.String(), "a seed gives the same sample")
	require.Contains(t, all.String(), "p.go:11\n// f: it runs.\n    func f() error {")
	require.Contains(t, all.String(), "p.go:8\n// nobody reads it\n    other bool // nobody reads it")
}

// The program's own text passes.
func TestProse(t *testing.T) {
	files, err := read(os.DirFS("../.."), []string{"scripts/prose"})
	require.NoError(t, err)
	var out bytes.Buffer
	require.True(t, printFailures(&out, files, true), "%s", &out)
}
