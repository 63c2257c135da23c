package cache

import "time"

// Outcome is how a look-up in Redis ended.
type Outcome string

// The outcomes of Shared.Get. Every one but Hit means that the truth is asked.
const (
	Hit Outcome = "hit"
	// Miss: there is no such entry, or it is no longer fresh.
	Miss Outcome = "miss"
	// Withdrawn: what the entry belongs to has been withdrawn.
	Withdrawn Outcome = "withdrawn"
	// Unsealed: what stands there was not written by a gateway with one of our
	// secrets for this place.
	Unsealed Outcome = "unsealed"
	// Distrusted: this gateway has not listened for long enough to believe
	// anything. Redis was not asked.
	Distrusted Outcome = "distrusted"
	// Failed: Redis could not be asked.
	Failed Outcome = "failed"
)

// Observer is told what happens, for metrics. Each function may be nil; none may
// wait.
type Observer struct {
	// Call is told of each call to Redis: what it was for ("get", "set",
	// "withdraw", "publish", "attempt", "limit", "beat"), how long it took, and how
	// it failed. To find nothing is no failure. Of what the breaker refuses it is
	// not told.
	Call func(operation string, took time.Duration, err error)
	// Lookup is told how a Get of a kind of entry ended.
	Lookup func(kind string, outcome Outcome)
	// Health is told whenever Shared.Healthy changes; it begins as false.
	Health func(healthy bool)
}

func (o *Observer) call(operation string, took time.Duration, err error) {
	if o.Call != nil {
		o.Call(operation, took, err)
	}
}

func (o *Observer) lookup(kind string, outcome Outcome) {
	if o.Lookup != nil {
		o.Lookup(kind, outcome)
	}
}

func (o *Observer) health(healthy bool) {
	if o.Health != nil {
		o.Health(healthy)
	}
}
