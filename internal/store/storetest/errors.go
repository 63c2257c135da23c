package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// calls are all methods that ask the database, with arguments that would do
// something. Their texts hold what no error may repeat.
func calls(ctx context.Context, s Store) map[string]error {
	_, _, find := s.FindOrCreateUser(ctx, "google", moshe(), "u2", true, "")
	_, user := s.User(ctx, "u1")
	_, byName := s.UserByUsername(ctx, "moshe")
	_, _, byID := s.SessionByID(ctx, "s1")
	_, _, byCookie := s.SessionByCookie(ctx, []byte("secret"))
	_, byEmail := s.UserByEmail(ctx, moshe().Email)
	_, search := s.Users(ctx, "moshe@", 10)
	_, _, chosen := s.UsernameChosen(ctx, "u1")
	_, grants := s.Grants(ctx, "u1", "storage")
	_, list := s.ListGrants(ctx, "", "")
	_, endAll := s.EndUserSessions(ctx, "u1")
	_, _, take := s.TakeAttempt(ctx, []byte("secret"))
	_, changes := s.Changes(ctx, 0)
	_, last := s.LastChange(ctx)
	_, announce := s.Announce(ctx, store.Node{ID: "secret"}, time.Minute)
	return map[string]error{
		"FindOrCreateUser": find,
		"User":             user,
		"UserByUsername":   byName,
		"UserByEmail":      byEmail,
		"Users":            search,
		"SetDisabled":      s.SetDisabled(ctx, "u1", true),
		"ChooseUsername":   s.ChooseUsername(ctx, "u1", "secret-name", true),
		"UsernameChosen":   chosen,
		"Grants":           grants,
		"SetGrant":         s.SetGrant(ctx, "u1", "storage", "secret", true),
		"RemoveGrant":      s.RemoveGrant(ctx, "u1", "storage", "secret"),
		"RemoveGrant all":  s.RemoveGrant(ctx, "u1", "storage", ""),
		"ListGrants":       list,
		"CreateSession":    s.CreateSession(ctx, session("s2", "u1"), []byte("secret")),
		"SessionByID":      byID,
		"SessionByCookie":  byCookie,
		"TouchSession":     s.TouchSession(ctx, "s1", time.Now()),
		"EndSession":       s.EndSession(ctx, "s1"),
		"EndUserSessions":  endAll,
		"PutAttempt":       s.PutAttempt(ctx, []byte("secret"), []byte("secret"), time.Now()),
		"TakeAttempt":      take,
		"Changes":          changes,
		"LastChange":       last,
		"Announce":         announce,
		"Leave":            s.Leave(ctx, "secret"),
		"Ping":             s.Ping(ctx),
	}
}

// wantUnavailable demands that every call says "cannot tell" (S39), without
// secrets and addresses (S41).
func wantUnavailable(t *testing.T, errs map[string]error) {
	t.Helper()
	for name, err := range errs {
		if !errors.Is(err, providers.ErrUnavailable) || errors.Is(err, providers.ErrNotFound) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
			continue
		}
		for _, secret := range []string{"secret", "@", "oshe"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v: holds %q", name, err, secret)
			}
		}
	}
}

var errorTests = []test{
	{"it answers", func(t *testing.T, s Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}},
	{"a cancelled call says so and changes nothing", func(t *testing.T, s Store) {
		before, _ := signIn(t, s, "google", moshe(), "u1")
		if err := s.CreateSession(t.Context(), session("s1", "u1"), []byte("secret")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		errs := calls(ctx, s)
		wantUnavailable(t, errs)
		for name, err := range errs {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want context.Canceled", name, err)
			}
		}
		if _, user, err := s.SessionByID(t.Context(), "s1"); err != nil || user != before {
			t.Errorf("afterwards: %+v, %v; want %+v", user, err, before)
		}
	}},
	{"S39: with the database gone nobody can tell", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantUnavailable(t, calls(t.Context(), s))
	}},
	{"what is no text leads nowhere, and is no failure", func(t *testing.T, s Store) {
		signIn(t, s, "google", moshe(), "u1")
		for _, id := range []string{"u1\x00", "u1\xff", "\x00", "\xc3"} {
			_, user := s.User(t.Context(), id)
			_, byName := s.UserByUsername(t.Context(), id)
			_, _, session := s.SessionByID(t.Context(), id)
			for name, err := range map[string]error{"User": user, "UserByUsername": byName, "SessionByID": session} {
				if !errors.Is(err, providers.ErrNotFound) {
					t.Errorf("%s(%q): %v, want ErrNotFound", name, id, err)
				}
			}
			if grants, err := s.Grants(t.Context(), id, "storage"); grants != nil || err != nil {
				t.Errorf("Grants(%q): %v, %v", id, grants, err)
			}
		}
	}},
	{"an identity without issuer or subject, or an impossible ID, is refused", func(t *testing.T, s Store) {
		for _, c := range []struct{ issuer, subject, id string }{
			{"", "1", "u1"},
			{"https://x.example", "", "u1"},
			{"https://x.example", "1", ""},
			{"https://x.example", "1", strings.Repeat("u", 129)},
		} {
			id := providers.Identity{Issuer: c.issuer, Subject: c.subject}
			if user, _, err := s.FindOrCreateUser(t.Context(), "x", id, c.id, true, ""); !errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("%+v: %+v, %v", c, user, err)
			}
		}
	}},
}
