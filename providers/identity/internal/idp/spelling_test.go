package idp

import "testing"

func TestNearest(t *testing.T) {
	options := []string{
		"issuer", "client_id", "client_secret", "scopes", "signing_algorithm", "auth_params", "groups_claim",
	}
	for word, want := range map[string]string{
		"isuer": "issuer", "client": "client_id", "secret": "client_secret", "clientsecret": "client_secret",
		"params": "auth_params", "": "issuer",
	} {
		if got := nearest(word, options); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := distance("kitten", "sitting"); got != 3 {
		t.Errorf("kitten to sitting is %d, want 3", got)
	}
}
