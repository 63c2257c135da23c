package token

import "testing"

func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{KindUnknown: "unknown", KindSession: "session", KindPermission: "permission", 7: "unknown"} {
		if got := kind.String(); got != want {
			t.Errorf("%d: got %q, want %q", int(kind), got, want)
		}
	}
}
