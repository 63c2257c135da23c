package authz

import "github.com/datahq/auth-gateway/internal/cache"

// refusalShare is how many decisions there is room for to one refusal.
const refusalShare = 10

// Cache is what a process remembers of its decisions. It lives as long as the
// database it speaks of, across changes of the configuration.
type Cache struct {
	decisions *cache.Near[*entry]
	// refusals have a room of their own: anybody can make any number of them, and
	// must not drive out whoever is signed in (S40).
	refusals *cache.Near[*entry]
	upstream *cache.Near[*upstreamToken]
	stamps   *cache.Stamps
	hang     hang
	// shared is what gateways have in common; nil if there is nothing.
	shared *cache.Shared
}

// NewCache makes a cache of at most size decisions, and a tenth as many
// refusals.
func NewCache(size int) (*Cache, error) {
	decisions, err := cache.NewNear(size, (*entry).lifetime)
	if err != nil {
		return nil, err
	}
	refusals, err := cache.NewNear(max(1, size/refusalShare), (*entry).lifetime)
	if err != nil {
		decisions.Close()
		return nil, err
	}
	upstream, err := cache.NewNear(size, (*upstreamToken).lifetime)
	if err != nil {
		decisions.Close()
		refusals.Close()
		return nil, err
	}
	return &Cache{decisions: decisions, refusals: refusals, upstream: upstream, stamps: cache.NewStamps()}, nil
}

// get returns what is remembered under a key.
func (c *Cache) get(key cache.Key) (*entry, bool) {
	if e, found := c.decisions.Get(key); found {
		return e, true
	}
	return c.refusals.Get(key)
}

// set remembers an entry in place of any other under its key.
func (c *Cache) set(key cache.Key, e *entry) {
	if e.decision != nil {
		c.decisions.Set(key, e)
		c.refusals.Delete(key)
		return
	}
	c.refusals.Set(key, e)
	c.decisions.Delete(key)
}

// Close ends the cache's goroutines.
func (c *Cache) Close() {
	c.decisions.Close()
	c.refusals.Close()
	c.upstream.Close()
}
