package authn

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/datahq/auth-gateway/providers"
)

const (
	maxAccountKey = 2048 // bytes of issuer and of subject
	maxEmail      = 254  // RFC 5321 section 4.5.3.1.3, less the angle brackets
	maxText       = 256  // characters of a name
	maxAvatarURL  = 512  // the column's length, contract section 1.4
)

var (
	errNoAccountKey = errors.New("the identity has no usable issuer and subject")
	errNoEmail      = errors.New("the identity has no e-mail address")
	errUnverified   = errors.New("the e-mail address is not verified")
	errBadEmail     = errors.New("the e-mail address is not well-formed")
)

// checkKey judges what names the account. It is taken exactly as it is or not
// at all, since two spellings would be two accounts.
func checkKey(id providers.Identity) error {
	for _, part := range []string{id.Issuer, id.Subject} {
		if part == "" || len(part) > maxAccountKey || !isPlain(part) {
			return errNoAccountKey
		}
	}
	return nil
}

// checkEmail judges the address (S27, ruling 15).
func checkEmail(id providers.Identity) error {
	switch {
	case id.Email == "":
		return errNoEmail
	case !id.EmailVerified:
		return errUnverified
	case !isAddress(id.Email):
		return errBadEmail
	default:
		return nil
	}
}

// isAddress reports whether text is one plain ASCII address: a local part of
// RFC 5322 atoms (dots anywhere, since large providers gave out such ones) and
// a host name. Comments, quotes, groups and address literals are refused:
// readers disagree about them, and two readings of one address are two people.
func isAddress(text string) bool {
	local, domain, found := strings.Cut(text, "@")
	if !found || local == "" || len(text) > maxEmail {
		return false
	}
	for _, c := range []byte(local) {
		if !isAlphanumeric(c) && !strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", rune(c)) {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// tidy makes the describing fields safe to store: valid text without control
// characters, not too long. They come from whoever made the account at the
// provider, and a NUL byte in a name must not become a database error.
func tidy(id providers.Identity) providers.Identity {
	id.Name = tidyText(id.Name)
	id.Username = tidyText(id.Username)
	if !isAvatarURL(id.AvatarURL) {
		id.AvatarURL = ""
	}
	if len(id.SessionID) > maxAccountKey || !isPlain(id.SessionID) {
		id.SessionID = ""
	}
	return id
}

func tidyText(text string) string {
	var b strings.Builder
	count := 0
	for _, r := range strings.ToValidUTF8(text, "") {
		if unicode.IsControl(r) {
			continue
		}
		if count++; count > maxText {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// isAvatarURL refuses what a page would run or could not show, and what is in no
// URL (RFC 3986 appendix A): clients of the API put it into their pages, and not
// all of them escape it.
func isAvatarURL(text string) bool {
	if len(text) > maxAvatarURL || !isPlain(text) || strings.ContainsAny(text, "\"'<>`\\ ") {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// isPlain reports whether text is valid UTF-8 without control characters.
func isPlain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
