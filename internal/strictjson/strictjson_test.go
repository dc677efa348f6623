package strictjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession/internal/strictjson"
)

const maxDepth = 4

// many has so many members that a map is used to find equal names.
var many = func() (members string) {
	for i := range 20 {
		members += fmt.Sprintf(`"a%d":%d,`, i, i)
	}
	return members
}()

// objects are texts with the names of their members, or nil if Object refuses the text.
var objects = []struct {
	name, in string
	want     []string
}{
	{"empty", `{}`, []string{}},
	{"white space around everything", " \t\r\n{ \"a\" : [ 1 , { } , [ ] ] , \"b\" : null } \n", []string{"a", "b"}},
	{"every kind of value", `{"s":"x","n":-1.5e3,"t":true,"f":false,"z":null,"o":{"a":1},"l":[1,"]}",{}]}`, []string{"f", "l", "n", "o", "s", "t", "z"}},
	{"quotes and braces inside strings", `{"a":"\"}\\","b":"{[,:"}`, []string{"a", "b"}},
	{"numbers at the edge", `{"a":1e308,"b":1e-400,"c":12345678901234567890123}`, []string{"a", "b", "c"}},
	{"escaped name", `{"\u0061\/":1}`, []string{"a/"}},
	{"empty name", `{"":1}`, []string{""}},
	{"surrogate pair", `{"a":"\uD83D\ude00","\ud83d\uDE00":1}`, []string{"a", "😀"}},
	{"replacement character itself", `{"a":"\ufffd�"}`, []string{"a"}},
	{"equal names in different objects", `{"a":{"a":{"a":1}},"b":{"a":1}}`, []string{"a", "b"}},
	{"names that differ by more than case", `{"a":1,"á":2,"a ":3}`, []string{"a", "a ", "á"}},
	{"an inner object's names are not the outer's", `{"x":[{"a":1}],"a":1,"b":{"x":1}}`, []string{"a", "b", "x"}},
	{"as deep as allowed", `{"a":{"b":[{}]}}`, []string{"a"}},
	{"siblings do not add up", `{"a":[[[]],[[]],{},{}]}`, []string{"a"}},

	{"nothing", ``, nil},
	{"white space only", ` `, nil},
	{"null", `null`, nil},
	{"array", `[]`, nil},
	{"string", `"{}"`, nil},
	{"number", `1`, nil},
	{"byte order mark", "\ufeff{}", nil},
	{"cut off", `{"a":1`, nil},
	{"comma at the end", `{"a":1,}`, nil},
	{"comment", `{/**/}`, nil},
	{"single quotes", `{'a':1}`, nil},
	{"name without quotes", `{a:1}`, nil},
	{"NaN", `{"a":NaN}`, nil},
	{"leading zero", `{"a":01}`, nil},
	{"control character in a string", "{\"a\":\"\n\"}", nil},
	{"NUL after it", "{}\x00", nil},
	{"two objects", `{}{}`, nil},
	{"object and comma", `{},`, nil},
	{"number beyond a float64", `{"a":[1e400]}`, nil},
	{"equal names", `{"a":1,"a":1}`, nil},
	{"equal names, one escaped", `{"a":1,"\u0061":1}`, nil},
	{"names that differ in case", `{"aud":1,"AUD":1}`, nil},
	{"names that differ in case outside ASCII", `{"ä":1,"Ä":1}`, nil},
	{"long s", `{"sub":1,"ſub":1}`, nil},
	{"Kelvin sign", `{"kid":1,"\u212Aid":1}`, nil},
	{"upper case twice", `{"AUD":1,"AUD":1}`, nil},
	{"two mixed cases", `{"Aud":1,"aUD":1}`, nil},
	{"three sigmas", `{"σ":1,"ς":1}`, nil},
	{"equal names around an object", `{"a":{"b":1},"b":1,"A":1}`, nil},
	{"equal names after many", `{` + many + `"A0":1}`, nil},
	{"equal names after many, both in another case", `{"AUD":1,` + many + `"Aud":1}`, nil},
	{"equal names after the many", `{` + many + `"é":1,"É":1}`, nil},
	{"equal names after many below", `{"x":1,"y":{` + many + `"a7":1}}`, nil},
	{"equal names below", `{"x":{"a":1,"A":1}}`, nil},
	{"equal names in an array", `{"x":[1,{"a":1,"a":1}]}`, nil},
	{"too deep, objects", `{"a":{"b":{"c":{"d":{}}}}}`, nil},
	{"too deep, arrays", `{"a":[[[[]]]]}`, nil},
	{"invalid UTF-8 in a value", "{\"a\":\"\xff\"}", nil},
	{"invalid UTF-8 in a name", "{\"\xc0\x80\":1}", nil},
	{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", nil},
	{"first half alone", `{"a":"\ud83d"}`, nil},
	{"first half and a letter", `{"a":"\ud83dxxxxxx"}`, nil},
	{"first half and what looks like a second", `{"a":"\ud83dxude00"}`, nil},
	{"first half and another escape", `{"a":"\ud83d\nxxxx"}`, nil},
	{"first half twice", `{"a":"\uD83D\uD83D"}`, nil},
	{"second half alone", `{"a":"\uDE00"}`, nil},
	{"half in a name", `{"\ud83d":1}`, nil},
	{"half deep inside", `{"a":[{"b":"\udfff"}]}`, nil},
}

func TestObject(t *testing.T) {
	for _, tt := range objects {
		t.Run(tt.name, func(t *testing.T) {
			m, err := strictjson.Object([]byte(tt.in), maxDepth)
			require.Equal(t, tt.want, names(m, err), "Object(%q) = %v, %v", tt.in, m, err)
			require.Equal(t, tt.want == nil, err != nil, "Object(%q) = %v, %v", tt.in, m, err)
		})
	}
}

func TestObjectReturnsValuesAsWritten(t *testing.T) {
	m, err := strictjson.Object([]byte(` { "a" : [ 1,2 ] , "b":"x" , "c": -0.50 } `), maxDepth)
	require.NoError(t, err)
	require.Equal(t, map[string]json.RawMessage{
		"a": json.RawMessage(`[ 1,2 ]`),
		"b": json.RawMessage(`"x"`),
		"c": json.RawMessage(`-0.50`),
	}, values(t, m))
}

// Unpaired surrogates are accepted only in the values of display members of the outer
// object.
func TestObjectWithTextForPeople(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing special", `{"name":"Ada"}`, "Ada"},
		{"first half alone", `{"name":"Ada \ud83d"}`, "Ada �"},
		{"second half alone", `{"name":"\udE00Ada"}`, "�Ada"},
		{"halves the wrong way round", `{"name":"\ude00\ud83d"}`, "��"},
		{"a pair", `{"name":"\ud83d\ude00"}`, "😀"},
		{"half before the quote's escape", `{"name":"\ud83d\""}`, "�\""},
		{"half before a backslash", `{"name":"\ud83d\\"}`, "�\\"},
		{"half in the other display member", `{"picture":"\ud83d","name":"Ada"}`, "Ada"},
		{"half in another member", `{"name":"Ada","sub":"\ud83d"}`, "error"},
		{"half in the member's name", `{"name":"Ada","\ud83d":"x"}`, "error"},
		{"half below", `{"name":["\ud83d"]}`, "error"},
		{"half in an object of that name", `{"name":{"name":"\ud83d"}}`, "error"},
		{"half in a member below of that name", `{"sub":{"name":"\ud83d"},"name":"Ada"}`, "error"},
		{"half in an array below", `{"sub":[{"name":"\ud83d"}],"name":"Ada"}`, "error"},
		{"half in a name of another case", `{"NAME":"\ud83d"}`, "error"},
		{"equal names", `{"name":"\ud83d","name":"Ada"}`, "error"},
		{"names that differ in case", `{"name":"\ud83d","Name":"Ada"}`, "error"},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", "error"},
		{"cut off", `{"name":"\ud8"}`, "error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := strictjson.Object([]byte(tt.in), maxDepth, "name", "picture")
			got := "error"
			if err == nil {
				got, _, err = m.String("name")
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// Object takes memory in proportion to the length of hostile input.
func TestObjectIsLinear(t *testing.T) {
	array := func(element string) string {
		return `{"a":[` + strings.Repeat(element+",", 1<<20/len(element)) + `0]}`
	}
	var names strings.Builder
	for i := range 1 << 17 {
		fmt.Fprintf(&names, `"%X":1,`, i)
	}
	for name, in := range map[string]string{
		"numbers":       array(`1`),
		"strings":       array(`"\u0061"`),
		"objects":       array(`{}`),
		"open brackets": strings.Repeat("[", 1<<20),
		"members":       `{` + names.String() + `"":1}`,
		"same folding":  array(`{"A":1,"a":1}`),
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(in)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = strictjson.Object(text, maxDepth)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32*len(text)), "bytes")
		})
	}
}

