package caddymodule_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers"
)

// The test binary is the gateway, so that modules of the tests are in it.
func init() {
	caddy.RegisterModule(new(testRecorder))
	caddy.RegisterModule(new(testEventRecorder))
}

// recorded is a line of a recorder's file.
type recorded struct {
	Hook    string
	User    providers.User
	Session providers.Session
	NewUser bool
	Data    map[string]any // of Caddy's events
}

// recorder appends lines to a file, and then misbehaves if it is told to.
type recorder struct {
	File string `json:"file,omitempty"`
	Then string `json:"then,omitempty"` // "", "fail", "panic"
}

func (rec *recorder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.Args(&rec.File) {
		return d.ArgErr()
	}
	d.Args(&rec.Then)
	return nil
}

func (rec *recorder) record(line recorded) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(rec.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	switch rec.Then {
	case "fail":
		return fmt.Errorf("cannot tell %s about it", line.User.Email)
	case "panic":
		var nobody *providers.User
		_ = nobody.Email // as extensions do
	}
	return nil
}

// testRecorder is an extension.
type testRecorder struct{ recorder }

func (*testRecorder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "auth.extensions.test_recorder", New: func() caddy.Module { return new(testRecorder) }}
}

func (rec *testRecorder) hook(name string, event providers.Event) error {
	line := recorded{Hook: name, User: event.User, Session: event.Session, NewUser: event.NewUser}
	event.User.ID, event.Session.UserID = "victim", "victim" // O22
	return rec.record(line)
}

func (rec *testRecorder) OnNewUser(_ context.Context, event providers.Event) error {
	return rec.hook("new_user", event)
}

func (rec *testRecorder) OnUserLogin(_ context.Context, event providers.Event) error {
	return rec.hook("user_login", event)
}

func (rec *testRecorder) OnUserLogout(_ context.Context, event providers.Event) error {
	return rec.hook("user_logout", event)
}

// testEventRecorder is a handler of Caddy's events.
type testEventRecorder struct{ recorder }

func (*testEventRecorder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.test_recorder", New: func() caddy.Module { return new(testEventRecorder) }}
}

func (rec *testEventRecorder) Handle(_ context.Context, event caddy.Event) error {
	line := recorded{Hook: event.Name(), Data: make(map[string]any)}
	for name, value := range event.Data {
		line.Data[name] = value
	}
	event.Data["user_id"] = "victim"
	return rec.record(line)
}

var (
	_ providers.NewUserListener = (*testRecorder)(nil)
	_ providers.LoginListener   = (*testRecorder)(nil)
	_ providers.LogoutListener  = (*testRecorder)(nil)
	_ caddyevents.Handler       = (*testEventRecorder)(nil)
)

// recordedLines waits until a recorder's file has as many lines, and returns
// them.
func recordedLines(t *testing.T, file string, count int) (found []recorded) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if strings.Count(string(text), "\n") < count && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		for decoder.More() {
			var line recorded
			if err := decoder.Decode(&line); err != nil {
				t.Fatal(err)
			}
			found = append(found, line)
		}
		return found
	}
}

func hooks(found []recorded) (names []string) {
	for _, line := range found {
		names = append(names, line.Hook)
	}
	return names
}

// claimedUser is whom a token names.
func claimedUser(t *testing.T, token string) string {
	t.Helper()
	var claims struct {
		UserID string `json:"userid"`
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %d parts", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &claims) != nil {
		t.Fatalf("no token: %s", text)
	}
	return claims.UserID
}

// wasTold are the hooks that two sign-ins of one person, and a sign-out after
// the second, call.
var wasTold = []string{"new_user", "user_login", "user_login", "user_logout"}

// twice signs ada in, and again, and out.
func twice(t *testing.T, g *gatewaytest.Gateway) (first, second person) {
	t.Helper()
	first = signIn(t, g, "ada")
	second = signIn(t, g, "ada")
	answer := gatewaytest.NewBrowser(t).Do(http.MethodPost, g.URL+"/auth/logout", nil, header("Auth-Token", second.Token))
	if answer.Status >= 400 {
		t.Fatalf("logout: %d %s", answer.Status, answer.Body)
	}
	return first, second
}

