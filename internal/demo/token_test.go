package demo

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// sign makes the token that the gateway forwards for ada, changed by change.
func (g *gateway) sign(t *testing.T, change func(*token.Permission)) string {
	t.Helper()
	p := token.Permission{
		UserID: "u1", SessionID: "s1", Service: "storage", Use: "upstream",
		Permissions: map[string]any{"read": true}, ExpiresAt: time.Now().Add(10 * time.Minute),
	}
	if change != nil {
		change(&p)
	}
	raw, err := g.SignPermission(p)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// swapPart replaces one of a token's three parts.
func swapPart(raw string, part int, text string) string {
	parts := strings.Split(raw, ".")
	parts[part] = base64.RawURLEncoding.EncodeToString([]byte(text))
	return strings.Join(parts, ".")
}

func TestToken(t *testing.T) {
	g, other := newGateway(t), newGateway(t)
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	good := g.sign(t, nil)
	session, err := g.SignSession(token.Session{UserID: "u1", SessionID: "s1", ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		tokens  []string
		url     string // the gateway's by default
		headers []string
		err     string // "" if verified
		claims  string // the userid that is shown, if any
	}{
		"verified":              {tokens: []string{good}, claims: "u1"},
		"verified with headers": {tokens: []string{good}, claims: "u1", headers: []string{"X-Auth-User-Id", "u1", "X-Auth-Service", "storage"}},
		// S1: who can write a token can write what it says.
		"forged claims": {tokens: []string{swapPart(good, 1, `{"userid":"eve"}`)}, err: "signature", claims: "eve"},
		"no algorithm":  {tokens: []string{swapPart(swapPart(good, 0, `{"alg":"none","typ":"JWT"}`), 2, "x")}, err: "alg", claims: "u1"},
		// S2: the key comes from the configured address, not from the token.
		"wrong key": {tokens: []string{other.sign(t, nil)}, err: "unknown kid", claims: "u1"},
		// S3
		"not a token": {tokens: []string{"<script>"}, err: "invalid"},
		"too long":    {tokens: []string{good + strings.Repeat("A", maxToken)}, err: "invalid"},
		// S4
		"a session token": {tokens: []string{session}, err: "invalid", claims: "u1"},
		// S5
		"expired": {tokens: []string{g.sign(t, func(p *token.Permission) {
			p.IssuedAt, p.ExpiresAt = time.Now().Add(-time.Hour), time.Now().Add(-time.Second)
		})}, err: "expired", claims: "u1"},
		// S6
		"another service": {tokens: []string{good}, headers: []string{"X-Auth-Service", "billing"}, err: "different services", claims: "u1"},
		"another user":    {tokens: []string{good}, headers: []string{"X-Auth-User-Id", "eve"}, err: "different users", claims: "u1"},
		// S9
		"two tokens":       {tokens: []string{good, good}, err: "2 token headers"},
		"gateway down":     {tokens: []string{good}, url: down.URL, err: "fetching the public key", claims: "u1"},
		"no key URL":       {tokens: []string{good}, url: "none", err: "no address is configured", claims: "u1"},
		"key of no scheme": {tokens: []string{good}, url: "localhost:1", err: "fetching the public key", claims: "u1"},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{PublicKeyURL: g.URL, Issuer: issuer}
			switch test.url {
			case "":
			case "none":
				config.PublicKeyURL = ""
			default:
				config.PublicKeyURL = test.url
			}
			headers := test.headers
			for _, raw := range test.tokens {
				headers = append(headers, tokenHeader, raw)
			}
			demo := New(config)
			var got struct {
				Token struct {
					Verified bool
					Error    string
					Claims   struct{ UserID string }
				}
			}
			if err := json.Unmarshal(ask(t, demo, http.MethodGet, "/", headers...).Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			f := got.Token
			if f.Verified != (test.err == "") || !strings.Contains(f.Error, test.err) || (f.Error == "") != f.Verified {
				t.Errorf("verified %v, error %q, want %q", f.Verified, f.Error, test.err)
			}
			if f.Claims.UserID != test.claims {
				t.Errorf("shows the claims of %q, want %q", f.Claims.UserID, test.claims)
			}
			page := ask(t, demo, http.MethodGet, "/", append(headers, "Accept", browser)...).Body.String()
			if strings.Contains(page, "✓ verified") != f.Verified || strings.Contains(page, "✗ not verified") == f.Verified {
				t.Errorf("the page says otherwise:\n%s", page)
			}
		})
	}
}

func TestTokenOfAnotherIssuer(t *testing.T) {
	g := newGateway(t)
	raw := g.sign(t, nil)
	for want, verified := range map[string]bool{issuer: true, "": true, "https://elsewhere.example": false} {
		body := ask(t, New(Config{PublicKeyURL: g.URL, Issuer: want}), http.MethodGet, "/", tokenHeader, raw).Body.String()
		if strings.Contains(body, `"verified": true`) != verified {
			t.Errorf("wanting issuer %q:\n%s", want, body)
		}
	}
}

func TestKeyIsFetchedOnlyForATokenAndOnce(t *testing.T) {
	g := newGateway(t)
	demo := New(Config{PublicKeyURL: g.URL})
	ask(t, demo, http.MethodGet, "/")
	if n := g.fetches.Load(); n != 0 {
		t.Errorf("%d fetches without a token", n)
	}
	for range 3 {
		ask(t, demo, http.MethodGet, "/", tokenHeader, g.sign(t, nil))
	}
	if n := g.fetches.Load(); n != 1 {
		t.Errorf("%d fetches for three tokens, want 1", n)
	}
}
