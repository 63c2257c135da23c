// Package fakeidp is a small OpenID Connect provider that does what it is
// told: it signs in whom a script or a page names, and it can break every rule
// a client has to check.
//
// It speaks the authorization code flow (OpenID Connect Core 1.0 section 3.1)
// with PKCE S256 (RFC 7636) and RS256 id_tokens, and puts its issuer into the
// callback (RFC 9207). It is an http.Handler with the endpoints
//
//	/.well-known/openid-configuration
//	/jwks
//	/authorize
//	/token
//	/userinfo
//
// In a test:
//
//	idp := fakeidp.New(fakeidp.Config{
//		Issuer:  "http://" + server.Listener.Addr().String(),
//		Clients: []fakeidp.Client{{ID: "gateway", Secret: "s", RedirectURIs: []string{redirectURI}}},
//	})
//	server.Config.Handler = idp
//	idp.Next(fakeidp.Person{Subject: "1", Email: "ada@example.com", EmailVerified: true})
//	idp.Next(fakeidp.Person{Subject: "1"}, fakeidp.WrongNonce)
//
// It authenticates nobody. Never serve it where others can reach it.
package fakeidp
