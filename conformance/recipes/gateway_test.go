package recipes_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/googlesession/googlesession"
	"github.com/googlesession/googlesession/googletest"
)

//recipe:frameworks
func gatewayApp(m *googlesession.Manager, gateway *runtime.ServeMux) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", m.Handler()))
	mux.Handle("/v1/", m.RequireUser(gateway))
	return mux
}

//recipe:frameworks
func newGateway() *runtime.ServeMux {
	return runtime.NewServeMux(
		// The default matcher would pass the session cookie on to every service and its logs.
		runtime.WithIncomingHeaderMatcher(func(name string) (string, bool) {
			return name, name == "Accept-Language" || name == "Traceparent"
		}),
		runtime.WithMetadata(func(ctx context.Context, _ *http.Request) metadata.MD {
			user, _ := googlesession.UserFrom(ctx)
			return metadata.Pairs("user-id", user.ID)
		}))
}

//recipe:frameworks
func callerID(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if ids := md.Get("user-id"); len(ids) == 1 && ids[0] != "" { // two values mean that a client has sent one
		return ids[0], nil
	}
	return "", status.Error(codes.Unauthenticated, "no user")
}

// A grpcServer is a service with one method, and remembers the metadata of the latest call.
type grpcServer struct {
	calls int
	md    metadata.MD
}

const helloMethod = "/greet.v1.GreetService/Hello"

func (s *grpcServer) hello(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the type is that of grpc.MethodDesc
	s.calls++
	s.md, _ = metadata.FromIncomingContext(ctx)
	if err := decode(&wrapperspb.StringValue{}); err != nil {
		return nil, err
	}
	id, err := callerID(ctx)
	return wrapperspb.String(id), err
}

// start starts the service, and registers it with the gateway as generated code does.
func (s *grpcServer) start(t *testing.T, gateway *runtime.ServeMux) {
	t.Helper()
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "greet.v1.GreetService", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Hello", Handler: s.hello}},
	}, s)
	l := bufconn.Listen(1 << 16)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:greet", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })

	for _, method := range []string{http.MethodGet, http.MethodPost} {
		require.NoError(t, gateway.HandlePath(method, "/v1/hello", func(w http.ResponseWriter, r *http.Request, _ map[string]string) {
			_, marshaler := runtime.MarshalerForRequest(gateway, r)
			ctx, err := runtime.AnnotateContext(r.Context(), gateway, r, helloMethod)
			if err != nil {
				runtime.HTTPError(r.Context(), gateway, marshaler, w, r, err)
				return
			}
			res := &wrapperspb.StringValue{}
			if err := conn.Invoke(ctx, helloMethod, wrapperspb.String("hi"), res); err != nil {
				runtime.HTTPError(ctx, gateway, marshaler, w, r, err)
				return
			}
			runtime.ForwardResponseMessage(ctx, gateway, marshaler, w, r, res)
		}))
	}
}

func TestGateway(t *testing.T) {
	store := newRecipeStore()
	m, google := newManager(t, func(c *googlesession.Config) { c.Sessions = store })
	service := &grpcServer{}
	gateway := newGateway()
	service.start(t, gateway)
	app := gatewayApp(m, gateway)

	res := do(t, google.Browser(app), "GET", "/v1/hello")
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, googlesession.CodeNoSession, code(t, res.text))
	require.Zero(t, service.calls)

	user := google.SignIn(t, app, "/api/login", ada)
	before := store.checks.Load()
	for _, lie := range []string{"Grpc-Metadata-User-Id", "User-Id", "Grpcgateway-User-Id"} {
		res = do(t, user, "GET", "/v1/hello", lie, google.Subject(eve))
		require.Equal(t, http.StatusOK, res.status, "%s: %s", lie, res.text)
		require.JSONEq(t, `"`+google.Subject(ada)+`"`, res.text, lie)
		require.Equal(t, []string{google.Subject(ada)}, service.md.Get("user-id"), lie)
	}
	require.EqualValues(t, 3, store.checks.Load()-before)
	for name, values := range service.md {
		require.NotContains(t, values, "__Host-Http-session", "the service gets the session cookie as %s", name)
		require.NotContains(t, name, "cookie", "%s", values)
	}

	calls := service.calls
	res = do(t, user, "POST", "/v1/hello", "Origin", "https://evil.test")
	require.Equal(t, http.StatusForbidden, res.status)
	_, err := m.RevokeUser(t.Context(), google.Subject(ada))
	require.NoError(t, err)
	res = do(t, user, "POST", "/v1/hello", "Origin", googletest.Origin)
	require.Equal(t, http.StatusUnauthorized, res.status)
	require.Equal(t, calls, service.calls)
}

// With the gateway's own header matcher, the service gets the value of the session cookie.
// With the matcher of earlier versions it also gets whatever user-id a client has sent, in a
// gateway that has no annotator for it.
func TestGatewayMatchers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		option runtime.ServeMuxOption
		lie    []string
	}{
		{"DefaultHeaderMatcher", runtime.WithIncomingHeaderMatcher(runtime.DefaultHeaderMatcher), nil},
		{"LegacyHeaderMatcher", runtime.WithIncomingHeaderMatcher(runtime.LegacyHeaderMatcher), []string{"invented"}},
	} {
		m, google := newManager(t, nil)
		service := &grpcServer{}
		gateway := runtime.NewServeMux(tt.option)
		service.start(t, gateway)
		app := gatewayApp(m, gateway)
		do(t, google.SignIn(t, app, "/api/login", ada), "GET", "/v1/hello", "Grpc-Metadata-User-Id", "invented")
		require.Contains(t, service.md.Get("grpcgateway-cookie")[0], "__Host-Http-session=", tt.name)
		require.Equal(t, tt.lie, service.md.Get("user-id"), tt.name)
	}
}
