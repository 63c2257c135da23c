package authn

import (
	"slices"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// Metrics and health hear of each sign-in's end, by configured names alone
// (S41): what a client invents is no label.
func TestObserve(t *testing.T) {
	var got []string
	f := newFixture(t, func(c *Config) {
		c.Observe = func(provider, result string) { got = append(got, provider+" "+result) }
	})
	f.signIn(t, "google")
	f.github.loginErr = providers.ErrUnavailable
	_, err := f.Begin(t.Context(), "github", Request{})
	wantCode(t, err, CodeProviderUnavailable)
	_, err = f.Begin(t.Context(), "invented", Request{})
	wantCode(t, err, CodeUnknownProvider)
	start := f.begin(t, "google")
	_, err = f.Complete(t.Context(), "", answer(start), func(string) string { return "" })
	wantCode(t, err, CodeStateMismatch)
	want := []string{"google success", "github provider_unavailable", " unknown_provider", "google state_mismatch"}
	if !slices.Equal(got, want) {
		t.Errorf("observed %q, want %q", got, want)
	}
}
