package dev

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// User is somebody that the sign-in page offers.
type User struct {
	// Username is the wished username and, for ever, the name of the account at
	// the development sign-in: lower-case letters, digits, ".", "_" and "-".
	Username string `json:"username"`
	// Email is the address, which counts as verified.
	Email string `json:"email"`
	// Name is the display name. Default: the username.
	Name string `json:"name,omitempty"`
}

func defaultUsers() []User {
	return []User{
		{"ada", "ada@example.com", "Ada Lovelace"},
		{"bob", "bob@example.com", "Bob Kahn"},
		{"eve", "eve@example.com", "Eve Smith"},
	}
}

var validUsername = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func checkUsers(users []User) error {
	names, addresses := make(map[string]bool), make(map[string]bool)
	for _, user := range users {
		switch address := strings.ToLower(user.Email); {
		case !validUsername.MatchString(user.Username):
			return fmt.Errorf("user: found the name %q, expected 1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first", user.Username)
		case !idp.ValidEmail(user.Email):
			return fmt.Errorf("user %s: found something that is no e-mail address, expected one such as ada@example.com", user.Username)
		case names[user.Username]:
			return fmt.Errorf("user: found the name %q twice, expected each once", user.Username)
		case addresses[address]:
			return fmt.Errorf("user %s: found an e-mail address that another user has, expected each once", user.Username)
		default:
			names[user.Username], addresses[address] = true, true
		}
	}
	return nil
}

func (u User) displayName() string {
	if u.Name == "" {
		return u.Username
	}
	return u.Name
}

func (u User) person() fakeidp.Person {
	return fakeidp.Person{
		Subject: u.Username, Email: u.Email, EmailVerified: true,
		Name: u.displayName(), Username: u.Username,
	}
}

// typedPerson is who typed an address, and perhaps a name, into the page. The
// same address is always the same account; no sample's username has a colon.
func typedPerson(name, email string) fakeidp.Person {
	hash := sha256.Sum256([]byte(strings.ToLower(email)))
	local, _, _ := strings.Cut(email, "@")
	if name == "" {
		name = local
	}
	return fakeidp.Person{
		Subject: "typed:" + hex.EncodeToString(hash[:16]), Email: email, EmailVerified: true,
		Name: name, Username: strings.ToLower(local),
	}
}
