package keyring

import (
	"strings"
	"testing"
	"time"
)

// day is how far ahead a new key is usually made.
const day = 24 * time.Hour

// A rotation's life: next, active, retired, gone.
func TestRotate(t *testing.T) {
	s, now := clockedStore(t)
	first := opened(t, s, bothKinds)
	kinds := []Kind{Signing}
	f, err := s.Rotate(t.Context(), kinds, Rotation{After: day})
	if err != nil || len(f.Signing) != 2 || len(f.Session) != 1 || f.Signing[0].ID != first.Signing[0].ID {
		t.Fatalf("%d signing keys, %v", len(f.Signing), err)
	}
	if f.Epoch != first.Epoch {
		t.Error("a next key makes what is remembered void")
	}
	if f.Signing.State(1, *now) != "next" || !f.Signing[1].SignsFrom.Equal(now.Add(day)) {
		t.Errorf("the new key is %s and signs from %s", f.Signing.State(1, *now), f.Signing[1].SignsFrom)
	}
	if _, err := s.Rotate(t.Context(), kinds, Rotation{After: day}); err == nil || !strings.Contains(err.Error(), "next signing key already") {
		t.Errorf("one more: %v", err)
	}
	*now = now.Add(day)
	if f = opened(t, s, bothKinds); f.Signing.State(0, *now)+f.Signing.State(1, *now) != "retiredactive" {
		t.Error("the new key does not sign after its day")
	}
	*now = now.Add(12*time.Hour + grace - time.Second)
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
	s, now := clockedStore(t)
	opened(t, s, bothKinds)
	kinds := []Kind{Signing, Session}
	f, err := s.Rotate(t.Context(), kinds, Rotation{Now: true})
	if err != nil {
		t.Fatal(err)
	}
	if !f.Signing[1].SignsFrom.Equal(now.Add(Settle)) || !f.Session[1].SignsFrom.Equal(now.Add(Settle)) {
		t.Errorf("the new keys sign from %s and %s", f.Signing[1].SignsFrom, f.Session[1].SignsFrom)
	}
	*now = now.Add(time.Hour)
	if f, err = s.Rotate(t.Context(), kinds, Rotation{After: day}); err != nil {
		t.Fatal(err)
	}
	next := f.Signing[2].ID
	if f, err = s.Rotate(t.Context(), kinds, Rotation{Now: true}); err != nil || len(f.Signing) != 3 || f.Signing[2].ID != next || !f.Signing[2].SignsFrom.Equal(now.Add(Settle)) {
		t.Errorf("the next key is not the one that takes over: %v", err)
	}
	soon := f.Signing[2].SignsFrom
	*now = now.Add(Settle / 2)
	if f, err = s.Rotate(t.Context(), kinds, Rotation{Now: true}); err != nil || !f.Signing[2].SignsFrom.Equal(soon) {
		t.Errorf("asked again, it takes over later: %v", err)
	}
}

// S43: after a leak no other key stays, a next one neither.
func TestRotateDropOld(t *testing.T) {
	s, now := clockedStore(t)
	first := opened(t, s, bothKinds)
	if _, err := s.Rotate(t.Context(), []Kind{Signing}, Rotation{After: day}); err != nil {
		t.Fatal(err)
	}
	f, err := s.Rotate(t.Context(), []Kind{Signing}, Rotation{Now: true, Drop: true})
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
	s, _ := clockedStore(t)
	if _, err := s.Rotate(t.Context(), []Kind{Signing}, Rotation{After: day}); err == nil || !strings.Contains(err.Error(), "there are no keys") {
		t.Errorf("an empty storage: %v", err)
	}
	if exists(t, s, fileName) {
		t.Error("a file without keys was kept")
	}
}
