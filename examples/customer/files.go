package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// mediaTypes maps file extensions to media types. Package mime would read the system's
// table, which may have other types or none.
var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/plain; charset=utf-8", // licenses
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8", // licenses
}

// A file is served from memory, in the coding that the browser prefers.
type file struct {
	media, cache string
	versions     []version // with br, with gzip, and without a coding
}

// A version is the content of a file in one coding.
type version struct {
	coding  string // "br", "gzip" or "identity"
	content []byte
	etag    string // differs between the codings, because their bytes do (RFC 9110, section 8.8.3.3)
}

// readFile reads a file and the compressed versions that the build has put beside it. It
// compresses a file that has none.
func readFile(fsys fs.FS, name, cache string) (*file, error) {
	content, err := fs.ReadFile(fsys, name)
	zipped, errZipped := fs.ReadFile(fsys, name+".gz")
	small, errSmall := fs.ReadFile(fsys, name+".br")
	switch media := mediaTypes[path.Ext(name)]; {
	case errZipped == nil && errSmall == nil:
		return &file{media, cache, []version{newVersion("br", small), newVersion("gzip", zipped), newVersion("identity", content)}}, err
	case errors.Is(errZipped, fs.ErrNotExist) && errors.Is(errSmall, fs.ErrNotExist):
		return newFile(media, cache, content), err
	default:
		return nil, errors.Join(err, errZipped, errSmall)
	}
}

// newFile returns a file that it compresses itself. Go's standard library has gzip only.
func newFile(media, cache string, content []byte) *file {
	var zipped bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // an error would mean another level than this one
	_, _ = w.Write(content)                                    // a Buffer returns no error
	_ = w.Close()
	return &file{media, cache, []version{newVersion("gzip", zipped.Bytes()), newVersion("identity", content)}}
}

func newVersion(coding string, content []byte) version {
	sum := sha256.Sum256(content)
	return version{coding, content, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, ok := f.choose(w, r)
	if !ok {
		return
	}
	w.Header().Set("ETag", v.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(v.content))
}

// serveAs serves the whole file with the status.
func (f *file) serveAs(w http.ResponseWriter, r *http.Request, status int) {
	if v, ok := f.choose(w, r); ok {
		w.WriteHeader(status)
		_, _ = w.Write(v.content) // an error means that the browser has gone
	}
}

// choose returns the version that the browser prefers and sets its headers. If the browser
// accepts none, it answers 406 and returns false.
func (f *file) choose(w http.ResponseWriter, r *http.Request) (version, bool) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	accepted := parseAcceptEncoding(r.Header.Values("Accept-Encoding"))
	var best version
	var bestWeight float64
	for _, v := range f.versions {
		if weight := accepted.weight(v.coding); weight > bestWeight {
			best, bestWeight = v, weight
		}
	}
	if bestWeight == 0 {
		http.Error(w, "406 not acceptable: allow gzip or identity in Accept-Encoding", http.StatusNotAcceptable)
		return version{}, false
	}
	h.Set("Content-Type", f.media)
	h.Set("Cache-Control", f.cache)
	h.Set("Content-Length", strconv.Itoa(len(best.content))) // ServeContent leaves it out if there is a coding
	if best.coding != "identity" {
		h.Set("Content-Encoding", best.coding)
	}
	return best, true
}

// acceptedCodings has the weights of an Accept-Encoding header by coding (RFC 9110, section
// 12.5.3).
type acceptedCodings map[string]float64

func parseAcceptEncoding(values []string) acceptedCodings {
	accepted := acceptedCodings{}
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, parameter, _ := strings.Cut(item, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding == "x-gzip" { // an older name (RFC 9110, section 8.4.1.3)
			coding = "gzip"
		}
		if coding != "" {
			accepted[coding] = parseWeight(strings.TrimSpace(parameter))
		}
	}
	return accepted
}

// parseWeight returns the weight in a parameter such as "q=0.5". It returns 1 for "", and 0
// for anything that is not a weight.
func parseWeight(parameter string) float64 {
	if parameter == "" {
		return 1
	}
	name, value, _ := strings.Cut(parameter, "=")
	q, err := strconv.ParseFloat(value, 64)
	if !strings.EqualFold(name, "q") || err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// weight returns how much the browser prefers the coding. It is 0 if the browser does not
// accept the coding.
func (a acceptedCodings) weight(coding string) float64 {
	if q, ok := a[coding]; ok {
		return q
	}
	if q, ok := a["*"]; ok {
		return q
	}
	if coding == "identity" {
		return 0.0001 // acceptable unless it is refused, but every coding in the list is preferred
	}
	return 0
}
