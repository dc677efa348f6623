package main

import (
	"net/http"
	"net/netip"
)

// maxPlaces is how many addresses one request may name. A user has at most as many sessions,
// unless the store was given a higher cap.
const maxPlaces = 100

// demoPlace is the app.placeOf of a demo. It names this machine only. Another application looks
// an address up in a database of its own. A service on the Internet would learn the addresses of
// all users.
func demoPlace(ip netip.Addr) string {
	if ip.IsLoopback() {
		return "this machine"
	}
	return ""
}

// servePlaces answers with the places of the addresses in the query. Addresses without a known
// place are left out.
func (a *app) servePlaces(w http.ResponseWriter, r *http.Request) {
	addresses := r.URL.Query()["ip"]
	if len(addresses) > maxPlaces {
		a.writeError(w, r, badRequest("Name at most 100 addresses."))
		return
	}
	places := make(map[string]string)
	for _, text := range addresses {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			a.writeError(w, r, badRequest("The parameter ip is an address such as 192.0.2.1."))
			return
		}
		if a.placeOf == nil {
			continue
		}
		if place := a.placeOf(ip.Unmap()); place != "" {
			places[text] = place
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"places": places})
}
