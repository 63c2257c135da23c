package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/datahq/auth-gateway/providers"
)

// defaultBusyTimeout is how long a write waits for other programs; for other
// writers of this process it waits three times as long.
const defaultBusyTimeout = 5 * time.Second

// Store is an open database. All methods may be called by many goroutines at
// once and by several processes on one database.
type Store struct {
	db         *gorm.DB
	statements statements
	logger     *zap.Logger
	now        func() time.Time

	// turn is held by the one writer of this process. SQLite has one writer at
	// a time anyway, but lets those who wait retry at random: some starve, and
	// each would hold a connection that readers need.
	turn        chan struct{}
	busyTimeout time.Duration

	stopJanitor context.CancelFunc
	janitor     sync.WaitGroup
	close       func() error // as often as one likes
}

// options are what tests change.
type options struct {
	busyTimeout time.Duration
	purgeEvery  time.Duration
	now         func() time.Time
}

// Open opens a database, making its file (mode 0600) and directory (0700)
// where they are missing, and brings the schema up to date; processes that do
// so at the same time take turns. What an original service has written is
// adopted (ruling 14). Every few minutes, until it is closed, the Store removes
// what has expired and adopts what has come.
//
// Errors wrap ErrSchema if the database must not be used,
// providers.ErrUnavailable when trying again may help, or neither if it is of
// a kind that this version does not open.
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
	if o.purgeEvery == 0 {
		o.purgeEvery = defaultPurgeEvery
	}
	if o.now == nil {
		o.now = time.Now
	}
	verb := "opening database " + dsn.String()
	if err := dsn.checkKind(); err != nil {
		return nil, fmt.Errorf("%s: %w", verb, err)
	}
	db, closer, err := openSQLite(ctx, dsn, o.busyTimeout)
	if err != nil {
		return nil, wrap(ctx, verb, err)
	}
	if err := migrate(db.WithContext(ctx), sqliteTypes, log, o.now()); err != nil {
		return nil, errors.Join(wrap(ctx, verb, err), closer())
	}
	prepared, err := prepare(ctx, db)
	if err != nil {
		return nil, errors.Join(wrap(ctx, verb, err), closer())
	}
	s := &Store{
		db: db, statements: prepared, logger: log, now: o.now,
		turn: make(chan struct{}, 1), busyTimeout: o.busyTimeout,
		close: sync.OnceValue(closer),
	}
	s.startJanitor(o.purgeEvery)
	return s, nil
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
	var id string
	err := first(s.db.WithContext(ctx), "SELECT id FROM auth_migrations", nil, &id)
	return wrap(ctx, "reading database", err)
}

// write runs fn in a transaction, one at a time.
func (s *Store) write(ctx context.Context, verb string, fn func(tx *gorm.DB) error) error {
	timeout := time.NewTimer(3 * s.busyTimeout)
	defer timeout.Stop()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return wrap(ctx, verb, ctx.Err())
	case <-timeout.C:
		return fmt.Errorf("%s: %w: too many writers wait", verb, providers.ErrUnavailable)
	}
	return wrap(ctx, verb, s.db.WithContext(ctx).Transaction(fn))
}

// maxRaces bounds how often a write starts over.
const maxRaces = 10

// compete is write for what others may do at the same time: fn starts over
// after errRace and gorm.ErrDuplicatedKey.
func (s *Store) compete(ctx context.Context, verb string, fn func(tx *gorm.DB) error) (err error) {
	for range maxRaces {
		err = s.write(ctx, verb, fn)
		if !errors.Is(err, errRace) && !errors.Is(err, gorm.ErrDuplicatedKey) {
			return err
		}
	}
	return err
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
