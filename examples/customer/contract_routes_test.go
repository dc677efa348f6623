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

// undocumentedRoutes maps routes that are not part of the API to the reason.
var undocumentedRoutes = map[string]string{
	"/api/":                          "the library's handler, which has its own document",
	"/api":                           "the page for an unknown path",
	"/":                              "the front end",
	"GET /docs":                      "a page",
	"GET /docs/docs.css":             "a file that a page loads",
	"GET /docs/docs.js":              "a file that a page loads",
	"GET /docs/theme.js":             "a file that a page loads",
	"GET /docs/swagger-ui.css":       "a file that a page loads",
	"GET /docs/swagger-ui-bundle.js": "a file that a page loads",
	"GET /docs/swagger-ui-bundle.js.LICENSE.txt": "a file to which a script refers",
	"GET /openapi.json":                          "the document itself",
	demoScript:                                   "a file that a page loads",
}

// TestContractHasEveryRoute reads the routes from the source, because ServeMux does not
// list them.
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
		require.Contains(t, excused, route, "undocumentedRoutes lists a route that does not exist")
	}
}

// routesInSource returns the first arguments of all calls of Handle, HandleFunc and
// functions named handle. The arguments must be constants.
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
	// Constants can be evaluated without the imports, so errors about imports are ignored.
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
				// The call is inside a function named handle, whose callers are inspected, too.
				require.Equal(t, "pattern", identName(call.Args[0]), "%s: the route is not a constant", set.Position(call.Pos()))
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

// The library's tests compare its routes with its document. This test compares the
// library's routes on this server with the server's document.
func TestContractHasLibraryRoutes(t *testing.T) {
	s, _ := startApp(t, "-db", "memory", "-bind", "offer")
	c := newContractCheck(t, []byte(s.get(t, newBrowser(t), "/openapi.json").body))
	for path := range parseContract(googlesession.OpenAPI()).Paths {
		res := s.request(t, newBrowser(t), "PUT", "/api"+path, "")
		require.Equal(t, c.allowedMethods("/api"+path), res.header.Get("Allow"), path)
	}
}
