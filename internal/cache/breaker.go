package cache

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

const (
	// callTimeout bounds one call with all it needs: a connection, which goes on
	// being made for the next call, and the answer.
	callTimeout = 400 * time.Millisecond
	// breakerFailures is how many calls in a row must fail before none is made,
	// and breakerPause for how long; then a single one tries.
	breakerFailures = 3
	breakerPause    = time.Second
)

// ErrUnavailable says that Redis could not be asked, or not now.
var ErrUnavailable = errors.New("cannot use Redis")

// errNoVerdict keeps a call from counting: its end says nothing about Redis.
var errNoVerdict = errors.New("no verdict")

func newBreaker(changed func(open bool)) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     breakerPause,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= breakerFailures },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			changed(to != gobreaker.StateClosed)
		},
	})
}

// do makes one call to Redis, for at most callTimeout, unless the last ones have
// failed. The error wraps ErrUnavailable.
func (s *Shared) do(ctx context.Context, operation string, call func(context.Context) error) error {
	done, err := s.breaker.Allow()
	if err != nil {
		return ErrUnavailable
	}
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	began := time.Now()
	err = errNoVerdict // of a panic
	defer func() {
		failure := failure(ctx, err)
		if failure != nil && !errors.Is(failure, errNoVerdict) {
			s.health.blame(failure)
		}
		done(failure)
	}()
	if err = call(limited); errors.Is(err, redis.Nil) {
		err = nil
	}
	s.Observer.call(operation, time.Since(began), err)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// unusable begins the answers of a Redis that is there, but of no use. With
// other errors it only refuses the one command, as a full one does.
var unusable = []string{
	"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOAUTH", "WRONGPASS", "NOPERM", "NOREPLICAS", "MISCONF",
	"ERR max number of clients", "ERR invalid password", "ERR AUTH", "ERR DB index",
}

// failure judges how a call ended: nil if Redis has answered, errNoVerdict if
// that cannot be told. A client that goes away must not stop others from using
// Redis, and neither must so many requests that they wait for connections.
func failure(ctx context.Context, err error) error {
	var answer redis.Error
	switch {
	case err == nil, errors.Is(err, errNoVerdict):
		return err
	case ctx.Err() != nil, errors.Is(err, redis.ErrPoolTimeout):
		return errNoVerdict
	case errors.As(err, &answer) && !hasAnyPrefix(answer.Error(), unusable):
		return nil
	}
	return err
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// reason says what is the matter, without addresses or anything else that only
// concerns the operator.
func reason(err error) string {
	var answer redis.Error
	if errors.As(err, &answer) {
		switch text := answer.Error(); {
		case hasAnyPrefix(text, []string{"NOAUTH", "WRONGPASS", "ERR invalid password", "ERR AUTH"}):
			return "Redis refuses the user or password"
		case hasAnyPrefix(text, []string{"NOPERM"}):
			return "Redis does not permit what is needed"
		case hasAnyPrefix(text, []string{"LOADING"}):
			return "Redis is loading its data"
		case hasAnyPrefix(text, []string{"READONLY"}):
			return "Redis is read-only"
		}
		return "Redis answers with an error"
	}
	var dial *net.OpError
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "the certificate of Redis does not verify"
	case errors.As(err, &dial) && dial.Op == "dial":
		return "Redis cannot be reached"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "Redis does not answer"
	}
	return "the connection to Redis broke"
}
