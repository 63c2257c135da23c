package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// accounts is a gateway with a Google and a GitHub.
type accounts struct {
	*gatewaytest.Gateway
	google *fakeidp.IdP
	github *fakegithub.GitHub
	habits []fakeidp.Fault // of this Google
}

// account is what check says of a user; what is null is "".
type account struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	AvatarURL  string `json:"avatar_url"`
	ProviderID string `json:"provider_id"`
	JoinDate   string `json:"join_date"`
}

// gatewayClients are the gateway at a fake Google.
var gatewayClients = []fakeidp.Client{{ID: "gateway", Secret: "hush", RedirectAllowed: func(string) bool { return true }}}

// newAccounts runs a gateway; config's auth block gets the logins. Without
// google there is one at today's paths.
func newAccounts(t *testing.T, google *fakeidp.IdP, config gatewaytest.Config) *accounts {
	t.Helper()
	if google == nil {
		google = providertest.StartIdP(t, fakeidp.Config{Clients: gatewayClients})
	}
	github := providertest.StartGitHub(t, fakegithub.Config{
		Clients: []fakegithub.Client{{ID: "gateway", Secret: "hush", CallbackURL: "http://localhost/auth/oauth_callback"}},
	})
	config.Auth += fmt.Sprintf(`
		login google {
			issuer %s
			client_id gateway
			client_secret hush
		}
		login github {
			url %s
			client_id gateway
			client_secret hush
		}`, google.Issuer(), github.URL())
	if config.Site == "" {
		config.Site = "auth_api"
	}
	return &accounts{Gateway: gatewaytest.Start(t, config), google: google, github: github}
}

// callback goes through a sign-in up to the URL of the gateway that the browser
// would visit next. The provider's script says who signs in.
func (a *accounts) callback(t *testing.T, provider string) (*gatewaytest.Browser, string) {
	t.Helper()
	b := gatewaytest.NewBrowser(t)
	start := b.Navigate(a.URL + "/auth/login/" + provider + "?deliver=jwt&next=" + url.QueryEscape(application))
	if start.Status != http.StatusFound {
		t.Fatalf("%s: the sign-in starts with %d:\n%s", provider, start.Status, start.Body)
	}
	back := b.Navigate(start.Location)
	if back.Status != http.StatusFound {
		t.Fatalf("%s says %d: %s", provider, back.Status, back.Body)
	}
	return b, back.Location
}

// signIn signs in the next person of a provider's script.
func (a *accounts) signIn(t *testing.T, provider string) (account, string) {
	t.Helper()
	b, callback := a.callback(t, provider)
	answer := b.Navigate(callback)
	if answer.Status != http.StatusFound {
		t.Fatalf("%s: the sign-in ends with %d:\n%s", provider, answer.Status, answer.Body)
	}
	token := delivered(t, answer.Location)
	return a.check(t, token), token
}

// byGoogle and byGitHub sign a person in.
func (a *accounts) byGoogle(t *testing.T, p fakeidp.Person) account {
	t.Helper()
	a.google.Next(p, a.habits...)
	user, _ := a.signIn(t, "google")
	return user
}

func (a *accounts) byGitHub(t *testing.T, p fakegithub.Person) account {
	t.Helper()
	a.github.Next(p)
	user, _ := a.signIn(t, "github")
	return user
}

// check is whom a session token stands for.
func (a *accounts) check(t *testing.T, token string) account {
	t.Helper()
	var answer struct {
		Authenticated bool
		Profile       account
	}
	parse(t, call(t, a.Gateway, "/auth/check", "Auth-Token", token), &answer)
	if !answer.Authenticated || answer.Profile.ID == "" {
		t.Fatalf("check does not know the token: %+v", answer)
	}
	return answer.Profile
}

// originalGoogle is a Google as the original service used it: at its paths of
// old, and with userinfo in its old form, which alone has the address. asked
// says how often each path was.
func originalGoogle(t *testing.T) (google *fakeidp.IdP, asked func(path string) int) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	const userinfo = "/oauth2/v1/userinfo"
	google = fakeidp.New(fakeidp.Config{
		Issuer: issuer, Clients: gatewayClients, OmitIssuer: true,
		Metadata: map[string]any{
			"authorization_endpoint": issuer + "/o/oauth2/auth", "token_endpoint": issuer + "/o/oauth2/token",
			"userinfo_endpoint": issuer + userinfo,
		},
	})
	var mu sync.Mutex
	count := make(map[string]int)
	today := map[string]string{"/o/oauth2/auth": "/authorize", "/o/oauth2/token": "/token", userinfo: "/userinfo"}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		mu.Lock()
		count[path]++
		mu.Unlock()
		for _, path := range today {
			if r.URL.Path == path {
				http.NotFound(w, r)
				return
			}
		}
		if inner, old := today[path]; old {
			r.URL.Path = inner
		}
		if path != userinfo {
			google.ServeHTTP(w, r)
			return
		}
		recorder := httptest.NewRecorder()
		google.ServeHTTP(recorder, r)
		var claims map[string]any
		if recorder.Code != http.StatusOK || json.Unmarshal(recorder.Body.Bytes(), &claims) != nil {
			http.Error(w, "no userinfo", recorder.Code)
			return
		}
		old := map[string]any{"id": claims["sub"], "locale": "en"}
		for name, value := range map[string]any{
			"email": claims["email"], "verified_email": claims["email_verified"], "name": claims["name"], "picture": claims["picture"],
		} {
			if value != nil {
				old[name] = value
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(old)
	})
	server.Start()
	t.Cleanup(server.Close)
	return google, func(path string) int {
		mu.Lock()
		defer mu.Unlock()
		return count[path]
	}
}
