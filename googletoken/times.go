package googletoken

import (
	"fmt"
	"time"

	"github.com/googlesession/googlesession"
)

// checkTimes refuses a token that is not valid now by this server's clock. The texts say by
// how much, and whose clock, because a wrong clock is the operator's to correct.
func (v *Verifier) checkTimes(c claims, now time.Time) error {
	issued := c.identity.IssuedAt
	latest := now.Add(v.leeway)
	lifetime := c.expires.Sub(issued)
	switch {
	case !now.Before(c.expires):
		return errExpired(c, now)
	case issued.After(latest):
		return errTime(issued.Sub(now), "issued %v in the future by this server's clock; at most %v is allowed; check this server's clock (NTP)", v.leeway)
	case c.notBefore.After(latest):
		return errTime(c.notBefore.Sub(now), "not valid for another %v by this server's clock; at most %v is allowed; check this server's clock (NTP)", v.leeway)
	case lifetime <= 0 || lifetime > maxLifetime:
		return refuse(googlesession.ReasonTime, "lifetime is not between 0 and 24h")
	case now.Sub(issued) > v.maxAge:
		return errTime(now.Sub(issued), "issued %v ago by this server's clock; at most %v is allowed; if it is new, check this server's clock (NTP)", v.maxAge)
	}
	return nil
}

// errExpired returns the refusal of a token that has expired.
func errExpired(c claims, now time.Time) error {
	return refuse(googlesession.ReasonTime, fmt.Sprintf("expired %v ago by this server's clock; if it is new, check this server's clock (NTP)", seconds(now.Sub(c.expires))))
}

// errTime returns a refusal whose text has an amount of time and its limit. The amount is
// the difference of a claim and the clock, so the text does not hold the claim itself.
func errTime(amount time.Duration, format string, limit time.Duration) error {
	return refuse(googlesession.ReasonTime, fmt.Sprintf(format, seconds(amount), limit))
}

// seconds rounds d up to whole seconds, so that an amount just over its limit does not read
// as the limit.
func seconds(d time.Duration) time.Duration {
	if rest := d % time.Second; rest > 0 {
		d += time.Second - rest
	}
	return d
}
