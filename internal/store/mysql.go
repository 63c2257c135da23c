package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	driverMySQL "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// The error numbers of MySQL and MariaDB that are told apart,
// https://mariadb.com/docs/server/reference/error-codes.
var (
	mysqlDuplicate = []uint16{1062}
	mysqlRace      = []uint16{1213, 1205}             // deadlock, lock wait timeout
	mysqlDone      = []uint16{1050, 1060, 1061, 1062} // table, column, index, row is there
	// Server shutdown, connection killed (MariaDB), read-only since it has become
	// a replica.
	mysqlLost = []uint16{1053, 1927, 1290, 1836, 4031}
	// Disk full, table read-only, table full, no access, read-only server, read-only
	// transaction, read-only engine.
	mysqlRefuses = []uint16{1021, 1036, 1114, 1142, 1290, 1792, 1836}
	// mysqlTelling are the errors whose text has no values of rows: no access, no
	// such database, no such table or column, and the like.
	mysqlTelling = []uint16{1040, 1044, 1045, 1049, 1054, 1129, 1130, 1142, 1146, 1273, 1290, 1698, 1836}
)

// mysqlError is an error of the server without the values that the server
// repeats, such as the address in "Duplicate entry …" (S41).
type mysqlError struct{ cause *driverMySQL.MySQLError }

func (e mysqlError) Error() string {
	if slices.Contains(mysqlTelling, e.cause.Number) {
		return e.cause.Error()
	}
	return fmt.Sprintf("MySQL error %d (%s)", e.cause.Number, e.cause.SQLState[:])
}

func (e mysqlError) Unwrap() error { return e.cause }

// withoutValues makes a mysqlError of any error that is one of the server, and
// leaves others as they are.
func withoutValues(err error) error {
	var safe mysqlError
	var raw *driverMySQL.MySQLError
	if !errors.As(err, &safe) && errors.As(err, &raw) {
		return mysqlError{raw}
	}
	return err
}

// mysqlIs makes a test for errors with one of some numbers.
func mysqlIs(numbers []uint16) func(error) bool {
	return func(err error) bool {
		var raw *driverMySQL.MySQLError
		return errors.As(err, &raw) && slices.Contains(numbers, raw.Number)
	}
}

// mysqlDialector is gorm's, with errors that keep their cause.
type mysqlDialector struct{ *mysql.Dialector }

// Translate makes gorm.ErrDuplicatedKey of a violated unique constraint.
func (mysqlDialector) Translate(err error) error {
	if mysqlIs(mysqlDuplicate)(err) {
		return fmt.Errorf("%w: %w", gorm.ErrDuplicatedKey, withoutValues(err))
	}
	return withoutValues(err)
}

// mysqlSettings are those of each connection, whatever the server's are: no
// locks on gaps between rows, and what does not fit is an error.
var mysqlSettings = []string{
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION innodb_lock_wait_timeout = 5",
}

// openMySQL opens a database of MySQL 8.0.17 or MariaDB 10.5, or later ones.
func openMySQL(ctx context.Context, dsn DSN) (dialect, error) {
	config, err := mysqlConfig(dsn)
	if err != nil {
		return dialect{}, err
	}
	base, err := driverMySQL.NewConnector(config)
	if err != nil {
		return dialect{}, fmt.Errorf("%w: %w", errConfig, err)
	}
	pool := sql.OpenDB(connector{Connector: base, timeout: config.Timeout, prepare: func(ctx context.Context, conn driver.Conn) error {
		for _, statement := range mysqlSettings {
			if _, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil); err != nil {
				return err
			}
		}
		return nil
	}})
	var version string
	if err := pool.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return dialect{}, errors.Join(withoutValues(err), pool.Close())
	}
	// Names are compared byte for byte, with the spaces at their ends.
	collation := "utf8mb4_0900_bin"
	if strings.Contains(version, "MariaDB") {
		collation = "utf8mb4_nopad_bin"
	}
	return dialect{
		pool:  pool,
		close: pool.Close,
		gorm:  mysqlDialector{&mysql.Dialector{Config: &mysql.Config{Conn: pool, DSNConfig: config, ServerVersion: version, SkipInitializeWithVersion: true}}},
		words: strings.NewReplacer("{timestamp}", "DATETIME(6)", "{bytes}", "MEDIUMBLOB", "{text}", "VARCHAR(255)", "{long}", "MEDIUMTEXT",
			"{serial}", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY", "{options}", " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = "+collation),
		limits:  serverLimits(),
		lock:    func(ctx context.Context) (func(), error) { return lockMySQL(ctx, pool) },
		commits: true,
		check:   func(db *gorm.DB) error { return checkCollation(db, collation) },
		done:    mysqlIs(mysqlDone),
		race:    mysqlIs(mysqlRace),
		lost:    anyOf(hungUp, mysqlIs(mysqlLost), func(err error) bool { return errors.Is(err, driverMySQL.ErrInvalidConn) }),
		refuses: mysqlIs(mysqlRefuses),
	}, nil
}

// lockMySQL takes the lock of gateways that start on this database. It belongs
// to a connection, and goes with it.
func lockMySQL(ctx context.Context, pool *sql.DB) (unlock func(), err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	const name = "CONCAT('auth-gateway:', MD5(DATABASE()))"
	for {
		var got sql.NullInt64
		// In steps: the driver gives up on a server that says nothing for long.
		if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", 5)").Scan(&got); err != nil {
			return nil, errors.Join(withoutValues(err), conn.Close())
		}
		if got.Int64 == 1 {
			break
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_, _ = conn.ExecContext(ctx, "DO RELEASE_LOCK("+name+")")
		_ = conn.Close()
	}, nil
}

// checkCollation refuses tables of others that would take one user, or one
// user's permissions, for another's.
func checkCollation(db *gorm.DB, want string) error {
	var table, column, found string
	err := first(db, `SELECT table_name, column_name, collation_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name IN ('users', 'permissions') AND collation_name <> ? ORDER BY 1, 2`,
		[]any{want}, &table, &column, &found)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading collations: %w", err)
	}
	return fmt.Errorf("%w: column %q of table %q has the collation %s; expected %s, which ALTER TABLE %s CONVERT TO CHARACTER SET utf8mb4 COLLATE %s gives it",
		ErrSchema, column, table, found, want, table, want)
}

// mysqlReadTimeout is how long a server may think about one statement.
const mysqlReadTimeout = 30 * time.Second
