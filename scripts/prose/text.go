package main

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A line is one line of a text, without the characters that mark it as a comment.
type line struct {
	number int
	text   string
}

// A paragraph is text without code, joined to a single line.
type paragraph struct {
	text  string
	lines []int // for each byte of text, the number of the line that it comes from
	item  bool  // the paragraph is an item of a list
}

func (p *paragraph) append(l line) {
	text := strings.TrimSpace(l.text)
	if p.text != "" {
		text = " " + text
	}
	p.text += text
	for range text {
		p.lines = append(p.lines, l.number)
	}
	for len(p.lines) < len(p.text) {
		p.lines = append(p.lines, l.number)
	}
}

var listItem = regexp.MustCompile(`^\s*(?:[-*+]|\d+[.)])\s`)

// paragraphs returns the paragraphs and list items of lines, and leaves out headings and
// indented code.
func paragraphs(lines []line) []paragraph {
	var (
		all    []paragraph
		now    paragraph
		inList bool
	)
	end := func() {
		if now.text != "" {
			all = append(all, now)
		}
		now = paragraph{}
	}
	for _, l := range lines {
		indented := strings.HasPrefix(l.text, " ") || strings.HasPrefix(l.text, "\t")
		switch {
		case strings.TrimSpace(l.text) == "":
			end()
		case strings.HasPrefix(l.text, "#"):
			end()
		case listItem.MatchString(l.text):
			end()
			inList = true
			l.text = listItem.ReplaceAllString(l.text, "")
			now.item = true
			now.append(l)
		case indented && !inList:
			end()
		default:
			if !indented {
				inList = false
			}
			now.append(l)
		}
	}
	end()
	return all
}

// A sentence has its text as it was written, and a copy in which code and quotations are
// masked.
type sentence struct {
	line         int
	text, masked string
}

var quoted = regexp.MustCompile("`[^`]*`|\"[^\"]*\"|\u201c[^\u201d]*\u201d|https?://\\S+")

// mask replaces quoted text and code by letters, so that offsets stay what they were.
func mask(text string) string {
	return quoted.ReplaceAllStringFunc(text, func(q string) string {
		if len(q) < 3 {
			return q
		}
		return "`" + strings.Repeat("x", len(q)-2) + "`"
	})
}

// term finds what an item of a list explains, such as the name of a rule. The colon after
// it is part of the list.
var term = regexp.MustCompile(`^[^:.]{1,60}: `)

func (p *paragraph) sentences() []sentence {
	masked := mask(p.text)
	if p.item {
		masked = term.ReplaceAllStringFunc(masked, func(t string) string { return strings.Replace(t, ": ", ", ", 1) })
	}
	var all []sentence
	begin := 0
	cut := func(end int) {
		from, to := begin, end
		for from < to && p.text[from] == ' ' {
			from++
		}
		if from < to {
			all = append(all, sentence{p.lines[from], p.text[from:to], masked[from:to]})
		}
		begin = end
	}
	for i := range len(masked) {
		if strings.IndexByte(".!?", masked[i]) >= 0 && endsSentence(masked, i) {
			cut(i + 1)
		}
	}
	cut(len(masked))
	return all
}

var abbreviation = regexp.MustCompile(`(?:\b(?:e\.g|i\.e|cf|vs|No|resp|approx)|\.\.)$`)

// endsSentence reports whether the punctuation mark at text[i] ends a sentence.
func endsSentence(text string, i int) bool {
	rest := strings.TrimLeft(text[i+1:], ")\"'*_")
	if rest == "" {
		return true
	}
	if rest[0] != ' ' || abbreviation.MatchString(text[:i]) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, " (*_"))
	return !unicode.IsLower(first)
}

var word = regexp.MustCompile(`[A-Z]+[a-z0-9]*|[a-z0-9]+`)

// spell returns the words of an identifier in lower case, such as "is no session" for
// IsNoSession.
func spell(identifier string) string {
	return strings.ToLower(strings.Join(word.FindAllString(identifier, -1), " "))
}
