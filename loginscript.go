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

// The parts of login.js. Each file has a subject of its own. GET login.js answers with all of
// them, so that a page needs one tag and one request.
var (
	//go:embed loginscript/login.js
	loginScriptMain []byte
	//go:embed loginscript/page.js
	loginScriptPage []byte
	//go:embed loginscript/options.js
	loginScriptOptions []byte
	//go:embed loginscript/attributes.js
	loginScriptAttributes []byte
	//go:embed loginscript/texts.json
	loginScriptTexts []byte
)

// newLoginScript returns login.js. The parts share one function scope, so that they define
// no global names in the page. The part with the documentation comes first. run is called
// last, because it needs all parts.
func newLoginScript() []byte {
	return slices.Concat(
		[]byte("(() => {\n\"use strict\";\n"),
		loginScriptMain,
		[]byte("const texts = "), bytes.TrimSpace(loginScriptTexts), []byte(";\n"),
		loginScriptPage,
		loginScriptOptions,
		loginScriptAttributes,
		[]byte("run();\n})();\n"))
}

// serveScript returns the handler of GET login.js. The script does not depend on the
// request. With each page a browser asks whether the ETag has changed, and gets 304 if it
// has not. So a new version of the library replaces the script at once.
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
