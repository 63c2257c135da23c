package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// identityRow says whom an identity belongs to.
type identityRow struct {
	Issuer      string `gorm:"primaryKey"`
	Subject     string `gorm:"primaryKey"`
	UserID      string
	Provider    string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	LastLoginAt int64
}

func (identityRow) TableName() string { return "auth_identities" }

const (
	boundedSize = 255
	boundedMark = "sha256:"
)

// bounded returns a name from outside as a column of 255 bytes takes it: as it
// is or, if it is too long or is not text, as a mark with its SHA-256 (ruling
// 12). A name that looks like a mark is hashed as well, else a provider's user
// could choose the mark of somebody else's name.
func bounded(name string) string {
	if len(name) <= boundedSize && !strings.HasPrefix(name, boundedMark) && clean(name, boundedSize) == name {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return boundedMark + hex.EncodeToString(sum[:])
}
