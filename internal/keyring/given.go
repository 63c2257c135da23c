package keyring

import (
	"slices"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// Given are the keys of the configuration. A nil Signing or Session means that
// Caddy's storage has the one that signs. Next are accepted and, if they are
// public, published before they sign; Retired after they have.
type Given struct {
	Signing                     *token.SigningKey
	SigningNext, SigningRetired []*token.PublicKey
	Session                     *token.SessionKey
	SessionNext, SessionRetired []*token.SessionKey
}

// With is what a ring holds at a moment, of the given keys and a file. The file
// has keys of each kind of which none is given; it may be nil if there is no such
// kind.
func (g Given) With(f *File, now time.Time) token.Keys {
	keys := token.Keys{
		Session: g.Session, OtherSessions: slices.Concat(g.SessionNext, g.SessionRetired),
		Signing: g.Signing, OtherSigning: slices.Concat(g.SigningNext, g.SigningRetired),
	}
	if f == nil {
		return keys
	}
	if keys.Signing == nil {
		active, others := split(f.Signing, now, func(k Key) *token.SigningKey { return k.signing })
		keys.Signing = active
		public := make([]*token.PublicKey, 0, len(others)+len(keys.OtherSigning))
		for _, key := range others {
			public = append(public, key.Public())
		}
		keys.OtherSigning = append(public, keys.OtherSigning...)
		keys.Until = f.Signing.change(now)
	}
	if keys.Session == nil {
		active, others := split(f.Session, now, func(k Key) *token.SessionKey { return k.session })
		keys.Session, keys.OtherSessions = active, append(others, keys.OtherSessions...)
	}
	return keys
}

// split gives the key that signs, and the others: the next ones first.
func split[K any](t Timeline, now time.Time, key func(Key) K) (active K, others []K) {
	t = t.Live(now)
	i := t.active(now)
	for j := i + 1; j < len(t); j++ {
		others = append(others, key(t[j]))
	}
	for j := range i {
		others = append(others, key(t[j]))
	}
	return key(t[i]), others
}
