package caddymodule_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// S1-S4, RFC 8725 section 2: what has been done to other JOSE libraries, from
// outside, at gates, check and authorize. A forgery with the right key would be
// accepted but for the one thing that it tries.
func TestForgeriesOfJOSE(t *testing.T) {
	f := newForge(t)
	f.test(t)
	right, secret := rs(f.signing, crypto.SHA256), hs(sha256.New, f.secret)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// own signs with a key that the token itself brings along (CVE-2018-0114).
	own := func(alg jose.SignatureAlgorithm, key any) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign([]byte(text(f.claims)))
		if err != nil {
			t.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	// sealed encrypts what ought to be signed: the public key suffices for that
	// (CVE-2024-28176 is the bomb).
	sealed := func(alg jose.KeyAlgorithm, key any, payload string, zip jose.CompressionAlgorithm) string {
		encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: alg, Key: key}, (&jose.EncrypterOptions{Compression: zip}).WithType("JWT").WithContentType("JWT"))
		if err != nil {
			t.Fatal(err)
		}
		object, err := encrypter.Encrypt([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		token, err := object.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	// bent is the permission token with another spelling of its signature's number.
	bent := func(bend func(s *big.Int) []byte) string {
		parts := strings.Split(f.permission, ".")
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(bend(new(big.Int).SetBytes(signature)))
	}
	zeros := func(n int) func([]byte) []byte { return func([]byte) []byte { return make([]byte, n) } }
	head := func(changes object) string { return mint(f.head.with(changes), f.claims, right) }
	kid := text(f.head["kid"])
	n := f.signing.N
	for name, token := range map[string]string{
		// The algorithm
		"ES256 of an own key":          own(jose.ES256, p256),
		"EdDSA of an own key":          own(jose.EdDSA, ed),
		"RS256 of an own key":          own(jose.RS256, f.other),
		"ES256, all zero":              mint(f.head.with(object{"alg": "ES256"}), f.claims, zeros(64)), // CVE-2022-21449
		"EdDSA, all zero":              mint(f.head.with(object{"alg": "EdDSA"}), f.claims, zeros(64)),
		"RS256, all zero":              mint(f.head, f.claims, zeros(256)),
		"HS256 with the JWKS":          mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, []byte(call(t, f.Gateway, "/auth/jwks.json").Body))),
		"HS256 with the modulus":       mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, n.Bytes())),
		"HS256 with the kid":           mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, []byte(f.head["kid"].(string)))),
		"session with its kid":         mint(f.sessionHead, f.session, hs(sha256.New, []byte(f.sessionHead["kid"].(string)))),
		"session with the JWKS":        mint(f.sessionHead, f.session, hs(sha256.New, []byte(call(t, f.Gateway, "/auth/jwks.json").Body))),
		"alg with a blank":             head(object{"alg": "RS256 "}),
		"alg with a NUL":               head(object{"alg": "RS256\x00"}),
		"two algs in one":              head(object{"alg": "RS256,HS256"}),
		"alg null":                     mint(`{"alg":null,"typ":"JWT"}`, f.claims, right),
		"alg twice":                    mint(`{"alg":"RS256","typ":"JWT","alg":"RS256"}`, f.claims, right),
		"alg twice, escaped":           mint(`{"alg":"RS256","typ":"JWT","\u0061lg":"none"}`, f.claims, right),
		"session's alg on our keys":    mint(f.sessionHead.with(object{"alg": "RS256"}), f.session, right),
		"permission, session's secret": mint(f.head, f.claims, secret),
		// The key
		"kid null":           mint(`{"alg":"RS256","typ":"JWT","kid":null}`, f.claims, right),
		"kid twice":          mint(`{"alg":"RS256","typ":"JWT","kid":`+kid+`,"kid":`+kid+`}`, f.claims, right),
		"kid with a NUL":     head(object{"kid": f.head["kid"].(string) + "\x00"}),
		"kid with a blank":   head(object{"kid": " " + f.head["kid"].(string)}),
		"kid of the session": head(object{"kid": f.sessionHead["kid"]}),
		"kid in lower case":  head(object{"kid": strings.ToLower(f.head["kid"].(string))}),
		"kid is a list":      head(object{"kid": []any{f.head["kid"]}}),
		"crit, known names":  head(object{"crit": []string{"alg", "kid", "typ"}}),
		"crit, empty":        head(object{"crit": []string{}}),
		"b64 and crit":       head(object{"b64": false, "crit": []string{"b64"}}),
		"unknown member":     head(object{"http://example.com/x": true}),
		// The signature's number
		"s + n":         bent(func(s *big.Int) []byte { return s.Add(s, n).Bytes() }),
		"n - s":         bent(func(s *big.Int) []byte { return s.Sub(n, s).FillBytes(make([]byte, 256)) }),
		"leading zero":  bent(func(s *big.Int) []byte { return s.FillBytes(make([]byte, 257)) }),
		"zero appended": bent(func(s *big.Int) []byte { return append(s.FillBytes(make([]byte, 256)), 0) }),
		"one":           bent(func(*big.Int) []byte { return big.NewInt(1).FillBytes(make([]byte, 256)) }),
		"n - 1":         bent(func(*big.Int) []byte { return new(big.Int).Sub(n, big.NewInt(1)).FillBytes(make([]byte, 256)) }),
		// Encryption in place of a signature, and tokens within tokens
		"encrypted to us":          sealed(jose.RSA_OAEP_256, &f.signing.PublicKey, text(f.claims), ""),
		"a good token, encrypted":  sealed(jose.RSA_OAEP, &f.signing.PublicKey, f.permission, ""),
		"encrypted, a bomb":        sealed(jose.RSA_OAEP, &f.signing.PublicKey, strings.Repeat(" ", 1<<20)+text(f.claims), jose.DEFLATE),
		"encrypted with a secret":  sealed(jose.DIRECT, f.secret, text(f.session), ""),
		"a password, many rounds":  part(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2s":"AAAAAAAAAAA","p2c":2147483647}`) + ".AAAA.AAAA.AAAA.AAAA",
		"a good token, signed":     mint(f.head.with(object{"cty": "JWT"}), f.permission, right),
		"a good token, as a claim": mint(f.head, object{"token": f.permission}, right),
		// The JSON
		"byte order mark":       mint(f.head, "\ufeff"+text(f.claims), right),
		"blank in front":        mint(f.head, " "+text(f.claims), right),
		"line break behind":     mint(f.head, text(f.claims)+"\n", right),
		"NUL behind":            mint(f.head, text(f.claims)+"\x00", right),
		"UTF-16":                mint(f.head, utf16Of(text(f.claims)), right),
		"lone surrogate":        mint(f.head, strings.Replace(text(f.claims), `"userid":`, `"x":"\ud800","userid":`, 1), right),
		"permission twice":      mint(f.head, strings.Replace(text(f.claims), `"read":true`, `"read":false,"read":true`, 1), right),
		"permissions twice":     mint(f.head, strings.Replace(text(f.claims), `"permissions":`, `"permissions":{},"permissions":`, 1), right),
		"number beyond float64": mint(f.head, strings.Replace(text(f.claims), `"userid":`, `"x":1e999,"userid":`, 1), right),
		"33 levels":             mint(f.head, strings.Replace(text(f.claims), `"userid":`, `"x":`+strings.Repeat(`{"x":`, 32)+"0"+strings.Repeat("}", 32)+`,"userid":`, 1), right),
		"exp after all":         mint(f.head, f.claims.with(object{"exp": 253402300800}), right),
		"user with a NUL":       mint(f.head, f.claims.with(object{"userid": f.ada.ID + "\x00"}), right),
		"user with a line":      mint(f.head, f.claims.with(object{"userid": f.ada.ID + "\r\nX-Auth-User-Id: root"}), right),
		"service and aud":       mint(f.head, f.claims.with(object{"aud": []string{"storage"}}), right),
	} {
		t.Run(name, func(t *testing.T) { f.wantNothing(t, token) })
	}
}

