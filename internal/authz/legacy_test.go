package authz

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// originals stands for the sessions and users of the original service.
type originals struct {
	user *providers.User
	err  error
}

func (o *originals) Verify(raw string, now time.Time) (string, time.Time, error) {
	switch raw {
	case "old":
		return "u1", now.Add(time.Hour), nil
	case "over":
		return "", time.Time{}, token.ErrExpired
	}
	return "", time.Time{}, token.ErrInvalid
}

func (o *originals) User(context.Context, string) (providers.User, error) {
	if o.err != nil {
		return providers.User{}, o.err
	}
	return *o.user, nil
}

// S4: sessions of the original service count at the auth endpoints, until their
// day, for users that live, and nowhere else.
func TestLegacySessions(t *testing.T) {
	down := errors.New("down")
	for _, test := range []struct {
		name       string
		credential Credential
		users      originals
		until      time.Duration
		want       error
	}{
		{"at an endpoint", APIToken("old"), originals{user: &providers.User{ID: "u1"}}, time.Hour, nil},
		{"at a gate", Token("old"), originals{user: &providers.User{ID: "u1"}}, time.Hour, ErrInvalid},
		{"as a cookie", Cookie("old"), originals{user: &providers.User{ID: "u1"}}, time.Hour, ErrEnded},
		{"after the day", APIToken("old"), originals{user: &providers.User{ID: "u1"}}, -time.Second, ErrInvalid},
		{"that is over", APIToken("over"), originals{user: &providers.User{ID: "u1"}}, time.Hour, ErrEnded},
		{"that is none", APIToken("other"), originals{user: &providers.User{ID: "u1"}}, time.Hour, ErrInvalid},
		{"of a user who is gone", APIToken("old"), originals{err: providers.ErrNotFound}, time.Hour, ErrEnded},
		{"of a disabled user", APIToken("old"), originals{user: &providers.User{ID: "u1", Disabled: true}}, time.Hour, ErrDisabled},
		{"with a dead database", APIToken("old"), originals{err: down}, time.Hour, providers.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			memory, err := NewCache(10)
			if err != nil {
				t.Fatal(err)
			}
			defer memory.Close()
			key, err := token.GenerateSessionKey()
			if err != nil {
				t.Fatal(err)
			}
			signing, err := token.GenerateSigningKey()
			if err != nil {
				t.Fatal(err)
			}
			ring := token.NewRing("https://app.example.com", key, signing)
			a := New(Config{
				Store: noSessions{}, Tokens: ring,
				Legacy: &Legacy{Tokens: &test.users, Users: &test.users, Until: time.Now().Add(test.until)},
			}, memory)
			core, logs := observer.New(zap.InfoLevel)
			a.Logger = zap.New(core)
			d, err := a.Decide(t.Context(), test.credential, "")
			for range 4 { // each use is logged, also of what is remembered
				if _, again := a.Decide(t.Context(), test.credential, "storage"); (again == nil) != (err == nil) {
					t.Errorf("%v, and then %v", err, again)
				}
			}
			if uses := logs.FilterMessageSnippet("original service was used").Len(); (uses == 5) != (err == nil) || err != nil && uses > 0 {
				t.Errorf("%d uses are in the log", uses)
			}
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err != nil {
				return
			}
			if d.User.ID != "u1" || d.Session.ID != "" || d.ExpiresAt.After(time.Now().Add(time.Hour)) {
				t.Errorf("%+v", d)
			}
			// The permission token that is made of it is as good, and ends with the user.
			raw, err := a.Mint(d)
			if err != nil {
				t.Fatal(err)
			}
			claims, err := ring.VerifyPermission(raw, time.Now())
			if err != nil || claims.UserID != "u1" || claims.SessionID != "" || claims.ExpiresAt.After(time.Now().Add(time.Hour)) {
				t.Errorf("%+v, %v", claims, err)
			}
		})
	}
}

// noSessions is a store without any.
type noSessions struct{}

func (noSessions) SessionByID(context.Context, string) (providers.Session, providers.User, error) {
	return providers.Session{}, providers.User{}, providers.ErrNotFound
}

func (noSessions) SessionByCookie(context.Context, []byte) (providers.Session, providers.User, error) {
	return providers.Session{}, providers.User{}, providers.ErrNotFound
}

func (noSessions) TouchSession(context.Context, string, time.Time) error { return nil }
