package caddymodule

import (
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/keyring"
	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/internal/wire"
)

// ringApp is an app as far as keys go.
func ringApp(t *testing.T, s certmagic.Storage, log *zap.Logger) *App {
	t.Helper()
	site, err := wire.NewSite("https://app.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	return &App{site: site, storage: s, logger: log}
}

// otherStorage is no certmagic.FileStorage.
type otherStorage struct{ certmagic.Storage }

// Caddy's own storage is on one machine; a shared cache means that there are
// more.
func TestWarnOfLocalKeys(t *testing.T) {
	for name, test := range map[string]struct {
		shared bool
		change func(*App)
		want   int
	}{
		"no shared cache": {false, func(*App) {}, 0},
		"files":           {true, func(*App) {}, 1},
		"another storage": {true, func(a *App) { a.storage = otherStorage{a.storage} }, 0},
		"given keys": {true, func(a *App) {
			a.keys.Signing, _ = token.GenerateSigningKey()
			a.keys.Session, _ = token.GenerateSessionKey()
		}, 0},
		"one given key": {true, func(a *App) { a.keys.Session, _ = token.GenerateSessionKey() }, 1},
	} {
		core, logs := observer.New(zap.WarnLevel)
		app := ringApp(t, &certmagic.FileStorage{Path: t.TempDir()}, zap.New(core))
		test.change(app)
		app.warnOfLocalKeys(test.shared)
		if logs.Len() != test.want {
			t.Errorf("%s: %d warnings, want %d", name, logs.Len(), test.want)
		}
	}
}

// A retired key is accepted for the longest lifetime that any service's tokens
// have.
func TestStoredLifetimes(t *testing.T) {
	signing, err := token.GenerateSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		app              *App
		signing, session time.Duration
	}{
		"default":                  {&App{}, 12 * time.Hour, 14 * 24 * time.Hour},
		"longer":                   {&App{TokenLifetime: caddy.Duration(24 * time.Hour), SessionLifetime: caddy.Duration(time.Hour)}, 24 * time.Hour, time.Hour},
		"a service's":              {&App{Services: []*Service{{TokenLifetime: caddy.Duration(48 * time.Hour)}, {}}}, 48 * time.Hour, 14 * 24 * time.Hour},
		"a given key":              {&App{keys: keyring.Given{Signing: signing}}, 0, 14 * 24 * time.Hour},
		"shorter than for unknown": {&App{TokenLifetime: caddy.Duration(time.Minute)}, 12 * time.Hour, 14 * 24 * time.Hour},
	} {
		got := test.app.storedLifetimes()
		if _, stored := got[keyring.Signing]; stored != (test.signing > 0) || got[keyring.Signing] != test.signing || got[keyring.Session] != test.session {
			t.Errorf("%s: %v", name, got)
		}
	}
}
