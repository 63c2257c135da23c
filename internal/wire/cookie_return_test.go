package wire

import (
	"net/http/httptest"
	"slices"
	"testing"
)

func TestReturnCookie(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	for line, want := range map[string]string{
		"":                         "",
		"__Host-auth_return=1.abc": "1.abc",
		"auth_return=1.abc":        "", // a sibling's
		"__Host-auth_return=1.abc; __Host-auth_return=2.abc": "",
	} {
		if got := site.ReturnCookie(newRequest("GET", "/", "Cookie: "+line)); got != want {
			t.Errorf("%q: %q; expected %q", line, got, want)
		}
	}
}

func TestRepeatsSessionCookie(t *testing.T) {
	site := newSite(t, "https://app.example.com")
	for line, want := range map[string]bool{
		"":                      false,
		"__Host-auth_session=a": false,
		"__Host-auth_session=a; auth_session=b; __host-auth_session=c": false,
		"__Host-auth_session=a; __Host-auth_session=b":                 true,
		"__Host-auth_session=a;x=y;__Host-auth_session=":               true,
	} {
		r := newRequest("GET", "/", "Cookie: "+line)
		if got := site.RepeatsSessionCookie(r); got != want {
			t.Errorf("%q: %t", line, got)
		}
		if _, ok := site.SessionCookie(r); ok && want {
			t.Errorf("%q: one of two counts", line)
		}
	}
}

// Ruling 3: a program on another port of this machine plants a session cookie
// for /reports, where the browser then sends two and is signed out for ever.
func TestClearPlantedCookies(t *testing.T) {
	for _, tt := range []struct {
		site, path string
		want       []string
	}{
		{"http://localhost:8080", "/reports/2024/x", []string{"/reports", "/reports/", "/reports/2024", "/reports/2024/", "/reports/2024/x"}},
		{"http://localhost:8080", "/reports/", []string{"/reports", "/reports/"}},
		{"http://localhost:8080", "/reports", []string{"/reports"}},
		{"http://localhost:8080", "/", nil},
		{"http://localhost:8080", "", nil},
		{"http://localhost:8080", "/a;Domain=evil/b", nil},
		{"http://localhost:8080", "//evil", nil},
		{"http://localhost:8080", "/1/2/3/4/5/6/7/8/9/10/11", []string{
			"/1", "/1/", "/1/2", "/1/2/", "/1/2/3", "/1/2/3/", "/1/2/3/4", "/1/2/3/4/", "/1/2/3/4/5", "/1/2/3/4/5/",
			"/1/2/3/4/5/6", "/1/2/3/4/5/6/", "/1/2/3/4/5/6/7", "/1/2/3/4/5/6/7/", "/1/2/3/4/5/6/7/8", "/1/2/3/4/5/6/7/8/",
		}},
		{"https://app.example.com", "/reports", nil}, // __Host- has no other path
	} {
		w := httptest.NewRecorder()
		newSite(t, tt.site).ClearPlantedCookies(w, tt.path)
		var paths []string
		for _, c := range w.Result().Cookies() {
			if c.Name != "auth_session" || c.Value != "" || c.MaxAge >= 0 || c.Domain != "" {
				t.Errorf("%s: set %v", tt.path, c)
			}
			paths = append(paths, c.Path)
		}
		if !slices.Equal(paths, tt.want) {
			t.Errorf("%s at %s: %q; expected %q", tt.path, tt.site, paths, tt.want)
		}
	}
}
