package keyring

// Kind says what keys sign.
type Kind string

const (
	Signing Kind = "signing" // permission tokens
	Session Kind = "session" // session tokens
)

// Kinds are all of them, in the order in which people see them.
func Kinds() []Kind { return []Kind{Signing, Session} }
