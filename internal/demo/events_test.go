package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventsComeAtOnceAndEndOnDisconnect(t *testing.T) {
	ended := make(chan struct{})
	demo := New(Config{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		demo.ServeHTTP(w, r)
	}))
	defer s.Close()
	ctx, disconnect := context.WithCancel(t.Context())
	defer disconnect()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	// A browser that goes there gets the stream as well.
	r.Header.Set("Accept", browser)
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("X-Auth-User-Id", "u1")
	r.Header.Set("X-Auth-Name", "line%0A%0Adata: forged")
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	lines := bufio.NewScanner(response.Body)
	for _, want := range []string{"id: 1", "data: ", ""} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) || want == "" && lines.Text() != "" {
			t.Fatalf("got %q, want %q (%v)", lines.Text(), want, lines.Err())
		}
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			var e struct {
				Number   int
				Identity map[string]any
			}
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatal(err)
			}
			if e.Number != 1 || e.Identity["user_id"] != "u1" || e.Identity["name"] != "line\n\ndata: forged" {
				t.Errorf("the event is %s", data)
			}
		}
	}
	disconnect()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the stream goes on without its client")
	}
}

func TestEventsAreOneASecondForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := ask(t, New(Config{}), http.MethodGet, "/events")
		if took := time.Since(start); took != streamLifetime {
			t.Errorf("the stream took %v", took)
		}
		events := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n")
		// The last tick and the end fall together, and either may win.
		if n := len(events); n != 600 && n != 601 {
			t.Errorf("%d events", n)
		}
		if !strings.Contains(events[1], `"time":"`+start.Add(time.Second).UTC().Format(time.RFC3339Nano)+`"`) {
			t.Errorf("the second event is %s", events[1])
		}
		if !w.Flushed {
			t.Error("not flushed")
		}
	})
}

// Not at the next write: that may well succeed into a buffer.
func TestEventsEndTheMomentTheClientGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		start := time.Now()
		w := httptest.NewRecorder()
		New(Config{}).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", nil))
		if took := time.Since(start); took != 2500*time.Millisecond || strings.Count(w.Body.String(), "data: ") != 3 {
			t.Errorf("ended after %v:\n%s", took, w.Body)
		}
	})
}

func TestHeadOfEventsEnds(t *testing.T) {
	w := ask(t, New(Config{}), http.MethodHead, "/events")
	if w.Header().Get("Content-Type") != "text/event-stream; charset=utf-8" || w.Body.Len() != 0 {
		t.Errorf("got %v %q", w.Header(), w.Body)
	}
}
