package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

var accountTests = []test{
	{"first sign-in makes an account", func(t *testing.T, s Store) {
		before := time.Now().Add(-time.Microsecond)
		user, created := signIn(t, s, "google", moshe(), "u1")
		if !created {
			t.Error("created = false")
		}
		if user.JoinDate.Before(before) || user.JoinDate.After(time.Now()) || user.JoinDate.Location() != time.UTC {
			t.Errorf("join date = %v, want now in UTC", user.JoinDate)
		}
		want := providers.User{
			ID: "u1", ProviderID: "google:1234", Username: "moshe", Name: "Moshe Cohen",
			Email: "Moshe@Example.com", AvatarURL: "https://pictures.example/moshe.png", JoinDate: user.JoinDate,
		}
		if user != want {
			t.Errorf("user = %+v, want %+v", user, want)
		}
		read, err := s.User(t.Context(), "u1")
		if err != nil || read != want {
			t.Errorf("read back %+v, %v; want %+v", read, err, want)
		}
	}},
	{"S28: later sign-ins change what describes and nothing that names", func(t *testing.T, s Store) {
		first, _ := signIn(t, s, "google", moshe(), "u1")
		changed := moshe()
		changed.Email, changed.Username, changed.Name, changed.AvatarURL = "other@example.com", "other", "M. Cohen", "https://pictures.example/2.png"
		user, created := signIn(t, s, "gsuite", changed, "u2")
		want := first
		want.ProviderID, want.Name, want.AvatarURL = "gsuite:1234", "M. Cohen", "https://pictures.example/2.png"
		if created || user != want {
			t.Errorf("got %+v, created %v; want %+v", user, created, want)
		}
		if read, err := s.User(t.Context(), "u1"); err != nil || read != want {
			t.Errorf("read back %+v, %v; want %+v", read, err, want)
		}
		changed.Name, changed.AvatarURL = "", ""
		if user, _ := signIn(t, s, "gsuite", changed, "u2"); user != want {
			t.Errorf("a sign-in without name and picture changed them: %+v, want %+v", user, want)
		}
		if _, err := s.User(t.Context(), "u2"); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("the proposed ID exists: %v", err)
		}
	}},
	{"S27: the same subject of another issuer is another account", func(t *testing.T, s Store) {
		signIn(t, s, "google", providers.Identity{Issuer: "https://accounts.google.com", Subject: "7"}, "u1")
		// Ruling 12: an operator's provider may be called google and is not Google.
		user, created := signIn(t, s, "google", providers.Identity{Issuer: "https://evil.example", Subject: "7"}, "u2")
		if !created || user.ID != "u2" {
			t.Errorf("got %+v, created %v; want a new account", user, created)
		}
	}},
	{"subjects compare byte for byte", func(t *testing.T, s Store) {
		for i, subject := range []string{"abc", "ABC", "abc ", "ábc"} {
			id := string(rune('a' + i))
			if user, created := signIn(t, s, "x", providers.Identity{Issuer: "https://x.example", Subject: subject}, id); !created || user.ID != id {
				t.Errorf("subject %q reached %+v", subject, user)
			}
		}
	}},
	{"ruling 12: long subjects keep apart and nobody can pose as one", func(t *testing.T, s Store) {
		identity := func(subject string) providers.Identity {
			return providers.Identity{Issuer: "https://x.example", Subject: subject}
		}
		long := strings.Repeat("s", 300)
		user, _ := signIn(t, s, "x", identity(long+"1"), "u1")
		if len(user.ProviderID) > 128 {
			t.Errorf("provider_id has %d bytes, which is more than its column takes", len(user.ProviderID))
		}
		if user, created := signIn(t, s, "x", identity(long+"2"), "u2"); !created {
			t.Errorf("another long subject reached %+v", user)
		}
		if user, created := signIn(t, s, "x", identity(long+"1"), "u3"); created || user.ID != "u1" {
			t.Errorf("the long subject reached %+v, created %v", user, created)
		}
		// The attack: a subject that is, letter for letter, the stored mark of
		// the victim's.
		sum := sha256.Sum256([]byte(long + "1"))
		for i, mark := range []string{"sha256:" + hex.EncodeToString(sum[:]), hex.EncodeToString(sum[:])} {
			if user, created := signIn(t, s, "x", identity(mark), fmt.Sprintf("attacker%d", i)); !created {
				t.Errorf("subject %q reached %+v", mark, user)
			}
		}
	}},
	{"odd text from a provider is stored, not refused", func(t *testing.T, s Store) {
		id := providers.Identity{
			Issuer: "https://x.example", Subject: "a\x00b\xff", Name: "zero\x00 and \xff" + strings.Repeat("é", 200),
			AvatarURL: "https://pictures.example/" + strings.Repeat("x", 600),
		}
		user, _ := signIn(t, s, "x", id, "u1")
		if !strings.HasPrefix(user.Name, "zero\uFFFD and \uFFFDé") || len(user.Name) > 255 || strings.HasSuffix(user.Name, "\uFFFD") {
			t.Errorf("name = %q", user.Name)
		}
		if user.AvatarURL != "" {
			t.Errorf("half a URL was kept: %q", user.AvatarURL)
		}
		if again, created := signIn(t, s, "x", id, "u2"); created || again.ID != "u1" {
			t.Errorf("second sign-in reached %+v, created %v", again, created)
		}
		if read, err := s.User(t.Context(), "u1"); err != nil || read != user {
			t.Errorf("read back %+v, %v; want %+v", read, err, user)
		}
	}},
	{"disabled users are told so, everywhere", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		if err := s.CreateSession(ctx, session("s1", "u1"), []byte("c")); err != nil {
			t.Fatal(err)
		}
		for _, disabled := range []bool{true, true, false, false, true} {
			if err := s.SetDisabled(ctx, "u1", disabled); err != nil {
				t.Fatal(err)
			}
			byID, err1 := s.User(ctx, "u1")
			byName, err2 := s.UserByUsername(ctx, "moshe")
			byLogin, _, err3 := s.FindOrCreateUser(ctx, "google", moshe(), "u2", true, "")
			_, bySession, err4 := s.SessionByID(ctx, "s1")
			_, byCookie, err5 := s.SessionByCookie(ctx, []byte("c"))
			if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
				t.Fatal(err)
			}
			for i, user := range []providers.User{byID, byName, byLogin, bySession, byCookie} {
				if user.Disabled != disabled || user.ID != "u1" {
					t.Errorf("way %d: %+v; want disabled %v", i, user, disabled)
				}
			}
		}
		if err := s.SetDisabled(ctx, "nobody", true); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("disabling nobody: %v", err)
		}
	}},
	{"nobody is not found", func(t *testing.T, s Store) {
		for _, id := range []string{"", "nobody"} {
			if _, err := s.User(t.Context(), id); !errors.Is(err, providers.ErrNotFound) || errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("User(%q): %v", id, err)
			}
			if _, err := s.UserByUsername(t.Context(), id); !errors.Is(err, providers.ErrNotFound) || errors.Is(err, providers.ErrUnavailable) {
				t.Errorf("UserByUsername(%q): %v", id, err)
			}
		}
	}},
}
