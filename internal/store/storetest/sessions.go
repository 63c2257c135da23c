package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// session is one that ends in an hour. Its times are of another zone and finer
// than what is kept.
func session(id, userID string) providers.Session {
	now := time.Now().In(time.FixedZone("", 3*3600))
	return providers.Session{
		ID: id, UserID: userID, Provider: "google", ProviderSessionID: "idp-" + id,
		CreatedAt: now, LastSeenAt: now.Add(time.Second), ExpiresAt: now.Add(time.Hour),
	}
}

// stored is what is read back of a session.
func stored(s providers.Session) providers.Session {
	for _, at := range []*time.Time{&s.CreatedAt, &s.LastSeenAt, &s.ExpiresAt} {
		*at = at.Truncate(time.Microsecond).UTC()
	}
	return s
}

var sessionTests = []test{
	{"a session is found by ID and by cookie, with its user", func(t *testing.T, s Store) {
		ctx := t.Context()
		user, _ := signIn(t, s, "google", moshe(), "u1")
		given := session("s1", "u1")
		if err := s.CreateSession(ctx, given, []byte{0, 1, 0xff}); err != nil {
			t.Fatal(err)
		}
		byID, owner, err := s.SessionByID(ctx, "s1")
		if err != nil || byID != stored(given) || owner != user {
			t.Errorf("by ID: %+v, %+v, %v", byID, owner, err)
		}
		byCookie, owner, err := s.SessionByCookie(ctx, []byte{0, 1, 0xff})
		if err != nil || byCookie != stored(given) || owner != user {
			t.Errorf("by cookie: %+v, %+v, %v", byCookie, owner, err)
		}
		for _, hash := range [][]byte{nil, {}, {0, 1}, {0, 1, 0xfe}} {
			if _, _, err := s.SessionByCookie(ctx, hash); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("cookie hash %x: %v", hash, err)
			}
		}
		for _, id := range []string{"", "S1", "s2"} {
			if _, _, err := s.SessionByID(ctx, id); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("ID %q: %v", id, err)
			}
		}
	}},
	{"a session needs no cookie and no provider session", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		for _, id := range []string{"s1", "s2"} { // several: NULL is not a value that is taken
			given := session(id, "u1")
			given.ProviderSessionID = ""
			if err := s.CreateSession(ctx, given, nil); err != nil {
				t.Fatal(err)
			}
			if got, _, err := s.SessionByID(ctx, id); err != nil || got != stored(given) {
				t.Errorf("got %+v, %v", got, err)
			}
		}
		if _, _, err := s.SessionByCookie(ctx, nil); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("no cookie leads to a session: %v", err)
		}
		long := session("s3", "u1")
		long.ProviderSessionID = strings.Repeat("x", 1000)
		if err := s.CreateSession(ctx, long, nil); err != nil {
			t.Errorf("with a long provider session: %v", err)
		}
	}},
	{"S31: one cookie never leads to two sessions", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		if err := s.CreateSession(ctx, session("s1", "u1"), []byte("c")); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateSession(ctx, session("s2", "u1"), []byte("c")); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("same cookie again: %v", err)
		}
		if err := s.CreateSession(ctx, session("s1", "u1"), []byte("d")); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("same ID again: %v", err)
		}
		if got, _, err := s.SessionByCookie(ctx, []byte("c")); err != nil || got.ID != "s1" {
			t.Errorf("the cookie leads to %+v, %v", got, err)
		}
	}},
	{"S5: a session that is over is not found", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		over := session("s1", "u1")
		over.ExpiresAt = time.Now().Add(-time.Millisecond)
		if err := s.CreateSession(ctx, over, []byte("c")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.SessionByID(ctx, "s1"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("by ID: %v", err)
		}
		if _, _, err := s.SessionByCookie(ctx, []byte("c")); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("by cookie: %v", err)
		}
	}},
	{"S7: a session without its user is not found", func(t *testing.T, s Store) {
		if err := s.CreateSession(t.Context(), session("s1", "nobody"), []byte("c")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.SessionByID(t.Context(), "s1"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("by ID: %v", err)
		}
	}},
	{"touching moves forward only and revives nothing", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		given := session("s1", "u1")
		if err := s.CreateSession(ctx, given, nil); err != nil {
			t.Fatal(err)
		}
		later := given.LastSeenAt.Add(time.Minute)
		for _, seen := range []time.Time{later, given.LastSeenAt} {
			if err := s.TouchSession(ctx, "s1", seen); err != nil {
				t.Fatal(err)
			}
		}
		want := given
		want.LastSeenAt = later
		if got, _, err := s.SessionByID(ctx, "s1"); err != nil || got != stored(want) {
			t.Errorf("got %+v, %v; want %+v", got, err, stored(want))
		}
		if err := s.EndSession(ctx, "s1"); err != nil {
			t.Fatal(err)
		}
		if err := s.TouchSession(ctx, "s1", later); err != nil {
			t.Errorf("touching an ended session: %v", err)
		}
		if _, _, err := s.SessionByID(ctx, "s1"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("it lives again: %v", err)
		}
	}},
	{"S8: an ended session is gone, and ending it again is no error", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		for _, id := range []string{"s1", "s2"} {
			if err := s.CreateSession(ctx, session(id, "u1"), []byte(id)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := s.EndSession(ctx, "s1"); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := s.SessionByID(ctx, "s1"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("by ID: %v", err)
		}
		if _, _, err := s.SessionByCookie(ctx, []byte("s1")); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("by cookie: %v", err)
		}
		if _, _, err := s.SessionByID(ctx, "s2"); err != nil {
			t.Errorf("the other session: %v", err)
		}
	}},
	{"S8: all sessions of a user end, and nobody else's", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		signIn(t, s, "github", person("2", "ruth"), "u2")
		for id, userID := range map[string]string{"s1": "u1", "s2": "u1", "s3": "u2"} {
			if err := s.CreateSession(ctx, session(id, userID), []byte(id)); err != nil {
				t.Fatal(err)
			}
		}
		ids, err := s.EndUserSessions(ctx, "u1")
		slices.Sort(ids)
		if err != nil || !slices.Equal(ids, []string{"s1", "s2"}) {
			t.Errorf("ended %v, %v", ids, err)
		}
		for _, id := range []string{"s1", "s2"} {
			if _, _, err := s.SessionByID(ctx, id); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if _, _, err := s.SessionByID(ctx, "s3"); err != nil {
			t.Errorf("the other user's: %v", err)
		}
		if ids, err := s.EndUserSessions(ctx, "u1"); err != nil || len(ids) != 0 {
			t.Errorf("once more: %v, %v", ids, err)
		}
	}},
}
