package main

import (
	"path"
	"regexp"
	"strings"
)

// A kind is the kind of a file. It decides which rules apply to the file and which figures
// count it.
type kind int

const (
	code     kind = iota // Go code without tests
	testCode             // Go code of tests
	document             // Markdown
	other                // scripts, queries, the front end and configuration
)

// A finding is a place where a rule is broken.
type finding struct {
	rule rule
	line int
	text string
}

// figures are the figures of a file or folder. The map sentencesWith counts comments only.
// The map found also counts strings and names.
type figures struct {
	folder                  string
	kind                    kind
	commentLines, codeLines int
	sentences               int
	sentencesWith           map[rule]int
	found                   map[rule]int
}

func (s *figures) add(more *figures) {
	s.commentLines += more.commentLines
	s.codeLines += more.codeLines
	s.sentences += more.sentences
	for r, n := range more.sentencesWith {
		s.sentencesWith[r] += n
	}
	for r, n := range more.found {
		s.found[r] += n
	}
}

func (s *figures) title() string {
	return s.folder + map[kind]string{testCode: " (tests)", document: " (documents)"}[s.kind]
}

// A file holds what scan has found in one file.
type file struct {
	figures
	name     string
	findings []finding
	comments []comment
}

// A comment is a block of comment lines of a Go file. The program keeps it for -sample.
type comment struct {
	line   int
	source string
	next   string // the first line of code after the comment, or the line of code that ends with it
}

func (f *file) report(r rule, line int, text string) {
	f.findings = append(f.findings, finding{r, line, text})
	f.found[r]++
}

func newFile(name string) *file {
	return &file{name: name, figures: figures{kind: kindOf(name), sentencesWith: map[rule]int{}, found: map[rule]int{}}}
}

// scan applies the rules to a file. It returns an error if a Go file does not parse.
func scan(name string, source []byte) (*file, error) {
	f := newFile(name)
	lines := numbered(string(source), 1)
	switch f.kind {
	case document:
		f.scanIDs(lines)
		f.scanParagraphs(markdown(lines))
	case other:
		f.scanIDs(lines)
		f.scanComments(lines)
	default:
		return f, f.scanGo(source)
	}
	return f, nil
}

func kindOf(name string) kind {
	switch {
	case strings.HasSuffix(name, "_test.go"):
		return testCode
	case path.Ext(name) == ".go":
		return code
	case path.Ext(name) == ".md":
		return document
	}
	return other
}

func numbered(text string, first int) []line {
	var lines []line
	for l := range strings.SplitSeq(text, "\n") {
		lines = append(lines, line{first + len(lines), l})
	}
	return lines
}

func (f *file) scanIDs(lines []line) {
	for _, l := range lines {
		for _, id := range privateIDs(l.text) {
			f.report(ruleID, l.number, id+" in "+strings.TrimSpace(l.text))
		}
	}
}

// scanParagraphs applies the rules for sentences to the paragraphs.
func (f *file) scanParagraphs(all []paragraph) {
	for _, p := range all {
		for _, s := range p.sentences() {
			f.sentences++
			f.scanSentence(s)
		}
		if at := findNone(mask(p.text)); at >= 0 {
			f.report(ruleNone, p.lines[at], p.text[at:min(len(p.text), at+60)])
		}
	}
}

func (f *file) scanSentence(s sentence) {
	report := func(r rule) {
		f.sentencesWith[r]++
		f.report(r, s.line, s.text)
	}
	if hasColon(s.masked) {
		report(ruleColon)
	}
	if hasPerson(s.masked) {
		report(rulePerson)
	}
}

// markdown returns the paragraphs, list items and cells of a document. Code in fences is
// left out, and so are lines that are indented like code.
func markdown(lines []line) []paragraph {
	var prose []line
	fenced := false
	for _, l := range lines {
		text := strings.TrimSpace(l.text)
		switch {
		case strings.HasPrefix(text, "```"):
			fenced = !fenced
			prose = append(prose, line{number: l.number})
		case fenced:
		case strings.HasPrefix(text, "|"):
			for cell := range strings.SplitSeq(text, "|") {
				prose = append(prose, line{l.number, strings.TrimSpace(cell)}, line{number: l.number})
			}
		default:
			prose = append(prose, l)
		}
	}
	return paragraphs(prose)
}

// comments finds the comments of shell, YAML, SQL, Lua, JavaScript, Svelte and HTML.
var comments = regexp.MustCompile(`(?:^|\s)(?://|#|--|/\*|\*|<!--)\s(.*)`)

// scanComments looks in comments for the phrases that the rules refuse in every file.
func (f *file) scanComments(lines []line) {
	for _, l := range lines {
		found := comments.FindStringSubmatch(l.text)
		if found == nil {
			continue
		}
		if findNone(mask(found[1])) >= 0 {
			f.report(ruleNone, l.number, found[1])
		}
	}
}
