package googlesession

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"slices"
	"time"
)

// The parts of login.js. They are separate files because each has a subject of its own,
// and one answer because a page then needs one tag and one request.
var (
	//go:embed loginscript/login.js
	loginScriptMain []byte
	//go:embed loginscript/page.js
	loginScriptPage []byte
	//go:embed loginscript/options.js
	loginScriptOptions []byte
	//go:embed loginscript/texts.json
	loginScriptTexts []byte
)

// newLoginScript returns login.js. The parts share one function scope, so that they define
// nothing in the page. The part with the documentation comes first, and run is called last.
func newLoginScript() []byte {
	return slices.Concat(
		[]byte("(() => {\n\"use strict\";\n"),
		loginScriptMain,
		[]byte("const texts = "), bytes.TrimSpace(loginScriptTexts), []byte(";\n"),
		loginScriptPage,
		loginScriptOptions,
		[]byte("run();\n})();\n"))
}

// serveScript returns the handler of login.js, which is the same for every browser.
// Browsers ask for it with each page and get 304 while the ETag is the same, so that a
// new version of the library replaces the script at once.
func serveScript() http.HandlerFunc {
	script := newLoginScript()
	sum := sha256.Sum256(script)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
	}
}
