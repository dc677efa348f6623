package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// webFiles is the front end as "npm run build" in the folder web writes it. It is
// committed, so that running the program does not need Node.
//
//go:embed web/dist
var webFiles embed.FS

// web serves the front end, which is one page and the files that it loads. The page is
// the same for every user, because it asks the API who is signed in.
type web struct {
	page      *file
	styleHash string           // of the style in the page, for the Content-Security-Policy
	files     map[string]*file // by path
}

// newWeb returns the front end. The page has a link to the sign-in by redirect if
// hasRedirect is true.
func newWeb(hasRedirect bool) (*web, error) {
	dist, err := fs.Sub(webFiles, "web/dist")
	if err != nil {
		return nil, err
	}
	s := &web{files: make(map[string]*file)}
	err = fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if name == "index.html" {
			return s.readPage(dist, name, hasRedirect)
		}
		if _, ok := mediaTypes[path.Ext(name)]; !ok { // sources.sha256 is not served, and compressed files only in place of others
			return nil
		}
		cache := "no-cache"
		if strings.HasPrefix(name, "assets/") {
			cache = "public, max-age=31536000, immutable" // the name contains a hash of the content
		}
		s.files["/"+name], err = readFile(dist, name, cache)
		return err
	})
	s.files["/favicon.ico"] = s.files["/icon.svg"] // browsers ask for /favicon.ico if a page does not name an icon
	return s, err
}

// readPage reads the page. Its style is inline, so that the browser shows the page's text
// before it has loaded anything else. The policy allows this style by its hash and no other.
func (s *web) readPage(dist fs.FS, name string, hasRedirect bool) error {
	content, err := fs.ReadFile(dist, name)
	before, rest, _ := bytes.Cut(content, []byte("<!-- redirect -->"))
	_, after, found := bytes.Cut(rest, []byte("<!-- /redirect -->"))
	if found && !hasRedirect {
		content = slices.Concat(before, after)
	}
	_, rest, _ = bytes.Cut(content, []byte("<style>"))
	if style, _, found := bytes.Cut(rest, []byte("</style>")); found {
		sum := sha256.Sum256(style)
		s.styleHash = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	s.page = newFile(mediaTypes[".html"], "no-store", content) // the next person at this browser must not see what the page showed
	return err
}

// ServeHTTP answers every path that has no other route. It serves the page for an
// unknown path, too, with status 404. The page then says that the path does not exist.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, isFile := s.files[r.URL.Path]
	switch known := isFile || isPage(r.URL.Path); {
	case known && r.Method != http.MethodGet && r.Method != http.MethodHead:
		methodNotAllowed("GET, HEAD")(w, r)
	case isFile:
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			// Browsers apply these headers to documents. On scripts and style sheets they would be
			// a tenth of what the first page loads.
			for _, name := range []string{"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy"} {
				w.Header().Del(name)
			}
		}
		f.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/assets/"): // a page of another version asks for a script or style that this version lacks
		http.NotFound(w, r)
	case known:
		s.page.serveAs(w, r, http.StatusOK)
	default:
		s.page.serveAs(w, r, http.StatusNotFound)
	}
}

//go:embed web/src/pages.json
var pagesJSON []byte

// pages matches the paths at which the front end has a page. router.js has the same list.
var pages = parsePages(pagesJSON)

// parsePages returns a pattern for each path. A part such as :id stands for one part of any
// text. It panics if the list cannot be read, because the list is part of the program.
func parsePages(list []byte) (patterns []*regexp.Regexp) {
	var paths []string
	if err := json.Unmarshal(list, &paths); err != nil {
		panic("pages.json: " + err.Error())
	}
	for _, p := range paths {
		patterns = append(patterns, regexp.MustCompile("^"+pagePart.ReplaceAllString(p, "[^/]+")+"$"))
	}
	return patterns
}

var pagePart = regexp.MustCompile(`:\w+`)

// isPage reports whether the front end has a page at path p.
func isPage(p string) bool {
	return slices.ContainsFunc(pages, func(pattern *regexp.Regexp) bool { return pattern.MatchString(p) })
}
