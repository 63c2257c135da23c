package caddymodule_test

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers"
)

// The test binary is the gateway, so that modules of the tests are in it.
func init() {
	caddy.RegisterModule(new(testPermissions))
	caddy.RegisterModule(new(testIdentities))
	caddy.RegisterModule(new(testHandler))
	httpcaddyfile.RegisterHandlerDirective("test_panic", parseTestHandler)
}

// mood is a file with a word that says how a module behaves right now.
type mood struct {
	File string `json:"file,omitempty"`
}

func (m *mood) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&m.File) {
		return d.ArgErr()
	}
	return nil
}

func (m *mood) is() string {
	text, err := os.ReadFile(m.File)
	if err != nil {
		return "fail"
	}
	return string(text)
}

// setMood changes it, in one step.
func setMood(t *testing.T, file, word string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(word), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// testPermissions is a permission provider whose answers hold for a second.
type testPermissions struct{ mood }

func (*testPermissions) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "auth.permission_providers.test_permissions", New: func() caddy.Module { return new(testPermissions) }}
}

func (p *testPermissions) Permissions(ctx context.Context, user providers.User, _ string) (providers.Answer, error) {
	granted := providers.Permissions{"read": true}
	answer := func(permissions providers.Permissions) (providers.Answer, error) {
		return providers.Answer{Permissions: permissions, ValidFor: time.Second}, nil
	}
	switch p.is() {
	case "grant":
		return answer(granted)
	case "none":
		return answer(nil)
	case "panic":
		panic("cannot stand " + user.Username)
	case "hang":
		<-ctx.Done()
		return providers.Answer{}, ctx.Err()
	case "stuck": // whatever anybody says
		select {}
	case "grant and fail":
		return providers.Answer{Permissions: granted, ValidFor: time.Hour}, errors.New("SELECT broken FROM sqlite")
	case "nil":
		return providers.Answer{}, nil
	case "words":
		return answer(providers.Permissions{"read": "true"})
	case "number":
		return answer(providers.Permissions{"read": 1.0})
	case "list":
		return answer(providers.Permissions{"read": []any{true}})
	case "spelling":
		return answer(providers.Permissions{"Read": true, "READ": true, "read ": true, "": true, "*": true})
	case "function":
		return answer(providers.Permissions{"read": true, "then": func() {}})
	case "not a number":
		return answer(providers.Permissions{"read": true, "quota": math.NaN()})
	case "endless":
		granted["self"] = granted
		return answer(granted)
	case "line breaks":
		return answer(providers.Permissions{"read": true, "a\r\nX-Auth-User-Id: root": "\r\n\x00\xff"})
	case "huge":
		return answer(providers.Permissions{"read": true, "big": strings.Repeat("x", 1<<20)})
	case "in the past":
		return providers.Answer{Permissions: granted, ValidFor: -time.Hour}, nil
	}
	return providers.Answer{}, errors.New("SELECT broken FROM sqlite")
}

// testIdentities is an identity provider that signs everybody in as grace, in
// one step.
type testIdentities struct{ mood }

func (*testIdentities) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "auth.identity_providers.test_identities", New: func() caddy.Module { return new(testIdentities) }}
}

func (p *testIdentities) LoginURL(_ context.Context, redirectURI, state string) (location string, private []byte, err error) {
	switch p.is() {
	case "panic at the start":
		panic("secret-of-the-start")
	case "relative":
		return "/elsewhere?state=" + state, nil, nil
	case "script":
		return "javascript:alert(1)//" + state, nil, nil
	case "nothing":
		return "", nil, nil
	case "much to keep":
		return redirectURI + "?code=x&state=" + state, make([]byte, 1<<20), nil
	case "fail at the start":
		return "", nil, errors.New("SELECT broken FROM sqlite")
	case "gone at the start":
		return "", nil, providers.ErrUnavailable
	}
	return redirectURI + "?code=x&state=" + state, nil, nil
}

func (p *testIdentities) HandleCallback(_ context.Context, _ string, _ []byte, _ url.Values) (providers.Identity, error) {
	grace := providers.Identity{Issuer: "https://login.example", Subject: "grace", Email: "grace@example.com", EmailVerified: true}
	switch p.is() {
	case "panic":
		panic("secret-of-the-callback")
	case "nil map":
		var nobody *providers.Identity
		return *nobody, nil // as guests do
	case "grace and fail":
		return grace, errors.New("SELECT broken FROM sqlite")
	case "gone":
		return grace, providers.ErrUnavailable
	case "nobody":
		return providers.Identity{}, nil
	case "no subject":
		grace.Subject = ""
	case "no issuer":
		grace.Issuer = ""
	case "unverified":
		grace.EmailVerified = false
	case "no address":
		grace.Email = ""
	case "two addresses":
		grace.Email = "grace@example.com,root@example.com"
	}
	return grace, nil
}

// ServeHTTP are the provider's own pages.
func (p *testIdentities) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/abort":
		panic(http.ErrAbortHandler)
	case "/panic":
		panic("secret-of-the-page")
	case "/late":
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte("it begins"))
		panic("secret-of-the-late-page")
	}
	_, _ = w.Write([]byte("a page"))
}

// testHandler panics, or makes the next gate panic.
type testHandler struct{}

func parseTestHandler(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	return new(testHandler), nil
}

func (*testHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_panic", New: func() caddy.Module { return new(testHandler) }}
}

func (h *testHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	switch r.Header.Get("X-Panic") {
	case "abort":
		panic(http.ErrAbortHandler)
	case "upstream":
		panic("secret-of-the-upstream")
	case "placeholder":
		r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer).Map(func(key string) (any, bool) {
			if key == "test.permission" {
				panic("secret-of-the-placeholder")
			}
			return nil, false
		})
	}
	return next.ServeHTTP(w, r)
}

var (
	_ providers.PermissionProvider = (*testPermissions)(nil)
	_ providers.IdentityProvider   = (*testIdentities)(nil)
	_ http.Handler                 = (*testIdentities)(nil)
	_ caddyhttp.MiddlewareHandler  = (*testHandler)(nil)
)

// moodFile is a file for a module's mood.
func moodFile(t *testing.T, word string) string {
	t.Helper()
	file := t.TempDir() + "/mood"
	setMood(t, file, word)
	return file
}

// openDatabase opens a gateway's SQLite database beside it.
func openDatabase(t *testing.T, g *gatewaytest.Gateway) *sql.DB {
	t.Helper()
	database, err := sql.Open("sqlite", databaseFile(g)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	return database
}

func wantRows(t *testing.T, database *sql.DB, table string, want int) {
	t.Helper()
	var got int
	if err := database.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&got); err != nil || got != want {
		t.Errorf("%s has %d rows, want %d: %v", table, got, want, err)
	}
}
