package recipes_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

//recipe:frameworks
func connectApp(m *googlesession.Manager, services *connect.Server) http.Handler {
	rpc := http.NewServeMux()
	connecthttp.Mount(rpc, services)
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/", m.RequireUser(rpc))
	mux.Handle("/greet.v1.GreetService/Watch", m.RequireUser(m.EndWithSession(time.Minute)(rpc))) // a stream
	return mux
}

//recipe:frameworks
func connectDeny(w http.ResponseWriter, r *http.Request, d googlesession.Denial) bool {
	codes := map[int]connect.Code{
		http.StatusUnauthorized:       connect.CodeUnauthenticated,
		http.StatusForbidden:          connect.CodePermissionDenied,
		http.StatusTooManyRequests:    connect.CodeResourceExhausted,
		http.StatusServiceUnavailable: connect.CodeUnavailable,
	}
	writer := connecthttp.NewErrorWriter(connecthttp.WithRequireConnectProtocolHeader())
	c, known := codes[d.Status]
	if !known || !writer.IsSupported(r) {
		return false
	}
	w.Header().Set("Error-Code", string(d.Code))
	_ = writer.Write(w, r, connect.NewError(c, d.Detail))
	return true
}

// The two methods are what a generated package would have.
var (
	helloSpec = connect.Spec{StreamType: connect.StreamTypeUnary, Procedure: "/greet.v1.GreetService/Hello"}
	watchSpec = connect.Spec{StreamType: connect.StreamTypeServer, Procedure: "/greet.v1.GreetService/Watch"}
)

func newConnectServer(calls *int) *connect.Server {
	s := connect.NewServer()
	s.Register(
		connect.Method{Spec: helloSpec, Handler: func(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
			*calls++
			if err := stream.Receive(&wrapperspb.StringValue{}); err != nil {
				return err
			}
			user, _ := googlesession.UserFrom(ctx)
			return stream.Send(wrapperspb.String("Hello, " + user.Email + "."))
		}},
		connect.Method{Spec: watchSpec, Handler: func(ctx context.Context, _ connect.Spec, stream connect.ServerStream) error {
			if err := stream.Receive(&wrapperspb.StringValue{}); err != nil {
				return err
			}
			if err := stream.Send(wrapperspb.String("watching")); err != nil {
				return err
			}
			return watch(ctx)
		}})
	return s
}

//recipe:frameworks
func watch(ctx context.Context) error {
	<-ctx.Done()
	if err := context.Cause(ctx); errors.Is(err, googlesession.ErrNoSession) || errors.Is(err, googlesession.ErrUserDisabled) {
		return connect.NewError(connect.CodeUnauthenticated, "The session has ended.")
	}
	return ctx.Err()
}

var protocols = []struct {
	name    string
	options []connecthttp.Option
}{
	{"Connect", nil},
	{"gRPC-Web", []connecthttp.Option{connecthttp.WithGRPCWeb()}},
	{"gRPC", []connecthttp.Option{connecthttp.WithGRPC()}},
}