func TestMembers(t *testing.T) {
	m, err := strictjson.Object([]byte(`{"s":"a\u00e9\n","e":"","n":12,"neg":-3,"big":9223372036854775808,
		"frac":1.0,"exp":1e3,"t":true,"f":false,"z":null,"o":{},"l":["x"]}`), maxDepth)
	require.NoError(t, err)

	tests := []struct {
		name     string
		str, num string // the results of String and Int
		boolean  string
	}{
		{"s", "aé\n", "error", "error"},
		{"e", "", "error", "error"},
		{"n", "error", "12", "error"},
		{"neg", "error", "-3", "error"},
		{"big", "error", "error", "error"},
		{"frac", "error", "error", "error"},
		{"exp", "error", "error", "error"},
		{"t", "error", "error", "true"},
		{"f", "error", "error", "false"},
		{"z", "error", "error", "error"},
		{"o", "error", "error", "error"},
		{"l", "error", "error", "error"},
		{"missing", "absent", "absent", "absent"},
		{"S", "error", "error", "error"},
		{"BIG", "error", "error", "error"},
	}
	for _, tt := range tests {
		s, ok, err := m.String(tt.name)
		require.Equal(t, tt.str, result(s, ok, err), "String(%q)", tt.name)
		n, ok, err := m.Int(tt.name)
		require.Equal(t, tt.num, result(n, ok, err), "Int(%q)", tt.name)
		b, ok, err := m.Bool(tt.name)
		require.Equal(t, tt.boolean, result(b, ok, err), "Bool(%q)", tt.name)
	}
}

