package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// webFiles is the front end as "npm run build" in the folder web writes it. It is
// committed, so that running the program does not need Node.
//
//go:embed web/dist
var webFiles embed.FS

// web serves the front end, which is one page and the files that it loads. The page is
// the same for every user, because it asks the API who is signed in.
type web struct {
	index []byte
	files map[string]http.Handler // by path
}

func newWeb() (*web, error) {
	dist, err := fs.Sub(webFiles, "web/dist")
	if err != nil {
		return nil, err
	}
	s := &web{files: make(map[string]http.Handler)}
	err = fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dist, name)
		if name == "index.html" {
			s.index = content
		} else if media, ok := mediaTypes[path.Ext(name)]; ok { // ok is false for sources.sha256, which is not served
			s.files["/"+name] = newFileHandler(name, media, content)
		}
		return err
	})
	s.files["/favicon.ico"] = s.files["/icon.svg"] // browsers ask for /favicon.ico if a page does not name an icon
	return s, err
}

// mediaTypes maps file extensions to media types. Package mime would read the system's
// table, which may have other types or none.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".md":  "text/plain; charset=utf-8", // licenses
	".svg": "image/svg+xml",
}

// newFileHandler serves one file. The name of a file in assets/ contains a hash of its
// content, so browsers may keep the file for ever.
func newFileHandler(name, media string, content []byte) http.Handler {
	cache := "no-cache"
	if strings.HasPrefix(name, "assets/") {
		cache = "public, max-age=31536000, immutable"
	}
	sum := sha256.Sum256(content)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", media)
		h.Set("Cache-Control", cache)
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}

// ServeHTTP answers every path that has no other route. It serves the page for an
// unknown path, too, with status 404. The page then says that the path does not exist.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, isFile := s.files[r.URL.Path]
	switch known := isFile || isPage(r.URL.Path); {
	case known && r.Method != http.MethodGet && r.Method != http.MethodHead:
		methodNotAllowed("GET, HEAD")(w, r)
	case isFile:
		f.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/assets/"): // a page of another version asks for a script or style that this version lacks
		http.NotFound(w, r)
	case known:
		s.servePage(w, http.StatusOK)
	default:
		s.servePage(w, http.StatusNotFound)
	}
}

func (s *web) servePage(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(s.index)))
	h.Set("Cache-Control", "no-store") // the next person at this browser must not see what the page showed
	w.WriteHeader(status)
	_, _ = w.Write(s.index)
}

// isPage reports whether the front end has a page at path p. The list of pages must match
// the list in router.js.
func isPage(p string) bool {
	switch p {
	case "/", "/login", "/customer", "/devices", "/admin", "/admin/invitations", "/admin/audit":
		return true
	}
	id, found := strings.CutPrefix(p, "/admin/users/")
	return found && id != "" && !strings.Contains(id, "/")
}
