package googletest_test

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/googlesession/googlesession/googletest"
)

// A boundServer is an application with device-bound sessions. It shares no code with the
// library and with the browser under test.
type boundServer struct {
	*http.ServeMux

	editConfig       func(map[string]any)                          // changes the configuration of a registration
	editRegistration func(header string) string                    // changes Secure-Session-Registration
	refresh          func(http.ResponseWriter, *http.Request) bool // answers a refresh instead of the server, and returns true
	setCookie        string                                        // the attributes of the bound cookie but Max-Age

	mu       sync.Mutex
	sessions map[string]*boundRecord // by ID
	log      []string                // "POST /dbsc/refresh 403 proof", for example
	proofs   []string
	skipped  []string
	posts    []*http.Request // the registrations and refreshes
}

// A boundRecord is a session. The session cookie is the ID, a dot and the secret.
type boundRecord struct {
	secret, offer string
	macKey        []byte
	key           *ecdsa.PublicKey
	since         time.Time // when the first refresh came; zero if the session is not enforced
	ended         bool
}

const boundAttributes = "Path=/; Secure; HttpOnly; SameSite=Lax"

func newBoundServer(g *googletest.Google) *boundServer {
	s := &boundServer{ServeMux: http.NewServeMux(), sessions: map[string]*boundRecord{}, setCookie: boundAttributes}
	s.HandleFunc("GET /api/login", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"client_id": g.ClientID(), "nonce": "n"})
	})
	s.HandleFunc("POST /api/login", s.signIn)
	s.HandleFunc("POST /dbsc/register", s.serveRegister)
	s.HandleFunc("POST /dbsc/refresh", s.serveRefresh)
	s.HandleFunc("/", s.hello)
	return s
}

func (s *boundServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := &statusWriter{ResponseWriter: w, status: 200}
	s.ServeMux.ServeHTTP(status, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprint(r.Method, " ", r.URL.Path, " ", status.status)
	if proofs := r.Header["Secure-Session-Response"]; proofs != nil {
		line += " proof"
		s.proofs = append(s.proofs, proofs...)
	}
	s.log = append(s.log, line)
	s.skipped = append(s.skipped, r.Header["Secure-Session-Skipped"]...)
	if strings.HasPrefix(r.URL.Path, "/dbsc/") {
		s.posts = append(s.posts, r)
	}
}

// taken returns the lines of the log since the last call.
func (s *boundServer) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log
	s.log = nil
	return log
}

// signIn makes a session.
func (s *boundServer) signIn(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, record := rand.Text(), &boundRecord{secret: rand.Text(), offer: rand.Text(), macKey: []byte(rand.Text())}
	s.sessions[id] = record
	header := `(ES256 RS256);path="/dbsc/register";challenge="` + record.offer + `"`
	if s.editRegistration != nil {
		header = s.editRegistration(header)
	}
	w.Header().Set("Secure-Session-Registration", header)
	w.Header().Add("Set-Cookie", "__Host-Http-session="+id+"."+record.secret+"; Max-Age=43200; "+boundAttributes)
	w.Header().Add("Set-Cookie", "__Host-bound=; Max-Age=0; "+boundAttributes)
}

func (s *boundServer) serveRegister(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, record := s.session(r)
	proof, err := onlyProof(r)
	if record == nil || err != nil || proof.verify(proof.registered) != nil || proof.challenge != record.offer || record.key != nil {
		http.Error(w, "refused", http.StatusBadRequest)
		return
	}
	record.key = proof.registered
	s.grant(w, id, record, 60)
	config := map[string]any{
		"session_identifier": id, "refresh_url": "/dbsc/refresh",
		"scope":                      map[string]any{"include_site": false},
		"credentials":                []any{map[string]any{"type": "cookie", "name": "__Host-bound", "attributes": boundAttributes}},
		"allowed_refresh_initiators": []any{"*"},
	}
	if s.editConfig != nil {
		s.editConfig(config)
	}
	_ = json.NewEncoder(w).Encode(config)
}

func (s *boundServer) serveRefresh(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.refresh
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.Header.Get("Sec-Secure-Session-Id")
	record := s.sessions[id]
	if _, cookie := s.session(r); record == nil || record.ended || r.Header.Get("Cookie") != "" && cookie != record {
		_, _ = fmt.Fprintf(w, `{"session_identifier":%q,"continue":false}`, id)
		return
	}
	if r.Header["Secure-Session-Response"] == nil {
		s.challenge(w, id, record)
		return
	}
	proof, err := onlyProof(r)
	if err != nil || proof.registered != nil || proof.verify(record.key) != nil {
		http.Error(w, "refused", http.StatusBadRequest)
		return
	}
	if !record.stamped("challenge", proof.challenge, 0) {
		s.challenge(w, id, record)
		return
	}
	if record.since.IsZero() {
		record.since = time.Now()
	}
	s.grant(w, id, record, 600)
}

// hello is a page that needs a session. Its text is "bound" if a proof was needed.
func (s *boundServer) hello(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, record := s.session(r)
	switch {
	case record == nil || record.ended:
		w.WriteHeader(http.StatusUnauthorized)
	case record.since.IsZero():
		_, _ = io.WriteString(w, "unbound")
	case record.proved(r) || time.Since(record.since) < 30*time.Second:
		_, _ = io.WriteString(w, "bound")
	default:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// session returns the session of the request's cookie, or nil.
func (s *boundServer) session(r *http.Request) (string, *boundRecord) {
	cookies := r.CookiesNamed("__Host-Http-session")
	if len(cookies) != 1 {
		return "", nil
	}
	id, secret, _ := strings.Cut(cookies[0].Value, ".")
	if record := s.sessions[id]; record != nil && record.secret == secret {
		return id, record
	}
	return "", nil
}

// grant sets the bound cookie.
func (s *boundServer) grant(w http.ResponseWriter, _ string, record *boundRecord, seconds int) {
	stamp := record.stamp("cookie", time.Now().Add(time.Duration(seconds)*time.Second))
	w.Header().Add("Set-Cookie", fmt.Sprintf("__Host-bound=%s; Max-Age=%d; %s", stamp, seconds, s.setCookie))
}

// challenge refuses a refresh with a new challenge, which is good for ten minutes.
func (s *boundServer) challenge(w http.ResponseWriter, id string, record *boundRecord) {
	stamp := record.stamp("challenge", time.Now().Add(5*time.Minute))
	w.Header().Set("Secure-Session-Challenge", fmt.Sprintf("%q;id=%q", stamp, id))
	w.WriteHeader(http.StatusForbidden)
}

func (r *boundRecord) stamp(kind string, end time.Time) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(end.UnixMilli()))
	mac := hmac.New(sha256.New, r.macKey)
	mac.Write(append([]byte(kind), text...))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(text))
}

// stamped reports whether the text is a stamp of this kind that is at most slack too old.
func (r *boundRecord) stamped(kind, text string, slack time.Duration) bool {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) != 8+sha256.Size {
		return false
	}
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(data))) //nolint:gosec // 48 bits
	return r.stamp(kind, end) == text && time.Now().Before(end.Add(slack))
}

func (r *boundRecord) proved(request *http.Request) bool {
	cookies := request.CookiesNamed("__Host-bound")
	return len(cookies) == 1 && r.stamped("cookie", cookies[0].Value, time.Minute)
}

// A statusWriter keeps the status of a response.
type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
