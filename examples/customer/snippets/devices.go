package snippets

import (
	"fmt"
	"net/http"

	"github.com/googlesession/googlesession"
)

// showDevices writes a line for each session.
func showDevices(w http.ResponseWriter, list []googlesession.Session) {
	for _, s := range list {
		fmt.Fprintln(w, s.Device.UserAgent)
	}
}
