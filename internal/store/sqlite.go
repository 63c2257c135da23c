package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	msqlite "modernc.org/sqlite"
)

// The result codes of SQLite that are told apart, https://sqlite.org/rescode.html.
// The low byte is the primary code.
const (
	sqliteBusy              = 5
	sqliteReadOnly          = 8
	sqliteIOErr             = 10
	sqliteCantOpen          = 14
	sqliteFull              = 13
	sqliteNotADB            = 26
	sqliteReadOnlyDirectory = 1544
	sqliteUniquePrimaryKey  = 1555
	sqliteUnique            = 2067
)

// sqliteDialector is gorm's with the errors of the pure Go driver: the
// original knows those of the C driver only.
type sqliteDialector struct{ *sqlite.Dialector }

// Translate makes gorm.ErrDuplicatedKey of a violated unique constraint.
func (d sqliteDialector) Translate(err error) error {
	switch sqliteCode(err) {
	case sqliteUniquePrimaryKey, sqliteUnique:
		return fmt.Errorf("%w: %w", gorm.ErrDuplicatedKey, err)
	default:
		return err
	}
}

// sqliteCode returns SQLite's extended result code; 0 if it is not its error.
func sqliteCode(err error) int {
	var sqliteError *msqlite.Error
	if errors.As(err, &sqliteError) {
		return sqliteError.Code()
	}
	return 0
}

// sqliteRefuses says that a file is locked, read-only, or on a disk that is full
// or broken.
func sqliteRefuses(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqliteBusy, sqliteReadOnly, sqliteIOErr, sqliteFull, sqliteCantOpen:
		return true
	default:
		return false
	}
}

// openSQLite opens a database, in WAL mode if it is a file.
func openSQLite(ctx context.Context, dsn DSN, busyTimeout time.Duration) (dialect, error) {
	if dsn.path != "" {
		if err := makeFile(dsn.path); err != nil {
			return dialect{}, err
		}
	}
	pool, err := sql.Open("sqlite", sqliteURI(dsn.path, busyTimeout))
	if err != nil {
		return dialect{}, err
	}
	d := dialect{
		pool:  pool,
		close: pool.Close,
		gorm:  sqliteDialector{&sqlite.Dialector{Conn: pool}},
		words: strings.NewReplacer("{timestamp}", "DATETIME", "{bytes}", "BLOB", "{text}", "VARCHAR", "{long}", "VARCHAR",
			"{serial}", "INTEGER PRIMARY KEY AUTOINCREMENT", "{options}", ""),
		limits: Pool{MaxOpen: sqliteConnections(), MaxLifetime: -1, MaxIdleTime: -1},
		// SQLite has one writer at a time anyway, but lets those who wait retry at
		// random: some starve, and each would hold a connection that readers need.
		writers:  1,
		prepares: true,
		done:     never,
		race:     never,
		lost:     never,
		refuses:  sqliteRefuses,
	}
	// First of all, since it heeds ctx: a locked file keeps gorm waiting, too.
	if dsn.path == "" {
		d.close, err = keepMemory(ctx, pool)
		d.reserved = 1
	} else if err = useWAL(ctx, pool, busyTimeout); err == nil {
		var file openFile
		file, err = newOpenFile(dsn.path)
		d.unusable = file.check
	}
	if err != nil {
		return dialect{}, errors.Join(err, pool.Close())
	}
	return d, nil
}

// sqliteConnections are how many may read at a time.
func sqliteConnections() int { return max(8, 2*runtime.GOMAXPROCS(0)) }

// sqliteURI is the driver's spelling of a database. Every transaction is
// BEGIN IMMEDIATE: one that reads first and writes later would otherwise fail
// at once, without waiting, whenever another has written in between. No other
// setting is made here: the driver would wait for a locked file and heed no
// context. That commits are synced (an ended session stays ended after a power
// cut) is SQLite's default.
//
// In memory it is SQLite's memdb: unlike ":memory:" one database for all
// connections, unlike a shared cache with a file's locks. Its name is new each
// time, so that no two Stores share it.
func sqliteURI(path string, busyTimeout time.Duration) string {
	query := url.Values{
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_txlock":       {"immediate"},
	}
	uri := url.URL{Scheme: "file", Path: "/auth-" + rand.Text()}
	if path == "" {
		query.Set("vfs", "memdb")
		uri.OmitHost = true
	} else {
		query.Set("mode", "rw") // makeFile has made it, for its owner alone
		uri.Path = "/" + strings.TrimPrefix(filepath.ToSlash(path), "/")
	}
	uri.RawQuery = query.Encode()
	return uri.String()
}

// keepMemory holds one connection: a database in memory goes with its last.
func keepMemory(ctx context.Context, pool *sql.DB) (closer func() error, err error) {
	keeper, err := pool.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(keeper.Close(), pool.Close()) }, nil
}

// useWAL lets readers and a writer work side by side. The mode stays in the
// file; changing it needs the file to itself for a moment, for which SQLite
// does not always wait.
func useWAL(ctx context.Context, pool *sql.DB, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		var mode string
		err := pool.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if sqliteCode(err)&0xff != sqliteBusy || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// probeSQLite says why an existing file cannot be written as a database: it
// makes a table and rolls back.
func probeSQLite(path string) error {
	pool, err := sql.Open("sqlite", sqliteURI(path, 0))
	if err != nil {
		return err
	}
	defer pool.Close()
	tx, err := pool.Begin()
	if err == nil {
		_, err = tx.Exec("CREATE TABLE auth_probe (x)")
		_ = tx.Rollback()
	}
	code := sqliteCode(err)
	switch primary := code & 0xff; {
	case primary == sqliteBusy:
		return nil
	case primary == sqliteCantOpen, code == sqliteReadOnlyDirectory:
		return fmt.Errorf("cannot be opened for writing; the file and its directory %s must be writable", filepath.Dir(path))
	case primary == sqliteReadOnly:
		return errors.New("is not writable")
	case primary == sqliteNotADB:
		return errors.New("is not an SQLite database")
	default:
		return err
	}
}
