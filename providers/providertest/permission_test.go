package providertest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// permit is a permission provider that is a function.
type permit func(ctx context.Context, user providers.User, service string) (providers.Answer, error)

func (p permit) Permissions(ctx context.Context, user providers.User, service string) (providers.Answer, error) {
	return p(ctx, user, service)
}

// forgetful panics when it is asked after OnChange.
type forgetful struct {
	permit
	changed atomic.Bool
}

func (f *forgetful) OnChange(func(string)) { f.changed.Store(true) }

func (f *forgetful) Permissions(ctx context.Context, user providers.User, service string) (providers.Answer, error) {
	if f.changed.Load() {
		panic("oh")
	}
	return f.permit(ctx, user, service)
}

func right(_ context.Context, user providers.User, service string) (providers.Answer, error) {
	if user.ID != "u1" || service != "storage" {
		return providers.Answer{}, nil
	}
	return providers.Answer{
		Permissions: providers.Permissions{"read": true, "max": 50.0, "roles": []any{"a"}, "more": map[string]any{"x": nil}},
		ValidFor:    time.Second,
	}, nil
}

func permissionSuite() PermissionProviderSuite {
	return PermissionProviderSuite{
		Want:   providers.Permissions{"read": true, "max": 50.0, "roles": []any{"a"}, "more": map[string]any{"x": nil}},
		Nobody: providers.User{ID: "nobody"},
	}
}

func TestPermissionSuiteAccepts(t *testing.T) {
	suite := permissionSuite()
	suite.New = func(testing.TB) providers.PermissionProvider { return permit(right) }
	RunPermissionProvider(t, suite)
}

func TestPermissionSuiteFinds(t *testing.T) {
	shared := providers.Permissions{"read": true, "max": 50.0, "roles": []any{"a"}, "more": map[string]any{"x": nil}}
	tests := []struct {
		name, check string
		provider    providers.PermissionProvider
	}{
		{"wrong answer", "the answer is right", permit(func(context.Context, providers.User, string) (providers.Answer, error) {
			return providers.Answer{Permissions: providers.Permissions{"read": "yes"}}, nil
		})},
		{"error", "the answer is right", permit(func(context.Context, providers.User, string) (providers.Answer, error) {
			return providers.Answer{}, errors.New("oh")
		})},
		{"int instead of float64", "the answer is right", permit(func(ctx context.Context, u providers.User, s string) (providers.Answer, error) {
			a, err := right(ctx, u, s)
			return providers.Answer{Permissions: providers.Permissions{"roles": []any{1}}, ValidFor: a.ValidFor}, err
		})},
		{"valid for less than no time", "the answer is right", permit(func(ctx context.Context, u providers.User, s string) (providers.Answer, error) {
			a, err := right(ctx, u, s)
			a.ValidFor = -1
			return a, err
		})},
		{"nobody is an error", "a user without permissions", permit(func(ctx context.Context, u providers.User, s string) (providers.Answer, error) {
			if u.ID == "nobody" {
				return providers.Answer{}, providers.ErrNotFound
			}
			return right(ctx, u, s)
		})},
		{"everybody may", "a user without permissions", permit(func(ctx context.Context, _ providers.User, _ string) (providers.Answer, error) {
			return right(ctx, providers.User{ID: "u1"}, "storage")
		})},
		{"one map for all", "an answer does not change", permit(func(_ context.Context, u providers.User, s string) (providers.Answer, error) {
			shared["read"] = u.ID == "u1" && s == "storage"
			return providers.Answer{Permissions: shared}, nil
		})},
		{"no service is a panic", "odd arguments", permit(func(ctx context.Context, u providers.User, s string) (providers.Answer, error) {
			_ = s[0]
			return right(ctx, u, s)
		})},
		{"permissions with an error", "odd arguments", permit(func(ctx context.Context, u providers.User, s string) (providers.Answer, error) {
			if s == "" {
				return providers.Answer{Permissions: providers.Permissions{"read": true}}, errors.New("oh")
			}
			return right(ctx, u, s)
		})},
		{"cancelled", "a cancelled context", permit(func(ctx context.Context, u providers.User, s string) (providers.Answer, error) {
			if ctx.Err() != nil {
				time.Sleep(promptly + time.Second)
			}
			return right(ctx, u, s)
		})},
		{"OnChange", "OnChange", &forgetful{permit: right}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var checks []check
			for _, c := range permissionSuite().checks(test.provider) {
				// "one map for all" is a race by design; only its own check is asked.
				if strings.HasPrefix(c.name, test.check) {
					checks = append(checks, c)
				}
			}
			if names := failing(t, checks); len(names) != 1 {
				t.Errorf("found by %q, want by %q", names, test.check)
			}
		})
	}
}
