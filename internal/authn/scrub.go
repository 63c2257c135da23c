package authn

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// redacted is put where something was that is not for the log.
	redacted = "[redacted]"
	// maxScrubbed is the length in bytes that a scrubbed text is cut to.
	maxScrubbed = 300
	// minSecret is the length from which on a known text is worth hiding; hiding
	// shorter ones only makes the rest unreadable.
	minSecret = 4
)

var (
	// addressShape is anything like an e-mail address, plain or in a URL. It also
	// hits the user information of a URL, which is no loss.
	addressShape = regexp.MustCompile(`(?i)[^\s"'<>(),;:=&?/\[\]{}]+(?:@|%40)[^\s"'<>(),;:/&?\[\]{}]+`)
	// parameterShape is a parameter of a query or form that holds a secret.
	parameterShape = regexp.MustCompile(`(?i)((?:code|state|token|secret|verifier|nonce|assertion|password|jwt)=)[^\s&"']+`)
	// tokenShape is anything long enough to be a token, a verifier or a state.
	tokenShape = regexp.MustCompile(`[A-Za-z0-9_+~-]{32,}`)
)

// scrub makes a text fit for the log (S41): without the given secrets, without
// anything that looks like an e-mail address or a token, in one line, not too
// long. Texts of errors come from identity providers and extensions, who may
// quote what they were given.
func scrub(text string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		text = strings.ReplaceAll(text, secret, redacted)
		text = strings.ReplaceAll(text, url.QueryEscape(secret), redacted)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = addressShape.ReplaceAllString(text, redacted)
	text = parameterShape.ReplaceAllString(text, "${1}"+redacted)
	text = tokenShape.ReplaceAllString(text, redacted)
	if len(text) > maxScrubbed {
		end := maxScrubbed
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return text
}

// scrubbed is an error whose text is fit for the log while errors.Is and
// errors.As still see the original.
type scrubbed struct {
	text string
	err  error
}

func (s *scrubbed) Error() string { return s.text }
func (s *scrubbed) Unwrap() error { return s.err }

// scrubError returns err with a scrubbed text; nil stays nil.
func scrubError(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	return &scrubbed{text: scrub(err.Error(), secrets...), err: err}
}
