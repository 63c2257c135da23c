package authz

import "testing"

// S43: a key has been taken out in an emergency. What was decided about its
// tokens, and what was signed with it for upstreams, is not used any more.
func TestKeysRemoved(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		before := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada"))
		if again := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada")); again != before {
			t.Fatal("tokens for upstreams are not remembered")
		}
		lookups := w.store.lookups.Load()
		w.KeysRemoved()
		if after := upstreamOf(w, w.granted(w.cookie("ada"), "storage", "ada")); after == before {
			t.Error("an upstream gets a token of the old key")
		}
		if w.store.lookups.Load() == lookups {
			t.Error("the old decision is used")
		}
	})
}
