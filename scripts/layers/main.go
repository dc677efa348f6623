// Command layers checks that the files of a package form layers, which means that the
// references from file to file have no cycle.
//
//	go run ./scripts/layers .
//
// A reader can then read the package from top to bottom. The command prints the files by
// layer, each file above the files that it refers to. If there is a cycle, the command
// prints the references in it and exits with status 1.
//
// References to the types Manager and Config and to their fields do not count, because they
// tie everything together on purpose. References to the methods of these types count.
package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hubs are the types to which references do not count.
var hubs = []string{"Manager", "Config"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: layers DIRECTORY")
		os.Exit(2)
	}
	g, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(2)
	}
	layers, rest := g.layers()
	for i, files := range slices.Backward(layers) {
		fmt.Printf("%2d  %s\n", i+1, strings.Join(files, " "))
	}
	if len(rest) == 0 {
		return
	}
	fmt.Fprintln(os.Stderr, "layers: these files refer to each other in a cycle:", strings.Join(rest, " "))
	for _, from := range rest {
		for _, to := range rest {
			if names := g[from][to]; len(names) > 0 {
				fmt.Fprintf(os.Stderr, "  %s -> %s: %s\n", from, to, strings.Join(slices.Sorted(maps.Keys(names)), " "))
			}
		}
	}
	os.Exit(1)
}

// A graph records the references between files. The keys of graph[from][to] are the names
// by which the file from refers to the file to.
type graph map[string]map[string]map[string]bool

// read type-checks the package in dir, without its tests, and returns its graph.
func read(dir string) (graph, error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	checked, err := config.Check(pkg.Name, fset, files, info)
	if err != nil {
		return nil, err
	}
	return newGraph(fset, pkg.GoFiles, checked, info), nil
}

func newGraph(fset *token.FileSet, files []string, pkg *types.Package, info *types.Info) graph {
	fileOf := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	skip := hubObjects(pkg)
	g := make(graph)
	for _, f := range files {
		g[f] = make(map[string]map[string]bool)
	}
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || skip[object] || !object.Pos().IsValid() {
			continue
		}
		from, to := fileOf(ident.Pos()), fileOf(object.Pos())
		if from == to {
			continue
		}
		if g[from][to] == nil {
			g[from][to] = make(map[string]bool)
		}
		g[from][to][object.Name()] = true
	}
	return g
}

// hubObjects returns the types in hubs and their fields.
func hubObjects(pkg *types.Package) map[types.Object]bool {
	skip := make(map[types.Object]bool)
	for _, name := range hubs {
		object := pkg.Scope().Lookup(name)
		if object == nil {
			continue
		}
		skip[object] = true
		if s, ok := object.Type().Underlying().(*types.Struct); ok {
			for field := range s.Fields() {
				skip[field] = true
			}
		}
	}
	return skip
}

// layers returns the files of each layer, the lowest layer first, and the rest. The rest
// are the files in a cycle and between cycles, and are empty without a cycle.
func (g graph) layers() (layers [][]string, rest []string) {
	placed := make(map[string]bool)
	rest = slices.Sorted(maps.Keys(g))
	for {
		var layer, above []string
		for _, file := range rest {
			if g.standsOn(file, placed) {
				layer = append(layer, file)
			} else {
				above = append(above, file)
			}
		}
		if len(layer) == 0 {
			return layers, g.withoutTop(rest)
		}
		for _, file := range layer {
			placed[file] = true
		}
		layers, rest = append(layers, layer), above
	}
}

// standsOn reports whether placed contains every file that the file refers to.
func (g graph) standsOn(file string, placed map[string]bool) bool {
	for to := range g[file] {
		if !placed[to] {
			return false
		}
	}
	return true
}

// withoutTop removes the files to which none of the other files refers, and repeats that
// until there are no more such files. It returns the files of the cycles and the files
// between them.
func (g graph) withoutTop(files []string) []string {
	for {
		kept := slices.DeleteFunc(slices.Clone(files), func(file string) bool {
			return !slices.ContainsFunc(files, func(from string) bool { return from != file && g[from][file] != nil })
		})
		if len(kept) == len(files) {
			return kept
		}
		files = kept
	}
}
