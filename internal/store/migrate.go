package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"go.uber.org/zap"
	"gorm.io/gorm"
)

// migrate brings the schema up to date, and reports whether the database was
// new to us. Where it can be, all of it is one transaction, begun as a writer on
// SQLite: that is the lock under which processes that start together take
// turns there, and the second finds nothing to do. Elsewhere the caller has a
// lock, and what was done before is passed over.
func migrate(db *gorm.DB, d dialect, log *zap.Logger) (isNew bool, err error) {
	run := func(tx *gorm.DB) error {
		// First of all: a statement of a migration that is committed stays.
		if err := checkTables(tx, d); err != nil {
			return err
		}
		err := gormigrate.New(tx, &gormigrate.Options{
			TableName:                 "auth_migrations",
			IDColumnName:              "id",
			IDColumnSize:              255,
			UseTransaction:            false, // it is in ours
			ValidateUnknownMigrations: true,
		}, migrations(d, log, &isNew)).Migrate()
		if errors.Is(err, gormigrate.ErrUnknownPastMigration) {
			return fmt.Errorf("%w: a newer version of the gateway has changed this database; start that version or a later one", ErrSchema)
		}
		if err != nil {
			return fmt.Errorf("migrating: %w", err)
		}
		return nil
	}
	if d.commits {
		err = run(db)
		return isNew, err
	}
	err = db.Transaction(run, d.transaction)
	return isNew, err
}

func migrations(d dialect, log *zap.Logger, isNew *bool) []*gormigrate.Migration {
	run := func(statements []string) gormigrate.MigrateFunc {
		return func(tx *gorm.DB) error {
			for _, statement := range statements {
				if err := tx.Exec(d.words.Replace(statement)).Error; err != nil && !d.done(err) {
					return err
				}
			}
			return nil
		}
	}
	return []*gormigrate.Migration{
		{ID: "0001_accounts_and_sessions", Migrate: func(tx *gorm.DB) error {
			log.Info("making database tables")
			*isNew = true
			return run(firstSchema)(tx)
		}},
		{ID: "0002_adopted_users", Migrate: run(secondSchema)},
		{ID: "0003_changes_and_nodes", Migrate: run(thirdSchema)},
		{ID: "0004_addresses_of_nodes", Migrate: run(fourthSchema)},
	}
}

// checkTables refuses a database whose tables cannot be used.
func checkTables(tx *gorm.DB, d dialect) error {
	for table, columns := range map[string][]string{
		"users":       {"id", "provider_id", "username", "name", "email", "avatar_url", "join_date"},
		"permissions": {"userid", "service", "permissions"},
	} {
		if !tx.Migrator().HasTable(table) {
			continue
		}
		if err := checkColumns(tx, table, columns); err != nil {
			return err
		}
	}
	if d.check != nil {
		return d.check(tx)
	}
	return nil
}

// checkColumns refuses a table that happens to have the name of one of the
// original service's. It says so at the start instead of at each sign-in.
func checkColumns(tx *gorm.DB, table string, want []string) error {
	rows, err := tx.Raw("SELECT * FROM " + table + " WHERE 1 = 0").Rows()
	if err != nil {
		return fmt.Errorf("reading table %s: %w", table, err)
	}
	defer rows.Close()
	have, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("reading table %s: %w", table, err)
	}
	for _, column := range want {
		if !slices.ContainsFunc(have, func(c string) bool { return strings.EqualFold(c, column) }) {
			return fmt.Errorf("%w: table %q has no column %q, so it belongs to another program", ErrSchema, table, column)
		}
	}
	return nil
}
