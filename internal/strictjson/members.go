package strictjson

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Members are those of one object, as [Object] found them; of the zero value, none.
// They share one copy of the text, and keep it in memory. They are safe for concurrent
// use.
type Members struct{ list []member }

type member struct{ name, value string }

// Names returns the members' names in the order of the text.
func (m Members) Names() []string {
	names := make([]string, len(m.list))
	for i := range m.list {
		names[i] = m.list[i].name
	}
	return names
}

// Member returns the member's value as it is written, and whether there is one. A name
// that differs from it in case only is an error, because encoding/json takes it for
// this one.
func (m Members) Member(name string) (value string, ok bool, err error) {
	for i := range m.list {
		if m.list[i].name == name {
			return m.list[i].value, true, nil // then Object has seen no variant
		}
	}
	if named(m.list, name) {
		return "", false, fmt.Errorf("%s in another case", name)
	}
	return "", false, nil
}

// String is [Members.Member] for strings; null is none.
func (m Members) String(name string) (s string, ok bool, err error) {
	value, ok, err := m.Member(name)
	if !ok {
		return "", false, err
	}
	if value[0] != '"' {
		return "", true, fmt.Errorf("%s is not a string", name)
	}
	s, err = unquote(value)
	return s, true, err
}

// Bool is [Members.Member] for true and false.
func (m Members) Bool(name string) (b, ok bool, err error) {
	value, ok, err := m.Member(name)
	if !ok {
		return false, false, err
	}
	switch value {
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	}
	return false, true, fmt.Errorf("%s is not a boolean", name)
}

// Int is [Members.Member] for whole numbers that fit into an int64, written without
// fraction and exponent: 1.0 and 1e3 are errors.
func (m Members) Int(name string) (n int64, ok bool, err error) {
	value, ok, err := m.Member(name)
	if !ok {
		return 0, false, err
	}
	if n, err = strconv.ParseInt(value, 10, 64); err != nil { // whose text quotes the value
		return 0, true, fmt.Errorf("%s is not a whole number", name)
	}
	return n, true, nil
}

// Object is [Members.Member] for objects. Nothing is left in them to be refused: they
// were a part of what [Object] took.
func (m Members) Object(name string) (object Members, ok bool, err error) {
	value, ok, err := m.Member(name)
	if !ok {
		return Members{}, false, err
	}
	if object, err = walkObject(value, math.MaxInt, nil); err != nil {
		return Members{}, true, fmt.Errorf("%s is not an object", name)
	}
	return object, true, nil
}

// named reports whether a member has the name, in whatever case.
func named(list []member, name string) bool {
	for i := range list {
		if strings.EqualFold(list[i].name, name) {
			return true
		}
	}
	return false
}
