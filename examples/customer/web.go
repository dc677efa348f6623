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

// The front end, as "npm run build" in web leaves it: running the program needs no
// Node.
//
//go:embed web/dist
var webFiles embed.FS

// web serves the front end. It is one page and what that page loads; the page finds
// out from the API who is here, so it is the same for everybody.
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
		} else if media, ok := mediaTypes[path.Ext(name)]; ok { // not sources.sha256
			s.files["/"+name] = newFileHandler(name, media, content)
		}
		return err
	})
	s.files["/favicon.ico"] = s.files["/icon.svg"] // where browsers look that were shown no page
	return s, err
}

// mediaTypes are said here: the system's table may have others, or none.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".md":  "text/plain; charset=utf-8", // licenses
	".svg": "image/svg+xml",
}

// newFileHandler serves one file. The name of an asset has a hash of its content in it, so it
// never changes.
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

// ServeHTTP answers what no other route does. A path that the front end does not
// know gets the page, too, which says so.
func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, isFile := s.files[r.URL.Path]
	switch known := isFile || isPage(r.URL.Path); {
	case known && r.Method != http.MethodGet && r.Method != http.MethodHead:
		methodNotAllowed("GET, HEAD")(w, r)
	case isFile:
		f.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/assets/"): // of another version; a page would help nobody
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
	h.Set("Cache-Control", "no-store") // what is shown in it is not for whoever comes next
	w.WriteHeader(status)
	_, _ = w.Write(s.index)
}

// isPage knows the front end's paths, as router.js does.
func isPage(p string) bool {
	switch p {
	case "/", "/login", "/customer", "/devices", "/admin", "/admin/invitations", "/admin/audit":
		return true
	}
	id, found := strings.CutPrefix(p, "/admin/users/")
	return found && id != "" && !strings.Contains(id, "/")
}
