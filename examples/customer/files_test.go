package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// The versions of the test's file. Only their names say which is which, so that the test
// does not depend on a compressor.
func testFile(t *testing.T) *file {
	t.Helper()
	f, err := readFile(fstest.MapFS{
		"a.css":    {Data: []byte("identity 0123456789")},
		"a.css.br": {Data: []byte("br 0123456789")},
		"a.css.gz": {Data: []byte("gzip 0123456789")},
	}, "a.css", "no-cache")
	require.NoError(t, err)
	return f
}

// getFile asks for the test's file. A header is "Name: value".
func getFile(t *testing.T, f *file, method string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/a.css", nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func TestAcceptEncoding(t *testing.T) {
	f := testFile(t)
	tests := []struct {
		name   string
		accept []string // header lines; nil means that the header is missing
		want   string   // coding, or "" for status 406
	}{
		{"no header", nil, "identity"},
		{"empty", []string{""}, "identity"},
		{"a browser", []string{"gzip, deflate, br, zstd"}, "br"},
		{"over HTTP", []string{"gzip, deflate"}, "gzip"},
		{"only br", []string{"br"}, "br"},
		{"two lines", []string{"gzip", "br"}, "br"},
		{"capitals", []string{"GZIP"}, "gzip"},
		{"the older name", []string{"x-gzip"}, "gzip"},
		{"the client's order does not count", []string{"gzip, br"}, "br"},
		{"weights count", []string{"br;q=0.5, gzip;q=0.8"}, "gzip"},
		{"a low weight wins over an identity that is not named", []string{"gzip;q=0.001"}, "gzip"},
		{"identity preferred", []string{"br;q=0.5, identity"}, "identity"},
		{"identity and br alike", []string{"br, identity"}, "br"},
		{"blanks around the weight", []string{"br ; q=0.1 , gzip ; Q=0.2"}, "gzip"},
		{"br refused", []string{"br;q=0, gzip"}, "gzip"},
		{"br refused in another spelling", []string{"br;q=0.000, gzip"}, "gzip"},
		{"all codings refused", []string{"br;q=0, gzip;q=0"}, "identity"},
		{"every coding", []string{"*"}, "br"},
		{"every coding except br", []string{"br;q=0, *"}, "gzip"},
		{"every coding, identity preferred", []string{"*;q=0.5, identity;q=0.6"}, "identity"},
		{"unknown codings", []string{"zstd, compress"}, "identity"},
		{"identity refused", []string{"identity;q=0, gzip"}, "gzip"},
		{"only identity refused", []string{"identity;q=0"}, ""},
		{"identity refused, unknown codings", []string{"zstd, identity;q=0"}, ""},
		{"everything refused", []string{"*;q=0"}, ""},
		{"everything refused except gzip", []string{"*;q=0, gzip;q=0.1"}, "gzip"},
		{"everything refused except identity", []string{"*;q=0, identity"}, "identity"},
		{"a weight above one is malformed", []string{"br;q=2, gzip"}, "gzip"},
		{"a negative weight is malformed", []string{"br;q=-1, gzip"}, "gzip"},
		{"a weight that is not a number", []string{"br;q=NaN, gzip"}, "gzip"},
		{"another parameter", []string{"br;level=1, gzip"}, "gzip"},
		{"empty items", []string{",, gzip,"}, "gzip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{}
			for _, line := range tt.accept {
				headers = append(headers, "Accept-Encoding: "+line)
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				res := getFile(t, f, method, headers...)
				require.Equal(t, "Accept-Encoding", res.Header().Get("Vary"))
				if tt.want == "" {
					require.Equal(t, http.StatusNotAcceptable, res.Code)
					require.Empty(t, res.Header().Get("ETag"))
					continue
				}
				require.Equal(t, http.StatusOK, res.Code)
				coding := res.Header().Get("Content-Encoding")
				require.Equal(t, strings.Replace(tt.want, "identity", "", 1), coding)
				want := tt.want + " 0123456789"
				require.Equal(t, strconv.Itoa(len(want)), res.Header().Get("Content-Length"))
				require.Equal(t, "text/css; charset=utf-8", res.Header().Get("Content-Type"))
				if method == http.MethodHead {
					want = ""
				}
				require.Equal(t, want, res.Body.String())
			}
		})
	}
}

