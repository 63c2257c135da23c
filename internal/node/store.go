package node

import (
	"context"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
)

// Store is where gateways on one database find each other.
type Store interface {
	// Announce says that a node lives for ttl from now, in place of what it said
	// before, and returns the others that do.
	Announce(ctx context.Context, node store.Node, ttl time.Duration) (others []store.Node, err error)
	// Leave takes a node's word back. One that is not there is no error.
	Leave(ctx context.Context, id string) error
}
