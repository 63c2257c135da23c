package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// More sessions than go into one statement.
func TestEndingManySessions(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	const many = 1203
	run(t, s, `INSERT INTO auth_sessions (id, user_id, provider, created_at, last_seen_at, expires_at)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < ?) SELECT 's' || n, 'u1', 'google', 0, 0, 1 FROM c`, many)
	ids, err := s.EndUserSessions(t.Context(), "u1")
	if err != nil || len(ids) != many {
		t.Errorf("%d sessions, %v; want %d", len(ids), err, many)
	}
	var left int
	if err := first(s.db, "SELECT count(*) FROM auth_sessions", nil, &left); err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
}

// S41, ruling 3: nothing that is a credential stands in the file.
func TestNoCredentialIsStored(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	if err := s.PutAttempt(t.Context(), []byte("the-state"), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	var key string
	if err := first(s.db, "SELECT key_hash FROM auth_attempts", nil, &key); err != nil || key == "the-state" || len(key) != 64 {
		t.Errorf("the key of an attempt is stored as %q, %v", key, err)
	}
}

func BenchmarkSessionByCookie(b *testing.B) {
	for _, name := range []string{"file", "memory"} {
		b.Run(name, func(b *testing.B) {
			url := "sqlite://"
			if name == "file" {
				url = tempFile(b)
			}
			s := openTest(b, url, options{})
			const sessions = 200
			for i := range sessions {
				id := google(fmt.Sprint(i))
				id.Email = fmt.Sprintf("user%d@example.com", i)
				userID := fmt.Sprintf("u%d", i)
				if _, _, err := s.FindOrCreateUser(b.Context(), "google", id, userID, true, ""); err != nil {
					b.Fatal(err)
				}
				session := providers.Session{ID: fmt.Sprintf("s%d", i), UserID: userID, ExpiresAt: time.Now().Add(time.Hour)}
				if err := s.CreateSession(b.Context(), session, []byte(userID)); err != nil {
					b.Fatal(err)
				}
			}
			cookies := make([][]byte, sessions)
			for i := range cookies {
				cookies[i] = fmt.Appendf(nil, "u%d", i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					if _, _, err := s.SessionByCookie(b.Context(), cookies[i%sessions]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
