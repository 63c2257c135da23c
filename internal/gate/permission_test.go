package gate

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// All are needed; of Any, one; a permission is granted by JSON true alone.
func TestPermissions(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		all, any []string
		missing  []string // nil: passes
	}{
		{[]string{"read"}, nil, nil},
		{[]string{"read", "write"}, nil, nil},
		{[]string{"read", "admin"}, nil, []string{"admin"}},
		{[]string{"admin", "read", "unknown"}, nil, []string{"admin", "unknown"}},
		{[]string{"level"}, nil, []string{"level"}}, // 7
		{[]string{"words"}, nil, []string{"words"}}, // "true"
		{[]string{"READ"}, nil, []string{"READ"}},
		{nil, []string{"read"}, nil},
		{nil, []string{"admin", "read"}, nil},
		{nil, []string{"read", "admin"}, nil},
		{nil, []string{"admin", "unknown"}, []string{"admin", "unknown"}},
		{nil, []string{"level", "words"}, []string{"level", "words"}},
		{[]string{"read"}, []string{"admin", "write"}, nil},
		{[]string{"read"}, []string{"admin"}, []string{"admin"}},
		{[]string{"admin"}, []string{"read"}, []string{"admin"}},
		{[]string{"admin"}, []string{"unknown"}, []string{"admin", "unknown"}},
	} {
		st := new(State)
		p := admit(newRequest("GET", "/", asAda), st, h.gate(Rule{Kind: Permission, Service: "storage", All: tt.all, Any: tt.any}))
		if tt.missing == nil {
			if p != nil {
				t.Errorf("all %q, any %q: %q", tt.all, tt.any, p.Missing)
			}
			continue
		}
		if p == nil || p.Status != http.StatusForbidden || p.Code != "permission_missing" || p.Service != "storage" || !slices.Equal(p.Missing, tt.missing) {
			t.Errorf("all %q, any %q: %+v; expected %q to be missing", tt.all, tt.any, p, tt.missing)
		}
		if st.Candidate == nil || st.Candidate.User != ada || st.Decision != nil {
			t.Errorf("all %q, any %q: the candidate is %v, the decision %v", tt.all, tt.any, st.Candidate, st.Decision)
		}
	}
}

// S6: the service is compared as it is, and nothing is granted in another.
func TestServiceIsAsked(t *testing.T) {
	h := newHouse(t)
	for service, want := range map[string]string{"storage": "", "Storage": "permission_missing", "billing": "permission_missing"} {
		rule := Rule{Kind: Permission, Service: service, All: []string{"read"}}
		if p := admit(newRequest("GET", "/", asAda), new(State), h.gate(rule)); code(p) != want {
			t.Errorf("%s: %q", service, code(p))
		}
	}
	slices.Sort(h.decider.asked)
	if want := []string{"t our-ada Storage", "t our-ada billing", "t our-ada storage"}; !slices.Equal(h.decider.asked, want) {
		t.Errorf("asked %q; expected %q", h.decider.asked, want)
	}
}

// Ruling 22: permissions may be placeholders. One that expands to nothing
// would be a permission that nobody meant: 500, whoever asks.
func TestPlaceholders(t *testing.T) {
	h := newHouse(t)
	values := map[string]string{"{verb}": "read", "{other}": "unknown", "{nested}": "{verb}", "{empty}": ""}
	expand := func(text string) string {
		for name, value := range values {
			if text == name || text == "x"+name {
				return strings.TrimPrefix(strings.Replace(text, name, value, 1), "x")
			}
		}
		return ""
	}
	for _, tt := range []struct {
		all, any []string
		want     string
	}{
		{[]string{"{verb}"}, nil, ""},
		{nil, []string{"{other}", "{verb}"}, ""},
		{[]string{"{other}"}, nil, "permission_missing"},
		{[]string{"{nested}"}, nil, "permission_missing"}, // expanded once
		{[]string{"{empty}"}, nil, "internal"},
		{[]string{"read", "{empty}"}, nil, "internal"},
		{[]string{"{unknown}"}, nil, "internal"},
		{nil, []string{"{empty}"}, "internal"},
		{nil, []string{"unknown", "{empty}"}, "internal"},
		{nil, []string{"read", "{empty}"}, "internal"},
		{[]string{"read"}, []string{"{verb}", "{empty}", "read"}, "internal"},
		{[]string{""}, nil, "internal"},
	} {
		for _, who := range []string{asAda, asBob} {
			st := &State{Expand: expand}
			p := admit(newRequest("GET", "/", who), st, h.gate(Rule{Kind: Permission, Service: "storage", All: tt.all, Any: tt.any}))
			want := tt.want
			if want == "" && who == asBob {
				want = "permission_missing"
			}
			if code(p) != want {
				t.Errorf("%s, all %q, any %q: %q; expected %q", who, tt.all, tt.any, code(p), want)
			}
			if want == "internal" && p.Status != http.StatusInternalServerError {
				t.Errorf("all %q, any %q: status %d", tt.all, tt.any, p.Status)
			}
		}
	}
	// What is missing is told by its value.
	p := admit(newRequest("GET", "/", asBob), &State{Expand: expand}, h.gate(Rule{Kind: Permission, Service: "storage", All: []string{"{verb}"}, Any: []string{"{other}"}}))
	if p == nil || !slices.Equal(p.Missing, []string{"read", "unknown"}) {
		t.Errorf("%+v", p)
	}
	// Without a replacer, text is text.
	if p := admit(newRequest("GET", "/", asAda), new(State), h.gate(Rule{Kind: Permission, Service: "storage", All: []string{"{verb}"}})); code(p) != "permission_missing" {
		t.Errorf("without a replacer: %q", code(p))
	}
}
