package github

import "testing"

// Ruling 12: an old "github:5" is about github.com's user 5. The attack: be
// user 5 of an Enterprise Server.
func TestLegacyProviderName(t *testing.T) {
	for address, want := range map[string]string{
		"":                           "github",
		"https://GitHub.com/":        "github",
		"http://localhost:9000":      "github",
		"http://127.0.0.1:9000":      "github",
		"https://ghe.corp.example":   "",
		"https://octocorp.ghe.com":   "",
		"https://github.com.example": "",
		"https://gist.github.com":    "",
	} {
		p := &Provider{URL: address, ClientID: "c", ClientSecret: "s"}
		provision(t, p)
		if got := p.LegacyProviderName(); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
