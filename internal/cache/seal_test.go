package cache

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func newTestSealer(t *testing.T, secrets ...string) *sealer {
	t.Helper()
	var all [][]byte
	for _, s := range secrets {
		all = append(all, []byte(s))
	}
	s, err := newSealer(all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// S40: whoever writes in Redis can put there what he likes; only what a gateway
// has sealed for that very key is read.
func TestSeal(t *testing.T) {
	s := newTestSealer(t, "the present secret")
	text := []byte("alice may read")
	sealed, err := s.seal("gateway:v1:session:aa", text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.open("gateway:v1:session:aa", sealed); err != nil || !bytes.Equal(got, text) {
		t.Fatalf("opened: %q, %v", got, err)
	}
	again, err := s.seal("gateway:v1:session:aa", text)
	if err != nil || bytes.Equal(again, sealed) {
		t.Error("two seals of one text are the same")
	}
	if bytes.Contains(sealed, []byte("alice")) {
		t.Error("the text can be read")
	}
	foreign, err := newTestSealer(t, "somebody else's secret").seal("gateway:v1:session:aa", text)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		place  string
		sealed []byte
	}{
		"moved to another key":      {"gateway:v1:session:bb", sealed},
		"moved to another kind":     {"gateway:v1:grants:aa", sealed},
		"moved to another prefix":   {"other:v1:session:aa", sealed},
		"sealed by somebody else":   {"gateway:v1:session:aa", foreign},
		"cut":                       {"gateway:v1:session:aa", sealed[:len(sealed)-1]},
		"cut to the nonce":          {"gateway:v1:session:aa", sealed[:12]},
		"cut to nothing":            {"gateway:v1:session:aa", nil},
		"longer":                    {"gateway:v1:session:aa", append(slices.Clone(sealed), 0)},
		"not sealed at all":         {"gateway:v1:session:aa", text},
		"nonce of one, rest of two": {"gateway:v1:session:aa", append(slices.Clone(again[:12]), sealed[12:]...)},
	} {
		if got, err := s.open(c.place, c.sealed); !errors.Is(err, errUnsealed) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for i := range sealed {
		forged := slices.Clone(sealed)
		forged[i] ^= 1
		if got, err := s.open("gateway:v1:session:aa", forged); err == nil {
			t.Fatalf("with byte %d changed: %q", i, got)
		}
	}
}

// While secrets are changed, gateways with the old and with both understand
// each other; one that has forgotten the old one does not.
func TestSealWithSeveralSecrets(t *testing.T) {
	before := newTestSealer(t, "the former secret")
	during := newTestSealer(t, "the present secret", "the former secret")
	after := newTestSealer(t, "the present secret")
	old, err1 := before.seal("k", []byte("old"))
	fresh, err2 := during.seal("k", []byte("new"))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for _, c := range []struct {
		name   string
		opener *sealer
		sealed []byte
		opens  bool
	}{
		{"old by both", during, old, true},
		{"new by both", during, fresh, true},
		{"new by new", after, fresh, true},
		{"old by new", after, old, false},
		{"new by old", before, fresh, false},
	} {
		if _, err := c.opener.open("k", c.sealed); (err == nil) != c.opens {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func BenchmarkSealAndOpen(b *testing.B) {
	s, err := newSealer([][]byte{secret})
	if err != nil {
		b.Fatal(err)
	}
	text := bytes.Repeat([]byte("x"), 1000)
	b.ReportAllocs()
	for b.Loop() {
		sealed, err := s.seal("gateway:v1:session:aa", text)
		if err == nil {
			_, err = s.open("gateway:v1:session:aa", sealed)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// Keys rotate while gateways run: what the old secret has sealed opens as long
// as it is named, and no longer.
func TestSealerChangesSecrets(t *testing.T) {
	old, fresh := []byte("old secret of 16"), []byte("new secret of 16")
	s, err := newSealer([][]byte{old})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.seal("place", []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		secrets [][]byte
		opens   bool
	}{{[][]byte{fresh, old}, true}, {[][]byte{fresh}, false}, {[][]byte{old}, true}} {
		if err := s.use(step.secrets); err != nil {
			t.Fatal(err)
		}
		if text, err := s.open("place", sealed); (err == nil && string(text) == "text") != step.opens {
			t.Errorf("with %q: %q, %v", step.secrets, text, err)
		}
	}
	if err := s.use([][]byte{[]byte("short")}); err == nil {
		t.Error("a short secret was taken")
	}
	if text, err := s.open("place", sealed); err != nil || string(text) != "text" {
		t.Errorf("after a refused change: %q, %v", text, err)
	}
}
