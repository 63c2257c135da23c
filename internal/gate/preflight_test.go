package gate

import (
	"slices"
	"testing"
)

// Ruling 28: the gate answers preflights, which carry no credentials; "preflight
// pass" hands them to the upstream, as nobody.
func TestPreflight(t *testing.T) {
	h := newHouse(t)
	asked := []string{"Origin: https://evil.com", "Access-Control-Request-Method: DELETE", "X-Auth-User-Id: u1"}
	passing := func(rule Rule) Rule { rule.PassPreflight = true; return rule }
	for name, tt := range map[string]struct {
		rule Rule
		want string
	}{
		"login":           {login, "preflight"},
		"permission":      {readRule, "preflight"},
		"identify":        {identify, ""},
		"login, pass":     {passing(login), ""},
		"permission,pass": {passing(readRule), ""},
	} {
		for _, headers := range [][]string{asked, append([]string{asAda}, asked...), append([]string{cookie + "ada"}, asked...)} {
			r, st := newRequest("OPTIONS", "/a", headers...), new(State)
			if p := admit(r, st, h.gate(tt.rule)); code(p) != tt.want {
				t.Errorf("%s: %q", name, code(p))
			}
			if tt.want == "" && tt.rule.Kind != Identify && st.Decision != nil {
				t.Errorf("%s: a preflight passes as somebody", name)
			}
			if len(r.Header["Auth-Token"])+len(r.Header["Cookie"]) > 0 || slices.Contains(r.Header["X-Auth-User-Id"], "u1") && st.Decision == nil {
				t.Errorf("%s: %v is forwarded", name, r.Header)
			}
		}
		// S10: what is no preflight is judged as any request.
		for _, headers := range [][]string{asked[:1], asked[1:], nil} {
			if p := admit(newRequest("OPTIONS", "/a", headers...), new(State), h.gate(tt.rule)); tt.rule.Kind != Identify && code(p) != "not_signed_in" {
				t.Errorf("%s: OPTIONS with %q: %q", name, headers, code(p))
			}
		}
		if p := admit(newRequest("GET", "/a", asked...), new(State), h.gate(tt.rule)); tt.rule.Kind != Identify && code(p) != "not_signed_in" {
			t.Errorf("%s: GET with a preflight's headers: %q", name, code(p))
		}
	}
}
