// Package fakegithub is a small stand-in for GitHub that does what it is told:
// it signs in whom a script names, and breaks where the script says.
//
// It speaks GitHub's form of OAuth 2.0 with its peculiarities: errors of the
// token endpoint come with status 200, its answers are forms unless JSON is
// asked for, a redirect URI may be below the registered one, and the callback
// carries "iss". It is an http.Handler with GitHub's paths
//
//	/login/oauth/authorize
//	/login/oauth/access_token
//	/user
//	/user/emails
//
// of which the last two also answer below /api/v3, as those of an Enterprise
// Server do. In a test:
//
//	github := fakegithub.New(fakegithub.Config{
//		URL:     "http://" + server.Listener.Addr().String(),
//		Clients: []fakegithub.Client{{ID: "gateway", Secret: "s", CallbackURL: "https://app.example.com/auth/oauth_callback"}},
//	})
//	server.Config.Handler = github
//	github.Next(fakegithub.Person{ID: 1, Login: "ada", Emails: fakegithub.Verified("ada@example.com")})
//	github.Next(fakegithub.Person{ID: 1, Login: "ada"}, fakegithub.BadVerificationCode)
//	github.Break(fakegithub.Emails, fakegithub.RateLimited)
//
// It authenticates nobody. Never serve it where others can reach it.
package fakegithub
