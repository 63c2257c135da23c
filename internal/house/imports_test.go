// Package house checks that the packages stand where the design puts them.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/datahq/auth-gateway"

// mayImport says, for each package of ours, which others of ours it may import.
// "*" is any; a trailing "/..." takes in everything below. What is missing here
// may import nothing of ours.
var mayImport = map[string][]string{
	"caddy":                  {"caddymodule"},
	"caddymodule":            {"*"},
	"caddymodule/requestlog": {"internal/wire"},
	"caddymodule/routes":     {"internal/wire"},
	"authapi":                {"internal/gate", "internal/wire", "internal/authn", "internal/authz", "providers"},

	"internal/gate":            {"internal/wire", "internal/authz", "providers"},
	"internal/authn":           {"internal/token", "internal/cache", "providers"},
	"internal/authz":           {"internal/token", "internal/cache", "providers"},
	"internal/store":           {"providers"},
	"internal/store/storetest": {"providers"},
	"internal/keyring":         {"internal/token"},
	"internal/node":            {"internal/store"},
	"internal/demo":            {"internal/token"},

	"providers":                       {},
	"providers/identity/internal/idp": {"providers"},
	"providers/identity/oidc":         {"providers", "providers/identity/internal/idp"},
	"providers/identity/github":       {"providers", "providers/identity/internal/idp"},
	// The development provider is a small OpenID provider with the ordinary
	// client in front of it.
	"providers/identity/dev": {
		"providers", "providers/identity/internal/idp", "providers/identity/oidc", "providers/providertest/fakeidp",
	},
	"providers/permission/static":    {"providers"},
	"providers/permission/database":  {"providers"},
	"providers/providertest":         {"providers", "providers/providertest/fakeidp"},
	"providers/providertest/fakeidp": {},
}

// testsOnly are helpers of tests. They may import anything, and nothing but
// tests may import them.
var testsOnly = []string{
	"internal/gatewaytest", "internal/testserver", "internal/store/storetest", "providers/providertest",
	"providers/providertest/fakegithub",
}

// onlyImporter says which package alone may import a library.
var onlyImporter = map[string]string{
	"github.com/lestrrat-go/jwx/": "internal/token",
	"gorm.io/":                    "internal/store",
	"modernc.org/sqlite":          "internal/store",
	"github.com/maypok86/otter/":  "internal/cache",
	"github.com/redis/go-redis/":  "internal/cache",
}

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T) []listed {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	all := packages(t)
	if len(all) < 10 {
		t.Fatalf("only %d packages were listed", len(all))
	}
	for _, p := range all {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			checkLibrary(t, name, imported)
			if ours, found := strings.CutPrefix(imported, module+"/"); found {
				checkOurs(t, name, ours)
			}
		}
	}
}

func checkOurs(t *testing.T, name, imported string) {
	t.Helper()
	if slices.Contains(testsOnly, imported) && !slices.Contains(testsOnly, name) {
		t.Errorf("%s imports %s, which is for tests alone", name, imported)
	}
	if slices.Contains(testsOnly, name) {
		return
	}
	allowed := mayImport[name]
	if !slices.Contains(allowed, "*") && !slices.Contains(allowed, imported) {
		t.Errorf("%s imports %s; it may import %v", name, imported, allowed)
	}
}

func checkLibrary(t *testing.T, name, imported string) {
	t.Helper()
	for library, owner := range onlyImporter {
		if strings.HasPrefix(imported+"/", library) && name != owner && name != owner+"test" {
			t.Errorf("%s imports %s; only %s may", name, imported, owner)
		}
	}
	caddy := strings.HasPrefix(imported, "github.com/caddyserver/")
	seesCaddy := name == "caddy" || name == "caddymodule" || strings.HasPrefix(name, "caddymodule/") || strings.HasPrefix(name, "providers/") || slices.Contains(testsOnly, name)
	if caddy && !seesCaddy {
		t.Errorf("%s imports %s; only caddymodule and the guests see Caddy", name, imported)
	}
	if name == "providers" && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		t.Errorf("providers imports %s; it stands on the standard library alone", imported)
	}
}
