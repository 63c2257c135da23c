package demo

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// network answers a keySource without a network, so that time can be made to
// pass.
type network func(*http.Request) (*http.Response, error)

func (n network) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }

func answer(text []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(text)))}
}

func TestKeyIsKeptForAMinute(t *testing.T) {
	pem := newRing(t).PublicKeyPEM()
	synctest.Test(t, func(t *testing.T) {
		k := newKeySource("http://gateway.test/auth/public-key", "")
		fetches := 0
		k.client.Transport = network(func(*http.Request) (*http.Response, error) {
			fetches++
			return answer(pem), nil
		})
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {59 * time.Second, 1}, {time.Second, 2}, {59 * time.Second, 2}} {
			time.Sleep(step.wait)
			if _, err := k.verifier(t.Context()); err != nil || fetches != step.want {
				t.Errorf("after another %v: %d fetches, want %d (%v)", step.wait, fetches, step.want, err)
			}
		}
	})
}

func TestFetchEndsAfterFiveSecondsAndIsTriedAgain(t *testing.T) {
	pem := newRing(t).PublicKeyPEM()
	synctest.Test(t, func(t *testing.T) {
		k := newKeySource("http://gateway.test/auth/public-key", "")
		down, fetches := true, 0
		k.client.Transport = network(func(r *http.Request) (*http.Response, error) {
			fetches++
			if !down {
				return answer(pem), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		start := time.Now()
		if v, err := k.verifier(t.Context()); err == nil || v != nil {
			t.Error("a gateway that hangs gave a key")
		}
		if took := time.Since(start); took != fetchTimeout {
			t.Errorf("gave up after %v", took)
		}
		down = false
		if _, err := k.verifier(t.Context()); err == nil || fetches != 1 {
			t.Errorf("asked again at once: %d fetches (%v)", fetches, err)
		}
		time.Sleep(keepFailure)
		if _, err := k.verifier(t.Context()); err != nil || fetches != 2 {
			t.Errorf("did not recover: %d fetches (%v)", fetches, err)
		}
	})
}

// A client that goes away must not spoil the key for the others.
func TestFetchOutlivesItsRequest(t *testing.T) {
	g := newGateway(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newKeySource(g.URL, "").verifier(ctx); err != nil {
		t.Error(err)
	}
}

func TestManyRequestsFetchOnce(t *testing.T) {
	g := newGateway(t)
	k := newKeySource(g.URL, "")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := k.verifier(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := g.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func TestBadKeyAnswers(t *testing.T) {
	g := newGateway(t)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"an error":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502 Bad Gateway"},
		"not a key": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "reading the public key"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(g.PublicKeyPEM(), strings.Repeat("\n", maxKey)...))
		}, "more than 65536 bytes"},
		// Who can make the gateway redirect would choose the key.
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, g.URL, http.StatusFound) }, "302 Found"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(test.handler)
			defer s.Close()
			v, err := newKeySource(s.URL, "").verifier(t.Context())
			if v != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}
