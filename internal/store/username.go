package store

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// maxUsername is the length of the longest username, in bytes.
const maxUsername = 64

// reservedUsernames are names that could be taken for the service itself, for
// its staff, or for "nobody" (S28). They are in folded form.
var reservedUsernames = []string{
	"abuse", "account", "accounts", "admin", "administrator", "all", "anonymous", "api", "assets", "auth",
	"authenticated", "billing", "bot", "callback", "check", "contact", "daemon", "default", "everybody", "everyone",
	"false", "guest", "health", "help", "hostmaster", "info", "internal", "login", "logout", "mail", "me",
	"moderator", "nil", "nobody", "none", "noreply", "no-reply", "null", "oauth", "official", "operator", "owner",
	"postmaster", "private", "profile", "public", "register", "root", "security", "self", "service", "session",
	"settings", "signin", "signout", "signup", "staff", "static", "status", "sudo", "superuser", "support",
	"sysadmin", "system", "team", "true", "undefined", "unknown", "user", "username", "users", "webmaster", "www",
}

// FoldUsername returns the form in which usernames are compared: lower-cased
// NFKC (S28).
func FoldUsername(username string) string {
	// Lower-casing can take a text out of the normal form.
	return norm.NFKC.String(strings.ToLower(norm.NFKC.String(username)))
}

// ValidUsername reports whether a username in folded form can be given to
// somebody: a letter a-z or digit, then up to 63 of letters, digits, ".", "_"
// and "-", and not reserved (S28).
func ValidUsername(username string) bool {
	if username == "" || len(username) > maxUsername || !isAlphanumeric(username[0]) {
		return false
	}
	for _, c := range []byte(username) {
		if !isUsernameByte(c) {
			return false
		}
	}
	return !slices.Contains(reservedUsernames, username)
}

func isAlphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func isUsernameByte(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '_' || c == '-' }

// usernameBase makes the best of a wish: what is valid in it, or "user".
// Accents are dropped from their letters. Of an e-mail address it is what stands
// before the "@" (contract 1.5): with the rest of it everybody who sees the name
// would know the address.
func usernameBase(wish string) string {
	// NFKD is NFKC with the accents apart.
	folded := norm.NFKD.String(FoldUsername(wish))
	// After the folding, since that is what makes an "@" of others, such as "＠".
	folded, _, _ = strings.Cut(folded, "@")
	valid := strings.Map(func(r rune) rune {
		if r < 0x80 && isUsernameByte(byte(r)) {
			return r
		}
		return -1
	}, folded)
	valid = strings.TrimLeft(valid, "._-")
	if len(valid) > maxUsername {
		valid = valid[:maxUsername]
	}
	if valid == "" {
		return "user"
	}
	return valid
}

// usernameCandidates yields names to try: the base, then the base with 1, 2, 3
// … as the original did (contract 1.5), from 100 on with random numbers that
// grow longer, so that a popular name does not cost a try for each owner.
func usernameCandidates(base string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if ValidUsername(base) && !yield(base) {
			return
		}
		for n := 1; n < 100; n++ {
			if !yield(withSuffix(base, n)) {
				return
			}
		}
		for limit := 1000; limit <= 1_000_000_000; limit *= 10 {
			if !yield(withSuffix(base, 100+rand.IntN(limit))) {
				return
			}
		}
	}
}

func withSuffix(base string, n int) string {
	suffix := strconv.Itoa(n)
	return base[:min(len(base), maxUsername-len(suffix))] + suffix
}
