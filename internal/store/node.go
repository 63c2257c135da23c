package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Node is a gateway that runs on the database.
type Node struct {
	// ID is the process's own, new at each start; at most 128 bytes.
	ID string
	// Name is what people call its machine, for messages; at most 255 bytes.
	Name string
	// SigningKeys and SessionKeys are the IDs of its keys, that with which it
	// signs first.
	SigningKeys, SessionKeys []string
	// Address is where users reach it, "https://app.example.com": the issuer of its
	// tokens. "" if it does not say.
	Address string
}

// nodeRow is a node with its last sign of life.
type nodeRow struct {
	ID          string `gorm:"primaryKey"`
	Name        string
	SigningKeys string // JSON
	SessionKeys string // JSON
	SeenAt      int64  // by the database's clock
	Address     string
}

func (nodeRow) TableName() string { return "auth_nodes" }

// nodeKept is how long a node is known of which nothing is heard any more, in
// microseconds.
const nodeKept = 60 * 60 * 1_000_000

// Announce says that a node lives, and returns the others that do: those which
// have said so within ttl, at most an hour, whatever clocks the gateways have.
// It takes turns with itself on other machines, so that of two nodes that start
// together the second sees the first.
func (s *Store) Announce(ctx context.Context, node Node, ttl time.Duration) (others []Node, err error) {
	const verb = "announcing gateway"
	if node.ID == "" || len(node.ID) > 128 {
		return nil, wrap(ctx, verb, errors.New("a node's ID is missing or too long"))
	}
	row := nodeRow{ID: node.ID, Name: clean(node.Name, 255), Address: node.Address}
	for column, keys := range map[*string][]string{&row.SigningKeys: node.SigningKeys, &row.SessionKeys: node.SessionKeys} {
		text, err := json.Marshal(keys)
		if err != nil {
			return nil, wrap(ctx, verb, err)
		}
		*column = string(text)
	}
	var rows []nodeRow
	err = s.write(ctx, verb, func(tx *gorm.DB) error {
		rows = nil
		// Whoever changes this row has the turn until he commits.
		turn := tx.Exec("UPDATE auth_chores SET done_at = "+clock(tx)+" WHERE name = ?", choreAnnounce)
		if turn.Error != nil {
			return turn.Error
		}
		if err := first(tx, "SELECT "+clock(tx), nil, &row.SeenAt); err != nil {
			return err
		}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		return tx.Where("id <> ? AND seen_at > ?", row.ID, row.SeenAt-ttl.Microseconds()).Order("id").Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		other := Node{ID: row.ID, Name: row.Name, Address: row.Address}
		err := errors.Join(json.Unmarshal([]byte(row.SigningKeys), &other.SigningKeys), json.Unmarshal([]byte(row.SessionKeys), &other.SessionKeys))
		if err != nil {
			return nil, wrap(ctx, verb, fmt.Errorf("reading node %q: %w", row.ID, err))
		}
		others = append(others, other)
	}
	return others, nil
}

// Leave says that a node lives no more. One that is not known is no error.
func (s *Store) Leave(ctx context.Context, id string) error {
	return s.write(ctx, "removing gateway", func(tx *gorm.DB) error {
		return tx.Where("id = ?", id).Delete(&nodeRow{}).Error
	})
}

// forgetNodes removes the nodes that have ended without a word.
func forgetNodes(tx *gorm.DB) error {
	return tx.Where("seen_at < "+clock(tx)+" - ?", nodeKept).Delete(&nodeRow{}).Error
}
