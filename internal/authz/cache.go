package authz

import "github.com/datahq/auth-gateway/internal/cache"

// Cache is what a process remembers of its decisions. It lives as long as the
// database it speaks of, across changes of the configuration.
type Cache struct {
	decisions *cache.Near[*entry]
	upstream  *cache.Near[*upstreamToken]
	stamps    *cache.Stamps
}

// NewCache makes a cache of at most size decisions.
func NewCache(size int) (*Cache, error) {
	decisions, err := cache.NewNear(size, (*entry).lifetime)
	if err != nil {
		return nil, err
	}
	upstream, err := cache.NewNear(size, (*upstreamToken).lifetime)
	if err != nil {
		decisions.Close()
		return nil, err
	}
	return &Cache{decisions: decisions, upstream: upstream, stamps: cache.NewStamps()}, nil
}

// Close ends the cache's goroutines.
func (c *Cache) Close() {
	c.decisions.Close()
	c.upstream.Close()
}
