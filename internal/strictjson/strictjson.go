// Package strictjson reads JSON objects that somebody else wrote and that
// decide who somebody is: a token's header and claims, a request's body. It
// takes what every parser reads alike, and refuses the rest.
//
// [encoding/json] takes the last of two equal names, takes "AUD" for "aud", and
// turns invalid UTF-8 into U+FFFD. Where two programs read one text, each of
// these lets the text say something else to the second one.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errUTF8      = errors.New("not valid UTF-8")
	errSyntax    = errors.New("not valid JSON")
	errNoObject  = errors.New("not an object")
	errDepth     = errors.New("nested too deeply")
	errDuplicate = errors.New("duplicate member name")
	errSurrogate = errors.New("unpaired surrogate")
	errNumber    = errors.New("number out of range")
)

// Object returns the members of the one JSON object (RFC 8259) that data holds.
// The values share data's memory. It refuses, at every level: invalid UTF-8,
// unpaired surrogates, numbers beyond a float64, two equal names, and two names
// that differ only in case (RFC 7493, sections 2.1 to 2.3); moreover anything but
// white space around the object, and more than maxDepth objects and arrays inside
// each other, the outer one counted. Errors never quote data.
//
// It takes time and memory in proportion to len(data), which the caller bounds.
func Object(data []byte, maxDepth int) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errUTF8
	}
	// Not recursive. From here on the syntax is certain, so that the walk below
	// only has to find its way.
	if !json.Valid(data) {
		return nil, errSyntax
	}
	w := walk{rest: data, room: maxDepth}
	if w.peek() != '{' {
		return nil, errNoObject
	}
	const usual = 32 // more than a token has
	return w.object(min(usual, bytes.Count(data, []byte(`":`))))
}

// walk goes once over a text that is valid JSON.
type walk struct {
	rest []byte
	room int // how many levels may still be opened
}

// peek skips white space and returns the first byte after it, 0 at the end.
func (w *walk) peek() byte {
	for i, c := range w.rest {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			w.rest = w.rest[i:]
			return c
		}
	}
	return 0
}

// value steps over one value of any kind.
func (w *walk) value() error {
	switch w.peek() {
	case '{':
		_, err := w.object(0)
		return err
	case '[':
		return w.array()
	case '"':
		_, err := w.string()
		return err
	case 't', 'f', 'n': // true, false, null
		w.literal()
		return nil
	default:
		if _, err := strconv.ParseFloat(string(w.literal()), 64); err != nil {
			return errNumber
		}
		return nil
	}
}

// object steps over an object and returns its members, about size of them.
func (w *walk) object(size int) (map[string]json.RawMessage, error) {
	if w.room == 0 {
		return nil, errDepth
	}
	w.room--
	members := make(map[string]json.RawMessage, size)
	var folded map[string]bool // of the members whose name is not folded itself
	for w.rest = w.rest[1:]; w.peek() != '}'; {
		if w.rest[0] == ',' {
			w.rest = w.rest[1:]
			w.peek()
		}
		text, err := w.string()
		if err != nil {
			return nil, err
		}
		name, err := unquote(text)
		if err != nil {
			return nil, err
		}
		f := fold(name)
		if _, dup := members[f]; dup || folded[f] {
			return nil, errDuplicate
		}
		if f != name {
			if folded == nil {
				folded = make(map[string]bool)
			}
			folded[f] = true
		}

		w.peek() // to the colon
		w.rest = w.rest[1:]
		w.peek() // to the value
		start := w.rest
		if err := w.value(); err != nil {
			return nil, err
		}
		members[name] = json.RawMessage(start[:len(start)-len(w.rest)])
	}
	w.rest = w.rest[1:]
	w.room++
	return members, nil
}

func (w *walk) array() error {
	if w.room == 0 {
		return errDepth
	}
	w.room--
	for w.rest = w.rest[1:]; w.peek() != ']'; {
		if w.rest[0] == ',' {
			w.rest = w.rest[1:]
		}
		if err := w.value(); err != nil {
			return err
		}
	}
	w.rest = w.rest[1:]
	w.room++
	return nil
}

// literal steps over what ends before the next comma, bracket or white space.
func (w *walk) literal() []byte {
	end := bytes.IndexAny(w.rest, ",]} \t\n\r") // there is one: the outer object's end
	text := w.rest[:end]
	w.rest = w.rest[end:]
	return text
}

// string steps over a string and returns it with its quotes.
func (w *walk) string() ([]byte, error) {
	text := w.rest
	for i := 1; ; i++ {
		switch text[i] {
		case '"':
			w.rest = text[i+1:]
			return text[:i+1], nil
		case '\\':
			i++
			if text[i] != 'u' {
				continue
			}
			switch u := text[i+1 : i+5]; {
			case isSurrogate(u, 'c', 'f'): // a second half alone
				return nil, errSurrogate
			case isSurrogate(u, '8', 'b'):
				next := text[i+5:] // at least the closing quote
				if len(next) < 6 || next[0] != '\\' || next[1] != 'u' || !isSurrogate(next[2:6], 'c', 'f') {
					return nil, errSurrogate
				}
				i += 6
			}
			i += 4
		}
	}
}

// isSurrogate reports whether the four hex digits u are d, then from..to.
func isSurrogate(u []byte, from, to byte) bool {
	const lower = 'a' - 'A'
	second := u[1]
	if second >= 'A' {
		second |= lower
	}
	return u[0]|lower == 'd' && from <= second && second <= to
}

// unquote decodes a string of valid JSON. Without escapes the text is the value.
func unquote(text []byte) (string, error) {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1]), nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return "", errSyntax
	}
	return s, nil
}

// fold maps names to one text that encoding/json takes for the same field: those
// equal under Unicode simple folding, where the Kelvin sign is a k.
func fold(name string) string {
	if isFolded(name) {
		return name
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		if r < utf8.RuneSelf {
			return r
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' { // a letter's upper case precedes its lower case
			return least + 'a' - 'A'
		}
		return least
	}, name)
}

// isFolded holds for the names that are usual, and not for all that fold leaves alone.
func isFolded(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
