package caddymodule_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// Every verb of the command line, on the database of a running gateway: what is
// granted and revoked counts at the gate.
func TestCommands(t *testing.T) {
	upstream := gatewaytest.NewUpstream(t)
	g := gatewaytest.Start(t, gatewaytest.Config{
		Auth: "login dev\nservice storage database\nservice other static",
		Site: "auth_api\nhandle /open {\nrequire_login\nreverse_proxy " + upstream.Address() + "\n}\nhandle {\nrequire_permission storage read\nreverse_proxy " + upstream.Address() + "\n}",
	})
	b := gatewaytest.NewBrowser(t)
	b.SignIn(g.URL+"/open", "ada")
	auth := func(ok bool, args ...string) string {
		t.Helper()
		output, err := g.Command(append([]string{"auth", "--config", filepath.Join(g.State, "Caddyfile")}, args...)...)
		if (err == nil) != ok {
			t.Fatalf("%v: %v\n%s", args, err, output)
		}
		return output
	}
	expect := func(want int) {
		t.Helper()
		var status int
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if status = b.Fetch(g.URL + "/").Status; status == want {
				return
			}
		}
		t.Fatalf("the gate answers %d, want %d", status, want)
	}
	expect(http.StatusForbidden)
	if users := auth(true, "users"); !strings.Contains(users, "ada@example.com") || !strings.Contains(users, "Ada Lovelace") {
		t.Errorf("users:\n%s", users)
	}
	if users := auth(true, "users", "nobody"); !strings.Contains(users, "There are no users.") {
		t.Errorf("users nobody:\n%s", users)
	}
	if output := auth(true, "grant", "ada", "storage", "read", "level=gold", "quota=50"); !strings.Contains(output, `{"level":"gold","quota":50,"read":true}`) {
		t.Errorf("grant:\n%s", output)
	}
	expect(http.StatusOK)
	if output := auth(true, "permissions", "ada@example.com", "--service", "storage"); !strings.Contains(output, `"quota":50`) {
		t.Errorf("permissions:\n%s", output)
	}
	if output := auth(true, "revoke", "ada@example.com", "storage", "read"); strings.Contains(output, "read") {
		t.Errorf("revoke:\n%s", output)
	}
	expect(http.StatusForbidden)
	auth(true, "grant", "*", "storage", "read")
	expect(http.StatusOK)
	auth(true, "revoke", "*", "storage")
	expect(http.StatusForbidden)

	if output := auth(false, "revoke", "ada", "nothing"); !strings.Contains(output, "ada has no permissions in nothing") {
		t.Errorf("revoking nothing:\n%s", output)
	}
	if output := auth(true, "users"); strings.Contains(output, `"level"`) {
		t.Errorf("Caddy's log is in the output:\n%s", output)
	}

	for what, args := range map[string][]string{
		"there is no database":      {"users", "--database", "sqlite:///" + filepath.Join(t.TempDir(), "typo.db")},
		"there is no user":          {"grant", "nobody@example.com", "storage", "read"},
		"names no permission":       {"grant", "ada", "storage", "=1"},
		"requires at least 3 arg":   {"grant", "ada", "storage"},
		"loading the configuration": {"users", "--config", "/nonexistent/Caddyfile"},
		"opening the database":      {"users", "--database", "postgresql://u:secret@127.0.0.1:1/db"},
	} {
		output := auth(false, args...)
		if !strings.Contains(output, what) || strings.Contains(output, "u:secret") {
			t.Errorf("%v: no %q in\n%s", args, what, output)
		}
	}
	if output := auth(true, "grant", "ada", "other", "read"); !strings.Contains(output, "does not look into the database") {
		t.Errorf("a service that does not look into the database:\n%s", output)
	}
	if output := auth(true, "grant", "ada", "storge", "read"); !strings.Contains(output, "did you mean storage?") {
		t.Errorf("a service that is not there:\n%s", output)
	}
}

// Contract 1.3: an empty auth block in the original's environment.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte("{\n\tauth\n}\n:0 {\n\tauth_api\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const address, key = "EXTERNAL_ADDRESS=next.obudget.org", "GOOGLE_KEY=k"
	for name, test := range map[string]struct {
		env  []string
		want string // "" means that it is accepted
	}{
		"the address":              {[]string{address}, ""},
		"no address":               {nil, "external_address is missing"},
		"a database":               {[]string{address, "DATABASE_URL=sqlite:///" + dir + "/x.db"}, ""},
		"another database":         {[]string{address, "DATABASE_URL=postgresql+psycopg2://u:p%40x@h:5433/db?sslmode=require"}, ""},
		"Google":                   {[]string{address, key, "GOOGLE_SECRET=s"}, ""},
		"half of Google":           {[]string{address, key}, ""},
		"GitHub":                   {[]string{address, "GITHUB_KEY=k", "GITHUB_SECRET=s"}, ""},
		"services":                 {[]string{address, "ALLOWED_SERVICES=storage:database;other:static"}, ""},
		"a Python module":          {[]string{address, "ALLOWED_SERVICES=source:plans;rawstore:plans"}, "service source database"},
		"a bare Python module":     {[]string{address, "ALLOWED_SERVICES=plans"}, "service plans database"},
		"an empty service":         {[]string{address, "ALLOWED_SERVICES=;;"}, "ALLOWED_SERVICES"},
		"a Python extension":       {[]string{address, "INSTALLED_EXTENSIONS=datahub_emails"}, "INSTALLED_EXTENSIONS"},
		"destinations":             {[]string{address, "ALLOWED_NEXT=https://a.example https://b.example"}, ""},
		"a destination that is no": {[]string{address, "ALLOWED_NEXT=http://a.example"}, "plain http"},
		"a broken key":             {[]string{address, "PRIVATE_KEY=nonsense"}, "signing_key"},
	} {
		t.Run(name, func(t *testing.T) {
			g := gatewaytest.New(t, gatewaytest.Config{Env: test.env})
			output, err := g.Command("validate", "--config", file)
			if (err == nil) != (test.want == "") || !strings.Contains(output, test.want) || strings.Contains(output, "p%40x") {
				t.Errorf("%v, want %q:\n%s", err, test.want, output)
			}
		})
	}
}
