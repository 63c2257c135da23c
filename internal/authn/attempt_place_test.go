package authn

import (
	"bytes"
	"errors"
	"net/url"
	"testing"
)

// S21: the place leaves a state its form, and 250 bits that are fresh.
func TestStateSaysItsPlace(t *testing.T) {
	seen := map[string]bool{}
	for _, place := range []Place{'r', 'd', 'A', '-', '_', '9'} {
		for range 100 {
			state := newState(place)
			if !isSecret(state) || placeOf(state) != place || seen[state[1:]] {
				t.Fatalf("a state in %c: %q", place, state)
			}
			seen[state[1:]] = true
		}
	}
}

// S21: a place that gave an error may have kept the attempt all the same. Then
// the sign-in that is begun in the next place is another one, in all its parts,
// and the first can be ended by nobody: what the browser was given is good once.
func TestS21UncertainPlace(t *testing.T) {
	f := newFixture(t)
	f.store.places, f.store.broken = []Place{'r', 'd'}, map[Place]bool{'r': true}
	f.google.private = []byte("verifier")
	start := f.begin(t, "google")
	if len(f.store.attempts) != 2 || len(f.google.states) != 2 {
		t.Fatalf("%d attempts are stored for %d states, want 2 and 2", len(f.store.attempts), len(f.google.states))
	}
	given := f.google.states[0]
	if given[0] != 'r' || start.State[0] != 'd' || start.State != f.google.states[1] || given[1:] == start.State[1:] {
		t.Fatalf("the states are %v, and the browser has %s", f.google.states, start.State)
	}
	location, err := url.Parse(start.Location)
	if err != nil || location.Query().Get("state") != start.State {
		t.Errorf("Location = %q, %v", start.Location, err)
	}
	left, kept := f.store.attemptOf(given), f.store.attemptOf(start.State)
	if left == nil || kept == nil || bytes.Contains(left.value, kept.value[len(kept.value)/2:]) {
		t.Error("the two are one attempt, or not there")
	}
	// The other letter is another state.
	moved := start
	moved.State = "r" + start.State[1:]
	_, err = f.Complete(t.Context(), "", answer(moved), cookie(start))
	wantCode(t, err, CodeStateUnknown)
	if _, err := f.Complete(t.Context(), "", answer(start), cookie(start)); err != nil {
		t.Fatal(err)
	}
	_, err = f.Complete(t.Context(), "", answer(start), cookie(start))
	wantCode(t, err, CodeStateUsed)
	// Somebody who knew the state of the first would lack its cookie.
	moved.State = given
	_, err = f.Complete(t.Context(), "", answer(moved), cookie(start))
	wantCode(t, err, CodeStateMismatch)
	if f.store.sessionCount() != 1 {
		t.Errorf("%d sessions, want 1", f.store.sessionCount())
	}
}

// What does not fail keeps the attempt, and no other place hears of it.
func TestFirstPlaceKeepsTheAttempt(t *testing.T) {
	f := newFixture(t)
	f.store.places = []Place{'r', 'd'}
	start := f.begin(t, "google")
	if len(f.store.attempts) != 1 || f.store.attemptOf(start.State) == nil || start.State[0] != 'r' || len(f.google.states) != 1 {
		t.Errorf("%d attempts, state %q", len(f.store.attempts), start.State)
	}
}

// S39: without a place there is no sign-in, and a provider's failure is not
// tried again somewhere else.
func TestNoPlace(t *testing.T) {
	f := newFixture(t)
	f.store.places, f.store.broken = []Place{'r', 'd'}, map[Place]bool{'r': true, 'd': true}
	_, err := f.Begin(t.Context(), "google", Request{Next: "/"})
	if failure := wantCode(t, err, CodeUnavailable); failure.Attempt == nil || failure.Attempt.Next != "/" {
		t.Errorf("Attempt = %+v", failure.Attempt)
	}
	f.store.places = nil
	_, err = f.Begin(t.Context(), "google", Request{})
	wantCode(t, err, CodeUnavailable)

	f = newFixture(t)
	f.store.places = []Place{'r', 'd'}
	f.google.loginErr = errors.New("bad discovery")
	_, err = f.Begin(t.Context(), "google", Request{})
	wantCode(t, err, CodeProviderError)
	if len(f.google.states) != 1 {
		t.Errorf("the provider was asked %d times, want once", len(f.google.states))
	}
}
