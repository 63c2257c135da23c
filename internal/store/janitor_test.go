package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/datahq/auth-gateway/providers"
)

func TestJanitorRemovesWhatHasExpired(t *testing.T) {
	s := openTest(t, tempFile(t), options{purgeEvery: 10 * time.Millisecond})
	ctx, now := t.Context(), time.Now()
	for id, expires := range map[string]time.Time{"over": now.Add(-time.Second), "alive": now.Add(time.Hour)} {
		session := providers.Session{ID: id, UserID: "u1", CreatedAt: now, LastSeenAt: now, ExpiresAt: expires}
		if err := s.CreateSession(ctx, session, []byte(id)); err != nil {
			t.Fatal(err)
		}
	}
	for key, expires := range map[string]time.Time{
		"over": now.Add(-time.Hour - time.Second), "late": now.Add(-time.Hour + time.Minute), "alive": now.Add(time.Minute),
	} {
		if err := s.PutAttempt(ctx, []byte(key), nil, expires); err != nil {
			t.Fatal(err)
		}
	}
	count := func(table string) (n int) {
		t.Helper()
		if err := first(s.db, "SELECT count(*) FROM "+table, nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for end := time.Now().Add(5 * time.Second); count("auth_sessions") > 1 || count("auth_attempts") > 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still %d sessions and %d attempts", count("auth_sessions"), count("auth_attempts"))
		}
	}
	time.Sleep(30 * time.Millisecond) // a few rounds more
	if count("auth_sessions") != 1 || count("auth_attempts") != 2 {
		t.Errorf("%d sessions and %d attempts are left", count("auth_sessions"), count("auth_attempts"))
	}
	if _, _, err := s.TakeAttempt(ctx, []byte("over")); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("the old attempt: %v", err)
	}
	if _, first, err := s.TakeAttempt(ctx, []byte("late")); err != nil || !first {
		t.Errorf("an attempt that ended within the hour: %v, %v", first, err)
	}
}

// An original service that runs beside the gateway makes users, whom nobody
// would find otherwise by another spelling of the address.
func TestJanitorAdopts(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	path := tempFile(t)
	s, err := open(t.Context(), parse(t, path), zap.New(core), options{purgeEvery: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	raw := openRaw(t, path)
	rawExec(t, raw, "PRAGMA busy_timeout = 5000")
	long := strings.Repeat("x", 300)
	rawExec(t, raw, "INSERT INTO users (id, username, email, provider_id) VALUES ('u1', 'Ada', 'Ada@example.com', 'google:1'), ('u2', ?, ?, ?)", long, long, long)
	// Not the address: it would be found by the old ID alone.
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		user, err := s.UserByUsername(t.Context(), "ada")
		if err == nil && user.ID == "u1" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v, %v", user, err)
		}
	}
	if user, err := s.UserByEmail(t.Context(), "ADA@example.com"); err != nil || user.ID != "u1" {
		t.Errorf("by address: %+v, %v", user, err)
	}
	if user, _, err := s.FindOrCreateUser(t.Context(), "google", google("1"), "new", true, "google"); err != nil || user.ID != "u1" {
		t.Errorf("by provider_id: %+v, %v", user, err)
	}
	time.Sleep(50 * time.Millisecond) // a few rounds more, for nothing
	if got := logs.FilterMessage("adopted users of another program").Len(); got != 1 {
		t.Errorf("it was told %d times, want once", got)
	}
	found, err := findAdoptions(s.db, time.Now(), "1 = 1")
	if err != nil || !found.empty() {
		t.Errorf("something is still to be adopted: %+v, %v", found, err)
	}
	for _, entry := range logs.All() { // S41
		if text := fmt.Sprint(entry.ContextMap()); strings.Contains(text, "@") || strings.Contains(text, "Ada") {
			t.Errorf("the log shows who was adopted: %s", text)
		}
	}
}

// Trouble is told once, not every round, and again after it was over.
func TestJanitorWarnsOnce(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	s, err := open(t.Context(), parse(t, tempFile(t)), zap.New(core), options{purgeEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for round := 1; round <= 2; round++ {
		run(t, s, "ALTER TABLE auth_sessions RENAME TO moved")
		for end := time.Now().Add(20 * time.Second); logs.Len() < round; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("round %d: no warning", round)
			}
		}
		time.Sleep(30 * time.Millisecond)
		if logs.Len() != round {
			t.Errorf("round %d: %d warnings", round, logs.Len())
		}
		run(t, s, "ALTER TABLE moved RENAME TO auth_sessions")
		// A round in which all is well.
		over := providers.Session{ID: "over", UserID: "u1", ExpiresAt: time.Now().Add(-time.Minute)}
		if err := s.CreateSession(t.Context(), over, nil); err != nil {
			t.Fatal(err)
		}
		for end, left := time.Now().Add(20*time.Second), 1; left > 0; time.Sleep(time.Millisecond) {
			if err := first(s.db, "SELECT count(*) FROM auth_sessions", nil, &left); err != nil || time.Now().After(end) {
				t.Fatalf("round %d: %d expired sessions are left, %v", round, left, err)
			}
		}
	}
}
