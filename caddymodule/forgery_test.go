package caddymodule_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// object is a JSON object.
type object map[string]any

// mint is a token of the given header and claims; sign makes the signature of
// its first two parts.
func mint(header, claims any, sign func(input []byte) []byte) string {
	input := part(text(header)) + "." + part(text(claims))
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

// text is JSON, or the text itself.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func unsigned([]byte) []byte { return nil }

func hs(hash func() hash.Hash, key []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(hash, key)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

func rs(key *rsa.PrivateKey, algorithm crypto.Hash) func([]byte) []byte {
	return func(input []byte) []byte {
		digest := algorithm.New()
		digest.Write(input)
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, algorithm, digest.Sum(nil))
		if err != nil {
			panic(err)
		}
		return signature
	}
}

func ps(key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		digest := sha256.Sum256(input)
		signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], nil)
		if err != nil {
			panic(err)
		}
		return signature
	}
}

// with is a copy of o with some members changed; nil takes one away.
func (o object) with(changes object) object {
	changed := maps.Clone(o)
	for name, value := range changes {
		if changed[name] = value; value == nil {
			delete(changed, name)
		}
	}
	return changed
}

// decoded are the header and claims of a token.
func decoded(t *testing.T, token string) (header, claims object) {
	t.Helper()
	for i, into := range []*object{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err == nil {
			err = json.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// forge has what a forger may know, and what he may not but would be a help.
type forge struct {
	*gatewaytest.Gateway
	upstream              *gatewaytest.Upstream
	ada                   person
	permission, forwarded string // tokens of ada's
	head, claims          object // of the permission token
	sessionHead, session  object // of ada's session token
	public                []byte // PEM, as the gateway shows it
	signing, other        *rsa.PrivateKey
	signingPEM, secret    []byte // in the gateway's storage
}

func newForge(t *testing.T) *forge {
	t.Helper()
	f := &forge{upstream: gatewaytest.NewUpstream(t), other: rsaKey(t, 2048)}
	f.Gateway = gatewaytest.Start(t, gatewaytest.Config{
		Auth: `login dev
			rate_limits off
			service storage static {
				everyone read
			}
			service reports static {
				everyone read
			}
			service brief static {
				everyone read
			}
			token_lifetime brief 2s`,
		Site: strings.ReplaceAll(`auth_api
			handle /login/* {
				require_login
				reverse_proxy UPSTREAM
			}
			handle /storage/* {
				require_permission storage read {
					forward_token
					query_token
				}
				reverse_proxy UPSTREAM
			}
			handle /reports/* {
				require_permission reports read
				reverse_proxy UPSTREAM
			}
			handle /brief/* {
				require_permission brief read
				reverse_proxy UPSTREAM
			}
			handle {
				identify
				reverse_proxy UPSTREAM
			}`, "UPSTREAM", f.upstream.Address()),
	})
	f.ada = signIn(t, f.Gateway, "ada")
	f.permission = permissionToken(t, f.Gateway, f.ada.Token, "storage")
	call(t, f.Gateway, "/storage/", "Auth-Token", f.ada.Token)
	f.forwarded = wantSeen(t, f.upstream).Header.Get("X-Auth-Token")
	f.head, f.claims = decoded(t, f.permission)
	f.sessionHead, f.session = decoded(t, f.ada.Token)
	f.public = []byte(call(t, f.Gateway, "/auth/public-key").Body)
	f.signingPEM, f.secret = storedKey(t, f.Gateway, "signing"), storedKey(t, f.Gateway, "session")
	block, _ := pem.Decode(f.signingPEM)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	f.signing = key.(*rsa.PrivateKey)
	if f.secret, err = base64.RawURLEncoding.DecodeString(string(f.secret)); err != nil {
		t.Fatal(err)
	}
	return f
}

// wantNothing shows a token everywhere, and expects that it counts nowhere.
func (f *forge) wantNothing(t *testing.T, token string) {
	t.Helper()
	for _, path := range []string{"/login/", "/storage/"} {
		wantProblem(t, call(t, f.Gateway, path, "Auth-Token", token), http.StatusUnauthorized, "token_invalid")
		// Where the token does not claim to be ours, it is the upstream's affair and
		// no credential (ruling 5).
		answer := call(t, f.Gateway, path, "Authorization", "Bearer "+token)
		var p problem
		parse(t, answer, &p)
		if answer.Status != http.StatusUnauthorized || p.Code != "token_invalid" && p.Code != "not_signed_in" {
			t.Errorf("%s: as Bearer got %d %s", path, answer.Status, p.Code)
		}
		if challenge := answer.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, `Bearer realm="auth"`) { // S44
			t.Errorf("%s: WWW-Authenticate is %q", path, challenge)
		}
	}
	answer := call(t, f.Gateway, "/storage/?jwt="+url.QueryEscape(token))
	if tooLong(token) {
		wantProblem(t, answer, http.StatusRequestURITooLong, "bad_request")
	} else {
		wantProblem(t, answer, http.StatusUnauthorized, "token_invalid")
	}
	wantUnseen(t, f.upstream)
	if answer := call(t, f.Gateway, "/open", "Auth-Token", token); answer.Status != http.StatusOK { // ruling 7
		t.Errorf("identify: got %d %s", answer.Status, answer.Body)
	}
	if found := identity(wantSeen(t, f.upstream)); len(found) > 0 {
		t.Errorf("identify: the upstream saw %v", found)
	}
	f.wantNobody(t, token)
}

// tooLong reports whether a token does not fit into an address (S38).
func tooLong(token string) bool { return len(token) > 8<<10 }

// wantNobody shows a token to the API, by header and by parameter.
func (f *forge) wantNobody(t *testing.T, token string) {
	t.Helper()
	for _, c := range []struct {
		query  string
		header []string
	}{{"", []string{"Auth-Token", token}}, {"&jwt=" + url.QueryEscape(token), nil}} {
		if c.query != "" && tooLong(token) {
			if answer := call(t, f.Gateway, "/auth/check?next=x"+c.query); answer.Status != http.StatusRequestURITooLong {
				t.Errorf("check: got %d %s", answer.Status, answer.Body)
			}
			continue
		}
		var check struct {
			Authenticated *bool
			Profile       any
		}
		answer := call(t, f.Gateway, "/auth/check?next=x"+c.query, c.header...)
		parse(t, answer, &check)
		if answer.Status != http.StatusOK || check.Authenticated == nil || *check.Authenticated || check.Profile != nil {
			t.Errorf("check: got %d %s", answer.Status, answer.Body)
		}
		for _, service := range []string{"storage", "reports", "unknown"} {
			answer := call(t, f.Gateway, "/auth/authorize?service="+service+c.query, c.header...)
			if answer.Status != http.StatusOK || answer.Body != `{"permissions":{}}` {
				t.Errorf("authorize: got %d %s", answer.Status, answer.Body)
			}
		}
	}
}

// The forge itself: what it makes of the right keys is accepted, so that the
// tests below refuse for the one reason they name.
func (f *forge) test(t *testing.T) {
	genuine := mint(f.head, f.claims.with(object{"jti": "x"}), rs(f.signing, crypto.SHA256))
	for _, token := range []string{f.permission, genuine, mint(f.head.with(object{"kid": nil}), f.claims, rs(f.signing, crypto.SHA256))} {
		if answer := call(t, f.Gateway, "/storage/", "Auth-Token", token); answer.Status != http.StatusOK {
			t.Fatalf("a permission token: got %d %s", answer.Status, answer.Body)
		}
		if got := identity(wantSeen(t, f.upstream))["x-auth-user-id"]; len(got) != 1 || got[0] != f.ada.ID {
			t.Fatalf("a permission token: the upstream saw %v", got)
		}
	}
	for _, path := range []string{"/login/", "/storage/", "/reports/"} {
		token := mint(f.sessionHead, f.session.with(object{"iat": time.Now().Unix() - 1}), hs(sha256.New, f.secret))
		if answer := call(t, f.Gateway, path, "Auth-Token", token); answer.Status != http.StatusOK {
			t.Fatalf("a session token: got %d %s", answer.Status, answer.Body)
		}
		wantSeen(t, f.upstream)
	}
}

// S1, S2: the algorithm and the key are the gateway's choice, whatever the
// header says.
func TestForgedSignatures(t *testing.T) {
	f := newForge(t)
	f.test(t)
	var fetched atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer trap.Close()
	block, _ := pem.Decode(f.public)
	trimmed := []byte(strings.TrimSpace(string(f.public)))
	right, otherKey := rs(f.signing, crypto.SHA256), rs(f.other, crypto.SHA256)
	jwk := object{
		"kty": "RSA", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(f.other.N.Bytes()), "kid": f.head["kid"], "alg": "RS256", "use": "sig",
	}
	bare := object{"typ": "JWT"}
	signature := f.permission[strings.LastIndex(f.permission, ".")+1:]
	for name, token := range map[string]string{
		"none":                          mint(f.head.with(object{"alg": "none"}), f.claims, unsigned),
		"None":                          mint(bare.with(object{"alg": "None"}), f.claims, unsigned),
		"nOnE":                          mint(bare.with(object{"alg": "nOnE"}), f.claims, unsigned),
		"none, signature kept":          mint(f.head.with(object{"alg": "none"}), f.claims, unsigned) + signature,
		"no signature":                  mint(f.head, f.claims, unsigned),
		"empty alg":                     mint(f.head.with(object{"alg": ""}), f.claims, right),
		"no alg":                        mint(f.head.with(object{"alg": nil}), f.claims, right),
		"alg in lower case":             mint(f.head.with(object{"alg": "rs256"}), f.claims, right),
		"alg as a list":                 mint(f.head.with(object{"alg": []string{"RS256"}}), f.claims, right),
		"HS256 with the PEM":            mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, f.public)),
		"HS256 with the PEM, trimmed":   mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, trimmed)),
		"HS256 with the PEM, no kid":    mint(object{"alg": "HS256", "typ": "JWT"}, f.claims, hs(sha256.New, f.public)),
		"HS256 with the DER":            mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, block.Bytes)),
		"HS512 with the PEM":            mint(f.head.with(object{"alg": "HS512"}), f.claims, hs(sha512.New, f.public)),
		"HS256, empty key":              mint(f.head.with(object{"alg": "HS256"}), f.claims, hs(sha256.New, nil)),
		"session, HS256 with the PEM":   mint(f.sessionHead, f.session, hs(sha256.New, f.public)),
		"session, empty key":            mint(f.sessionHead, f.session, hs(sha256.New, nil)),
		"session, none":                 mint(f.sessionHead.with(object{"alg": "none"}), f.session, unsigned),
		"session, HS512, right key":     mint(f.sessionHead.with(object{"alg": "HS512"}), f.session, hs(sha512.New, f.secret)),
		"session, HS384, right key":     mint(f.sessionHead.with(object{"alg": "HS384"}), f.session, hs(sha512.New384, f.secret)),
		"RS512, right key":              mint(f.head.with(object{"alg": "RS512"}), f.claims, rs(f.signing, crypto.SHA512)),
		"RS384, right key":              mint(f.head.with(object{"alg": "RS384"}), f.claims, rs(f.signing, crypto.SHA384)),
		"PS256, right key":              mint(f.head.with(object{"alg": "PS256"}), f.claims, ps(f.signing)),
		"RS256, but PSS":                mint(f.head, f.claims, ps(f.signing)),
		"ES256":                         mint(f.head.with(object{"alg": "ES256"}), f.claims, otherKey),
		"EdDSA":                         mint(f.head.with(object{"alg": "EdDSA"}), f.claims, otherKey),
		"another key":                   mint(f.head, f.claims, otherKey),
		"another key, no kid":           mint(object{"alg": "RS256", "typ": "JWT"}, f.claims, otherKey),
		"another key and kid":           mint(f.head.with(object{"kid": "other"}), f.claims, otherKey),
		"right key, another kid":        mint(f.head.with(object{"kid": "other"}), f.claims, right),
		"kid is a path":                 mint(object{"alg": "HS256", "typ": "JWT", "kid": "../../../../../../dev/null"}, f.claims, hs(sha256.New, nil)),
		"kid is a path, session":        mint(f.sessionHead.with(object{"kid": "/dev/null"}), f.session, hs(sha256.New, nil)),
		"kid is a URL":                  mint(f.head.with(object{"kid": trap.URL}), f.claims, otherKey),
		"kid is a query":                mint(f.head.with(object{"kid": "' OR '1'='1"}), f.claims, otherKey),
		"kid is empty":                  mint(f.head.with(object{"kid": ""}), f.claims, right),
		"kid is a number":               mint(f.head.with(object{"kid": 1}), f.claims, right),
		"kid is long":                   mint(f.head.with(object{"kid": strings.Repeat("k", 129)}), f.claims, right),
		"kid in another case":           mint(f.head.with(object{"kid": nil, "KID": f.head["kid"]}), f.claims, right),
		"jwk":                           mint(f.head.with(object{"jwk": jwk}), f.claims, otherKey),
		"jwk alone":                     mint(object{"alg": "RS256", "typ": "JWT", "jwk": jwk}, f.claims, otherKey),
		"jku":                           mint(f.head.with(object{"jku": trap.URL + "/jwks.json"}), f.claims, otherKey),
		"x5u":                           mint(f.head.with(object{"x5u": trap.URL + "/cert.pem"}), f.claims, otherKey),
		"x5c":                           mint(f.head.with(object{"x5c": []string{base64.StdEncoding.EncodeToString(block.Bytes)}}), f.claims, otherKey),
		"crit":                          mint(f.head.with(object{"crit": []string{"exp"}}), f.claims, right),
		"b64":                           mint(f.head.with(object{"b64": false}), f.claims, right),
		"zip":                           mint(f.head.with(object{"zip": "DEF"}), f.claims, right),
		"claims changed":                mint(f.head, f.claims.with(object{"userid": "mallory"}), func([]byte) []byte { s, _ := base64.RawURLEncoding.DecodeString(signature); return s }),
		"signature cut":                 f.permission[:len(f.permission)-4],
		"signature of another token":    f.permission[:strings.LastIndex(f.permission, ".")+1] + f.forwarded[strings.LastIndex(f.forwarded, ".")+1:],
		"original's session (O1)":       mint(object{"typ": "JWT", "alg": "HS256"}, object{"userid": f.ada.ID, "exp": f.session["exp"]}, hs(sha256.New, f.signingPEM)),
		"original's session, all of it": mint(object{"typ": "JWT", "alg": "HS256"}, f.session, hs(sha256.New, f.signingPEM)),
	} {
		t.Run(name, func(t *testing.T) { f.wantNothing(t, token) })
	}
	if n := fetched.Load(); n > 0 {
		t.Errorf("%d keys were fetched from where a token said", n)
	}
}