// A client of each protocol sees a refusal as the code that it knows, with the library's
// answers and with those of connectDeny.
func TestConnect(t *testing.T) {
	for _, answers := range []string{"problem+json", "connectDeny"} {
		store := newRecipeStore()
		var m *googlesession.Manager
		var google *googletest.Google
		m, google = newManager(t, func(c *googlesession.Config) {
			c.Sessions = store
			if answers == "connectDeny" {
				c.Deny = func(w http.ResponseWriter, r *http.Request, d googlesession.Denial) {
					if !connectDeny(w, r, d) {
						m.WriteDenial(w, r, d)
					}
				}
			}
		})
		calls := 0
		app := connectApp(m, newConnectServer(&calls))
		for _, protocol := range protocols {
			name := protocol.name + ", " + answers
			refused := func(c *http.Client, want connect.Code, why googlesession.Code) {
				t.Helper()
				ran := calls
				ctx, info := connect.NewClientContext(t.Context())
				_, err := callHello(ctx, c, protocol.options...)
				require.Equal(t, want, connect.CodeOf(err), "%s: %v", name, err)
				require.Equal(t, ran, calls, "%s: the method has run", name)
				if answers == "connectDeny" {
					require.Equal(t, string(why), info.ResponseHeader().Get("Error-Code"), name)
				}
			}
			refused(google.Browser(app), connect.CodeUnauthenticated, googlesession.CodeNoSession)

			user := google.SignIn(t, app, "/api/login", ada)
			checks, ran := store.checks.Load(), calls
			text, err := callHello(t.Context(), user, protocol.options...)
			require.NoError(t, err, name)
			require.Equal(t, "Hello, "+ada+".", text, name)
			require.EqualValues(t, 1, store.checks.Load()-checks, name)
			require.Equal(t, 1, calls-ran, name)

			evil := *user
			evil.Transport = headerTransport{user.Transport, "Origin", "https://evil.test"}
			refused(&evil, connect.CodePermissionDenied, googlesession.CodeCrossOrigin)

			store.down.Store(true)
			refused(user, connect.CodeUnavailable, googlesession.CodeUnavailable)
			store.down.Store(false)

			stream := watchStream(t, user, protocol.options...)
			_, err = m.RevokeUser(t.Context(), google.Subject(ada))
			require.NoError(t, err)
			err = stream.Receive(&wrapperspb.StringValue{})
			require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err), "%s: the stream of an ended session: %v", name, err)
			refused(user, connect.CodeUnauthenticated, googlesession.CodeNoSession)
		}
	}
}

// Without the option WithRequireConnectProtocolHeader, the ErrorWriter takes the library's
// own JSON routes for RPCs, and login.js cannot read their refusals.
func TestConnectDenyLeavesOtherRequestsAlone(t *testing.T) {
	for _, tt := range []struct {
		name, method, path, contentType string
	}{
		{"a page", "GET", "/", ""},
		{"login.js", "POST", "/api/login", "application/json"},
		{"a form", "POST", "/api/logout", "application/x-www-form-urlencoded"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil)
		r.Header.Set("Content-Type", tt.contentType)
		w := httptest.NewRecorder()
		require.False(t, connectDeny(w, r, googlesession.Denial{Status: http.StatusUnauthorized, Code: googlesession.CodeNoSession}), tt.name)
	}
}

// An interceptor behind Load cannot tell why the request has no session. During an outage it
// tells the client that the user is signed out.
func TestConnectInterceptorBehindLoad(t *testing.T) {
	store := newRecipeStore()
	m, google := newManager(t, func(c *googlesession.Config) { c.Sessions = store })
	services := connect.NewServer(func(next connect.ServerFunc) connect.ServerFunc {
		return func(ctx context.Context, spec connect.Spec, stream connect.ServerStream) error {
			if _, ok := googlesession.UserFrom(ctx); !ok {
				return connect.NewError(connect.CodeUnauthenticated, "Please sign in.")
			}
			return next(ctx, spec, stream)
		}
	})
	services.Register(connect.Method{Spec: helloSpec, Handler: func(context.Context, connect.Spec, connect.ServerStream) error { return nil }})
	rpc := http.NewServeMux()
	connecthttp.Mount(rpc, services)
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/", m.Load(rpc))
	user := google.SignIn(t, mux, "/api/login", ada)
	store.down.Store(true)
	_, err := callHello(t.Context(), user)
	require.Equal(t, connect.CodeUnauthenticated, connect.CodeOf(err), "%v", err)
}

func callHello(ctx context.Context, c *http.Client, options ...connecthttp.Option) (string, error) {
	client := connect.NewClient(connecthttp.NewTransport(c, googletest.Origin, options...))
	res := &wrapperspb.StringValue{}
	err := client.CallUnary(ctx, helloSpec, wrapperspb.String("hi"), res)
	return res.GetValue(), err
}

// watchStream opens a stream and reads its first message.
func watchStream(t *testing.T, c *http.Client, options ...connecthttp.Option) connect.ClientStream {
	t.Helper()
	client := connect.NewClient(connecthttp.NewTransport(c, googletest.Origin, options...))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	stream, err := client.CallServerStream(ctx, watchSpec, wrapperspb.String("hi"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = stream.Close() })
	require.NoError(t, stream.Receive(&wrapperspb.StringValue{}))
	return stream
}
