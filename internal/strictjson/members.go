package strictjson

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Member returns the member of that name from what [Object] returned, and whether
// there is one. A name that differs from it in case only is an error, because
// encoding/json takes it for this one.
func Member(m map[string]json.RawMessage, name string) (json.RawMessage, bool, error) {
	if raw, ok := m[name]; ok {
		return raw, true, nil // then Object has seen no variant
	}
	for other := range m {
		if strings.EqualFold(other, name) {
			return nil, false, fmt.Errorf("%s in another case", name)
		}
	}
	return nil, false, nil
}

// String is [Member] for strings; null is none.
func String(m map[string]json.RawMessage, name string) (string, bool, error) {
	raw, ok, err := Member(m, name)
	if !ok {
		return "", false, err
	}
	if raw[0] != '"' {
		return "", true, fmt.Errorf("%s is not a string", name)
	}
	s, err := unquote(raw)
	return s, true, err
}

// Bool is [Member] for true and false.
func Bool(m map[string]json.RawMessage, name string) (value, ok bool, err error) {
	raw, ok, err := Member(m, name)
	if !ok {
		return false, false, err
	}
	switch string(raw) {
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	}
	return false, true, fmt.Errorf("%s is not a boolean", name)
}

// Int is [Member] for whole numbers that fit into an int64, written without
// fraction and exponent: 1.0 and 1e3 are errors.
func Int(m map[string]json.RawMessage, name string) (int64, bool, error) {
	raw, ok, err := Member(m, name)
	if !ok {
		return 0, false, err
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil { // whose text quotes the value
		return 0, true, fmt.Errorf("%s is not a whole number", name)
	}
	return n, true, nil
}