// Issue "extensions": each hook at its time, as a guest module and as an event
// of Caddy, and whatever becomes of one, the login and the others go on.
func TestExtensions(t *testing.T) {
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	g := gatewaytest.Start(t, gatewaytest.Config{
		GuestPanics: true,
		Global: fmt.Sprintf(`events {
			on new_user test_recorder %[1]s
			on user_login test_recorder %[1]s
			on user_logout test_recorder %[1]s
			on user_login test_recorder %[2]s fail
			on new_user test_recorder %[3]s panic
		}`, file("events"), file("event.fail"), file("event.panic")),
		Auth: fmt.Sprintf(`login dev
		service storage static {
			everyone read
		}
		extension test_recorder %s fail
		extension test_recorder %s panic
		extension test_recorder %s`, file("fail"), file("panic"), file("good")),
		Site: "auth_api",
	})
	first, second := twice(t, g)

	for _, name := range []string{"fail", "panic", "good", "events"} {
		if told := hooks(recordedLines(t, file(name), 4)); !slices.Equal(told, wasTold) {
			t.Errorf("%s was told %v, want %v", name, told, wasTold)
		}
	}
	if told := hooks(recordedLines(t, file("event.fail"), 2)); !slices.Equal(told, []string{"user_login", "user_login"}) {
		t.Errorf("the failing event handler was told %v", told)
	}
	if told := hooks(recordedLines(t, file("event.panic"), 1)); !slices.Equal(told, []string{"new_user"}) {
		t.Errorf("the panicking event handler was told %v", told)
	}

	// S7, O22: the extensions have changed the user's ID in what they were given.
	for _, p := range []person{first, second} {
		if id := claimedUser(t, p.Token); id != first.ID || id == "victim" || p.ID != first.ID {
			t.Errorf("the token names %s, check %s; the user is %s", id, p.ID, first.ID)
		}
	}
	if id := claimedUser(t, permissionToken(t, g, first.Token, "storage")); id != first.ID {
		t.Errorf("the permission token names %s, want %s", id, first.ID)
	}
	good := recordedLines(t, file("good"), 4)
	for i, line := range good {
		if line.User.ID != first.ID || line.User.Email != "ada@example.com" || line.Session.UserID != first.ID || line.Session.Provider != "dev" {
			t.Errorf("%s was told of %+v in %+v", line.Hook, line.User, line.Session)
		}
		if made := i < 2; line.NewUser != made {
			t.Errorf("%d, %s: NewUser is %v", i, line.Hook, line.NewUser)
		}
	}
	if good[0].Session.ID != good[1].Session.ID || good[1].Session.ID == good[2].Session.ID || good[2].Session.ID != good[3].Session.ID {
		t.Errorf("the sessions are %s, %s, %s and %s", good[0].Session.ID, good[1].Session.ID, good[2].Session.ID, good[3].Session.ID)
	}

	// S41: an event's data stands in Caddy's debug log.
	for i, line := range recordedLines(t, file("events"), 4) {
		if len(line.Data) != 3 || line.Data["user_id"] != first.ID || line.Data["provider"] != "dev" || line.Data["session_id"] != good[i].Session.ID {
			t.Errorf("the event %s has %v", line.Hook, line.Data)
		}
	}
	output := g.Output()
	if strings.Contains(output, "ada@example.com") {
		t.Errorf("S41: the log has an e-mail address:\n%s", output)
	}
	// Four failures and four panics of extensions, and a panic of an event handler.
	if failures := strings.Count(output, `"extension failed"`); failures != 9 {
		t.Errorf("%d failures are in the log, want 9:\n%s", failures, output)
	}
}

// Contract 1.3, INSTALLED_EXTENSIONS: names of modules, and one that is not
// there is a mistake.
func TestInstalledExtensions(t *testing.T) {
	g := gatewaytest.New(t, gatewaytest.Config{
		Auth: "login dev", Site: "auth_api", Env: []string{"INSTALLED_EXTENSIONS=datahub_emails"},
	})
	path := filepath.Join(g.State, "Caddyfile")
	if err := os.WriteFile(path, []byte(g.Caddyfile()), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := g.Command("validate", "--config", path)
	if err == nil || !strings.Contains(output, "datahub_emails") || !strings.Contains(output, "auth.extensions.") {
		t.Errorf("%v:\n%s", err, output)
	}
}
