package googlesession_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

// exactly describes the one form of the header that names a session. The last character has
// the bits of the last byte only, so that each token has one spelling.
var exactly = regexp.MustCompile(`^[Bb][Ee][Aa][Rr][Ee][Rr] gs_[A-Za-z0-9_-]{58}[AEIMQUYcgkosw048]$`)

// A guard asks the store for exactly one form of the header, and for no other.
func FuzzAuthorizationHeader(f *testing.F) {
	value := strings.Repeat("A", 59)
	for _, seed := range []string{
		"", "Bearer", "Bearer ", "Bearer gs_" + value, "bearer gs_" + value, "Bearer  gs_" + value, "Bearer\tgs_" + value,
		"Bearer gs_" + value + " ", "Bearer gs_" + value[1:] + "=", "Bearer gs_" + value[1:] + "B", "Basic gs_" + value,
		"Bearer gs_" + value + ", Bearer gs_" + value, "Bearer GS_" + value, "BearerX gs_" + value, "Bearer gs_" + value[:30] + "\n" + value[31:],
	} {
		f.Add(seed)
	}
	store := &spy{store: memstore.New(nil)}
	m, err := googlesession.New(googlesession.Config{Sessions: store, Bearer: true})
	require.NoError(f, err)
	guard := m.RequireUser(http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{header}
		w, asked := httptest.NewRecorder(), store.count("CheckSession")
		guard.ServeHTTP(w, r)
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.Equal(t, exactly.MatchString(header), store.count("CheckSession") > asked, "%q", header)
	})
}
