package caddymodule

import (
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/internal/store"
)

// DatabasePool bounds the connections to a database server.
type DatabasePool struct {
	// MaxConnections is how many there may be at once, at least 2. Default: 8, with
	// which ten gateways fit into the 100 connections that PostgreSQL has.
	MaxConnections int `json:"max_connections,omitempty"`

	// MaxIdleConnections is how many are kept for later. Default: as many as there
	// may be.
	MaxIdleConnections int `json:"max_idle_connections,omitempty"`

	// ConnectionLifetime is how old one may become, so that a server that has
	// moved is found again. Default: 30 minutes.
	ConnectionLifetime caddy.Duration `json:"connection_lifetime,omitempty"`

	// ConnectionIdle is how long one is kept that nobody uses. Default: 5 minutes.
	ConnectionIdle caddy.Duration `json:"connection_idle,omitempty"`
}

// limits is the pool as the store wants it; nil has its defaults.
func (p *DatabasePool) limits() store.Pool {
	if p == nil {
		return store.Pool{}
	}
	return store.Pool{
		MaxOpen: p.MaxConnections, MaxIdle: p.MaxIdleConnections,
		MaxLifetime: time.Duration(p.ConnectionLifetime), MaxIdleTime: time.Duration(p.ConnectionIdle),
	}
}
