package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

const testRedirect = "http://127.0.0.1/auth/oauth_callback"

// plain is the least that keeps the contract: OAuth with PKCE and the userinfo
// endpoint. The functions, where set, break it.
type plain struct {
	idp      *fakeidp.IdP
	login    func(location string, private []byte, err error) (string, []byte, error)
	callback func(who providers.Identity, err error) (providers.Identity, error)
	skip     func(private []byte, query url.Values) (providers.Identity, error, bool)
	ctx      func(ctx context.Context) context.Context
}

func (p *plain) config(redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: "app", RedirectURL: redirectURI, Scopes: []string{"openid", "email"},
		Endpoint: oauth2.Endpoint{
			AuthURL: p.idp.Issuer() + string(fakeidp.Authorize), TokenURL: p.idp.Issuer() + string(fakeidp.Token),
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

func (p *plain) LoginURL(_ context.Context, redirectURI, state string) (string, []byte, error) {
	verifier := oauth2.GenerateVerifier()
	location := p.config(redirectURI).AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))
	if p.login != nil {
		return p.login(location, []byte(verifier), nil)
	}
	return location, []byte(verifier), nil
}

func (p *plain) HandleCallback(ctx context.Context, redirectURI string, private []byte, query url.Values) (providers.Identity, error) {
	if p.skip != nil {
		if who, err, done := p.skip(private, query); done {
			return who, err
		}
	}
	if p.ctx != nil {
		ctx = p.ctx(ctx)
	}
	who, err := p.handle(ctx, redirectURI, private, query)
	if p.callback != nil {
		return p.callback(who, err)
	}
	return who, err
}

func (p *plain) handle(ctx context.Context, redirectURI string, private []byte, query url.Values) (providers.Identity, error) {
	if query.Get("error") == "access_denied" {
		return providers.Identity{}, providers.ErrAccessDenied
	}
	if query.Get("code") == "" {
		return providers.Identity{}, errors.New("no code")
	}
	token, err := p.config(redirectURI).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(string(private)))
	if err != nil {
		return providers.Identity{}, errors.New("exchanging the code failed")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.idp.Issuer()+string(fakeidp.Userinfo), http.NoBody)
	if err != nil {
		return providers.Identity{}, err
	}
	token.SetAuthHeader(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return providers.Identity{}, err
	}
	defer resp.Body.Close()
	var info struct{ Sub, Email string }
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		return providers.Identity{}, err
	}
	return providers.Identity{
		Issuer: p.idp.Issuer(), Subject: info.Sub, Email: info.Email, Groups: []string{"staff"}, Claims: map[string]any{"a": "b"},
	}, nil
}

func startPlain(t testing.TB) *plain {
	t.Helper()
	idp := StartIdP(t, fakeidp.Config{Clients: []fakeidp.Client{{ID: "app", RedirectURIs: []string{testRedirect}}}})
	idp.Always(fakeidp.Person{Subject: "1", Email: "ada@example.com"})
	return &plain{idp: idp}
}

func TestIdentitySuiteAccepts(t *testing.T) {
	RunIdentityProvider(t, IdentityProviderSuite{New: func(t testing.TB) providers.IdentityProvider { return startPlain(t) }})
}

// failing runs checks and returns the names of those that found something.
func failing(t *testing.T, checks []check) []string {
	t.Helper()
	var names []string
	for _, c := range checks {
		if err := c.broken(t.Context()); err != nil {
			names = append(names, c.name)
		}
	}
	return names
}

