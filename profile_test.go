package googlesession_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
)

// A picture is kept if the user record has room for it beside the other texts.
func TestPictures(t *testing.T) {
	const host = "https://lh3.googleusercontent.com/"
	s := newSite(t, nil)
	for _, tt := range []struct {
		name                  string
		subject, email, named int // bytes
		picture               int
		kept                  bool
	}{
		{"short", 21, 20, 10, 100, true},
		{"as Google has sent", 21, 20, 10, 1036, true},
		{"long", 21, 20, 10, 1500, true},
		{"all that is left", 21, 20, 10, 2048 - 21 - 20 - 10, true},
		{"one byte more", 21, 20, 10, 2048 - 21 - 20 - 10 + 1, false},
		{"much more", 21, 20, 10, 4000, false},
		{"beside the longest profile", 255, 320, 256, 1217, true},
		{"beside the longest profile, one byte more", 255, 320, 256, 1218, false},
		{"beside a name that is cut", 255, 320, 2000, 1217, true},
		{"beside an address that is dropped", 255, 321, 256, 2048 - 255 - 256, true},
		{"alone", 1, 0, 0, 2047, true},
		{"alone, one byte more", 1, 0, 0, 2048, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.google.Browser(s)
			d := s.google.Draft("x@example.com", begin(t, c))
			sub := strings.Repeat("1", tt.subject)
			picture := host + strings.Repeat("p", tt.picture-len(host))
			d.Claims["sub"] = sub
			d.Claims["email"] = strings.Repeat("e", max(0, tt.email-len("@example.com"))) + "@example.com"
			if tt.email == 0 {
				delete(d.Claims, "email")
			}
			d.Claims["name"] = strings.Repeat("n", tt.named)
			d.Claims["picture"] = picture
			a := post(t, c, s.google.Mint(d))
			require.Equal(t, http.StatusOK, a.status, a.body)

			want := ""
			if tt.kept {
				want = picture
			}
			u, err := s.store.User(t.Context(), sub)
			require.NoError(t, err)
			require.Equal(t, want, u.Picture)
			require.Len(t, u.Name, min(tt.named, 256))
			list, err := s.manager.Sessions(t.Context(), sub)
			require.NoError(t, err)
			require.Equal(t, want, list[0].User.Picture)
		})
	}
}

// A text that is not an https URL is dropped, even if it is short.
func TestPicturesOfAnotherKind(t *testing.T) {
	s := newSite(t, nil)
	for _, picture := range []string{"http://example.com/p", "javascript:alert(1)", "//example.com/p", "https://example.com/\u00e9", "https://example.com/a b", "HTTPS://example.com/p"} {
		c := s.google.Browser(s)
		d := s.google.Draft(alice, begin(t, c))
		d.Claims["picture"] = picture
		require.Equal(t, http.StatusOK, post(t, c, s.google.Mint(d)).status, picture)
		require.Empty(t, s.user(t, alice).Picture, picture)
	}
}

// A malformed name, such as half of an emoji, does not refuse the sign-in and is stored
// clean. The claims that identify the person stay strict.
func TestHalfAnEmoji(t *testing.T) {
	s := newSite(t, nil)
	for _, tt := range []struct{ claim, value, stored string }{
		{"name", `Ada \ud83d`, "Ada "},
		{"name", `\ude00Ada`, "Ada"},
		{"name", `Ada \ud83d\ude00`, "Ada 😀"},
		{"name", `\ud83d`, ""},
		{"name", `Ada\u0000`, "Ada"},
		{"given_name", `\ud83d`, "Alice Gmail"},
		{"family_name", `\ud83d`, "Alice Gmail"},
		{"nickname", `\udfff`, "Alice Gmail"},
		{"locale", `\ud83d`, "Alice Gmail"},
		{"picture", `https://lh3.googleusercontent.com/\ud83d`, "Alice Gmail"},
	} {
		t.Run(tt.claim+" "+tt.value, func(t *testing.T) {
			c := s.google.Browser(s)
			d := s.google.Draft(alice, begin(t, c))
			d.Claims[tt.claim] = json.RawMessage(`"` + tt.value + `"`)
			a := post(t, c, s.google.Mint(d))
			require.Equal(t, http.StatusOK, a.status, a.body)
			u := s.user(t, alice)
			require.Equal(t, tt.stored, u.Name)
			require.Equal(t, tt.claim == "picture", u.Picture == "")
		})
	}
	for _, claim := range []string{"iss", "aud", "azp", "sub", "email", "hd", "nonce", "jti", "iat", "exp", "events", "unknown"} {
		t.Run(claim, func(t *testing.T) {
			c := s.google.Browser(s)
			d := s.google.Draft(alice, begin(t, c))
			d.Claims[claim] = json.RawMessage(`"\ud83d"`)
			a := post(t, c, s.google.Mint(d))
			require.Equal(t, http.StatusUnauthorized, a.status)
			require.Equal(t, googlesession.CodeTokenRefused, a.code(t))
			require.Contains(t, s.log.String(), "unpaired surrogate")
		})
	}
}
