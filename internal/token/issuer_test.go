package token

import (
	"strings"
	"testing"
)

func TestUnverifiedIssuer(t *testing.T) {
	ring := testRing(t)
	token := func(header, payload string) string { return b64(header) + "." + b64(payload) + ".AA" }
	const head = `{"alg":"RS256"}`
	tests := []struct {
		name, raw, want string
		ok              bool
	}{
		{"permission", must(ring.SignPermission(testPermission())), testIssuer, true},
		{"session", must(ring.SignSession(testSession())), testIssuer, true},
		{"somebody else's", token(head, `{"aud":["a"],"iss":"https://accounts.google.com","x":{"iss":"y"}}`), "https://accounts.google.com", true},
		{"white space and escapes", token(" {}"[1:2]+`"alg":"ES256", "jwk": {"kty":"EC"}}`, "{ \"a\" : [ ] , \"\\u0069ss\" : \"https:\\/\\/app.example.com\" }"), testIssuer, true},
		{"iss last", token(head, `{"a":1,"b":{"c":[1,2,{"d":null}]},"iss":"x"}`), "x", true},
		// Forgeries that name us are ours to refuse, not somebody else's tokens: they
		// must not be passed on.
		{"alg none without signature", b64(`{"alg":"none"}`) + "." + b64(`{"iss":"`+testIssuer+`"}`) + ".", testIssuer, true},
		{"stray bits in the signature", b64(head) + "." + b64(`{"iss":"`+testIssuer+`"}`) + ".AB", testIssuer, true},
		{"header that no verifier of ours takes", token(`{"alg":"RS256","crit":["b64"],"b64":false,"jwk":{"a":{"b":[]}}}`, `{"iss":"`+testIssuer+`"}`), testIssuer, true},
		{"expired long ago", token(head, `{"iss":"`+testIssuer+`","exp":1}`), testIssuer, true},
		{"a member twice", token(head, `{"exp":1,"exp":2,"iss":"`+testIssuer+`"}`), testIssuer, true},

		{"no iss", token(head, `{"sub":"x"}`), "", false},
		{"no claims", token(head, `{}`), "", false},
		{"iss empty", token(head, `{"iss":""}`), "", false},
		{"iss a number", token(head, `{"iss":1}`), "", false},
		{"iss null", token(head, `{"iss":null}`), "", false},
		{"iss an array", token(head, `{"iss":["x"]}`), "", false},
		{"iss twice", token(head, `{"iss":"x","iss":"y"}`), "", false},
		{"iss twice, once escaped", token(head, `{"iss":"x","\u0069ss":"y"}`), "", false},
		{"iss only deeper", token(head, `{"a":{"iss":"x"}}`), "", false},
		{"ISS", token(head, `{"ISS":"x"}`), "", false},
		{"payload with text after", token(head, `{"iss":"x"} `), "", false},
		{"payload not closed", token(head, `{"iss":"x"`), "", false},
		{"payload not JSON", token(head, `{"iss":"x",}`), "", false},
		{"payload an array", token(head, `["iss","x"]`), "", false},
		{"payload not UTF-8", token(head, "{\"iss\":\"x\",\"a\":\"\xff\"}"), "", false},
		{"payload too deep", token(head, `{"iss":"x","a":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+"}"), "", false},
		{"payload empty", b64(head) + "..AA", "", false},
		{"payload padded", b64(head) + "." + b64(`{"iss":"xx"}`) + "=.AA", "", false},
		{"payload with stray bits", b64(head) + "." + strayBit(b64(`{"iss":"xy"}`+" ")) + ".AA", "", false},
		{"payload with a line break", b64(head) + "." + b64(`{"iss":"x"}`)[:4] + "\n" + b64(`{"iss":"x"}`)[4:] + ".AA", "", false},
		{"header of another alphabet", "a+/=." + b64(`{"iss":"x"}`) + ".AA", "", false},
		{"header empty", "." + b64(`{"iss":"x"}`) + ".AA", "", false},
		{"header not JSON", token(`{"alg":RS256}`, `{"iss":"x"}`), "x", true},
		{"header without alg", token(`{}`, `{"iss":"x"}`), "x", true},
		{"header with alg twice", token(`{"alg":"none","alg":"RS256"}`, `{"iss":"x"}`), "x", true},
		{"header with text after", token(head+"x", `{"iss":"x"}`), "x", true},
		{"signature padded", token(head, `{"iss":"x"}`) + "==", "", false},
		{"signature with a line break", token(head, `{"iss":"x"}`) + "\n", "", false},
		{"two parts", b64(head) + "." + b64(`{"iss":"x"}`), "", false},
		{"four parts", token(head, `{"iss":"x"}`) + ".", "", false},
		{"JWE", b64(`{"alg":"RSA-OAEP"}`) + ".a.b.c.d", "", false},
		{"opaque", "gho_0123456789", "", false},
		{"opaque with periods", "ya29.a0AfH6SM.x", "", false},
		{"nothing", "", "", false},
		{"JSON", `{"iss":"x"}`, "", false},
		{"8 KiB", token(head, `{"iss":"x"}`) + strings.Repeat("A", maxToken-len(token(head, `{"iss":"x"}`))), "x", true},
		{"over 8 KiB", token(head, `{"iss":"x"}`) + strings.Repeat("A", maxToken+1-len(token(head, `{"iss":"x"}`))), "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := UnverifiedIssuer(test.raw)
			if got != test.want || ok != test.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

// The longest payload that fits must fit the buffer.
func TestUnverifiedIssuerLongestPayload(t *testing.T) {
	head := b64(`{"alg":"x"}`) + "."
	for pad := 6000; pad < 6200; pad++ {
		raw := head + b64(`{"iss":"x","a":"`+strings.Repeat("p", pad)+`"}`) + "."
		iss, ok := UnverifiedIssuer(raw)
		if want := len(raw) <= maxToken; ok != want || ok && iss != "x" {
			t.Fatalf("%d bytes: got %q, %v", len(raw), iss, ok)
		}
	}
}

func TestUnverifiedIssuerAllocations(t *testing.T) {
	raw := must(testRing(t).SignPermission(testPermission()))
	if n := testing.AllocsPerRun(100, func() { UnverifiedIssuer(raw) }); n > 1 {
		t.Errorf("%v allocations, want the issuer's only", n)
	}
}
