package authapi

import (
	"net/http"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/providers"
)

// Contract 1.2: every member is there, null when it is not set; a name that the
// gateway made is none that was chosen (ruling 14).
func TestConductorProfile(t *testing.T) {
	h := conducted(t)
	h.authz.users[authz.Token("bare")] = providers.User{ID: "u7", Username: "made"}
	h.authz.users[authz.Token("grace")] = h.users.users["u2"]
	h.users.chosen["u2"] = "GrAcE"
	for token, expected := range map[string]string{
		"bare":  `{"avatar_url":null,"email":null,"id":"u7","idhash":"u7","join_date":null,"name":null,"username":null}`,
		"grace": `{"avatar_url":null,"email":"Grace@Example.org","id":"github:99","idhash":"u2","join_date":null,"name":null,"username":"GrAcE"}`,
	} {
		w := h.conduct(request(http.MethodGet, "/user/check?jwt="+token))
		if got := w.Body.String(); got != `{"authenticated":true,"profile":`+expected+`}` {
			t.Errorf("%s: %s", token, got)
		}
	}
}

// Contract 1.2, join_date: Python's datetime.isoformat(), in UTC.
func TestISODate(t *testing.T) {
	east := time.FixedZone("", 2*60*60)
	for expected, at := range map[string]time.Time{
		"":                           {},
		"2026-11-23T08:50:34.274776": time.Date(2026, 11, 23, 10, 50, 34, 274776999, east),
		"2026-11-23T08:50:34":        time.Date(2026, 11, 23, 8, 50, 34, 999, time.UTC),
		"2026-11-23T08:50:34.000010": time.Date(2026, 11, 23, 8, 50, 34, 10000, time.UTC),
	} {
		if got := isoDate(at); got != expected {
			t.Errorf("%v: %q, want %q", at, got, expected)
		}
	}
}
