package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-gormigrate/gormigrate/v2"
	"go.uber.org/zap"
	"gorm.io/gorm"
)

// migrate brings the schema up to date and takes over what an original service
// has written since the last start. All of it is one transaction, begun as a
// writer: that is the lock under which processes that start together take
// turns, and the second finds nothing to do.
func migrate(db *gorm.DB, types *strings.Replacer, log *zap.Logger, now time.Time) error {
	return db.Transaction(func(tx *gorm.DB) error {
		err := gormigrate.New(tx, &gormigrate.Options{
			TableName:                 "auth_migrations",
			IDColumnName:              "id",
			IDColumnSize:              255,
			UseTransaction:            false, // it is in ours
			ValidateUnknownMigrations: true,
		}, migrations(types, log)).Migrate()
		if errors.Is(err, gormigrate.ErrUnknownPastMigration) {
			return fmt.Errorf("%w: a newer version of the gateway has changed this database; start that version or a later one", ErrSchema)
		}
		if err != nil {
			return fmt.Errorf("migrating: %w", err)
		}
		for table, columns := range map[string][]string{
			"users":       {"id", "provider_id", "username", "name", "email", "avatar_url", "join_date"},
			"permissions": {"userid", "service", "permissions"},
		} {
			if err := checkColumns(tx, table, columns); err != nil {
				return err
			}
		}
		found, err := findAdoptions(tx, now)
		if err != nil {
			return err
		}
		return found.adopt(tx, log)
	})
}

func migrations(types *strings.Replacer, log *zap.Logger) []*gormigrate.Migration {
	run := func(statements []string) gormigrate.MigrateFunc {
		return func(tx *gorm.DB) error {
			for _, statement := range statements {
				if err := tx.Exec(types.Replace(statement)).Error; err != nil {
					return err
				}
			}
			return nil
		}
	}
	return []*gormigrate.Migration{
		{ID: "0001_accounts_and_sessions", Migrate: func(tx *gorm.DB) error {
			log.Info("making database tables")
			return run(firstSchema)(tx)
		}},
		{ID: "0002_adopted_users", Migrate: run(secondSchema)},
	}
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
