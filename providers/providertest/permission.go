package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// PermissionProviderSuite says how to try a permission provider.
type PermissionProviderSuite struct {
	// New returns a provider that is ready. Called once. Required.
	New func(t testing.TB) providers.PermissionProvider
	// User has permissions in Service, and they are Want. Without Want their
	// content is not compared.
	User    providers.User
	Service string
	Want    providers.Permissions
	// Nobody has no permission in Service; not tried if it has no ID.
	Nobody providers.User
}

// RunPermissionProvider tries what providers.PermissionProvider and its
// optional interface promise.
func RunPermissionProvider(t *testing.T, suite PermissionProviderSuite) {
	t.Helper()
	runChecks(t, suite.checks(suite.New(t)))
}

func (s PermissionProviderSuite) checks(provider providers.PermissionProvider) []check {
	if s.User.ID == "" {
		s.User = providers.User{ID: "u1", Username: "ada", Email: "ada@example.com"}
	}
	if s.Service == "" {
		s.Service = "storage"
	}
	c := permissionChecks{s, provider}
	return []check{
		{"the answer is right", func(ctx context.Context) error { _, err := c.answer(ctx); return err }},
		{"a user without permissions has an empty answer", c.nobody},
		{"an answer does not change any more", c.unchanged},
		{"odd arguments are no panic", c.oddArguments},
		{"a cancelled context ends a call", func(ctx context.Context) error {
			return cancelled(ctx, func(over context.Context) error {
				_, _ = c.provider.Permissions(over, c.User, c.Service)
				return nil
			})
		}},
		{"many calls at once", func(ctx context.Context) error {
			return atOnce(func() error { _, err := c.answer(ctx); return err })
		}},
		{"OnChange takes its callback", c.onChange},
	}
}

type permissionChecks struct {
	PermissionProviderSuite
	provider providers.PermissionProvider
}

// answer asks about User and checks what comes.
func (c permissionChecks) answer(ctx context.Context) (providers.Answer, error) {
	answer, err := c.provider.Permissions(ctx, c.User, c.Service)
	if err != nil {
		return answer, fmt.Errorf("calling Permissions: %w", err)
	}
	if answer.ValidFor < 0 {
		return answer, fmt.Errorf("ValidFor is %s, want 0 or more", answer.ValidFor)
	}
	for name, value := range answer.Permissions {
		if err := decoded(value); err != nil {
			return answer, fmt.Errorf("permission %q: %w", name, err)
		}
	}
	if c.Want != nil && !reflect.DeepEqual(answer.Permissions, c.Want) {
		return answer, fmt.Errorf("permissions are %v, want %v", answer.Permissions, c.Want)
	}
	return answer, nil
}

// decoded checks that a value is as encoding/json decodes it.
func decoded(value any) error {
	switch v := value.(type) {
	case nil, bool, float64, string:
		return nil
	case []any:
		for _, item := range v {
			if err := decoded(item); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for _, item := range v {
			if err := decoded(item); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("a value is a %T, want nil, bool, float64, string, []any or map[string]any", value)
	}
}

func (c permissionChecks) nobody(ctx context.Context) error {
	if c.Nobody.ID == "" {
		return nil
	}
	answer, err := c.provider.Permissions(ctx, c.Nobody, c.Service)
	if err != nil {
		return fmt.Errorf("no permissions gave an error, which means \"cannot tell\": %w", err)
	}
	if len(answer.Permissions) > 0 {
		return fmt.Errorf("permissions are %v, want none", answer.Permissions)
	}
	return nil
}

// unchanged looks at one answer before and after other questions: answers are
// shared between requests.
func (c permissionChecks) unchanged(ctx context.Context) error {
	answer, err := c.answer(ctx)
	if err != nil {
		return err
	}
	before, err := json.Marshal(answer.Permissions)
	if err != nil {
		return fmt.Errorf("permissions are no JSON: %w", err)
	}
	for _, user := range []providers.User{c.User, c.Nobody, {ID: "somebody-else"}} {
		for _, service := range []string{c.Service, "another"} {
			_, _ = c.provider.Permissions(ctx, user, service)
		}
	}
	after, err := json.Marshal(answer.Permissions)
	if err != nil {
		return fmt.Errorf("permissions are no JSON any more: %w", err)
	}
	if string(before) != string(after) {
		return fmt.Errorf("an answer that was %s has become %s", before, after)
	}
	return nil
}

func (c permissionChecks) oddArguments(ctx context.Context) error {
	for _, user := range []providers.User{{}, {ID: "'; DROP TABLE users; --"}, {ID: "\x00\xff"}} {
		for _, service := range []string{"", "../..", "\x00\xff"} {
			answer, err := c.provider.Permissions(ctx, user, service)
			if err != nil && len(answer.Permissions) > 0 {
				return errors.New("permissions came with an error")
			}
		}
	}
	return nil
}

func (c permissionChecks) onChange(ctx context.Context) error {
	if invalidator, ok := c.provider.(providers.Invalidator); ok {
		invalidator.OnChange(func(string) {})
		_, err := c.answer(ctx)
		return err
	}
	return nil
}
