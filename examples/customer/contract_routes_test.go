package main

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// undocumentedRoutes are routes that are no part of the API.
var undocumentedRoutes = map[string]string{
	"/api/":                          "the library's, which has a document of its own",
	"/api":                           "a page: there is nothing here",
	"/":                              "the front end",
	"GET /docs":                      "a page",
	"GET /docs/docs.css":             "what a page loads",
	"GET /docs/docs.js":              "what a page loads",
	"GET /docs/swagger-ui.css":       "what a page loads",
	"GET /docs/swagger-ui-bundle.js": "what a page loads",
	"GET /docs/swagger-ui-bundle.js.LICENSE.txt": "what a file refers to",
	"GET /openapi.json":                          "the document itself",
	demoScript:                                   "what a page loads",
}

// TestContractHasEveryRoute looks for routes in the source, because ServeMux does not
// tell what it has.
func TestContractHasEveryRoute(t *testing.T) {
	c := newContractCheck(t, newContract())
	excused := map[string]bool{}
	for _, route := range routesInSource(t) {
		_, _, hasMethod := strings.Cut(route, " ")
		switch {
		case undocumentedRoutes[route] != "":
			excused[route] = true
		case hasMethod:
			_, documented := c.operations[route]
			require.True(t, documented, "%s is not in the document", route)
		default:
			require.NotEmpty(t, c.allowedMethods(route), "%s is not in the document", route)
		}
	}
	for route := range undocumentedRoutes {
		require.Contains(t, excused, route, "an excuse for nothing")
	}
}

// routesInSource returns the first arguments of calls of Handle, HandleFunc and of
// functions called handle, which have to be constants.
func routesInSource(t *testing.T) (routes []string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	// Constants need no imports, so what is said of those is no matter.
	_, _ = (&types.Config{Error: func(error) {}}).Check("main", set, files, info)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || !slices.Contains([]string{"Handle", "HandleFunc", "handle"}, identName(call.Fun)) {
				return true
			}
			if value := info.Types[call.Args[0]].Value; value != nil {
				routes = append(routes, constant.StringVal(value))
			} else {
				// Of a function handle, whose calls are looked at as well.
				require.Equal(t, "pattern", identName(call.Args[0]), "%s: no constant", set.Position(call.Pos()))
			}
			return true
		})
	}
	return routes
}

func identName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// The library's routes and its document are compared in its own tests. Here what the
// server has of them is compared with what it says that it has.
func TestContractHasTheLibrarysRoutes(t *testing.T) {
	s, _ := startApp(t, "-db", "memory")
	c := newContractCheck(t, []byte(s.get(t, newBrowser(t), "/openapi.json").body))
	for path := range parseContract(googlesession.OpenAPI()).Paths {
		res := s.request(t, newBrowser(t), "PUT", "/api"+path, "")
		require.Equal(t, c.allowedMethods("/api"+path), res.header.Get("Allow"), path)
	}
}
