package gate

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/wire"
)

// Ruling 6: gates add up. The first one cleans the request, later ones read
// what it found, the last one sets the headers.
func TestStackedGates(t *testing.T) {
	h := newHouse(t)
	read, login, identify := h.gate(readRule), h.gate(login), h.gate(identify)
	write := h.gate(Rule{Kind: Permission, Service: "storage", All: []string{"write"}})
	admin := h.gate(Rule{Kind: Permission, Service: "storage", All: []string{"admin"}})
	billing := h.gate(Rule{Kind: Permission, Service: "billing", All: []string{"read"}})
	for _, tt := range []struct {
		name    string
		header  string
		gates   []*Gate
		want    string
		headers map[string]string // nil: refused
	}{
		{"two permissions", asAda, []*Gate{read, write}, "", adaHeaders()},
		{"two permissions, the second missing", asAda, []*Gate{read, admin}, "permission_missing", nil},
		{"two permissions, the first missing", asAda, []*Gate{admin, read}, "permission_missing", nil},
		{"two services", asAda, []*Gate{read, billing}, "permission_missing", nil},
		{"login and then a permission", asAda, []*Gate{login, read}, "", adaHeaders()},
		{"identify and then a permission", asAda, []*Gate{identify, read}, "", adaHeaders()},
		{"identify and then a permission, nobody", "Accept: */*", []*Gate{identify, read}, "not_signed_in", nil},
		// The last one speaks: of no service (ruling 8).
		{"a permission and then login", asAda, []*Gate{read, login}, "", adaWithoutService()},
		{"a permission and then identify", asAda, []*Gate{read, identify}, "", adaWithoutService()},
		// A permission token is nobody to it.
		{"a permission token and then identify", adaToken, []*Gate{read, identify}, "", noHeaders()},
		{"a permission token and then login", adaToken, []*Gate{read, login}, "token_invalid", nil},
		{"identify and then a permission token", adaToken, []*Gate{identify, read}, "", adaHeaders()},
		{"the same gate twice", asAda, []*Gate{read, read}, "", adaHeaders()},
	} {
		r, st := newRequest("GET", "/", tt.header, "X_Auth_User_Id: forged"), new(State)
		if p := admit(r, st, tt.gates...); code(p) != tt.want {
			t.Errorf("%s: %q; expected %q", tt.name, code(p), tt.want)
			continue
		}
		if tt.headers == nil {
			continue
		}
		wantHeaders(t, r.Header, tt.headers)
		wantHeaders(t, r.Header, map[string]string{"X_Auth_User_Id": "", "Auth-Token": ""})
		if named := tt.headers["X-Auth-User-Id"] != ""; named != (st.Decision != nil) {
			t.Errorf("%s: the decision is %v", tt.name, st.Decision)
		}
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// Each gate speaks for itself: a token that an earlier one forwarded, for
// another service perhaps, goes (rulings 6, 8, 9).
func TestStackedForwardTokens(t *testing.T) {
	h := newHouse(t)
	with := func(header string) *Gate {
		rule := readRule
		rule.ForwardToken = header
		return h.gate(rule)
	}
	plain, token, other := with(""), with("X-Auth-Token"), with("forward-token")
	for _, tt := range []struct {
		name  string
		gates []*Gate
		want  map[string]string
	}{
		{"one", []*Gate{token}, map[string]string{"X-Auth-Token": "signed", "Forward-Token": ""}},
		{"the same twice", []*Gate{token, token}, map[string]string{"X-Auth-Token": "signed", "Forward-Token": ""}},
		{"another header", []*Gate{token, other}, map[string]string{"X-Auth-Token": "", "Forward-Token": "signed"}},
		{"none after one", []*Gate{token, plain}, map[string]string{"X-Auth-Token": "", "Forward-Token": ""}},
		{"identify after one", []*Gate{token, h.gate(identify)}, map[string]string{"X-Auth-Token": "", "Forward-Token": ""}},
		{"login after one", []*Gate{other, h.gate(login)}, map[string]string{"X-Auth-Token": "", "Forward-Token": ""}},
		{"one after identify", []*Gate{h.gate(identify), token}, map[string]string{"X-Auth-Token": "signed", "Forward-Token": ""}},
	} {
		r := newRequest("GET", "/", asAda, "X-Auth-Token: forged", "Forward_Token: forged", "Forward-Token: forged")
		mustAdmit(t, r, tt.gates...)
		wantHeaders(t, r.Header, tt.want)
		wantHeaders(t, r.Header, map[string]string{"Forward_Token": ""})
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// What an earlier gate found is used, not what stands in the request by now:
// nobody but the first gate reads credentials.
func TestLaterGatesReadNoCredentials(t *testing.T) {
	h := newHouse(t)
	r, st := newRequest("GET", "/", asAda), new(State)
	if p := admit(r, st, h.gate(identify)); p != nil {
		t.Fatal(p.Code)
	}
	r.Header["Auth-Token"] = []string{"our-bob"} // some handler between the two
	if p := admit(r, st, h.gate(login)); p != nil || r.Header.Get("X-Auth-User-Id") != "u1" {
		t.Errorf("%q as %q", code(p), r.Header.Get("X-Auth-User-Id"))
	}
	st = new(State)
	r = newRequest("GET", "/")
	if p := admit(r, st, h.gate(identify)); p != nil {
		t.Fatal(p.Code)
	}
	r.Header["Auth-Token"] = []string{"our-ada"}
	if p := admit(r, st, h.gate(login)); code(p) != "not_signed_in" {
		t.Errorf("a credential that came later counts: %q", code(p))
	}
}

// Ruling 5: the token in the query counts from the gate on that says so, and is
// gone for the later ones.
func TestQueryTokenInAStack(t *testing.T) {
	h := newHouse(t)
	query := h.gate(Rule{Kind: Login, QueryToken: true})
	for _, tt := range []struct {
		name  string
		gates []*Gate
		want  string
	}{
		{"first", []*Gate{query, h.gate(readRule)}, ""},
		{"second", []*Gate{h.gate(identify), query}, ""},
		{"too late", []*Gate{h.gate(login), query}, "not_signed_in"},
		{"twice", []*Gate{query, query}, ""},
	} {
		r := newRequest("GET", "/?jwt=our-ada&a=b")
		if p := admit(r, new(State), tt.gates...); code(p) != tt.want || tt.want == "" && r.URL.RawQuery != "a=b" {
			t.Errorf("%s: %q, %q", tt.name, code(p), r.URL.RawQuery)
		}
	}
}

// S34, ruling 30: however many gates, the answer varies once, beside what is
// there already.
func TestVary(t *testing.T) {
	h := newHouse(t)
	for _, before := range [][]string{nil, {"Accept-Encoding"}} {
		for _, gates := range [][]*Gate{{h.gate(identify)}, {h.gate(login)}, {h.gate(identify), h.gate(readRule)}} {
			w, st := httptest.NewRecorder(), new(State)
			if before != nil {
				w.Header()["Vary"] = slices.Clone(before)
			}
			r := newRequest("GET", "/", asAda)
			for _, g := range gates {
				if p := g.Admit(w, r, st); p != nil {
					t.Fatal(p.Code)
				}
			}
			want := append(slices.Clone(before), "Authorization, Cookie, Auth-Token")
			if got := w.Header()["Vary"]; !slices.Equal(got, want) {
				t.Errorf("Vary is %q; expected %q", got, want)
			}
			w.Header().Add("Vary", "Origin") // the upstream's
			if got := w.Header().Values("Vary"); len(got) != len(want)+1 || r.Header.Get("X-Auth-User-Id") != "u1" {
				t.Errorf("Vary is %q, the user %q", got, r.Header.Get("X-Auth-User-Id"))
			}
		}
	}
	w := httptest.NewRecorder()
	if p := h.gate(identify).Admit(w, newRequest("GET", "/"), new(State)); p != nil || w.Header().Get("Vary") == "" {
		t.Error("the answer to nobody does not vary: a cache would give it to ada")
	}
}

// A refusal between two gates keeps what the first one found out, for logs and
// pages, and nobody's request goes on.
func TestCandidate(t *testing.T) {
	h := newHouse(t)
	st := new(State)
	p := admit(newRequest("GET", "/", asBob), st, h.gate(login), h.gate(readRule))
	if code(p) != "permission_missing" || st.Candidate == nil || st.Candidate.User != bob {
		t.Errorf("%q, %v", code(p), st.Candidate)
	}
	var full wire.Problem = h.gate(readRule).Complete(p, newRequest("GET", "/"), st, "/", "r1")
	if full.Account != "bob" {
		t.Errorf("the account is %q", full.Account)
	}
}

// S9: Caddy gives an error route the address back as the client sent it, with
// the token in it. The gate there takes it away again, before the upstream that
// makes the error page.
func TestQueryTokenInAnErrorRoute(t *testing.T) {
	h := newHouse(t)
	rule := readRule
	rule.QueryToken = true
	for _, query := range []string{"a=b&jwt=our-ada", "jwt=our-bob", "%6awt=our-forged&c"} {
		st, r := new(State), newRequest("GET", "/data?"+query)
		admit(r, st, h.gate(rule))
		r.URL.RawQuery = query
		r.RequestURI = r.URL.RequestURI()
		if p := admit(r, st, h.gate(Rule{Kind: Identify})); p != nil {
			t.Errorf("%q: %q in the error route", query, p.Code)
		}
		if strings.Contains(r.RequestURI+r.URL.String(), "our-") {
			t.Errorf("%q goes on as %q, %q", query, r.URL, r.RequestURI)
		}
	}
}
