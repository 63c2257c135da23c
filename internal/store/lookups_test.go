package store

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// manyUsers is one more size of database: a million takes minutes to make.
var manyUsers = flag.Int("users", 0, "`number` of users in BenchmarkLookups beside 1,000 and 100,000: a power of 10, such as 1000000")

// BenchmarkLookups is what a cache miss and a sign-in cost, and that they cost
// the same however many users there are.
func BenchmarkLookups(b *testing.B) {
	powers := []int{3, 5}
	if *manyUsers > 0 {
		powers = append(powers, int(math.Round(math.Log10(float64(*manyUsers)))))
	}
	for name, url := range map[string]func(b *testing.B) string{
		"SQLite":     func(b *testing.B) string { return tempFile(b) },
		"PostgreSQL": func(b *testing.B) string { return testserver.SharedPostgres(b).NewDatabase(b) },
	} {
		for _, power := range powers {
			size := int(math.Pow10(power))
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				s := openTest(b, url(b), options{purgeEvery: 24 * time.Hour}) // it would adopt while users are made
				fill(b, s, power)
				benchmarkLookups(b, s, size)
			})
		}
	}
}

func benchmarkLookups(b *testing.B, s *Store, size int) {
	ctx := b.Context()
	newcomers := rand.Int()
	for _, lookUp := range []struct {
		name string
		call func(n int) error
	}{
		{"id", func(n int) error { _, err := s.User(ctx, fmt.Sprint("u", n)); return err }},
		{"session", func(n int) error { _, _, err := s.SessionByID(ctx, fmt.Sprint("s", n)); return err }},
		{"username", func(n int) error { _, err := s.UserByUsername(ctx, fmt.Sprint("Name", n)); return err }},
		{"email", func(n int) error { _, err := s.UserByEmail(ctx, fmt.Sprintf("u%d@example.com", n)); return err }},
		{"permissions", func(n int) error {
			grants, err := s.Grants(ctx, fmt.Sprint("u", n), "storage")
			if err == nil && len(grants) != 1 {
				err = fmt.Errorf("%d permissions", len(grants))
			}
			return err
		}},
		{"sign-in", func(n int) error {
			id := providers.Identity{Issuer: "https://github.com", Subject: fmt.Sprint(n)}
			_, created, err := s.FindOrCreateUser(ctx, "github", id, "never", true, "github")
			if created {
				err = fmt.Errorf("user %d is new", n)
			}
			return err
		}},
		{"first sign-in", func(int) error {
			newcomers++
			name := fmt.Sprint("new", newcomers)
			id := providers.Identity{Issuer: "https://corp.example", Subject: name, Email: name + "@example.com", EmailVerified: true}
			_, created, err := s.FindOrCreateUser(ctx, "corp", id, name, true, "")
			if err == nil && !created {
				err = fmt.Errorf("%s is known", name)
			}
			return err
		}},
	} {
		b.Run(lookUp.name, func(b *testing.B) {
			for b.Loop() {
				if err := lookUp.call(rand.IntN(size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
