// Package googlecode exchanges the code of a sign-in by redirect for Google's ID token
// (OpenID Connect Core 1.0, section 3.1.3). It is the Config.CodeExchanger of package
// googlesession that most programs use.
//
// [New] takes the client ID and the client secret, which are in the Google Cloud console
// under APIs & Services, Credentials. The client has to be a web application whose
// authorized redirect URIs list Config.BaseURL of package googlesession, followed by
// /login/google/callback.
//
// The request is made by golang.org/x/oauth2. That package reads up to 1 MiB, follows
// redirects, and puts Google's whole answer into its errors. An [Exchanger] reads at most
// 64 KiB of JSON, follows no redirect, ends after a timeout, sends the code once, and
// builds its errors from the status and the error code alone. It returns the ID token, and
// drops the access token that Google sends with it.
package googlecode
