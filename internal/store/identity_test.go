package store

import (
	"strings"
	"testing"
)

func TestBounded(t *testing.T) {
	for _, kept := range []string{"", "1234", "auth0|abc", strings.Repeat("x", 255), "משה"} {
		if got := bounded(kept); got != kept {
			t.Errorf("bounded(%q) = %q", kept, got)
		}
	}
	long := strings.Repeat("x", 256)
	seen := map[string]string{}
	// The last is the attack: a name that is the mark of another.
	for _, name := range []string{long, long + "x", "a\x00", "a\xff", "a\uFFFD\x00", "sha256:", bounded(long)} {
		mark := bounded(name)
		if !strings.HasPrefix(mark, "sha256:") || len(mark) != 7+64 {
			t.Errorf("bounded(%q) = %q", name, mark)
		}
		if other, ok := seen[mark]; ok {
			t.Errorf("%q and %q have one mark", name, other)
		}
		seen[mark] = name
	}
}