// Each way of breaking the contract is found by the check that is meant for it.
func TestIdentitySuiteFinds(t *testing.T) {
	shared := providers.Identity{Issuer: "i", Subject: "1", Claims: map[string]any{"a": "b"}, Groups: []string{"g"}}
	tests := []struct {
		name, check string
		spoil       func(p *plain)
	}{
		{"no state in the URL", "LoginURL is absolute", func(p *plain) {
			p.login = func(l string, v []byte, err error) (string, []byte, error) {
				return strings.Replace(l, "state=", "stat=x", 1), v, err
			}
		}},
		{"relative URL", "LoginURL is absolute", func(p *plain) {
			p.login = func(l string, v []byte, err error) (string, []byte, error) {
				return strings.TrimPrefix(l, p.idp.Issuer()), v, err
			}
		}},
		{"large private data", "private data is small", func(p *plain) {
			p.login = func(l string, v []byte, err error) (string, []byte, error) {
				return l, append(v, make([]byte, 5000)...), err
			}
		}},
		{"constant private data", "private data is small", func(p *plain) {
			p.login = func(l string, _ []byte, err error) (string, []byte, error) { return l, []byte("constant"), err }
		}},
		{"LoginURL panics", "a sign-in ends", func(p *plain) {
			p.login = func(string, []byte, error) (string, []byte, error) { panic("oh") }
		}},
		{"no subject", "a sign-in ends", func(p *plain) {
			p.callback = func(who providers.Identity, err error) (providers.Identity, error) { who.Subject = ""; return who, err }
		}},
		{"a token among the claims", "a sign-in ends", func(p *plain) {
			p.callback = func(who providers.Identity, err error) (providers.Identity, error) {
				if err == nil {
					who.Claims = map[string]any{"access_token": "x"}
				}
				return who, err
			}
		}},
		{"a changing subject", "an identity belongs", func(p *plain) {
			var mu sync.Mutex
			n := 0
			p.callback = func(who providers.Identity, err error) (providers.Identity, error) {
				mu.Lock()
				defer mu.Unlock()
				n++
				if err == nil {
					who.Subject = fmt.Sprint(n)
				}
				return who, err
			}
		}},
		{"a shared map", "an identity belongs", func(p *plain) {
			p.callback = func(who providers.Identity, err error) (providers.Identity, error) {
				if err != nil {
					return who, err
				}
				return shared, nil
			}
		}},
		{"no PKCE", "private data of another", func(p *plain) {
			p.skip = func(private []byte, query url.Values) (providers.Identity, error, bool) {
				ok := len(private) > 40 && len(query.Get("code")) > 10 && len(query.Get("code")) < 30
				return providers.Identity{Issuer: "i", Subject: "1"}, nil, ok
			}
		}},
		{"a panic on damaged private data", "damaged private data", func(p *plain) {
			p.skip = func(private []byte, _ url.Values) (providers.Identity, error, bool) {
				return providers.Identity{}, nil, private[40] == 0
			}
		}},
		{"any code will do", "a callback without its code", func(p *plain) {
			p.skip = func(_ []byte, query url.Values) (providers.Identity, error, bool) {
				return providers.Identity{Issuer: "i", Subject: "1"}, nil, query.Get("code") == "made-up"
			}
		}},
		{"an identity beside an error", "a callback without its code", func(p *plain) {
			p.callback = func(who providers.Identity, err error) (providers.Identity, error) { who.Issuer = "i"; return who, err }
		}},
		{"a denial as just any error", "a refusal is", func(p *plain) {
			p.skip = func(_ []byte, query url.Values) (providers.Identity, error, bool) {
				return providers.Identity{}, errors.New("denied"), query.Has("error")
			}
		}},
		{"the provider's text in the error", "errors repeat neither", func(p *plain) {
			p.skip = func(_ []byte, query url.Values) (providers.Identity, error, bool) {
				return providers.Identity{}, fmt.Errorf("%s: %w", query.Get("error_description"), providers.ErrAccessDenied), query.Has("error")
			}
		}},
		{"the code in the error", "errors repeat neither", func(p *plain) {
			p.skip = func(_ []byte, query url.Values) (providers.Identity, error, bool) {
				return providers.Identity{}, fmt.Errorf("code %s", query.Get("code")), strings.HasPrefix(query.Get("code"), "made-up")
			}
		}},
		{"no query is a panic", "odd arguments", func(p *plain) {
			p.skip = func(_ []byte, query url.Values) (providers.Identity, error, bool) {
				return providers.Identity{}, nil, query == nil && query["code"][0] == ""
			}
		}},
		{"a cancelled context is ignored", "a cancelled context", func(p *plain) { p.ctx = context.WithoutCancel }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := startPlain(t)
			test.spoil(p)
			names := failing(t, IdentityProviderSuite{}.checks(p))
			if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, test.check) }) {
				t.Errorf("found by %q, want by %q", names, test.check)
			}
		})
	}
}

// liar says that it sends its issuer and has a logout that goes nowhere.
type liar struct {
	*plain
	location string
}

func (liar) SendsIssuer(context.Context) (bool, error) { return true, nil }

func (l liar) LogoutURL(context.Context, providers.Session, string) (string, error) {
	return l.location, nil
}

func (liar) BackChannelLogout(*http.Request) (issuer, subject, sessionID string, err error) {
	return "i", "1", "", nil
}

func TestIdentitySuiteFindsLies(t *testing.T) {
	const optional = "optional interfaces"
	if names := failing(t, IdentityProviderSuite{}.checks(liar{startPlain(t), "/relative"})); !slices.Equal(names, []string{optional}) {
		t.Errorf("a relative logout URL is found by %q", names)
	}
	if names := failing(t, IdentityProviderSuite{}.checks(liar{startPlain(t), ""})); !slices.Equal(names, []string{optional}) {
		t.Errorf("an empty back-channel logout is found by %q", names)
	}
	silent := startPlain(t)
	silent.idp.Always(fakeidp.Person{Subject: "1"}, fakeidp.MissingIssParameter)
	if err := (identityChecks{IdentityProviderSuite{RedirectURI: testRedirect, Browse: Browse}, liar{silent, ""}}).optional(t.Context()); err == nil || !strings.Contains(err.Error(), "S23") {
		t.Errorf("a missing iss: %v", err)
	}
}

func TestBrowse(t *testing.T) {
	p := startPlain(t)
	if _, err := Browse(t.Context(), p.idp.Issuer()+"/elsewhere", testRedirect); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a page: %v", err)
	}
	if _, err := Browse(t.Context(), "http://127.0.0.1:1/", testRedirect); err == nil {
		t.Error("nobody there, and no error")
	}
	if _, err := Browse(t.Context(), "http://127.0.0.1:1/", "%"); err == nil {
		t.Error("no redirect URI, and no error")
	}
}
