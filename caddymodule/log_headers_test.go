package caddymodule_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S41: with the shipped filters, what a request has in headers that an upstream
// could take for ours, or for another address, is in no log: neither those that
// Caddy itself drops nor those that an operator lets through.
func TestOtherHeadersAreNotLogged(t *testing.T) {
	format := "format filter {\n" + filters(t) + "\n}\n"
	for name, global := range map[string]string{
		"as Caddy does":          "",
		"names with underscores": "servers {\nexpected_underscore_headers Auth_token X_auth_email\n}",
	} {
		t.Run(name, func(t *testing.T) {
			g := gatewaytest.Start(t, gatewaytest.Config{
				Auth: "login dev", Site: "auth_api\nidentify\nrespond hi\nlog {\noutput file access.log\n" + format + "}", Log: format, Global: global,
			})
			headers := []string{
				"Auth_Token: SECRET-1", "AUTH.TOKEN: SECRET-2", "X-Auth-User-Id: SECRET-3", "X-Auth-Anything: SECRET-4", "X-Auth-Name: SECRET-5",
				"X-Forwarded-Uri: /?jwt=SECRET-6", "X-Original-URL: /?a=b&code=SECRET-7", "X-Rewrite-Url: https://a.example/?state=SECRET-8",
			}
			if global != "" {
				headers = append(headers, "X_Auth_Email: SECRET-9")
			}
			connection, err := net.Dial("tcp", g.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			for _, header := range append(headers, "X-Own: seen") {
				if _, err := connection.Write([]byte("GET /page HTTP/1.1\r\nHost: " + g.Address + "\r\n" + header + "\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				buffer := make([]byte, 4096)
				if n, err := connection.Read(buffer); err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200") {
					t.Fatalf("%s: %v %s", header, err, buffer[:n])
				}
			}
			access := func() string {
				text, err := os.ReadFile(filepath.Join(g.State, "access.log"))
				if err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				return string(text)
			}
			eventually(t, "every request is logged", func() bool { return strings.Count(access(), `"uri":"/page"`) == len(headers)+1 })
			g.Stop(t)
			for where, text := range map[string]string{"access log": access(), "log": g.Output()} {
				for line := range strings.Lines(text) {
					if strings.Contains(line, "SECRET") {
						t.Errorf("the %s has\n%s", where, line)
					}
				}
			}
			if !strings.Contains(access(), `"X-Own":["seen"]`) {
				t.Error("a plain header is not logged")
			}
		})
	}
}
