package caddymodule_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// secrets are what must not be in any log, with what they are.
type secrets map[string]string

func (s secrets) add(what, value string) {
	if len(value) >= 8 { // shorter ones are found everywhere
		s[value] = what
	}
}

// token adds the parts of a JWT that are its own.
func (s secrets) token(what, token string) {
	for _, part := range strings.Split(token, ".")[1:] {
		s.add(what, part)
	}
}

// callback adds what is in the URL of a callback.
func (s secrets) callback(t *testing.T, address string) {
	t.Helper()
	s.add("state", queryOf(t, address).Get("state"))
	s.add("code", queryOf(t, address).Get("code"))
}

// cookies adds the values of all cookies.
func (s secrets) cookies(t *testing.T, b *gatewaytest.Browser, g *gatewaytest.Gateway) {
	t.Helper()
	u, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		for _, part := range strings.Split(c.Value, ".") {
			if len(part) > 12 { // the other part is a time
				s.add("cookie "+c.Name, part)
			}
		}
	}
}

// attempts adds the verifiers and nonces of the sign-ins under way in a
// database.
func (s secrets) attempts(t *testing.T, path string) {
	t.Helper()
	database, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	rows, err := database.Query("SELECT value FROM auth_attempts")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		var value []byte
		var attempt struct{ Private []byte }
		var private struct{ Verifier, Nonce string }
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		if json.Unmarshal(value, &attempt) != nil || json.Unmarshal(attempt.Private, &private) != nil || private.Verifier == "" {
			continue // used up
		}
		s.add("PKCE verifier", private.Verifier)
		s.add("nonce", private.Nonce)
		found++
	}
	if err := rows.Err(); err != nil || found == 0 {
		t.Fatalf("no sign-in is under way: %v", err)
	}
}

// keys adds the text of the keys that the gateway has made in a folder.
func (s secrets) keys(t *testing.T, g *gatewaytest.Gateway) {
	t.Helper()
	for _, kind := range []string{"signing", "session"} {
		for _, line := range pemLines(storedKey(t, g, kind)) {
			s.add(kind+" key", line)
		}
	}
}

// forms are how a secret may look in a log: as it is, percent-encoded, escaped
// in JSON, in base64 at any place of a longer text, and its beginning alone.
func forms(value string) []string {
	found := []string{value, url.QueryEscape(value), url.PathEscape(value), strings.ReplaceAll(value, "@", "%40")}
	if quoted, err := json.Marshal(value); err == nil {
		found = append(found, string(quoted[1:len(quoted)-1]))
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), value...)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(padded)
			// The first and last characters mix with what is around.
			found = append(found, text[(shift*8+5)/6:len(text)-1])
		}
	}
	if len(value) >= 28 {
		found = append(found, value[:20])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// jwt is any JWT of any length, or its beginning.
var jwt = regexp.MustCompile(`eyJ[\w-]{17}`)

// wantHidden checks that none of the secrets is in any of the texts.
func (s secrets) wantHidden(t *testing.T, texts map[string]string) {
	t.Helper()
	if len(s) < 60 {
		t.Errorf("only %d secrets were looked for", len(s))
	}
	for where, text := range texts {
		shown := make(map[string]bool)
		report := func(what, form string, at int) {
			start := strings.LastIndexByte(text[:at], '\n') + 1
			end := len(text)
			if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
				end = at + i
			}
			if key := what + message(text[start:end]); !shown[key] {
				shown[key] = true
				t.Errorf("the %s has a %s (%s) in\n%s", where, what, form, text[start:end])
			}
		}
		for value, what := range s {
			if what == "e-mail" && strings.HasSuffix(where, "autosave.json") {
				continue // an operator's own configuration names them
			}
			for _, form := range forms(value) {
				if at := strings.Index(text, form); at >= 0 {
					report(what, form, at)
				}
			}
		}
		if at := jwt.FindStringIndex(text); at != nil {
			report("JWT", text[at[0]:at[1]], at[0])
		}
	}
}

// message tells lines of a log apart roughly, so that each kind is reported
// once.
func message(line string) string {
	if fields := strings.Split(line, "\t"); len(fields) > 3 { // console format
		return fields[2] + fields[3]
	}
	return ""
}

// written is everything that a gateway wrote: what it printed, and its files
// but for keys, databases and the Caddyfile, whose place they are.
func written(t *testing.T, g *gatewaytest.Gateway) map[string]string {
	t.Helper()
	texts := map[string]string{"log": g.Output()}
	err := filepath.WalkDir(g.State, func(path string, entry os.DirEntry, err error) error {
		name := filepath.Base(path)
		if err != nil || !entry.Type().IsRegular() || name == "Caddyfile" || name == "keys.json" || strings.HasPrefix(name, "auth.db") {
			return err
		}
		text, err := os.ReadFile(path)
		texts[strings.TrimPrefix(path, g.State)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
