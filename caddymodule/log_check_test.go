package caddymodule_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

const logWarning = "Caddy's logs may show tokens and e-mail addresses"

// filters is the snippet of the shipped configuration, without its name.
func filters(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	snippet := regexp.MustCompile(`(?s)\(redacted\) \{\n(.*?)\n\}`).FindStringSubmatch(string(text))
	if snippet == nil {
		t.Fatal("the Caddyfile has no snippet (redacted)")
	}
	return snippet[1]
}

// warned ends a gateway and returns what it has said about its logs at start; nil
// for nothing.
func warned(t *testing.T, g *gatewaytest.Gateway) *struct{ Loggers, Add []string } {
	t.Helper()
	call(t, g, "/auth/check") // waits until all has started
	g.Stop(t)
	for line := range strings.Lines(g.Output()) {
		if !strings.Contains(line, logWarning) {
			continue
		}
		said := new(struct{ Loggers, Add []string })
		if err := json.Unmarshal([]byte(line[strings.IndexByte(line, '{'):]), said); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		return said
	}
	return nil
}

// S41, ruling 32: a configuration whose logs would show what no log may show is
// told so at start, by the lines that it lacks; one that has them is not.
func TestLogCheck(t *testing.T) {
	const gate = "require_permission storage read {\nforward_token X-Own-Token\n}\nreverse_proxy 127.0.0.1:1\n"
	format := "format filter {\n" + filters(t) + "\n}\n"
	own := "format filter {\n" + filters(t) + "\nrequest>headers>X-Own-Token delete\n}\n"
	access := []string{"http.log.access.log0"}
	needed := []string{
		"request>headers>Auth-Token delete", "request>headers>Auth_token delete", "request>headers>Auth.token delete", "request>headers>Referer delete",
		"request>uri regexp",
	}
	for name, test := range map[string]struct {
		global, site string
		loggers, add []string // add: how they begin
	}{
		"nothing": {"", "log", []string{"http.handlers.reverse_proxy", "http.log.access", "http.log.error"}, append([]string{
			"request>headers>X-Auth-Email delete", "request>headers>X-Own-Token delete", "resp_headers>Location delete",
		}, needed...)},
		"access log alone":     {"log {\n" + own + "}", "log {\noutput stderr\n}", access, append([]string{"resp_headers>Location delete"}, needed...)},
		"no access log":        {"log {\n" + own + "}", "", nil, nil},
		"all":                  {"log {\n" + own + "}", "log {\n" + format + "}", nil, nil},
		"own header":           {"log {\n" + format + "}", "log {\n" + format + "}", []string{"http.handlers.reverse_proxy"}, []string{"request>headers>X-Own-Token delete"}},
		"excluded":             {"log {\n" + format + "exclude http.handlers.reverse_proxy\n}", "", nil, nil},
		"another log takes it": {"log {\n" + own + "}\nlog second {\noutput stderr\ninclude http.log.error\n}", "", []string{"http.log.error"}, needed},
		"other means": {
			"log {\nformat filter {\nrequest delete\nheaders delete\nresp_headers delete\n}\n}",
			"log {\nformat append {\nwrap filter {\nrequest>uri query {\ndelete jwt\nhash code\nreplace state gone\n}\nrequest>headers delete\nresp_headers delete\n}\nnode one\n}\n}",
			nil, nil,
		},
		"means that are too little": {
			"log {\n" + own + "}",
			"log {\nformat filter {\nrequest>uri query {\ndelete jwt\n}\nrequest>headers>Auth-Token replace \"\"\nrequest>headers>Auth_token replace \"\"\nrequest>headers>Auth.token delete\nrequest>headers>Referer regexp jwt=.* gone\nresp_headers>Location regexp cookie none\n}\n}",
			access,
			[]string{"request>uri regexp", "resp_headers>Location delete"},
		},
		"more than one name": {
			"log {\n" + own + "}", "log {\n" + format + "}\nlog extra {\noutput stderr\n}",
			[]string{"http.log.access.extra"},
			append([]string{"resp_headers>Location delete"}, needed...),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gatewaytest.New(t, gatewaytest.Config{Auth: "login dev\nservice storage static", Site: "auth_api\n" + gate + test.site})
			g.RunFile(t, strings.Replace(g.Caddyfile(), "log {\n\t\tlevel DEBUG\n\t\t\n\t}", test.global, 1), g.Address)
			said := warned(t, g)
			if said == nil {
				if test.add != nil {
					t.Errorf("nothing is said:\n%s", g.Output())
				}
				return
			}
			if !slices.Equal(said.Loggers, test.loggers) {
				t.Errorf("it is about %q, want %q", said.Loggers, test.loggers)
			}
			for _, line := range said.Add {
				if !slices.ContainsFunc(test.add, func(begin string) bool { return strings.HasPrefix(line, begin) }) {
					t.Errorf("it says to add %q, which is there or not needed", line)
				}
			}
			if len(said.Add) != len(test.add) {
				t.Errorf("it says to add %q, want %q", said.Add, test.add)
			}
		})
	}
}

// What the warning says to add is what the shipped configurations have, and does
// what it is for.
func TestLogCheckIsObeyed(t *testing.T) {
	config := gatewaytest.Config{
		Auth: "login dev\nservice storage static",
		Site: "auth_api\nrequire_permission storage read {\nforward_token X-Own-Token\n}\nreverse_proxy 127.0.0.1:1\nlog",
	}
	first := gatewaytest.Start(t, config)
	said := warned(t, first)
	if said == nil {
		t.Fatal("nothing is said")
	}
	format := "format filter {\n" + strings.Join(said.Add, "\n") + "\n}\n"
	config.Log = format
	config.Site += " {\n" + format + "}"
	g := gatewaytest.Start(t, config)
	if again := warned(t, g); again != nil {
		t.Errorf("with what was said to add, it says to add %q", again.Add)
	}
	shipped := filters(t)
	for _, line := range said.Add {
		if !strings.Contains(line, "X-Own-Token") && !strings.Contains(shipped, line) {
			t.Errorf("the shipped configuration has no %s", line)
		}
	}
}

// log_credentials undoes what Caddy itself redacts.
func TestLogCredentialsAreWarnedOf(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: "login dev", Global: "servers {\nlog_credentials\n}", Site: "auth_api\nlog"})
	warned(t, g)
	if !strings.Contains(g.Output(), "log_credentials writes cookies and tokens into the access log") {
		t.Errorf("nothing is said:\n%s", g.Output())
	}
}
