package googlesession_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// What Chromium 156 has sent, with a software key.
const (
	chromiumRegistration = "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImwzNEtkNEFpcUtvb1pJVlBvYTB1dnQ5Vm0zSnktUGZvb1JyVDZTNzVUSnciLCJ5IjoiSG5nT3hGdWJGdkNPSzUzbmo0RnRKQ19jSE9TanJlYjNUR3Q2eDNoQ2x1RSJ9LCJ0eXAiOiJkYnNjK2p3dCJ9.eyJqdGkiOiI2RlpfUTdTQjlJdm9rSXpKWkpWWk56a19CNjlPNVlyYkVQbHZRN29Lc0Q4In0.nCgkUaKkjpQeI6jK4L1FheOuzaNhvNb6PKGJVCYc0PRfffA0fgu_AQvl6Fc1oxoJruDtZ26v-GLASDeH2e4nzw"
	chromiumRefresh      = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRic2Mrand0In0.eyJqdGkiOiJBYUlqTUpLX1dRUU9VSUJfVmZkY21fYTdfdGlsTjlQb0o3RC1JczNpIn0.dXd4-6rkzce74ZpK26fP53W7baju6V1T4oTvldotIs2kdX01KihmBYJI1xWQ9CIedlnLZfZRatXGjajcG6vL8g"
)

func TestChromiumProofs(t *testing.T) {
	challenge, signed, reason := googlesession.ReadProof(chromiumRegistration)
	require.Empty(t, reason)
	require.True(t, signed)
	require.Equal(t, "6FZ_Q7SB9IvokIzJZJVZNzk_B69O5YrbEPlvQ7oKsD8", challenge)

	challenge, _, reason = googlesession.ReadProof(chromiumRefresh)
	require.Empty(t, reason)
	require.Equal(t, "AaIjMJK_WQQOUIB_Vfdcm_a7_tilN9PoJ7D-Is3i", challenge)
	require.True(t, googlesession.SignedBy(chromiumRefresh, chromiumRegistration))

	for i := range len(chromiumRefresh) { // no character can be changed
		if chromiumRefresh[i] == '.' {
			continue
		}
		other := byte('A')
		if chromiumRefresh[i] == 'A' {
			other = 'B'
		}
		changed := chromiumRefresh[:i] + string(other) + chromiumRefresh[i+1:]
		require.False(t, googlesession.SignedBy(changed, chromiumRegistration), "character %d", i)
	}
}

// The formats of what stores and browsers keep never change.
func TestBindingVectors(t *testing.T) {
	secret, key := [16]byte{}, [33]byte{2}
	for i := range secret {
		secret[i] = byte(i)
	}
	for i := range key[1:] {
		key[i+1] = byte(0x80 + i)
	}
	since := time.UnixMilli(1_795_968_000_000)
	ref := googlesession.Ref{Tag: [12]byte{1}, ID: [32]byte{2, 3}}

	text := googlesession.NewBindingText('e', since, secret, key)
	require.Equal(t, "016501a22808e000000102030405060708090a0b0c0d0e0f02808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", hex.EncodeToString([]byte(text)))
	again, ok := googlesession.BindingText(text)
	require.True(t, ok)
	require.Equal(t, text, again)

	end := since.Add(11 * time.Minute)
	require.Equal(t, "AaIoEvIgoJf8iY7tf8S4qSI1Dtx7gvj0fucDWzB8", googlesession.Stamp(text, 'b', ref, end))
	require.Equal(t, "AaIoEvIgz88zcPRD31UdstnkBIEF4ohWhW6eA2pX", googlesession.Stamp(text, 'c', ref, end))
	require.Equal(t, "2cd89f7314c75c41760e24b7", hex.EncodeToString(googlesession.OfferHash(strings.Repeat("A", 43))))

	for name, bad := range map[string]string{
		"another version": "\x02" + text[1:], "another state": "\x01x" + text[2:], "short": text[:56], "long": text + "x", "empty": "",
	} {
		_, ok := googlesession.BindingText(bad)
		require.False(t, ok, name)
	}
}

// The MAC of a stamp is that of crypto/hmac.
func TestStampIsHMAC(t *testing.T) {
	for i := range byte(100) {
		secret, ref, end := [16]byte{i, 15: i}, googlesession.Ref{ID: [32]byte{31: i}}, time.UnixMilli(1_795_968_000_000+int64(i))
		stamp, err := base64.RawURLEncoding.DecodeString(googlesession.Stamp(googlesession.NewBindingText('e', end, secret, [33]byte{2}), 'b', ref, end))
		require.NoError(t, err)
		h := hmac.New(sha256.New, secret[:])
		h.Write(append(append([]byte("gs-binding/1b"), ref.ID[:]...), stamp[:6]...))
		require.Equal(t, h.Sum(nil)[:24], stamp[6:])
	}
}

// A stamp is good for one session, one kind and one time only, and has one spelling.
func TestStamps(t *testing.T) {
	since := time.UnixMilli(1_795_968_000_000)
	text := googlesession.NewBindingText('e', since, [16]byte{1}, [33]byte{2})
	other := googlesession.NewBindingText('e', since, [16]byte{2}, [33]byte{2})
	ref := googlesession.Ref{ID: [32]byte{1}}
	stamp := googlesession.Stamp(text, 'b', ref, since)
	end, ok := googlesession.StampEnd(text, 'b', ref, stamp)
	require.True(t, ok)
	require.True(t, end.Equal(since))
	for name, bad := range map[string]func() bool{
		"another kind":   func() bool { _, ok := googlesession.StampEnd(text, 'c', ref, stamp); return ok },
		"another secret": func() bool { _, ok := googlesession.StampEnd(other, 'b', ref, stamp); return ok },
		"another session": func() bool {
			_, ok := googlesession.StampEnd(text, 'b', googlesession.Ref{ID: [32]byte{2}}, stamp)
			return ok
		},
		"padded":       func() bool { _, ok := googlesession.StampEnd(text, 'b', ref, stamp+"="); return ok },
		"a line break": func() bool { _, ok := googlesession.StampEnd(text, 'b', ref, stamp[:39]+"\n"+stamp[39:]); return ok },
		"short":        func() bool { _, ok := googlesession.StampEnd(text, 'b', ref, stamp[:36]); return ok },
		"empty":        func() bool { _, ok := googlesession.StampEnd(text, 'b', ref, ""); return ok },
	} {
		require.False(t, bad(), name)
	}
	for i := range len(stamp) { // no character can be changed
		changed := []byte(stamp)
		if changed[i]++; changed[i] == stamp[i] {
			continue
		}
		_, ok := googlesession.StampEnd(text, 'b', ref, string(changed))
		require.False(t, ok, "character %d", i)
	}
}
