package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

var attemptTests = []test{
	{"S21: an attempt is taken once, and known afterwards", func(t *testing.T, s Store) {
		ctx := t.Context()
		key, value := []byte("state\x00\xff"), bytes.Repeat([]byte{0, 0xff, '\''}, 20_000)
		if err := s.PutAttempt(ctx, key, value, time.Now().Add(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			got, first, err := s.TakeAttempt(ctx, key)
			if err != nil || first != (i == 0) || !bytes.Equal(got, value) {
				t.Errorf("take %d: %d bytes, first %v, %v", i, len(got), first, err)
			}
		}
	}},
	{"an unknown attempt is not found", func(t *testing.T, s Store) {
		ctx := t.Context()
		if err := s.PutAttempt(ctx, []byte("state"), nil, time.Now()); err != nil {
			t.Fatal(err)
		}
		for _, key := range [][]byte{nil, {}, []byte("stat"), []byte("STATE"), bytes.Repeat([]byte("x"), 10_000)} {
			if value, first, err := s.TakeAttempt(ctx, key); !errors.Is(err, providers.ErrNotFound) || first || value != nil {
				t.Errorf("key %.10q: %q, %v, %v", key, value, first, err)
			}
		}
		if value, first, err := s.TakeAttempt(ctx, []byte("state")); err != nil || !first || len(value) != 0 {
			t.Errorf("an attempt without value, just over: %q, %v, %v", value, first, err)
		}
	}},
	{"an attempt cannot be put again", func(t *testing.T, s Store) {
		ctx := t.Context()
		if err := s.PutAttempt(ctx, []byte("state"), []byte("mine"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.TakeAttempt(ctx, []byte("state")); err != nil {
			t.Fatal(err)
		}
		// The attack: make a used state fresh again.
		if err := s.PutAttempt(ctx, []byte("state"), []byte("theirs"), time.Now().Add(time.Minute)); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("put again: %v", err)
		}
		if value, first, err := s.TakeAttempt(ctx, []byte("state")); err != nil || first || string(value) != "mine" {
			t.Errorf("got %q, %v, %v", value, first, err)
		}
	}},
}
