package bench

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
	"time"

	memstore "github.com/googlesession/googlesession/store_memory"
)

const nothing = "nothing"

// anonymous returns a site without authentication. The time of its requests is the cost of
// measuring.
func anonymous() Site {
	return Site{nothing, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "107000000000000000001")
	}), []string{""}}
}

const lookUp = "cookie + SHA-256 + map"

// A sessionMap is the limit that stores in memory are compared with. It does only what
// every look-up of a session by a secret has to do. It hashes the cookie's value, looks up
// the hash in a map behind a lock, and asks the clock whether the session has expired. It
// has as many shards as memstore.
type sessionMap [64]struct {
	sync.RWMutex

	sessions map[[32]byte]mappedSession
}

type mappedSession struct {
	user    string
	expires int64
}

func newSessionMap(size int) *sessionMap {
	m := &sessionMap{}
	for i := range m {
		m[i].sessions = make(map[[32]byte]mappedSession)
	}
	expires := time.Now().Add(lifetime).UnixMilli()
	var user string
	for i := range size {
		if i%perUser == 0 {
			user = userID(i)
		}
		token, _ := tokenOf(i)
		id := sha256.Sum256([]byte(token))
		m[id[0]%64].sessions[id] = mappedSession{user, expires}
	}
	return m
}

func (m *sessionMap) site(cookies []string) Site {
	return limit(lookUp, cookies, func(_ *http.Request, token string) (string, error) {
		var buf [128]byte // avoids the allocation that []byte(token) would make
		id := sha256.Sum256(append(buf[:0], token...))
		shard := &m[id[0]%64]
		shard.RLock()
		session, ok := shard.sessions[id]
		shard.RUnlock()
		if !ok || time.Now().UnixMilli() >= session.expires {
			return "", errNoSession
		}
		return session.user, nil
	})
}

// newMemstore returns a memory store with the sessions whose numbers are 0 to size-1.
func newMemstore(size int) *memstore.Store {
	store := memstore.New(&memstore.Options{MaxSessions: 2 * size})
	fillMemory(store, size)
	return store
}

const verifyRSA = "RSA verification"

// rsaVerify returns the limit that verifiers of RS256 tokens are compared with. It verifies
// one signature. The key has 2048 bits, as Google's keys have.
func rsaVerify() Subject {
	key := must1(rsa.GenerateKey(rand.Reader, 2048))
	sum := sha256.Sum256([]byte("signed"))
	signature := must1(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:]))
	return Subject{verifyRSA, func() func() {
		return func() { must(rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature)) }
	}}
}

// inMemory compares the sites that answer without asking another process.
func (r *Run) inMemory() {
	size := r.pick(100_000, 1000)
	headers := cookies(size, size)
	store := newMemstore(size)
	hs256, rs256 := jwtSites(r.pick(1000, 20))
	g := Group{
		Title: "A request, in memory", Workers: r.cpus,
		Text: sprint("%d sessions, %d of each user, in random order.", size, perUser),
		Subjects: []Subject{
			anonymous().Subject(),
			newSessionMap(size).site(headers).Subject(),
			ours(store, headers).Subject(),
			recording(store, headers).Subject(),
			scsInMemory(size, false).Subject(),
			scsInMemory(size, true).Subject(),
			hs256.Subject(),
			rs256.Subject(),
			rsaVerify(),
		},
		Targets: []Target{{Subject: "googlesession", Limit: lookUp, Most: 1.5, Serial: true, Allocs: 6}},
	}
	r.group(g)
}
