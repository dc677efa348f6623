package main

import (
	"regexp"
	"strings"
)

// A rule is the kind of a finding.
type rule string

const (
	ruleID      rule = "private ID"        // a reference that is not explained in the repository
	ruleDocName rule = "Name: in doc"      // a doc comment that begins with the name and a colon
	ruleNone    rule = "is no"             // a negation that reads badly in English
	ruleColon   rule = "colon"             // a colon instead of because, so or if
	rulePerson  rule = "indefinite person" // an indefinite person instead of the name of a thing
)

// hard reports whether -check fails at the first finding of the rule.
func (r rule) hard() bool {
	return r == ruleID || r == ruleDocName || r == ruleNone
}

var (
	dashedID = regexp.MustCompile(`(?:^|[^\w%\\-])([A-Z]-\d{1,3})(?:$|[^\w-])`)
	plainID  = regexp.MustCompile(`(?:^|[\s(/])([ABCEGJV]\d{1,2}|Table [A-Z])(?:$|[\s,:;.)/])`)
	// These look like private IDs and are the names of elliptic curves.
	curves = map[string]bool{"P-256": true, "P-384": true, "P-521": true}

	// none finds negations that read badly. [findNone] passes over plain English such as
	// "there is no session", "if there is none", "is no longer" and "is no more than", and
	// over the value no, as in "appendonly is no".
	none     = regexp.MustCompile(`(?i)(\bthere )?\b(?:(?:is|are|was|were|be) (?:no [a-z]|none\b)|as[ ]good as\b)`)
	noLonger = regexp.MustCompile(`(?i)^(?: |(?:longer|and|or|but)\b|(?:more|less|fewer|later|earlier|older) than\b)`)

	persons = regexp.MustCompile(`(?i)\b(?:nobody|somebody|someone|anybody|anyone|everybody|everyone|whoever|whom|one's|no one)\b[^@/]`)
	// onePerson finds "one" as a person. It then stands after a word that begins a clause,
	// and before a verb that people are the subject of.
	onePerson = regexp.MustCompile(`(?i)(?:^|\b(?:if|when|as|what|how|whether|where|unless|because|that) )one (?:can|may|must|should|could|would|cannot|needs?|wants?|does|asks?|knows?|has to)\b`)
	whoever   = regexp.MustCompile(`^Who [^?]*$`)

	colon = regexp.MustCompile(`:(?: |$)`)
	items = regexp.MustCompile(`[,;]| and | or `)
	// codeLike finds code, which begins with a quotation, a link, a path, a call or an SQL
	// keyword.
	codeLike = regexp.MustCompile("^(?:[`\"\\[<{$/-]|\\S*[()=_]|[A-Z]{3,} )")
	// verb finds finite verbs that are not the plural of a noun.
	verb = regexp.MustCompile(`(?i)\b(?:is|are|was|were|has|have|does|do|can|cannot|may|must|will|would|go|goes|it|they|keeps|makes|` +
		`needs|gets|begins|refuses|sends|takes|says|means|allows|knows|cancels|asks|finds|gives|holds|lives|stays|comes|becomes|fails|` +
		`belongs|admits|drops|tells|happens)\b`)
	relative = regexp.MustCompile(`\b(?:that|which|who|whose|where)\b`)
	keyword  = regexp.MustCompile(`^(?:Deprecated|TODO|BUG|(?i:note|warning))(?:\(\w+\))?:`)
)

// privateIDs returns the private IDs in the line.
func privateIDs(line string) []string {
	var ids []string
	for _, pattern := range []*regexp.Regexp{dashedID, plainID} {
		for rest := line; ; {
			at := pattern.FindStringSubmatchIndex(rest)
			if at == nil {
				break
			}
			if id := rest[at[2]:at[3]]; !curves[id] {
				ids = append(ids, id)
			}
			rest = rest[at[3]:]
		}
	}
	return ids
}

// findNone returns where a phrase of [ruleNone] begins, or -1.
func findNone(text string) int {
	for from := 0; ; {
		at := none.FindStringSubmatchIndex(text[from:])
		if at == nil {
			return -1
		}
		begin, end := from+at[0], from+at[1]
		// The match ends after the first letter of the next word.
		if at[2] < 0 && !noLonger.MatchString(text[end-1:]) {
			return begin
		}
		from = end
	}
}

// hasPerson reports whether the sentence contains an indefinite person.
func hasPerson(sentence string) bool {
	return persons.MatchString(sentence+" ") || onePerson.MatchString(sentence) || whoever.MatchString(sentence)
}

// hasColon reports whether a colon of the sentence stands for a conjunction. A colon does
// not if it ends the paragraph or introduces a list or code. The caller has masked quoted
// text and code in the sentence.
func hasColon(sentence string) bool {
	if keyword.MatchString(sentence) {
		return false
	}
	for from := 0; ; {
		at := colon.FindStringIndex(sentence[from:])
		if at == nil {
			return false
		}
		from += at[1]
		rest := strings.TrimSpace(sentence[from:])
		if rest != "" && !codeLike.MatchString(rest) && !isList(rest) {
			return true
		}
	}
}

// isList reports whether the text consists of two or more short items. The answer is a
// guess, because it only rests on two signs. An item of a list has few words and, outside a
// relative clause, does not have a verb.
func isList(text string) bool {
	if strings.Count(text, ";") >= 2 {
		return true
	}
	var parts []string
	for _, part := range items.Split(text, -1) {
		if strings.TrimSpace(part) != "" {
			parts = append(parts, part)
		}
	}
	mean := float64(len(strings.Fields(text))) / float64(max(len(parts), 1))
	switch len(parts) {
	case 0, 1:
		return false
	case 2:
		return mean <= 4 && !verb.MatchString(text)
	}
	return mean <= 6 && !isClause(parts[0]) && !isClause(parts[len(parts)-1])
}

func isClause(item string) bool {
	return verb.MatchString(item) && !relative.MatchString(item)
}
