package providertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// spy listens to logins with a function.
type spy func(ctx context.Context, event providers.Event) error

func (s spy) OnUserLogin(ctx context.Context, event providers.Event) error { return s(ctx, event) }

// all listens to everything.
type all struct{ calls *atomic.Int32 }

func (a all) OnNewUser(context.Context, providers.Event) error    { a.calls.Add(1); return nil }
func (a all) OnUserLogin(context.Context, providers.Event) error  { a.calls.Add(1); return nil }
func (a all) OnUserLogout(context.Context, providers.Event) error { a.calls.Add(1); return nil }

func TestExtensionSuiteAccepts(t *testing.T) {
	var calls atomic.Int32
	RunExtension(t, ExtensionSuite{New: func(testing.TB) providers.Extension { return all{&calls} }})
	if got := calls.Load(); got < 3*(3+parallel) {
		t.Errorf("it was called %d times", got)
	}
}

func TestExtensionSuiteFinds(t *testing.T) {
	tests := []struct {
		name, check string
		extension   providers.Extension
	}{
		{"deaf", "it listens", struct{}{}},
		{"nil", "it listens", nil},
		{"error", "an event is taken", spy(func(context.Context, providers.Event) error { return errors.New("oh") })},
		{"panic on nothing", "an event with nothing", spy(func(_ context.Context, e providers.Event) error { _ = e.User.ID[0]; return nil })},
		{"cancelled", "a cancelled context", spy(func(ctx context.Context, _ providers.Event) error {
			if ctx.Err() != nil {
				time.Sleep(promptly + time.Second)
			}
			return nil
		})},
		{"error under load", "many events", spy(func(context.Context, providers.Event) error { return errors.New("oh") })},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			names := failing(t, ExtensionSuite{}.checks(test.extension))
			if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, test.check) }) {
				t.Errorf("found by %q, want by %q", names, test.check)
			}
		})
	}
}
