package recipes_test

import (
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
	"github.com/googlesession/googlesession/googletoken"
	memstore "github.com/googlesession/googlesession/store_memory"
)

const clientID = "client.apps.googleusercontent.com"

// newManager returns a Manager with a memory store, and its stand-in for Google. If edit is
// not nil, it may change the configuration.
func newManager(t *testing.T, edit func(*googlesession.Config)) (*googlesession.Manager, *googletest.Google) {
	t.Helper()
	google := googletest.NewGoogle(clientID)
	verifier, err := googletoken.New(googletoken.Config{ClientIDs: []string{clientID}, HTTPClient: google.Client()})
	require.NoError(t, err)
	cfg := googlesession.Config{Sessions: memstore.New(nil), Verifier: verifier, LoginPage: "/login"}
	if edit != nil {
		edit(&cfg)
	}
	m, err := googlesession.New(cfg)
	require.NoError(t, err)
	return m, google
}

// api mounts the library's routes under /api on a ServeMux.
func api(m *googlesession.Manager) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	return mux
}

// A headerTransport sends every request with one more header.
type headerTransport struct {
	http.RoundTripper

	name, value string
}

func (h headerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return h.RoundTripper.RoundTrip(r)
}

// installed returns the path of a program. Without it the test is skipped. With
// GOOGLESESSION_TEST_ALL it fails.
func installed(t *testing.T, name string) string {
	t.Helper()
	path := "/usr/sbin/" + name // where Debian has nginx; PATH of an ordinary user lacks it
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("GOOGLESESSION_TEST_ALL") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	return path
}
