package googlesession

import "strconv"

// A BindPolicy says which sessions have to be bound to a key of their browser. See
// [Config.DeviceBinding].
//
// Binding limits how long a copy of the cookies works, and not what a thief does meanwhile. The
// session cookie alone is enough until the browser has renewed its proof for the first time, and
// for 30 seconds after that. If the browser is closed before, it is enough until the session
// ends. With [Config.Bearer], a thief can make a bearer token in the ten minutes after a sign-in
// (POST tokens). The token is not bound and lives for up to 366 days. [EventIssued] and the list
// of tokens show it. POST logout needs no proof, because it only ends the session.
//
// Only one Manager of an origin can bind sessions, because the renewals of one would wait for the
// renewals of the other.
//
// Times are compared across clocks. The clocks of all servers and of the session store should
// agree within a minute. If the store's clock is behind by two minutes, BindEverybody refuses
// new sessions at once, and if it is behind by five, no browser can register a key.
//
// Experimental: the policies may change in a minor version.
type BindPolicy uint8

// The policies.
const (
	// BindNobody offers no binding, and admits a session that is bound by its session cookie
	// alone. It is the zero value.
	BindNobody BindPolicy = iota

	// BindOffer binds the sessions of browsers that can bind them. The sessions of other
	// browsers go on as always.
	BindOffer

	// BindAdmins is BindOffer, and [Manager.RequireAdmin] refuses a session that is not bound
	// two minutes after its sign-in (403 binding_needed).
	BindAdmins

	// BindEverybody is BindOffer, and every guard refuses a session that is not bound two
	// minutes after its sign-in (403 binding_needed). Users whose browsers do not support
	// binding can then use the application for two minutes. Sessions with a bearer token are
	// not bound and are admitted.
	BindEverybody
)

// String returns "off", "offer", "admins" or "everybody".
func (p BindPolicy) String() string {
	switch p {
	case BindNobody:
		return "off"
	case BindOffer:
		return "offer"
	case BindAdmins:
		return "admins"
	case BindEverybody:
		return "everybody"
	default:
		return "BindPolicy(" + strconv.Itoa(int(p)) + ")"
	}
}