func result(v any, ok bool, err error) string {
	switch {
	case err != nil:
		return "error"
	case !ok:
		return "absent"
	}
	return fmt.Sprint(v)
}

func TestErrorsDoNotQuote(t *testing.T) {
	const secret = "ada@example.com"
	m, err := strictjson.Object([]byte(`{"`+secret+`":1,"`+secret+`":1}`), maxDepth)
	require.ErrorContains(t, err, "duplicate")
	require.NotContains(t, err.Error(), secret)
	require.Empty(t, m)

	m, err = strictjson.Object([]byte(`{"a":["`+secret+`"]}`), maxDepth)
	require.NoError(t, err)
	_, _, err = m.Int("a")
	require.EqualError(t, err, "a is not a whole number")
}

// FuzzStrictJSON compares Object with json.Decoder.Token. Object has to accept exactly the
// objects that the decoder reads without equal names and without too much depth.
func FuzzStrictJSON(f *testing.F) {
	for _, tt := range objects {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := strictjson.Object(data, maxDepth)
		want, replaced := read(data)
		if replaced { // the text has U+FFFD, or half of a surrogate pair
			if err != nil {
				return
			}
			require.NotNil(t, want)
		}
		require.Equal(t, want, names(m, err), "Object(%q) = %v, %v", data, m, err)
		require.Equal(t, want == nil, err != nil, "Object(%q) = %v, %v", data, m, err)
		if err != nil {
			return
		}
		var loose map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &loose))
		require.Equal(t, loose, values(t, m), "Object(%q)", data)
	})
}

// names returns the sorted names, or nil if Object has refused the text.
func names(m strictjson.Members, err error) []string {
	if err != nil {
		return nil
	}
	sorted := m.Names()
	slices.Sort(sorted)
	return sorted
}

func values(t *testing.T, m strictjson.Members) map[string]json.RawMessage {
	t.Helper()
	all := make(map[string]json.RawMessage)
	for _, name := range m.Names() {
		value, ok, err := m.Member(name)
		require.NoError(t, err)
		require.True(t, ok)
		all[name] = json.RawMessage(value)
	}
	return all
}

// read returns the sorted names of the outer object as json.Decoder reads them, or nil if
// Object should refuse data, and whether a string contains U+FFFD.
func read(data []byte) (outer []string, replaced bool) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return nil, false
	}
	type level struct {
		object, value bool // value means that the next token of this object is a value
		names         []string
	}
	var open []level
	good := true
	for dec := json.NewDecoder(bytes.NewReader(data)); ; {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, replaced
		}
		text, isText := token.(string)
		replaced = replaced || isText && strings.ContainsRune(text, utf8.RuneError)
		if len(open) == 0 && token != json.Delim('{') {
			return nil, replaced
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			if last := open[len(open)-1]; len(open) == 1 {
				outer = append([]string{}, last.names...)
			}
			open = open[:len(open)-1]
			continue
		}
		if len(open) > 0 && open[len(open)-1].object {
			in := &open[len(open)-1]
			if !in.value {
				good = good && !slices.ContainsFunc(in.names, func(n string) bool { return strings.EqualFold(n, text) })
				in.names = append(in.names, text)
				in.value = true
				continue
			}
			in.value = false
		}
		if delim, ok := token.(json.Delim); ok {
			open = append(open, level{object: delim == '{'})
			good = good && len(open) <= maxDepth
		}
	}
	if !good {
		return nil, replaced
	}
	slices.Sort(outer)
	return outer, replaced
}
