package gate

import "testing"

// Every kind of gate with every kind of credential: who passes, as whom, and
// how the others are refused. Rulings 1, 5, 7, 8; S6, S10.
func TestAdmit(t *testing.T) {
	const (
		anonymous = "-"
		asAdaHere = "ada"
		asBobHere = "bob"
	)
	tests := []struct {
		name    string
		headers []string
		// What becomes of it: "-" passes as nobody, a name as somebody, anything
		// else is the code of the refusal.
		identify, login, permission string
	}{
		{"nothing", nil, anonymous, "not_signed_in", "not_signed_in"},
		{"session token", []string{asAda}, asAdaHere, asAdaHere, asAdaHere},
		{"session token as Bearer", []string{"Authorization: Bearer our-ada"}, asAdaHere, asAdaHere, asAdaHere},
		{"cookie", []string{cookie + "ada"}, asAdaHere, asAdaHere, asAdaHere},
		{"permission token", []string{adaToken}, anonymous, "token_invalid", asAdaHere},
		{"somebody without the permission", []string{asBob}, asBobHere, asBobHere, "permission_missing"},
		{"forged token", []string{"Auth-Token: our-forged"}, anonymous, "token_invalid", "token_invalid"},
		{"forged Bearer of ours", []string{"Authorization: Bearer our-forged"}, anonymous, "token_invalid", "token_invalid"},
		{"text as token", []string{"Auth-Token: undefined"}, anonymous, "token_invalid", "token_invalid"},
		{"forged cookie", []string{cookie + "forged"}, anonymous, "token_invalid", "token_invalid"},
		{"ended session", []string{"Auth-Token: our-ended"}, anonymous, "session_ended", "session_ended"},
		{"ended session's cookie", []string{cookie + "ended"}, anonymous, "session_ended", "session_ended"},
		{"disabled user", []string{"Auth-Token: our-disabled"}, anonymous, "user_disabled", "user_disabled"},
		{"database down", []string{"Auth-Token: our-down"}, anonymous, "unavailable", "unavailable"},
		{"database down, cookie", []string{cookie + "down"}, anonymous, "unavailable", "unavailable"},
		{"foreign Bearer", []string{"Authorization: Bearer theirs"}, anonymous, "not_signed_in", "not_signed_in"},
		{"foreign Bearer beside a cookie", []string{"Authorization: Bearer theirs", cookie + "ada"}, asAdaHere, asAdaHere, asAdaHere},
		{"empty Auth-Token", []string{"Auth-Token: "}, anonymous, "not_signed_in", "not_signed_in"},
		{"two session cookies", []string{cookie + "ada; __Host-auth_session=ada"}, anonymous, "not_signed_in", "not_signed_in"},
		{"cookie of a cross-site fetch", []string{cookie + "ada", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, anonymous, "not_signed_in", "not_signed_in"},

		// S9: a token speaks before a cookie, which must be of the same session.
		{"token and cookie of one session", []string{asAda, cookie + "ada"}, asAdaHere, asAdaHere, asAdaHere},
		{"token and cookie of two sessions", []string{asAda, cookie + "ada-elsewhere"}, "ambiguous_credentials", "ambiguous_credentials", "ambiguous_credentials"},
		{"token and cookie of two users", []string{asAda, cookie + "bob"}, "ambiguous_credentials", "ambiguous_credentials", "ambiguous_credentials"},
		{"token and a dead cookie", []string{asAda, cookie + "ended"}, asAdaHere, asAdaHere, asAdaHere},
		{"token and a forged cookie", []string{asAda, cookie + "forged"}, asAdaHere, asAdaHere, asAdaHere},
		{"dead token and a good cookie", []string{"Auth-Token: our-ended", cookie + "ada"}, anonymous, "session_ended", "session_ended"},
		{"permission token and cookie of one session", []string{adaToken, cookie + "ada"}, anonymous, "token_invalid", asAdaHere},
		{"permission token and cookie of two sessions", []string{adaToken, cookie + "bob"}, anonymous, "token_invalid", "ambiguous_credentials"},
		{"two tokens", []string{asAda, "Authorization: Bearer our-bob"}, "ambiguous_credentials", "ambiguous_credentials", "ambiguous_credentials"},
		{"repeated Auth-Token", []string{asAda, asAda}, "ambiguous_credentials", "ambiguous_credentials", "ambiguous_credentials"},
		{"repeated Authorization", []string{"Authorization: Bearer our-ada", "Authorization: Bearer our-ada"}, "ambiguous_credentials", "ambiguous_credentials", "ambiguous_credentials"},
		{"the same token in two places", []string{asAda, "Authorization: Bearer our-ada"}, asAdaHere, asAdaHere, asAdaHere},

		// Ruling 5, S9: the query is no place for a token unless the gate says so.
		{"token in the query", []string{"Query: jwt=our-ada"}, anonymous, "not_signed_in", "not_signed_in"},
	}
	h := newHouse(t)
	for _, tt := range tests {
		for i, want := range []string{tt.identify, tt.login, tt.permission} {
			r := newRequest("GET", "/data", tt.headers...)
			r.URL.RawQuery = r.Header.Get("Query")
			rule := []Rule{identify, login, readRule}[i]
			p := admit(r, new(State), h.gate(rule))
			got := code(p)
			if p == nil {
				if got = r.Header.Get("X-Auth-Username"); got == "" {
					got = anonymous
				}
			}
			if got != want {
				t.Errorf("%s at a gate of kind %d: %q; expected %q", tt.name, rule.Kind, got, want)
			}
		}
	}
}

// S39: what the statuses are, and what a client may do about it. That the
// gateway cannot tell is never a reason to sign in again.
func TestRefusals(t *testing.T) {
	h := newHouse(t)
	for credential, want := range map[string]struct {
		status             int
		challenge, invalid bool
		later              bool
	}{
		"":             {401, true, false, false},
		"our-forged":   {401, true, true, false},
		"our-ended":    {401, true, true, false},
		"our-disabled": {403, false, false, false},
		"our-bob":      {403, false, false, false},
		"our-down":     {503, false, false, true},
	} {
		p := admit(newRequest("GET", "/", "Auth-Token: "+credential), new(State), h.gate(readRule))
		if p == nil || p.Status != want.status || p.Challenge != want.challenge || p.InvalidToken != want.invalid || p.RetryAfter > 0 != want.later {
			t.Errorf("%q: %+v", credential, p)
		}
	}
}

// Ruling 7: identify turns nobody away but for ambiguous credentials and bad
// paths.
func TestIdentifyRefusesHardlyAnything(t *testing.T) {
	h := newHouse(t)
	for name, headers := range map[string][]string{
		"nothing": nil, "forged": {"Auth-Token: our-forged"}, "ended": {cookie + "ended"}, "disabled": {"Auth-Token: our-disabled"}, "down": {"Auth-Token: our-down"}, "permission token": {adaToken},
	} {
		r, st := newRequest("GET", "/", append(headers, "X-Auth-User-Id: u1")...), new(State)
		if p := admit(r, st, h.gate(identify)); p != nil || st.Decision != nil {
			t.Errorf("%s: %q, %v", name, code(p), st.Decision)
		}
		wantHeaders(t, r.Header, noHeaders())
	}
}

// One refusal must not show in another: they are made of a shared one.
func TestRefusalsAreNotShared(t *testing.T) {
	g := newHouse(t).gate(readRule)
	first := admit(newRequest("GET", "/", asBob), new(State), g)
	second := admit(newRequest("GET", "/", asBob), new(State), g)
	if first == second {
		t.Fatal("two refusals are one")
	}
	first.Missing[0] = "changed"
	if second.Missing[0] != "read" || permissionMissing.Missing != nil || readRule.All[0] != "read" {
		t.Errorf("a refusal changed another: %q, %q", second.Missing, permissionMissing.Missing)
	}
}

// What cannot be meant is refused when the gate is made.
func TestNew(t *testing.T) {
	h := newHouse(t)
	for name, rule := range map[string]Rule{
		"no service":                    {Kind: Permission, All: []string{"read"}},
		"no permission":                 {Kind: Permission, Service: "storage"},
		"a token where no service is":   {Kind: Login, ForwardToken: "X-Auth-Token"},
		"a token of nobody":             {Kind: Identify, ForwardToken: "X-Auth-Token"},
		"a token in no header":          {Kind: Permission, Service: "storage", All: []string{"read"}, ForwardToken: "a b"},
		"a token in an identity header": {Kind: Permission, Service: "storage", All: []string{"read"}, ForwardToken: "x-auth-user-id"},
	} {
		if _, err := New(h.Config, rule); err == nil {
			t.Errorf("a gate is made of %s", name)
		}
	}
	for _, rule := range []Rule{identify, login, readRule, {Kind: Permission, Service: "storage", Any: []string{"read"}}} {
		c := h.Config
		c.Reserved, c.Page = nil, nil
		if _, err := New(c, rule); err != nil {
			t.Errorf("%+v: %v", rule, err)
		}
	}
}
