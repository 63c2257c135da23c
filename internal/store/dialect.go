package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"gorm.io/gorm"
)

// dialect is an open database with what is particular to its kind.
type dialect struct {
	pool  *sql.DB
	close func() error
	gorm  gorm.Dialector

	// words are what stands in braces in the schema.
	words *strings.Replacer
	// limits are the pool's, unless somebody asks for others, and writers is how
	// many may write at once: 0 is half of the connections.
	limits  Pool
	writers int
	// reserved connections are in use for good.
	reserved int
	// prepares says that a query which is not prepared is parsed each time.
	prepares bool
	// transaction are the options of each.
	transaction *sql.TxOptions

	// lock is what gateways that start together take turns by; nil if the
	// transaction that migrates is a lock. commits says that each statement of a
	// migration is committed by itself.
	lock    func(ctx context.Context) (unlock func(), err error)
	commits bool
	// check refuses tables of the original that cannot be used as they are.
	check func(db *gorm.DB) error

	// unusable says why nobody may be asked at all; nil if that cannot be.
	unusable func() error

	// done says that a statement of a migration failed because it was run before,
	// race that somebody else was in the way of a transaction, lost that the
	// connection is good for nothing any more, and refuses that nothing can be
	// written.
	done, race, lost, refuses func(err error) bool
}

// connect opens a database of any kind.
func connect(ctx context.Context, dsn DSN, o options) (dialect, error) {
	switch dsn.kind {
	case kindSQLite:
		return openSQLite(ctx, dsn, o.busyTimeout)
	case kindPostgres:
		return openPostgres(dsn)
	case kindMySQL:
		return openMySQL(ctx, dsn)
	default:
		return dialect{}, fmt.Errorf("%w: no database", errConfig)
	}
}

// errConfig is why a database was not even asked.
var errConfig = errors.New("unusable database URL")

func never(error) bool { return false }

// anyOf makes a test for errors of two.
func anyOf(tests ...func(error) bool) func(error) bool {
	return func(err error) bool {
		for _, test := range tests {
			if test(err) {
				return true
			}
		}
		return false
	}
}

// hungUp says that the server, or something on the way to it, has ended the
// connection.
func hungUp(err error) bool {
	for _, target := range []error{
		driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// clock is SQL for the database's time, in microseconds since 1970: the one
// clock that all gateways have.
func clock(db *gorm.DB) string {
	switch db.Name() {
	case "sqlite":
		return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
	case "postgres":
		return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS BIGINT)"
	default:
		return "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
	}
}

const (
	// connectTimeout is how long a server may take to let somebody in.
	connectTimeout = 5 * time.Second
	// defaultSilence is how long a server may leave what was sent to it
	// unacknowledged.
	defaultSilence = 20 * time.Second
)

// connector bounds what a driver's own settings do not.
type connector struct {
	driver.Connector
	timeout time.Duration
	// prepare, if not nil, is done to each new connection.
	prepare func(ctx context.Context, conn driver.Conn) error
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err != nil || c.prepare == nil {
		return conn, err
	}
	if err := c.prepare(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// newDialer makes connections that notice a server which has vanished: asking
// now and then, and after some silence when something was sent.
func newDialer(silence time.Duration) *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control:         limitSilence(silence),
	}
}
