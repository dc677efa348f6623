package bench

import (
	"time"

	"github.com/googlesession/googlesession"
)

// revocation measures how long it takes to end all of a user's hundred sessions.
func (r *Run) revocation() {
	const sessions = 100
	rows := [][]string{{"", "µs", "slowest"}}
	for _, store := range r.stores("revoke_") {
		var took []float64
		for round := range r.pick(16, 8) {
			user := userOf((1_000_000 + round) * perUser)
			for i := range sessions {
				n := newSession(i) // the next lines replace the user, the tag and two bytes of the ID
				n.User, n.Ref.Tag = user, googlesession.UserTag(user.ID)
				n.Ref.ID[0], n.Ref.ID[1] = byte(round), 0xFF
				must1(store.CreateSession(background, n))
			}
			began := time.Now()
			ended := must1(store.RevokeUser(background, user.ID, nil))
			took = append(took, float64(time.Since(began)))
			if ended != sessions {
				panic(sprint("bench: %s ended %d sessions", store.name, ended))
			}
		}
		store.close()
		rows = append(rows, []string{store.name, micro(median(took)), micro(maximum(took))})
	}
	heading(r.out, "Ending all sessions of a user", sprint("One RevokeUser, %d sessions.", sessions))
	printTable(r.out, rows)
}

func maximum(values []float64) (most float64) {
	for _, v := range values {
		most = max(most, v)
	}
	return most
}
