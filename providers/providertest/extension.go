package providertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// ExtensionSuite says how to try an extension.
type ExtensionSuite struct {
	// New returns an extension that is ready and whose surroundings work, so that
	// it has no reason for an error. Called once. Required.
	New func(t testing.TB) providers.Extension
}

// RunExtension tries what providers.Extension and the listeners promise.
func RunExtension(t *testing.T, suite ExtensionSuite) {
	t.Helper()
	runChecks(t, suite.checks(suite.New(t)))
}

func (s ExtensionSuite) checks(extension providers.Extension) []check {
	listeners := listenersOf(extension)
	each := func(ctx context.Context, event providers.Event) error {
		for name, listen := range listeners {
			if err := listen(ctx, event); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	return []check{
		{"it listens to something", func(context.Context) error {
			if len(listeners) == 0 {
				return errors.New("it implements none of NewUserListener, LoginListener and LogoutListener")
			}
			return nil
		}},
		{"an event is taken without an error", func(ctx context.Context) error {
			return each(ctx, sampleEvent())
		}},
		{"an event with nothing in it is no panic", func(ctx context.Context) error {
			_ = each(ctx, providers.Event{})
			return nil
		}},
		{"a cancelled context ends a call", func(ctx context.Context) error {
			for name, listen := range listeners {
				if err := cancelled(ctx, func(over context.Context) error {
					_ = listen(over, sampleEvent())
					return nil
				}); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		}},
		{"many events at once", func(ctx context.Context) error {
			return atOnce(func() error { return each(ctx, sampleEvent()) })
		}},
	}
}

func listenersOf(extension providers.Extension) map[string]func(context.Context, providers.Event) error {
	listeners := make(map[string]func(context.Context, providers.Event) error)
	if l, ok := extension.(providers.NewUserListener); ok {
		listeners["OnNewUser"] = l.OnNewUser
	}
	if l, ok := extension.(providers.LoginListener); ok {
		listeners["OnUserLogin"] = l.OnUserLogin
	}
	if l, ok := extension.(providers.LogoutListener); ok {
		listeners["OnUserLogout"] = l.OnUserLogout
	}
	return listeners
}

func sampleEvent() providers.Event {
	now := time.Date(2024, 7, 24, 12, 17, 50, 0, time.UTC)
	return providers.Event{
		User: providers.User{
			ID: "u1", ProviderID: "google:1234", Username: "ada", Name: "Ada Lovelace",
			Email: "ada@example.com", JoinDate: now,
		},
		Session: providers.Session{
			ID: "s1", UserID: "u1", Provider: "google", CreatedAt: now, LastSeenAt: now, ExpiresAt: now.AddDate(0, 0, 14),
		},
		NewUser: true,
	}
}