// Each version has its own ETag, and ranges are those of the version.
func TestFileVersions(t *testing.T) {
	f := testFile(t)
	etags := map[string]string{}
	for _, coding := range []string{"br", "gzip", "identity"} {
		res := getFile(t, f, http.MethodGet, "Accept-Encoding: "+coding)
		etags[coding] = res.Header().Get("ETag")
		require.Regexp(t, `^"[-_0-9A-Za-z]{16}"$`, etags[coding])
	}
	require.NotEqual(t, etags["br"], etags["gzip"])
	require.NotEqual(t, etags["br"], etags["identity"])
	require.NotEqual(t, etags["gzip"], etags["identity"])

	tests := []struct {
		name    string
		headers []string
		status  int
		body    string
		coding  string
		length  string
	}{
		{"this version", []string{"If-None-Match: " + etags["br"]}, http.StatusNotModified, "", "", ""},
		{"one of several", []string{`If-None-Match: "x", ` + etags["br"]}, http.StatusNotModified, "", "", ""},
		{"the version of another coding", []string{"If-None-Match: " + etags["gzip"]}, http.StatusOK, "br 0123456789", "br", "13"},
		{"a range", []string{"Range: bytes=0-3"}, http.StatusPartialContent, "br 0", "br", "4"},
		{"the end", []string{"Range: bytes=-2"}, http.StatusPartialContent, "89", "br", "2"},
		{"a range of this version", []string{"Range: bytes=3-4", "If-Range: " + etags["br"]}, http.StatusPartialContent, "01", "br", "2"},
		{"a range of another version", []string{"Range: bytes=3-4", "If-Range: " + etags["gzip"]}, http.StatusOK, "br 0123456789", "br", "13"},
		{"a range behind the end", []string{"Range: bytes=13-"}, http.StatusRequestedRangeNotSatisfiable, "invalid range: failed to overlap\n", "", ""},
		{"another version is expected", []string{"If-Match: " + etags["gzip"]}, http.StatusPreconditionFailed, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := getFile(t, f, http.MethodGet, append(tt.headers, "Accept-Encoding: gzip, br")...)
			require.Equal(t, tt.status, res.Code)
			require.Equal(t, tt.body, res.Body.String())
			require.Equal(t, "Accept-Encoding", res.Header().Get("Vary"))
			if tt.status < 300 {
				require.Equal(t, tt.coding, res.Header().Get("Content-Encoding"))
				require.Equal(t, tt.length, res.Header().Get("Content-Length"))
				require.Equal(t, etags["br"], res.Header().Get("ETag"))
			}
		})
	}
}

// The compressed versions that the build has made hold what the files beside them hold. Go
// cannot read br; scripts/test compares these files in the stage web.
func TestCompressedFiles(t *testing.T) {
	for _, folder := range []string{"web/dist", "docs/swagger-ui"} {
		found := 0
		err := fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || mediaTypes[path.Ext(name)] == "" || name == "index.html" {
				return err
			}
			name = path.Join(folder, name)
			require.Equal(t, readText(t, name), unzip(t, readText(t, name+".gz")), name)
			require.NotEmpty(t, readText(t, name+".br"))
			found++
			return nil
		})
		require.NoError(t, err)
		require.GreaterOrEqual(t, found, 3, folder)
	}
}

// The server compresses by itself what the build does not, such as the page and the
// contract of the API, and the answer is also valid with the status 404.
func TestServerCompresses(t *testing.T) {
	s := start(t, "-db", "memory")
	for path, status := range map[string]int{"/": http.StatusOK, "/nothing": http.StatusNotFound, "/openapi.json": http.StatusOK, "/docs": http.StatusOK} {
		plain := s.get(t, newBrowser(t), path, "Accept-Encoding: identity")
		zipped := s.get(t, newBrowser(t), path, "Accept-Encoding: gzip")
		require.Equal(t, status, plain.status, path)
		require.Equal(t, status, zipped.status, path)
		require.Empty(t, plain.header.Get("Content-Encoding"), path)
		require.Equal(t, "gzip", zipped.header.Get("Content-Encoding"), path)
		require.Contains(t, zipped.header.Values("Vary"), "Accept-Encoding", path)
		require.Less(t, len(zipped.body), len(plain.body), path)
		require.Equal(t, plain.body, unzip(t, zipped.body), path)
	}
	res := s.get(t, newBrowser(t), "/", "Accept-Encoding: identity;q=0")
	require.Equal(t, http.StatusNotAcceptable, res.status)
}

func unzip(t *testing.T, zipped string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(zipped))
	require.NoError(t, err)
	var text bytes.Buffer
	_, err = io.Copy(&text, r) //nolint:gosec // the test has compressed the text itself
	require.NoError(t, err)
	return text.String()
}
