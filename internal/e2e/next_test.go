//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// hostileForms are put together from what has made URL parsers disagree.
func hostileForms(own string) []string {
	forms := []string{"", "/", "/page", "/page?x=1#y", own + "/page", "https://app.example.com/area/x", "https://app.example.com/area", "http://localhost:3000", "http://127.0.0.1:8001/?a=b", "http://[::1]:9/x"}
	for _, scheme := range []string{"https://", "HTTPS://", "https:", "https:/", "https:///", `https:\\`, `https:/\`, "//", "///", `/\`, `\\`, "/\t/", "/\n/", "\t//", " //", "\x00//", "http://", "javascript:", "javascript://", "data:", "blob:https://", "/%09/", "/%2f", "/%5c", "/./", "/..//", "/.//", "/;//", "ht\ntps://"} {
		for _, rest := range []string{
			"app.example.com/area", "APP.EXAMPLE.COM/area", "evil.example", "app.example.com@evil.example/area", `app.example.com\@evil.example/area`, `evil.example\@app.example.com/area`, "app.example.com:443/area",
			"app.example.com:0443/area", "app.example.com:/area", "app.example.com./area", "app%2eexample.com/area", "app\u3002example.com/area", "\u24d0pp.example.com/area", "app.example.com/area/../x", "app.example.com/area/%2e%2e/x",
			"app.example.com/area/.%2E/x", `app.example.com/area\..\x`, "app.example.com/areas", "app.example.com/%61rea", "app.example.com/area\t/../../x", "app.example.com#/area", "app.example.com?/area",
			"localhost:3000", "localhost:3000@evil.example", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::1%25lo]", "localhost.", "local\u00adhost", "localhost:99999", "alert(1)",
		} {
			forms = append(forms, scheme+rest)
		}
	}
	return forms
}

// S19, judged by a real browser: whatever we take for a destination, Chromium's
// own reading of it, in a link of the login page, is on the list.
func TestChromiumAgreesAboutNext(t *testing.T) {
	g := gatewaytest.Start(t, gatewaytest.Config{Auth: "login dev\nrate_limits off\nallow_next https://app.example.com/area", Site: "auth_api\nrequire_login\nrespond welcome"})
	b := newChromium(t).tab(t)
	b.open(t, g.URL+"/auth/signed-out")
	forms := hostileForms(g.URL)
	given, err := json.Marshal(forms)
	if err != nil {
		t.Fatal(err)
	}
	// href, and what it is made of; null where there is no URL.
	read := evaluate[[]*struct{ Href, Origin, Path, User string }](t, b, `JSON.parse(`+quoted(t, string(given))+`).map(form => {
		try {
			const u = new URL(form, `+quoted(t, g.URL+"/auth/login")+`)
			return {href: u.href, origin: u.origin, path: u.pathname, user: u.username + u.password}
		} catch { return null }
	})`)
	client, taken := gatewaytest.NewBrowser(t), 0
	for i, form := range forms {
		answer := client.Do(http.MethodGet, g.URL+"/auth/login?prompt=1&next="+url.QueryEscape(form), nil, http.Header{"Accept": {"text/html"}})
		if answer.Status == http.StatusBadRequest || form == "" {
			continue
		}
		taken++
		u := read[i]
		switch {
		case answer.Status != http.StatusOK || u == nil || u.User != "":
			t.Errorf("%q is taken with %d; Chromium reads %+v", form, answer.Status, u)
		case u.Origin == g.URL, u.Origin == "https://app.example.com" && (u.Path == "/area" || strings.HasPrefix(u.Path, "/area/")):
		case strings.HasPrefix(u.Origin, "http://localhost:") || u.Origin == "http://localhost" || strings.HasPrefix(u.Origin, "http://127.0.0.1:") || u.Origin == "http://127.0.0.1" || strings.HasPrefix(u.Origin, "http://[::1]:"):
		default:
			t.Errorf("%q is taken, and Chromium goes to %s", form, u.Href)
		}
	}
	if taken < 12 || taken > len(forms)/4 {
		t.Errorf("%d of %d forms were taken", taken, len(forms))
	}
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
