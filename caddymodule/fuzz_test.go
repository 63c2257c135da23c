package caddymodule

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // as in the binary
)

var position = regexp.MustCompile(`Caddyfile:[1-9]`)

// dispense reads text as a Caddyfile's tokens; false if it has none.
func dispense(text string) (*caddyfile.Dispenser, bool) {
	tokens, err := caddyfile.Tokenize([]byte(text), "Caddyfile")
	return caddyfile.NewDispenser(tokens), err == nil && len(tokens) > 0
}

// checkLoads checks that a configuration means the same once it has been JSON:
// every member is known, and nothing is lost.
func checkLoads(t *testing.T, text string, config any) {
	t.Helper()
	written, err := json.Marshal(config)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	again := reflect.New(reflect.TypeOf(config).Elem()).Interface()
	if err := caddy.StrictUnmarshalJSON(written, again); err != nil {
		t.Fatalf("%s is written as %s: %v", text, written, err)
	}
	rewritten, err := json.Marshal(again)
	if err != nil || string(rewritten) != string(written) {
		t.Errorf("%s is written as %s and then %s: %v", text, written, rewritten, err)
	}
}

// checkGuest loads a guest as Caddy would, up to Provision.
func checkGuest(t *testing.T, namespace string, raw json.RawMessage) {
	t.Helper()
	var name struct{ Module string }
	if err := json.Unmarshal(raw, &name); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	info, err := caddy.GetModule(namespace + "." + name.Module)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "module")
	plain, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.StrictUnmarshalJSON(plain, info.New()); err != nil {
		t.Errorf("%s: %v", raw, err)
	}
}

// Whatever stands in the auth block is an error that says where, or a
// configuration that loads strictly.
func FuzzAuthBlock(f *testing.F) {
	for _, block := range []string{
		"external_address https://a.example\npath /user\ndatabase sqlite:////x.db\nsigning_key {file./x}\nsession_key {env.X}",
		"login google {\nclient_id x\nclient_secret {env.X}\n}\nlogin corp oidc {\nissuer https://a.example\nclient_id x\nscopes openid email\n}",
		"login github {\nclient_id x\nclient_secret y\nurl https://a.example\n}\nlogin dev {\nuser ada ada@example.com\n}",
		"service storage static {\neveryone read\ngrant u1 read write\n}\nservice b database\ntoken_lifetime b 2h\ntoken_lifetime 90m\nstale_if_error off",
		"session {\nlifetime 14d\nidle 90m\n}\nallow_next https://a.example/x http://localhost:*\nloopback_next off\ndefault_next /x\nerrors handle",
		"rate_limits {\nexempt 10.0.0.0/8\nlogin 3 60\n}\nuser_ids md5_email\npublic_profiles off\ngravatar on\nos_conductor {\ngoogle_callback\n}\naccept_legacy_sessions until 2026-12-31",
		"rate_limits off", "extension none", "}", "{", "session", "login", "login x\x00 y", "service \"a b\" static", "service a static { { } }", "path \"\"", "token_lifetime", "allow_next", "path /a\npath /b",
		"login corp oidc {\nissuer\n}", "\"\" x", "session {\nlifetime 1d\nlifetime 2d\n}", "database {env.X}y", "login a dev\nlogin a dev", "cache redis://localhost", "service s static {\n", "external_address {",
	} {
		f.Add(block)
	}
	f.Fuzz(func(t *testing.T, block string) {
		text := "auth {\n" + block + "\n}"
		d, ok := dispense(text)
		if !ok {
			return
		}
		value, err := parseAppOption(d, nil)
		if err != nil {
			if !position.MatchString(err.Error()) {
				t.Errorf("%s: no line in %q", text, err)
			}
			return
		}
		option, ok := value.(httpcaddyfile.App)
		if !ok || option.Name != "auth" {
			t.Fatalf("%s: got %T", text, value)
		}
		app := new(App)
		if err := caddy.StrictUnmarshalJSON(option.Value, app); err != nil {
			t.Fatalf("%s is written as %s: %v", text, option.Value, err)
		}
		checkLoads(t, text, app)
		for _, login := range app.Logins {
			checkGuest(t, identityNamespace, login.ProviderRaw)
		}
		for _, service := range app.Services {
			checkGuest(t, permissionNamespace, service.ProviderRaw)
		}
		for _, extension := range app.Extensions {
			checkGuest(t, extensionNamespace, extension.ModuleRaw)
		}
		if again, _ := dispense(text); again != nil {
			if second, err := parseAppOption(again, nil); err != nil || string(second.(httpcaddyfile.App).Value) != string(option.Value) {
				t.Errorf("%s is read in two ways: %s, %v", text, option.Value, err)
			}
		}
	})
}

