package googlesession_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// The format of cookies and references must not change, because stores and servers of
// different versions share them.
func TestTokenFormat(t *testing.T) {
	m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}, Generation: "g"})
	require.NoError(t, err)
	token, ref := m.NewToken("alice")
	require.Regexp(t, `^[A-Za-z0-9_-]{59}$`, token)

	tag := sha256.Sum256([]byte("gs-tag/1\x00alice"))
	require.Equal(t, tag[:12], ref.Tag[:])
	require.Equal(t, ref.Tag, googlesession.UserTag("alice"))
	require.True(t, strings.HasPrefix(token, base64.RawURLEncoding.EncodeToString(tag[:12])))
	require.Equal(t, sha256.Sum256([]byte("gs-id/1\x00g\x00"+token)), ref.ID)
	require.NotContains(t, ref.String(), token[16:])

	again, ok := m.RefOf(token)
	require.True(t, ok)
	require.Equal(t, ref, again)
}

func TestTokensAreUnique(t *testing.T) {
	m, err := googlesession.New(googlesession.Config{Sessions: admitsAll{}})
	require.NoError(t, err)
	seen := make(map[string]bool, 100_000)
	for range 100_000 {
		token, _ := m.NewToken("alice")
		require.False(t, seen[token])
		seen[token] = true
	}
}

func TestParseRef(t *testing.T) {
	want := googlesession.Ref{Tag: [12]byte{1, 2}, ID: [32]byte{3, 255}}
	s := want.String()
	require.Len(t, s, 59)
	got, err := googlesession.ParseRef(s)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for _, bad := range []string{"", s[:58], s + "A", strings.Replace(s, "A", "+", 1), s[:58] + "B", s[:57] + "\r\n", s + "="} {
		_, err := googlesession.ParseRef(bad)
		require.Error(t, err, "ParseRef(%q)", bad)
	}
}

func TestUserTagOfLongIDs(t *testing.T) {
	id := strings.Repeat("x", 5000)
	sum := sha256.Sum256([]byte("gs-tag/1\x00" + id))
	require.Equal(t, [12]byte(sum[:12]), googlesession.UserTag(id))
}
