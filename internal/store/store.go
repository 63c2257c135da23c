package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

const (
	// defaultBusyTimeout is how long a write to a file waits for other programs;
	// for other writers of this process it waits three times as long.
	defaultBusyTimeout = 5 * time.Second
	// defaultQueryTimeout bounds reading, if its context does not; writing, which
	// may start over, has four times as long.
	defaultQueryTimeout = 5 * time.Second
	// openTimeout bounds the wait for other gateways that start, one of which may
	// be adopting a million users.
	openTimeout = 10 * time.Minute
)

// Store is an open database. All methods may be called by many goroutines at
// once and by several processes on one database.
type Store struct {
	db         *gorm.DB
	dialect    dialect
	statements statements
	logger     *zap.Logger
	now        func() time.Time

	// turns are held by those who write, so that those who wait for each other
	// do not have all the connections that readers need.
	turns        atomic.Pointer[chan struct{}]
	busyTimeout  time.Duration
	queryTimeout time.Duration

	attemptsPut atomic.Int64

	tuning  sync.Mutex
	maxIdle int

	stopJanitor context.CancelFunc
	janitor     sync.WaitGroup
	close       func() error // as often as one likes
}

// options are what tests change.
type options struct {
	busyTimeout  time.Duration
	queryTimeout time.Duration
	purgeEvery   time.Duration
	pageSize     int
	now          func() time.Time
}

// Open opens a database, making its file (mode 0600) and directory (0700)
// where they are missing, and brings the schema up to date; processes that do
// so at the same time take turns. What an original service has written is
// adopted (ruling 14). Every few minutes, until it is closed, the Store removes
// what has expired and adopts what has come.
//
// The servers are PostgreSQL 12, MariaDB 10.5, MySQL 8.0.17, or later ones.
// Connections that are lost are replaced: what can be asked again without harm
// is, once or twice. Every call ends in time, see Pool and its context: without
// a deadline a call that reads has 5 s, one that writes 20 s.
//
// Errors wrap ErrSchema if the database must not be used,
// providers.ErrUnavailable when trying again may help, or neither if the URL
// cannot lead to a database.
func Open(ctx context.Context, dsn DSN, log *zap.Logger) (*Store, error) {
	return open(ctx, dsn, log, options{})
}

func open(ctx context.Context, dsn DSN, log *zap.Logger, o options) (*Store, error) {
	if log == nil {
		log = zap.NewNop()
	}
	if o.busyTimeout == 0 {
		o.busyTimeout = defaultBusyTimeout
	}
	if o.queryTimeout == 0 {
		o.queryTimeout = defaultQueryTimeout
	}
	if o.purgeEvery == 0 {
		o.purgeEvery = defaultPurgeEvery
	}
	if o.pageSize == 0 {
		o.pageSize = defaultPageSize
	}
	if o.now == nil {
		o.now = time.Now
	}
	ctx, cancel := withTimeout(ctx, openTimeout)
	defer cancel()
	verb := "opening database " + dsn.String()
	d, err := connect(ctx, dsn, o)
	if err != nil {
		return nil, wrap(ctx, verb, err)
	}
	s := &Store{
		dialect: d, logger: log, now: o.now, busyTimeout: o.busyTimeout, queryTimeout: o.queryTimeout,
		close: sync.OnceValue(d.close),
	}
	s.Tune(Pool{})
	if s.db, err = gorm.Open(d.gorm, gormConfig()); err == nil {
		err = s.setUp(ctx, o.pageSize)
	}
	if err != nil {
		return nil, errors.Join(wrap(ctx, verb, err), s.close())
	}
	s.startJanitor(o.purgeEvery, o.pageSize)
	return s, nil
}

// setUp makes the database ready for use. Who makes the tables adopts the users
// of an original before others may look, since there may be many.
func (s *Store) setUp(ctx context.Context, pageSize int) (err error) {
	unlock := func() {}
	if s.dialect.lock != nil {
		if unlock, err = s.dialect.lock(ctx); err != nil {
			return err
		}
	}
	unlock = sync.OnceFunc(unlock)
	defer unlock()
	isNew, err := migrate(s.db.WithContext(ctx), s.dialect, s.logger)
	if err != nil {
		return err
	}
	if s.statements, err = prepare(ctx, s.db, s.dialect); err != nil {
		return err
	}
	if !isNew {
		unlock()
	}
	return s.adopt(ctx, pageSize, false)
}

// gormConfig: no transaction around single statements, no log, since gorm's
// holds the values, and errors told apart by the dialector.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		TranslateError:         true,
		Logger:                 logger.Discard,
	}
}

// Close stops the janitor and closes the database. Calls that come later fail
// with providers.ErrUnavailable; closing again does nothing.
func (s *Store) Close() error {
	s.stopJanitor()
	s.janitor.Wait()
	if err := s.close(); err != nil {
		return fmt.Errorf("closing database: %w", err)
	}
	return nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "reading database", func(db *gorm.DB) error {
		var id string
		return first(db, "SELECT id FROM auth_migrations", nil, &id)
	})
}

// micros and fromMicros are the times of our own tables.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// clean makes text from outside storable anywhere: some databases refuse
// invalid UTF-8 and the zero character. It is cut to at most size bytes.
func clean(text string, size int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) > size {
		text = strings.ToValidUTF8(text[:size], "")
	}
	return text
}

// nullable returns nil for "".
func nullable(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