// utf16Of is ASCII text as UTF-16 with a byte order mark.
func utf16Of(text string) string {
	return "\xff\xfe" + strings.Join(strings.Split(text, ""), "\x00") + "\x00"
}

// S3, S40: one token has one spelling. Others of a token that is good, and that
// the gateway has just accepted and remembers, are not found in its memory
// either; nor does what it remembers open another gate (S6).
func TestOtherSpellingsOfARememberedToken(t *testing.T) {
	f := newForge(t)
	for _, good := range []struct{ token, path string }{{f.permission, "/storage/"}, {f.ada.Token, "/login/"}} {
		remembered := func(path string) {
			t.Helper()
			for range 2 {
				if answer := call(t, f.Gateway, path, "Auth-Token", good.token); answer.Status != http.StatusOK {
					t.Fatalf("got %d %s", answer.Status, answer.Body)
				}
				wantSeen(t, f.upstream)
			}
		}
		remembered(good.path)
		parts := strings.Split(good.token, ".")
		for name, token := range map[string]string{
			"padded":                   good.token + "=",
			"period behind":            good.token + ".",
			"cut":                      good.token[:len(good.token)-1],
			"another case":             strings.ToUpper(good.token[:1]) + strings.ToUpper(good.token[1:]),
			"stray bits":               strayBits(good.token),
			"line break in the header": parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1] + "." + parts[2],
			"line break in the claims": parts[0] + "." + parts[1][:4] + "\r\n" + parts[1][4:] + "." + parts[2],
			"line break behind":        good.token + "\n",
			"blank within":             parts[0] + ". " + parts[1] + "." + parts[2],
			"NUL behind":               good.token + "\x00",
			"twice":                    good.token + "," + good.token,
			"in quotes":                `"` + good.token + `"`,
			"with its scheme":          "Bearer " + good.token,
			"no-break space behind":    good.token + "\u00a0",
		} {
			// By parameter: a header cannot carry all of them.
			wantProblem(t, call(t, f.Gateway, "/storage/?jwt="+url.QueryEscape(token)), http.StatusUnauthorized, "token_invalid")
			wantUnseen(t, f.upstream)
			t.Run(name, func(t *testing.T) {
				for _, path := range []string{"/auth/check?next=x&jwt=", "/auth/authorize?service=storage&jwt="} {
					answer := call(t, f.Gateway, path+url.QueryEscape(token))
					if answer.Status != http.StatusOK || strings.Contains(answer.Body, `"authenticated":true`) || strings.Contains(answer.Body, `"token"`) {
						t.Errorf("%s: got %d %s", path, answer.Status, answer.Body)
					}
				}
			})
		}
		remembered(good.path)
	}
	for _, path := range []string{"/reports/", "/login/", "/brief/"} {
		wantProblem(t, call(t, f.Gateway, path, "Auth-Token", f.permission), http.StatusUnauthorized, "token_invalid")
	}
	wantUnseen(t, f.upstream)
}

