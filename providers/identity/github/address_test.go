package github

import (
	"net/http/httptest"
	"testing"

	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
)

func TestAddresses(t *testing.T) {
	tests := []struct{ url, apiURL, wantURL, wantAPI string }{
		{"", "", "https://github.com", "https://api.github.com"},
		{"https://github.com/", "", "https://github.com", "https://api.github.com"},
		{"https://GitHub.com", "", "https://github.com", "https://api.github.com"},
		{"https://ghe.corp.example", "", "https://ghe.corp.example", "https://ghe.corp.example/api/v3"},
		{"https://GHE.corp.example:8443/", "", "https://ghe.corp.example:8443", "https://ghe.corp.example:8443/api/v3"},
		{"https://octocorp.ghe.com", "", "https://octocorp.ghe.com", "https://api.octocorp.ghe.com"},
		{"https://notghe.com", "", "https://notghe.com", "https://notghe.com/api/v3"},
		{"https://corp.example/github", "", "https://corp.example/github", "https://corp.example/github/api/v3"},
		{"https://ghe.corp.example", "https://api.corp.example/", "https://ghe.corp.example", "https://api.corp.example"},
		{"", "http://127.0.0.1:8080", "https://github.com", "http://127.0.0.1:8080"},
	}
	for _, test := range tests {
		p := &Provider{URL: test.url, APIURL: test.apiURL, ClientID: "c", ClientSecret: "s"}
		provision(t, p)
		if p.url != test.wantURL || p.apiURL != test.wantAPI {
			t.Errorf("%q %q: %q and %q, want %q and %q", test.url, test.apiURL, p.url, p.apiURL, test.wantURL, test.wantAPI)
		}
	}
}

// An Enterprise Server needs its url and nothing else.
func TestEnterpriseServer(t *testing.T) {
	w := newWorld(t, fakegithub.Config{OmitIssuer: true}, func(p *Provider) { p.APIURL = "" })
	who, err := w.signIn(t, ada)
	if err != nil {
		t.Fatal(err)
	}
	if who.Issuer != w.github.URL() || who.Subject != "1234" || who.Email != "ada@example.com" {
		t.Errorf("got %+v", who)
	}
}

// S27: the issuer is what the operator wrote, in its one spelling, whatever
// server the API is at: people of two GitHubs are never the same.
func TestIssuer(t *testing.T) {
	github := fakegithub.New(fakegithub.Config{
		URL:     "http://localhost",
		Clients: []fakegithub.Client{{ID: testClientID, Secret: testSecret, CallbackURL: registered}},
	})
	github.Always(ada)
	web, api := httptest.NewServer(github), httptest.NewServer(github)
	defer web.Close()
	defer api.Close()
	p := &Provider{URL: web.URL + "/", APIURL: api.URL + "/", ClientID: testClientID, ClientSecret: testSecret}
	provision(t, p)
	location, private, err := p.LoginURL(t.Context(), redirectURI, "state")
	if err != nil {
		t.Fatal(err)
	}
	query, err := providertest.Browse(t.Context(), location, redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	query.Del("iss") // it is http://localhost's
	who, err := p.HandleCallback(t.Context(), redirectURI, private, query)
	if err != nil || who.Issuer != web.URL {
		t.Errorf("issuer %q, %v; want %q", who.Issuer, err, web.URL)
	}
}
