package authn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/datahq/auth-gateway/providers"
)

// recorder is an extension that notes everything.
type recorder struct {
	mu     sync.Mutex
	events []providers.Event
	kinds  []string
	ctxErr error
	steps  *steps
}

func (r *recorder) note(ctx context.Context, kind string, event providers.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events, r.kinds = append(r.events, event), append(r.kinds, kind)
	r.ctxErr = ctx.Err()
	if r.steps != nil {
		r.steps.add(kind + " " + event.Session.ID)
	}
	return nil
}

func (r *recorder) OnNewUser(ctx context.Context, e providers.Event) error {
	return r.note(ctx, "new", e)
}

func (r *recorder) OnUserLogin(ctx context.Context, e providers.Event) error {
	return r.note(ctx, "login", e)
}

func (r *recorder) OnUserLogout(ctx context.Context, e providers.Event) error {
	return r.note(ctx, "logout", e)
}

func (r *recorder) all() []providers.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]providers.Event(nil), r.events...)
}

// meddler changes what it is told, then fails in the given way.
type meddler struct {
	panics bool
	text   string
}

func (m *meddler) OnNewUser(ctx context.Context, event providers.Event) error {
	return m.OnUserLogin(ctx, event)
}

func (m *meddler) OnUserLogin(_ context.Context, event providers.Event) error {
	event.User.ID, event.User.Disabled, event.Session.UserID = "victim", true, "victim"
	if m.panics {
		panic(m.text)
	}
	return errors.New(m.text)
}

// loginOnly listens to one kind of event.
type loginOnly struct{ count int }

func (l *loginOnly) OnUserLogin(context.Context, providers.Event) error { l.count++; return nil }

func TestExtensionsAreTold(t *testing.T) {
	told, some := &recorder{}, &loginOnly{}
	f := newFixture(t, func(c *Config) { c.Extensions = []providers.Extension{some, told} })
	first, second := f.signIn(t, "google"), f.signIn(t, "google")
	if want := []string{"new", "login", "login"}; !slices.Equal(told.kinds, want) {
		t.Fatalf("told of %v, want %v", told.kinds, want)
	}
	want := []providers.Event{
		{User: first.User, Session: first.Session, NewUser: true},
		{User: first.User, Session: first.Session, NewUser: true},
		{User: second.User, Session: second.Session},
	}
	if !slices.Equal(told.events, want) {
		t.Errorf("events = %+v, want %+v", told.events, want)
	}
	if some.count != 2 {
		t.Errorf("the one that listens to sign-ins only heard %d", some.count)
	}
	if err := f.End(t.Context(), second.User, second.Session); err != nil || told.kinds[3] != "logout" {
		t.Errorf("End: %v, told of %v", err, told.kinds)
	}
}

// S7: the original let an extension change the id in place, and the token then
// named somebody else (O22). Here each gets a copy.
func TestS7ExtensionsCannotChangeWhomTheTokenNames(t *testing.T) {
	told := &recorder{}
	f := newFixture(t, func(c *Config) {
		c.Extensions = []providers.Extension{&meddler{text: "x"}, &meddler{panics: true}, told}
	})
	result := f.signIn(t, "google")
	if result.User.ID == "victim" || result.User.Disabled || result.Session.UserID != result.User.ID {
		t.Errorf("Result = %+v", result)
	}
	for _, event := range told.all() {
		if event.User != result.User || event.Session != result.Session {
			t.Errorf("the next extension heard %+v", event)
		}
	}
	if _, err := f.SessionToken(result.Session); err != nil || f.signer.signed[0].UserID != result.User.ID {
		t.Errorf("the token names %+v, %v", f.signer.signed, err)
	}
}

// S7: passing an Event by value copies it only as long as nothing in it points
// elsewhere. Whoever adds a map or a slice must copy it in tell.
func TestS7EventHoldsValuesOnly(t *testing.T) {
	var check func(typ reflect.Type, path string)
	check = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Struct:
			if typ.String() == "time.Time" {
				return
			}
			for field := range typ.Fields() {
				check(field.Type, path+"."+field.Name)
			}
		case reflect.String, reflect.Bool:
		default:
			t.Errorf("%s is a %s", path, typ)
		}
	}
	check(reflect.TypeFor[providers.Event](), "Event")
}

// An extension that fails or panics is logged by its type and stops nothing.
func TestFailingExtensions(t *testing.T) {
	told := &recorder{}
	bad := "posting ada@example.com and " + strings.Repeat("k", 40) + ":\nrefused"
	f := newFixture(t, func(c *Config) {
		c.Extensions = []providers.Extension{&meddler{text: bad}, &meddler{panics: true, text: bad}, told}
	})
	result := f.signIn(t, "google")
	if len(told.all()) != 2 || f.store.sessionCount() != 1 {
		t.Fatalf("told %d times, %d sessions", len(told.all()), f.store.sessionCount())
	}
	entries := f.logs.FilterMessage("extension failed").All()
	if len(entries) != 4 {
		t.Fatalf("%d entries, want one for each failure", len(entries))
	}
	for _, entry := range entries {
		fields := entry.ContextMap()
		if entry.Level != zapcore.ErrorLevel || fields["extension"] != "*authn.meddler" || fields["user_id"] != result.User.ID {
			t.Errorf("entry = %v %v", entry.Level, fields)
		}
		text := fmt.Sprint(fields)
		if strings.Contains(text, "ada@") || strings.Contains(text, "kkkk") || !strings.Contains(fields["cause"].(string), "refused") ||
			strings.Contains(fields["cause"].(string), "\n") {
			t.Errorf("cause = %q", fields["cause"])
		}
	}
	if _, ok := entries[1].ContextMap()["stack"]; !ok {
		t.Error("a panic is logged without its stack")
	}
}

// The browser may be gone by now; the extension is told all the same, and not
// for ever.
func TestExtensionsOutliveTheRequest(t *testing.T) {
	told := &recorder{}
	l := listeners{extensions: []providers.Extension{told}, logger: zap.NewNop()}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var deadline bool
	l.login(ctx, providers.Event{})
	l.tell(ctx, "login", told, func(ctx context.Context, _ providers.Event) error {
		_, deadline = ctx.Deadline()
		return nil
	}, providers.Event{})
	if len(told.all()) != 1 || told.ctxErr != nil || !deadline {
		t.Errorf("told %d times, context %v, deadline %v", len(told.all()), told.ctxErr, deadline)
	}
}

// The account is there even if the session could not be stored: nobody will be
// told of a new user again.
func TestNewUserWithoutSession(t *testing.T) {
	told := &recorder{}
	f := newFixture(t, func(c *Config) { c.Extensions = append(c.Extensions, told) })
	start := f.begin(t, "google")
	f.store.fails["CreateSession"] = errors.New("disk full")
	_, err := f.Complete(t.Context(), "", answer(start), cookie(start))
	wantCode(t, err, CodeUnavailable)
	if !slices.Equal(told.kinds, []string{"new"}) || told.events[0].Session != (providers.Session{}) || !told.events[0].NewUser {
		t.Errorf("told %v %+v", told.kinds, told.events)
	}
}
