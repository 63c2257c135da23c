package oidc

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/go-jose/go-jose/v4"
)

// S1, S2, S3, S24: Project Wycheproof's JWS vectors against the verifier of
// id_tokens. No invalid one is verified; valid ones of RS256 are.
func TestWycheproof(t *testing.T) {
	// What we accept though the vectors call it invalid: how a provider's key was
	// made (CVE-2017-15361) cannot be seen, and "key_ops" is not read.
	except := []string{"rejectsKeyWithRocaVulnerability", "rejectWrongKeyOps"}
	verified, refused := 0, 0
	for _, file := range []string{"json_web_signature_test.json", "json_web_crypto_test.json", "json_web_key_test.json"} {
		reader, err := wycheproof.TestVectors.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors struct {
			TestGroups []struct {
				Comment         string
				Public, Private json.RawMessage // a JWK, or a set
				Tests           []struct {
					TcID            int
					Comment, Result string
					JWS             json.RawMessage
				}
			}
		}
		if err := json.NewDecoder(reader).Decode(&vectors); err != nil {
			t.Fatal(err)
		}
		reader.Close()
		for _, group := range vectors.TestGroups {
			text := group.Public
			if text == nil {
				text = group.Private
			}
			var set map[string][]any
			if json.Unmarshal(text, &set) != nil || set["keys"] == nil {
				set = map[string][]any{"keys": {text}}
			}
			keys := newTestKeys(t, jose.RS256, set)
			for _, test := range group.Tests {
				if test.JWS == nil {
					continue // a JWE
				}
				var token string
				if json.Unmarshal(test.JWS, &token) != nil {
					token = string(test.JWS) // the JSON serialisation
				}
				_, err := keys.verify(t.Context(), token)
				if err == nil && test.Result != "valid" && !slices.Contains(except, test.Comment) {
					t.Errorf("%s %d (%s, %s) is verified", file, test.TcID, group.Comment, test.Comment)
				}
				fits := slices.Contains([]string{"rs256", "jws_rsa"}, group.Comment) || test.Comment == "Figure13"
				// A signature over nothing is valid, but a JWT has claims.
				fits = fits && test.Comment != "emptyPayload"
				if err != nil && test.Result == "valid" && fits {
					t.Errorf("%s %d (%s, %s): %v", file, test.TcID, group.Comment, test.Comment, err)
				}
				if err == nil {
					verified++
				} else {
					refused++
				}
			}
		}
	}
	if verified < 8 || refused < 400 {
		t.Errorf("%d vectors were verified and %d refused", verified, refused)
	}
}
