package wire

import "testing"

// S13: names that are one to an upstream.
func TestFold(t *testing.T) {
	for name, folded := range map[string]string{
		"X-Auth-User-Id": "x-auth-user-id", "x_auth_user_id": "x-auth-user-id", "X.AUTH_User-id": "x-auth-user-id", "": "", "X": "x", "x\u00df": "x\u00df",
	} {
		if got := Fold(name); got != folded || !EqualFolded(name, folded) {
			t.Errorf("%q is folded to %q", name, got)
		}
		if EqualFolded(name+"x", folded) || EqualFolded(name, folded+"x") {
			t.Errorf("%q: a longer name is equal", name)
		}
	}
	for name, want := range map[string][2]bool{ // begins with x-auth-, ends in -uri
		"X_Auth.Uri": {true, true}, "X-Auth": {}, "x-auth-": {true, false}, "X-Authuri": {}, "X-Original_URI": {false, true}, "-Uri": {false, true}, "Uri": {}, "": {},
	} {
		if got := [2]bool{HasFoldedPrefix(name, "x-auth-"), HasFoldedSuffix(name, "-uri")}; got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
