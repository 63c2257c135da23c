package keyring

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// No request fails while keys are exchanged under load, on two gateways that
// look at different times.
func TestRotationUnderLoad(t *testing.T) {
	s, now := clockedStore(t)
	var clock atomic.Int64
	clock.Store(now.UnixNano())
	s.now = func() time.Time { return time.Unix(0, clock.Load()) }
	a, b := openRing(t, s), openRing(t, s)
	stop := make(chan struct{})
	var load sync.WaitGroup
	var served atomic.Int64
	for i := range 4 {
		load.Go(func() {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			for {
				select {
				case <-stop:
					return
				default:
				}
				raw, err := from.ring.SignSession(token.Session{UserID: "u", SessionID: "s", ExpiresAt: time.Now().Add(time.Hour)})
				if err == nil {
					_, err = to.ring.VerifySession(raw, time.Now())
				}
				if err != nil {
					t.Error(err)
					return
				}
				served.Add(1)
			}
		})
	}
	for range 5 {
		if _, err := s.Rotate(t.Context(), []Kind{Session}, Rotation{Now: true}); err != nil {
			t.Error(err)
		}
		for _, k := range []*Ring{a, b, b, a} {
			clock.Add(int64(Pace))
			k.refresh(context.Background())
			until := served.Load() + 50
			for deadline := time.Now().Add(10 * time.Second); served.Load() < until && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
		}
	}
	close(stop)
	load.Wait()
}
