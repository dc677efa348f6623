package main

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/googlesession/googlesession"
)

//go:embed openapi.yaml
var ownContract []byte

// A contract has the parts of an OpenAPI document that merging two documents needs.
type contract struct {
	OpenAPI    string                    `json:"openapi"`
	Info       any                       `json:"info"`
	Tags       []any                     `json:"tags"`
	Security   any                       `json:"security"`
	Paths      map[string]map[string]any `json:"paths"`
	Components map[string]map[string]any `json:"components"`
}

// newContract merges the library's contract and the application's contract into one JSON
// document. It puts /api in front of the library's paths. If both contracts have an
// operation or a component of one name, it takes the application's. It leaves out paths
// that begin with one of omitPrefixes. It panics if a contract cannot be read, because the
// contracts are part of the program.
func newContract(omitPrefixes ...string) []byte {
	library, own := parseContract(googlesession.OpenAPI()), parseContract(ownContract)
	merged := contract{
		OpenAPI:    own.OpenAPI,
		Info:       own.Info,
		Tags:       append(own.Tags, library.Tags...),
		Security:   library.Security,
		Paths:      map[string]map[string]any{},
		Components: library.Components,
	}
	for path, operations := range library.Paths {
		merged.Paths["/api"+path] = operations
	}
	overlay(merged.Paths, own.Paths)
	overlay(merged.Components, own.Components)
	maps.DeleteFunc(merged.Paths, func(path string, _ map[string]any) bool {
		return slices.ContainsFunc(omitPrefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
	})
	document, err := json.Marshal(merged)
	if err != nil {
		panic("openapi.yaml: " + err.Error())
	}
	return document
}

func parseContract(text []byte) (c contract) {
	if err := yaml.Unmarshal(text, &c); err != nil {
		panic("openapi.yaml: " + err.Error())
	}
	return c
}

// overlay copies the members of over[key] into under[key], for each key of over. A key is
// a path, whose members are operations, or a kind of component, whose members are
// components.
func overlay(under, over map[string]map[string]any) {
	for key, members := range over {
		if under[key] == nil {
			under[key] = map[string]any{}
		}
		maps.Copy(under[key], members)
	}
}