// S10: whatever stands in a directive is an error that says where, or a gate
// that demands at least what its name says.
func FuzzGateDirectives(f *testing.F) {
	for _, rest := range []string{
		"", "storage read", "storage read write {\nany admin {env.X}\nquery_token\nforward_token\npaths lenient\npreflight pass\n}", "storage {\nany a b\n}", "storage", "{\nquery_token\n}",
		"{\npaths lenient\npreflight pass\n}", "x {\n}\n", "storage read {\nforward_token X-Token\nforward_token\n}", "\"\" read", "storage \"\"", "{", "storage read {\nany\n}", "storage { } }", "a b {\nany {\nc\n}\n}",
	} {
		for directive := range byte(4) {
			f.Add(directive, rest)
		}
	}
	f.Fuzz(func(t *testing.T, directive byte, rest string) {
		type spelling struct {
			name, require string
			parse         httpcaddyfile.UnmarshalHandlerFunc
		}
		spellings := []spelling{
			{"require_permission", "permission", parseRequirePermission}, {"require_login", "login", parseRequireLogin}, {"identify", "identity", parseIdentify}, {"auth_api", "", parseAuthAPI},
		}
		s := spellings[int(directive)%len(spellings)]
		text := s.name + " " + rest
		d, ok := dispense(text)
		if !ok || !strings.HasPrefix(rest, " ") && len(rest) > 0 && d.Next() && d.Val() != s.name {
			return
		}
		d.Reset()
		handler, err := s.parse(httpcaddyfile.Helper{Dispenser: d})
		if err != nil {
			if !position.MatchString(err.Error()) {
				t.Errorf("%s: no line in %q", text, err)
			}
			return
		}
		gate, isGate := handler.(*AuthGate)
		if !isGate {
			if _, isAPI := handler.(*AuthAPI); !isAPI || s.require != "" {
				t.Errorf("%s: got %T", text, handler)
			}
			return
		}
		if gate.Require != s.require {
			t.Errorf("%s demands %s", text, gate.Require)
		}
		if s.require == "permission" && len(gate.All)+len(gate.Any) == 0 || s.require != "permission" && (gate.Service != "" || len(gate.All)+len(gate.Any) > 0 || gate.ForwardToken != "") {
			t.Errorf("%s is %+v", text, gate)
		}
		checkLoads(t, text, gate)
	})
}

// Contract 1.3: ALLOWED_SERVICES means what it meant to the original, and what
// cannot is an error (ruling 21). INSTALLED_EXTENSIONS likewise.
func FuzzEnvironment(f *testing.F) {
	for _, text := range []string{
		"", "a", "a:b:c", "a;;b", ";", "a;;;b", "a:x;a:y", ":b", "a:", "storage:static;billing:database", "static;database;", "a:static;b:static;a:database", " a:static ", "a:static\nb:static", "source:plans;rawstore:plans",
		"datahub_emails", ";;", "auth.extensions.x", "a.b:static.x", "static:STATIC", "a:\x00", "\xff:static",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// The original: filter(None) would be another thing; it removes one empty
		// item and splits at the first colon.
		want := map[string]string{}
		items := strings.Split(text, ";")
		if i := slices.Index(items, ""); i >= 0 {
			items = slices.Delete(items, i, i+1)
		}
		for _, item := range items {
			alias, provider, found := strings.Cut(item, ":")
			if !found {
				provider = alias
			}
			want[alias] = provider
		}
		names, providers := parseAllowedServices(text)
		if len(names) != len(want) || !reflect.DeepEqual(providers, want) {
			t.Fatalf("%q: got %q %v; the original %v", text, names, providers, want)
		}
		services, err := environmentServices(text)
		good := true
		for alias, provider := range want {
			_, errModule := caddy.GetModule(permissionNamespace + "." + provider)
			good = good && alias != "" && provider != "" && errModule == nil
		}
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			for i, service := range services {
				checkGuest(t, permissionNamespace, service.ProviderRaw)
				if service.Name != names[i] {
					t.Errorf("%q: service %q", text, service.Name)
				}
			}
		} else if !strings.Contains(err.Error(), "ALLOWED_SERVICES") {
			t.Errorf("%q: %v", text, err)
		}
		extensions, err := environmentExtensions(text)
		if err != nil && !strings.Contains(err.Error(), "INSTALLED_EXTENSIONS") {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil {
			for _, extension := range extensions {
				checkGuest(t, extensionNamespace, extension.ModuleRaw)
			}
		}
	})
}
