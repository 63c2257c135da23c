package node

import (
	"context"
	"sync"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
)

// fakeNodes is a table of gateways.
type fakeNodes struct {
	mu    sync.Mutex
	nodes map[string]store.Node
	err   error
}

func (f *fakeNodes) Announce(_ context.Context, n store.Node, _ time.Duration) (others []store.Node, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	f.nodes[n.ID] = n
	for id, other := range f.nodes {
		if id != n.ID {
			others = append(others, other)
		}
	}
	return others, nil
}

func (f *fakeNodes) Leave(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.nodes, id)
	return f.err
}

func (f *fakeNodes) has(id string) (store.Node, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.nodes[id]
	return n, ok
}
