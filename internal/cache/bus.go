package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// beatEvery is how often a gateway sends a message to itself, and silence how
	// long none may arrive: it finds out within 2 s that Redis hangs, or that what
	// is published no longer reaches it, as when a Sentinel has moved the one
	// connection and not the other.
	beatEvery = 500 * time.Millisecond
	silence   = 1500 * time.Millisecond
	// confirmTimeout is how long Redis may take to begin a subscription.
	confirmTimeout = time.Second
	// The pause between two attempts to listen grows from one to the other.
	minPause = 100 * time.Millisecond
	maxPause = time.Second
	// maxMessageNames is how many names go into one message.
	maxMessageNames = 100
)

// message is what gateways tell each other, as JSON.
type message struct {
	From  string   `json:"from"` // the instance, which knows already
	Names []string `json:"names,omitempty"`
	All   bool     `json:"all,omitempty"`
}

// publish tells the other gateways.
func (s *Shared) publish(ctx context.Context, m message) error {
	m.From = s.instance
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	return s.do(ctx, "publish", func(ctx context.Context) error {
		return s.client.Publish(ctx, s.channel, payload).Err()
	})
}

// listenAlways listens until ctx ends.
func (s *Shared) listenAlways(ctx context.Context) {
	pause := minPause
	for ctx.Err() == nil {
		began := time.Now()
		err := s.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		s.interrupted(err)
		if time.Since(began) > 2*silence {
			pause = minPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, maxPause)
	}
}

// interrupted notes that messages no longer arrive.
func (s *Shared) interrupted(cause error) {
	interrupted := s.trust.end()
	s.health.hear(false, cause)
	if interrupted {
		s.OnDrop()
	}
}

// listen listens until that fails. Whatever connection was lost and made again,
// messages may have been lost in between, so that it never goes on by itself.
func (s *Shared) listen(ctx context.Context) error {
	subscription := s.client.Subscribe(ctx)
	beating, stop := context.WithCancel(ctx)
	var beats sync.WaitGroup
	beats.Go(func() {
		s.beat(beating)
		_ = subscription.Close() // ends the reading too
	})
	defer beats.Wait()
	defer stop()

	if err := s.subscribe(ctx, subscription); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	// What is loaded from now on is told of its withdrawal. What was loaded
	// before may have missed it.
	s.trust.begin()
	s.OnDrop()
	s.health.hear(true, nil)
	for {
		received, err := subscription.ReceiveTimeout(ctx, silence)
		if err != nil {
			s.interrupted(err) // at once: to close may take time
			return fmt.Errorf("listening: %w", err)
		}
		if m, is := received.(*redis.Message); is && m.Channel == s.channel {
			s.heard(m.Payload)
		}
	}
}

// subscribe begins a subscription to the common channel and to our own.
func (s *Shared) subscribe(ctx context.Context, subscription *redis.PubSub) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	if err := subscription.Subscribe(ctx, s.channel, s.ownChannel()); err != nil {
		return err
	}
	for confirmed := 0; confirmed < 2; {
		received, err := subscription.ReceiveTimeout(ctx, confirmTimeout)
		if err != nil {
			return err
		}
		if _, is := received.(*redis.Subscription); is {
			confirmed++
		}
	}
	return nil
}

func (s *Shared) ownChannel() string { return s.channel + ":" + s.instance }

// beat sends messages to ourselves.
func (s *Shared) beat(ctx context.Context) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		_ = s.do(ctx, "beat", func(ctx context.Context) error {
			return s.client.Publish(ctx, s.ownChannel(), "").Err()
		})
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// heard does what another gateway has told. What cannot be understood, such as
// the words of a later version, may mean anything.
func (s *Shared) heard(payload string) {
	var m message
	err := json.Unmarshal([]byte(payload), &m)
	switch {
	case err == nil && m.From == s.instance:
	case err == nil && !m.All && len(m.Names) > 0:
		s.trust.withdraw(m.Names)
		s.OnWithdraw(m.Names)
	default:
		s.trust.again()
		s.OnDrop()
	}
}
