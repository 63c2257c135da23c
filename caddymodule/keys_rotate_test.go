package caddymodule

import (
	"strings"
	"testing"
	"time"
)

// A rotation's life: next, active, retired, gone.
func TestRotate(t *testing.T) {
	s, now := clockedStorage(t)
	first := opened(t, s, bothKinds)
	kinds := []keyKind{signingKeys}
	f, err := s.rotate(t.Context(), kinds, rotation{after: dayAhead})
	if err != nil || len(f.Signing) != 2 || len(f.Session) != 1 || f.Signing[0].ID != first.Signing[0].ID {
		t.Fatalf("%d signing keys, %v", len(f.Signing), err)
	}
	if f.Epoch != first.Epoch {
		t.Error("a next key makes what is remembered void")
	}
	if f.Signing.state(1, *now) != "next" || !f.Signing[1].SignsFrom.Equal(now.Add(dayAhead)) {
		t.Errorf("the new key is %s and signs from %s", f.Signing.state(1, *now), f.Signing[1].SignsFrom)
	}
	if _, err := s.rotate(t.Context(), kinds, rotation{after: dayAhead}); err == nil || !strings.Contains(err.Error(), "next signing key already") {
		t.Errorf("one more: %v", err)
	}
	*now = now.Add(dayAhead)
	if f = opened(t, s, bothKinds); f.Signing.state(0, *now)+f.Signing.state(1, *now) != "retiredactive" {
		t.Error("the new key does not sign after its day")
	}
	*now = now.Add(12*time.Hour + keyGrace - time.Second)
	if f = opened(t, s, bothKinds); f.prune(*now) || len(f.Signing) != 2 {
		t.Error("the old key goes before its last token has ended")
	}
	*now = now.Add(time.Second)
	if f = opened(t, s, bothKinds); !f.prune(*now) || len(f.Signing) != 1 || f.Signing[0].ID == first.Signing[0].ID {
		t.Error("the old key stays after its last token has ended")
	}
}

// --now waits until all gateways know the key, and no longer.
func TestRotateNow(t *testing.T) {
	s, now := clockedStorage(t)
	opened(t, s, bothKinds)
	kinds := []keyKind{signingKeys, sessionKeys}
	f, err := s.rotate(t.Context(), kinds, rotation{now: true})
	if err != nil {
		t.Fatal(err)
	}
	if !f.Signing[1].SignsFrom.Equal(now.Add(keySettle)) || !f.Session[1].SignsFrom.Equal(now.Add(keySettle)) {
		t.Errorf("the new keys sign from %s and %s", f.Signing[1].SignsFrom, f.Session[1].SignsFrom)
	}
	*now = now.Add(time.Hour)
	if f, err = s.rotate(t.Context(), kinds, rotation{after: dayAhead}); err != nil {
		t.Fatal(err)
	}
	next := f.Signing[2].ID
	if f, err = s.rotate(t.Context(), kinds, rotation{now: true}); err != nil || len(f.Signing) != 3 || f.Signing[2].ID != next || !f.Signing[2].SignsFrom.Equal(now.Add(keySettle)) {
		t.Errorf("the next key is not the one that takes over: %v", err)
	}
	soon := f.Signing[2].SignsFrom
	*now = now.Add(keySettle / 2)
	if f, err = s.rotate(t.Context(), kinds, rotation{now: true}); err != nil || !f.Signing[2].SignsFrom.Equal(soon) {
		t.Errorf("asked again, it takes over later: %v", err)
	}
}

// S43: after a leak no other key stays, a next one neither.
func TestRotateDropOld(t *testing.T) {
	s, now := clockedStorage(t)
	first := opened(t, s, bothKinds)
	if _, err := s.rotate(t.Context(), []keyKind{signingKeys}, rotation{after: dayAhead}); err != nil {
		t.Fatal(err)
	}
	f, err := s.rotate(t.Context(), []keyKind{signingKeys}, rotation{now: true, drop: true})
	if err != nil || len(f.Signing) != 1 || f.Signing[0].ID == first.Signing[0].ID || f.Signing[0].SignsFrom.After(*now) {
		t.Errorf("%d signing keys, %v", len(f.Signing), err)
	}
	if f.Epoch == first.Epoch {
		t.Error("what is remembered of the old keys' tokens goes on")
	}
	if f.Session[0].ID != first.Session[0].ID {
		t.Error("the session key has gone as well")
	}
}

func TestRotateNothing(t *testing.T) {
	s, _ := clockedStorage(t)
	if _, err := s.rotate(t.Context(), []keyKind{signingKeys}, rotation{after: dayAhead}); err == nil || !strings.Contains(err.Error(), "there are no keys") {
		t.Errorf("an empty storage: %v", err)
	}
	if s.storage.Exists(t.Context(), keyFileName) {
		t.Error("a file without keys was kept")
	}
}
