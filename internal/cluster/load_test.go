//go:build e2e

package cluster

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"sync"
	"testing"
	"time"
)

// pace is how long each client waits between two requests.
const pace = 40 * time.Millisecond

// crowd is what uses a cluster during a fault: at each gateway somebody who is
// known there, somebody who has not been there yet, some whose sessions end
// while it goes on, a forger, and somebody who is not signed in.
type crowd struct {
	c          *cluster
	warm, cold []session // one for each gateway
	ending     []*ending

	stop    chan struct{}
	working sync.WaitGroup

	mu     sync.Mutex
	result tally
}

// ending is a session that is ended during a fault.
type ending struct {
	session
	mu           sync.Mutex
	begun, acked time.Time // zero if it was not
}

func (e *ending) times() (begun, acked time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.begun, e.acked
}

// tally is what came of the requests.
type tally struct {
	sent, served, refused, unavailable int
	// through are answers to whom nobody may answer, and away are refusals of those
	// who are signed in. Odd is everything else that is wrong.
	through, away, odd int
	// missed are 503s to those who are known at the gateway.
	missed     int
	slowest    time.Duration
	wrong      []string
	logouts    int // that were confirmed
	longestUse time.Duration
}

// gather signs a crowd in.
func gather(t *testing.T, c *cluster, endings int) *crowd {
	t.Helper()
	w := &crowd{c: c, stop: make(chan struct{})}
	for at := range c.gateways {
		w.warm = append(w.warm, c.signIn(t, at, "ada"))
		// finish has asked the other gateway, so that this one does not know it yet.
		w.cold = append(w.cold, c.signIn(t, at, "bob"))
	}
	for i := range endings {
		w.ending = append(w.ending, &ending{session: c.signIn(t, i%len(c.gateways), "eve")})
	}
	for at := range c.gateways {
		c.expect(t, at, w.warm[at])
		for _, e := range w.ending {
			c.expect(t, at, e.session)
		}
	}
	return w
}

// begin sends requests until end. What is allowed to use an ended session is its
// bound: how long after it was confirmed that it has ended.
func (w *crowd) begin(bound time.Duration) {
	for at := range w.c.gateways {
		forged := make([]byte, 32)
		w.always(at, "/me", w.warm[at].cookie, w.living(at, w.warm[at], true))
		w.always(at, "/storage/x", w.warm[at].cookie, w.living(at, w.warm[at], true))
		w.always(at, "/me", "", w.nobody(at))
		w.loop(func(int) {
			_, _ = rand.Read(forged)
			w.nobody(at)(w.c.ask(at, http.MethodGet, "/me", base64.RawURLEncoding.EncodeToString(forged)))
		})
		w.loop(func(turn int) {
			if turn > 10 { // when the fault is there
				w.living(at, w.cold[at], false)(w.c.ask(at, http.MethodGet, "/me", w.cold[at].cookie))
			}
		})
		w.loop(func(turn int) {
			e := w.ending[turn%len(w.ending)]
			w.ended(at, e, bound, w.c.ask(at, http.MethodGet, "/me", e.cookie))
		})
	}
}

func (w *crowd) always(at int, path, cookie string, judge func(reply)) {
	w.loop(func(int) { judge(w.c.ask(at, http.MethodGet, path, cookie)) })
}

func (w *crowd) loop(do func(turn int)) {
	w.working.Go(func() {
		for turn := 0; ; turn++ {
			select {
			case <-w.stop:
				return
			case <-time.After(pace):
				do(turn)
			}
		}
	})
}

// end ends the load.
func (w *crowd) end() tally {
	close(w.stop)
	w.working.Wait()
	return w.result
}

// logout ends a session at a gateway.
func (w *crowd) logout(at, which int) {
	e := w.ending[which]
	e.mu.Lock()
	e.begun = time.Now()
	e.mu.Unlock()
	r := w.c.ask(at, http.MethodPost, "/auth/logout", e.cookie)
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.err == nil && r.status == http.StatusOK {
		e.acked = time.Now()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.slowest = max(w.result.slowest, r.took)
	switch {
	case r.err == nil && r.status == http.StatusOK:
		w.result.logouts++
	case r.err != nil || r.status != http.StatusServiceUnavailable:
		w.result.odd++
		w.result.note("logout at gateway", at, r)
	}
}

// living judges answers to somebody who is signed in. known says that this
// gateway has let him through before.
func (w *crowd) living(at int, s session, known bool) func(reply) {
	return func(r reply) {
		w.count(r, func(t *tally) {
			switch {
			case r.status == http.StatusOK && (r.body == s.userID || r.body == "inside "+s.userID):
				t.served++
			case r.status == http.StatusOK:
				t.through++
				t.note("somebody else's identity at gateway", at, r)
			case r.status == http.StatusServiceUnavailable:
				t.unavailable++
				if known {
					t.missed++
				}
			case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden, r.status/100 == 3:
				t.away++
				t.note("turned away at gateway", at, r)
			default:
				t.odd++
				t.note("at gateway", at, r)
			}
		})
	}
}

// nobody judges answers to somebody who is not signed in.
func (w *crowd) nobody(at int) func(reply) {
	return func(r reply) {
		w.count(r, func(t *tally) {
			switch r.status {
			case http.StatusUnauthorized:
				t.refused++
			case http.StatusServiceUnavailable:
				t.unavailable++
			case http.StatusOK:
				t.through++
				t.note("a forger let through at gateway", at, r)
			default:
				t.odd++
				t.note("at gateway", at, r)
			}
		})
	}
}

// ended judges answers to somebody whose session may have ended.
func (w *crowd) ended(at int, e *ending, bound time.Duration, r reply) {
	begun, acked := e.times()
	w.count(r, func(t *tally) {
		switch {
		case r.status == http.StatusOK:
			t.served++
			if acked.IsZero() {
				return
			}
			t.longestUse = max(t.longestUse, r.sent.Sub(acked))
			if r.sent.Sub(acked) > bound {
				t.through++
				t.note("an ended session let through "+r.sent.Sub(acked).String()+" later at gateway", at, r)
			}
		case r.status == http.StatusServiceUnavailable:
			t.unavailable++
		case r.status == http.StatusUnauthorized:
			t.refused++
			if begun.IsZero() {
				t.away++
				t.note("turned away before the logout at gateway", at, r)
			}
		default:
			t.odd++
			t.note("at gateway", at, r)
		}
	})
}

func (w *crowd) count(r reply, judge func(*tally)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.sent++
	w.result.slowest = max(w.result.slowest, r.took)
	judge(&w.result)
}
