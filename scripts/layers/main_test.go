package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLayers(t *testing.T) {
	for _, tt := range []struct {
		dir    string
		layers [][]string // the lowest first
		cycle  []string
	}{
		{"testdata/layered", [][]string{{"c.go"}, {"b.go"}, {"a.go"}}, nil},
		{"testdata/cycle", nil, []string{"a.go", "b.go"}},
	} {
		t.Run(tt.dir, func(t *testing.T) {
			g, err := read(tt.dir)
			require.NoError(t, err)
			layers, cycle := g.layers()
			require.Equal(t, tt.layers, layers)
			require.Equal(t, tt.cycle, cycle)
		})
	}
}

func TestNamesOfReferences(t *testing.T) {
	g, err := read("testdata/cycle")
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"b": true}, g["a.go"]["b.go"])
	require.Equal(t, map[string]bool{"helper": true}, g["b.go"]["a.go"])
}
