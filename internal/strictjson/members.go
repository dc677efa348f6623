package strictjson

import (
	"fmt"
	"math"
	"strconv"
)

// Members are the members of one object that [Object] has parsed. The zero value has no
// members. Names and values share one copy of the text, which stays in memory as long as
// any of them. Members are safe for concurrent use.
type Members struct{ list []member }

// A member is a decoded name and a value as it is written in the text.
type member struct{ name, value string }

// Names returns the members' names in the order of the text.
func (m Members) Names() []string {
	names := make([]string, len(m.list))
	for i := range m.list {
		names[i] = m.list[i].name
	}
	return names
}

// Member returns the value of the member as it is written. ok is false if the object
// does not have the member. Member returns an error if the object has a name that differs only in
// case, because encoding/json takes the two for the same name.
func (m Members) Member(name string) (value string, ok bool, err error) {
	for i := range m.list {
		if m.list[i].name == name {
			return m.list[i].value, true, nil // Object has refused other names that differ only in case
		}
	}
	if hasName(m.list, name) {
		return "", false, fmt.Errorf("%s is written in another case", name)
	}
	return "", false, nil
}

// String is like [Members.Member] and returns the value of a string, decoded. It returns
// an error for any other value, also for null.
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

// Bool is like [Members.Member] and returns the value of true or false. It returns an
// error for any other value.
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

// Int is like [Members.Member] and returns a whole number that fits into an int64. It
// returns an error for any other value, also for a number with a fraction or an exponent,
// such as 1.0 or 1e3.
func (m Members) Int(name string) (n int64, ok bool, err error) {
	value, ok, err := m.Member(name)
	if !ok {
		return 0, false, err
	}
	if n, err = strconv.ParseInt(value, 10, 64); err != nil { // err is dropped, because it quotes the value
		return 0, true, fmt.Errorf("%s is not a whole number", name)
	}
	return n, true, nil
}

// Object is like [Members.Member] and returns the members of an object. It returns an
// error for any other value. The function [Object] has already checked the inner object
// as part of the whole text.
func (m Members) Object(name string) (object Members, ok bool, err error) {
	value, ok, err := m.Member(name)
	if !ok {
		return Members{}, false, err
	}
	if object, err = scanObject(value, math.MaxInt, nil); err != nil {
		return Members{}, true, fmt.Errorf("%s is not an object", name)
	}
	return object, true, nil
}
