package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// A10, D: sign-ins that nobody ends do not fill the disk. Beyond a number the
// oldest go, and nobody else's.
func TestAttemptsAreBounded(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	ctx, now := t.Context(), time.Now()
	for i := range 30 {
		if err := s.PutAttempt(ctx, fmt.Append(nil, "k", i), nil, now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	for _, keep := range []int{30, 29, 10} {
		if err := s.trimAttempts(ctx, keep); err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			var row attemptRow
			err := s.db.Where("key_hash = ?", attemptKey(fmt.Append(nil, "k", i))).Take(&row).Error
			if there := err == nil; there != (i >= 30-keep) {
				t.Errorf("of %d, number %d: there %t", keep, i, there)
			}
		}
	}
	if _, _, err := s.TakeAttempt(ctx, []byte("k19")); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("one that has gone: %v", err)
	}
	if _, first, err := s.TakeAttempt(ctx, []byte("k20")); err != nil || !first {
		t.Errorf("one that has not: %t, %v", first, err)
	}
}

// The number is looked at now and then, while the sign-ins come.
func TestAttemptsAreTrimmedWhileTheyCome(t *testing.T) {
	s := openTest(t, tempFile(t), options{})
	ctx, now := t.Context(), time.Now()
	rows := make([]attemptRow, 0, 500)
	for i := range maxAttempts + trimEvery {
		rows = append(rows, attemptRow{KeyHash: fmt.Sprint(i), Value: []byte{}, ExpiresAt: micros(now.Add(time.Duration(i) * time.Millisecond))})
		if len(rows) == cap(rows) {
			if err := s.db.Create(&rows).Error; err != nil {
				t.Fatal(err)
			}
			rows = rows[:0]
		}
	}
	s.attemptsPut.Store(trimEvery - 2)
	count := func() (n int64) {
		if err := s.db.Model(&attemptRow{}).Count(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, want := range []int64{maxAttempts + trimEvery + 1, maxAttempts} {
		if err := s.PutAttempt(ctx, fmt.Append(nil, "new", want), nil, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := count(); got != want {
			t.Errorf("%d sign-ins, want %d", got, want)
		}
	}
}
