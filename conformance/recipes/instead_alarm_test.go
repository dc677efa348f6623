package recipes_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/googlesession/googlesession"
	memstore "github.com/googlesession/googlesession/store_memory"
)

//recipe:instead
func queueAlarms(queue chan<- googlesession.Event, log *slog.Logger) func(context.Context, googlesession.Event) {
	return func(ctx context.Context, e googlesession.Event) { // Config.Events calls it while the user waits
		if e.Kind != googlesession.EventNewDevice {
			return
		}
		select {
		case queue <- e:
		default:
			log.ErrorContext(ctx, "mail about a new device not sent", "user", e.UserID, "session", e.PublicID.String())
		}
	}
}

//recipe:instead
func sendAlarms(ctx context.Context, queue <-chan googlesession.Event, users googlesession.UserStore, log *slog.Logger, send func(to, text string) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-queue:
			user, err := users.User(ctx, e.UserID)
			if err == nil && user.Email != "" {
				err = send(user.Email, "Your account was used on a new device at "+e.Time.UTC().Format("15:04 on 2 January 2006 MST")+
					", from the address "+e.Device.IP+". If that was not you, end the session at https://app.example.com/devices.")
			}
			if err != nil {
				log.ErrorContext(ctx, "mail about a new device not sent", "user", e.UserID, "error", err)
			}
		}
	}
}

// A user gets one mail for each further browser. Signing in does not wait for the mail, and a
// mail that cannot be sent is logged.
func TestMailAboutANewDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, queue := memstore.New(nil), make(chan googlesession.Event, 2)
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		m, google := newManager(t, func(c *googlesession.Config) {
			c.Sessions = store
			c.Events = queueAlarms(queue, log)
		})
		app := api(m)
		for range 3 { // the first makes no alarm, and the queue has room for the others
			google.SignIn(t, app, "/api/login", ada)
		}
		require.Empty(t, out.String())
		google.SignIn(t, app, "/api/login", ada)
		require.Contains(t, out.String(), "not sent", "the queue is full, and the sign-in has not waited")

		var mails []string
		ctx, cancel := context.WithCancel(t.Context())
		go sendAlarms(ctx, queue, store, log, func(to, text string) error {
			mails = append(mails, to+": "+text)
			return nil
		})
		synctest.Wait()
		require.Len(t, mails, 2)
		require.Contains(t, mails[0], ada+": Your account was used on a new device at ")
		require.Contains(t, mails[0], "from the address 192.0.2.1.")
		cancel()
		synctest.Wait()
	})
}
