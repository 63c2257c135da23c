package store

import "time"

// Pool bounds the connections of a Store to its database. A field that is zero
// stands for its default.
type Pool struct {
	// MaxOpen is how many there are at most, at least 2; default 8, or twice the
	// number of processors for SQLite if that is more. On a server half of them
	// write at a time, so that readers find one.
	MaxOpen int
	// MaxIdle is how many are kept while nobody needs them; default MaxOpen, and
	// below zero none.
	MaxIdle int
	// MaxLifetime is how long one is used; default half an hour, on SQLite and
	// below zero for ever.
	MaxLifetime time.Duration
	// MaxIdleTime is how long one is kept that nobody needs; default five
	// minutes, on SQLite and below zero for ever.
	MaxIdleTime time.Duration
}

// serverLimits are the defaults for servers: ten gateways with them fit into the
// 100 connections that PostgreSQL has by default.
func serverLimits() Pool {
	return Pool{MaxOpen: 8, MaxLifetime: 30 * time.Minute, MaxIdleTime: 5 * time.Minute}
}

// or fills in what p does not say.
func (p Pool) or(defaults Pool) Pool {
	if p.MaxOpen <= 0 {
		p.MaxOpen = defaults.MaxOpen
	}
	p.MaxOpen = max(p.MaxOpen, 2)
	if p.MaxIdle == 0 {
		p.MaxIdle = p.MaxOpen
	}
	if p.MaxLifetime == 0 {
		p.MaxLifetime = defaults.MaxLifetime
	}
	if p.MaxIdleTime == 0 {
		p.MaxIdleTime = defaults.MaxIdleTime
	}
	return p
}

// Tune changes the bounds of the Store's connections, at once: a Store outlives
// the configuration that has opened it.
func (s *Store) Tune(p Pool) {
	p = p.or(s.dialect.limits)
	s.tuning.Lock()
	defer s.tuning.Unlock()
	s.maxIdle = max(p.MaxIdle, 0)
	s.dialect.pool.SetMaxOpenConns(p.MaxOpen + s.dialect.reserved)
	s.dialect.pool.SetMaxIdleConns(s.maxIdle)
	s.dialect.pool.SetConnMaxLifetime(p.MaxLifetime)
	s.dialect.pool.SetConnMaxIdleTime(p.MaxIdleTime)
	writers := s.dialect.writers
	if writers == 0 {
		writers = max(p.MaxOpen/2, 1)
	}
	if old := s.turns.Load(); old == nil || cap(*old) != writers {
		turns := make(chan struct{}, writers)
		s.turns.Store(&turns)
	}
}

// dropIdle closes the connections that nobody uses: where one was lost, the
// others are likely to lead to the same dead server.
func (s *Store) dropIdle() {
	s.tuning.Lock()
	defer s.tuning.Unlock()
	s.dialect.pool.SetMaxIdleConns(0)
	s.dialect.pool.SetMaxIdleConns(s.maxIdle)
}