// S7: one service is named, once, and its name is exact; nothing else that a
// request says makes another token.
func TestAuthorizeIsForOneService(t *testing.T) {
	f := newForge(t)
	for query, want := range map[string]string{
		"service=storage": "storage",
		"service=storage&userid=mallory&permissions=admin": "storage",
		"service=storage&service=reports":                  "",
		"service=storage&service=storage":                  "",
		"service=storage&%73ervice=reports":                "",
		"":                                                 "",
		"Service=storage":                                  "",
		"service[]=storage":                                "",
		"userid=mallory&sub=mallory&service=reports&exp=9e9": "reports",
	} {
		answer := call(t, f.Gateway, "/auth/authorize?"+query, "Auth-Token", f.ada.Token)
		if want == "" {
			if answer.Status != http.StatusOK || answer.Body != `{"permissions":{}}` {
				t.Errorf("%s: got %d %s", query, answer.Status, answer.Body)
			}
			continue
		}
		var got struct{ Token, Service, UserID string }
		parse(t, answer, &got)
		_, claims := decoded(t, got.Token)
		if got.Service != want || claims["service"] != want || got.UserID != f.ada.ID || claims["userid"] != f.ada.ID || claims["sid"] != f.session["sid"] || claims["exp"].(float64) > f.session["exp"].(float64) {
			t.Errorf("%s: got %+v with %v", query, got, claims)
		}
		for name := range claims { // S6: and no "aud", for old verifiers
			if !strings.Contains(" iss userid sid service permissions jti iat exp ", " "+name+" ") {
				t.Errorf("%s: an unexpected claim %s", query, name)
			}
		}
	}
}
