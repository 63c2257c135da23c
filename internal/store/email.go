package store

import "strings"

// emailRow says which account has a verified address: one at most.
type emailRow struct {
	Address string `gorm:"primaryKey"` // folded
	UserID  string
}

func (emailRow) TableName() string { return "auth_emails" }

// foldEmail returns the form of an address by which accounts are joined, and
// whether it is one that may join accounts: visible ASCII, one "@", nothing
// that only quoting allows (S27), at most 254 bytes (RFC 5321).
func foldEmail(address string) (folded string, ok bool) {
	local, domain, _ := strings.Cut(address, "@")
	if local == "" || domain == "" || len(address) > 254 || strings.Contains(domain, "@") {
		return "", false
	}
	for _, c := range []byte(address) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),:;<>[\]`, c) >= 0 {
			return "", false
		}
	}
	return strings.ToLower(address), true
}
