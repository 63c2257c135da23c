package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/datahq/auth-gateway/internal/testserver"
)

// answer is an error that Redis answers.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestWhatCountsAsAFailure(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED, Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 6379}}
	for _, c := range []struct {
		ctx       context.Context
		err       error
		fails     bool
		noVerdict bool
		reason    string
	}{
		{t.Context(), nil, false, false, ""},
		{t.Context(), refused, true, false, "Redis cannot be reached"},
		{t.Context(), fmt.Errorf("get: %w", io.EOF), true, false, "the connection to Redis broke"},
		{t.Context(), context.DeadlineExceeded, true, false, "Redis does not answer"},
		{t.Context(), answer("LOADING Redis is loading the dataset in memory"), true, false, "Redis is loading its data"},
		{t.Context(), answer("READONLY You can't write against a read only replica."), true, false, "Redis is read-only"},
		{t.Context(), answer("WRONGPASS invalid username-password pair"), true, false, "Redis refuses the user or password"},
		{t.Context(), answer("NOPERM this user has no permissions"), true, false, "Redis does not permit what is needed"},
		{t.Context(), answer("CLUSTERDOWN The cluster is down"), true, false, "Redis answers with an error"},
		// It is there, and answers other commands.
		{t.Context(), answer("OOM command not allowed when used memory > 'maxmemory'."), false, false, ""},
		{t.Context(), answer("WRONGTYPE Operation against a key holding the wrong kind of value"), false, false, ""},
		// These say nothing about it.
		{gone, context.Canceled, true, true, ""},
		{gone, refused, true, true, ""},
		{t.Context(), redis.ErrPoolTimeout, true, true, ""},
	} {
		got := failure(c.ctx, c.err)
		if (got != nil) != c.fails || errors.Is(got, errNoVerdict) != c.noVerdict {
			t.Errorf("%v: %v", c.err, got)
		}
		if c.reason != "" && reason(c.err) != c.reason {
			t.Errorf("%v: the reason is %q; want %q", c.err, reason(c.err), c.reason)
		}
		if c.err != nil && strings.Contains(reason(c.err), "10.1.2.3") {
			t.Errorf("%v: the reason tells the address", c.err)
		}
	}
}

// After some failures nobody asks; then one tries, and if that goes well all do.
func TestBreaker(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	fail := func(context.Context) error { return io.EOF }
	for range breakerFailures {
		if err := g.do(t.Context(), "test", fail); !errors.Is(err, ErrUnavailable) || !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	opened := time.Now()
	if g.Healthy() || g.State() != "the connection to Redis broke" {
		t.Errorf("healthy %v, state %q", g.Healthy(), g.State())
	}
	if err := g.do(t.Context(), "test", fail); errors.Is(err, io.EOF) {
		t.Error("Redis was asked")
	}
	if g.Turn() == 0 {
		t.Error("the subscription is gone, which is well")
	}
	g.becomesHealthy(t) // by the next message to itself
	if time.Since(opened) < breakerPause/2 {
		t.Errorf("it tries again after %s", time.Since(opened))
	}
	g.wantsOneEpisode(t)
}

// A panic is no verdict, and does not keep the one call that may try for itself.
func TestPanicInACall(t *testing.T) {
	g := joinWell(t, testserver.SharedRedis(t).NewURL(t))
	for range 2 * breakerFailures {
		func() {
			defer func() { _ = recover() }()
			_ = g.do(t.Context(), "test", func(context.Context) error { panic("no such command") })
		}()
	}
	if err := g.do(t.Context(), "test", func(context.Context) error { return nil }); err != nil || !g.Healthy() {
		t.Errorf("healthy %v, %v", g.Healthy(), err)
	}
}
