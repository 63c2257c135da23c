package caddymodule

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

const (
	// keyFileVersion is the form of the file. A later form has a higher number.
	keyFileVersion = 1
	// keyGrace is how much longer than its last token a key is accepted: for the
	// leeway of verifiers, and for gateways whose clocks differ.
	keyGrace = 10 * time.Minute
)

// keyKind says what keys sign.
type keyKind string

const (
	signingKeys keyKind = "signing" // permission tokens
	sessionKeys keyKind = "session" // session tokens
)

// keyFile is what all gateways on one storage share. What each key is for comes
// from the times in it alone, so that they all exchange keys at the same moment.
type keyFile struct {
	Version int `json:"version"`
	// Epoch changes when a key is taken out whose tokens have not ended.
	Epoch   string   `json:"epoch"`
	Signing timeline `json:"signing,omitempty"`
	Session timeline `json:"session,omitempty"`
}

// storedKey is one key with its times.
type storedKey struct {
	ID string `json:"id"`
	// Key is the private key: PEM, or base64 for session keys.
	Key       string    `json:"key"`
	CreatedAt time.Time `json:"created_at"`
	// SignsFrom is when it takes over from the one before it.
	SignsFrom time.Time `json:"signs_from"`
	// TokenSeconds is the longest lifetime of its tokens at any gateway.
	TokenSeconds int64 `json:"token_seconds"`

	signing *token.SigningKey // one of the two, when read
	session *token.SessionKey
}

// newKeyFile is a file without keys.
func newKeyFile() *keyFile { return &keyFile{Version: keyFileVersion, Epoch: randomHex()} }

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends instead
	return hex.EncodeToString(b[:])
}

// parseKeyFile reads a file. The errors have nothing of it in them.
func parseKeyFile(text []byte) (*keyFile, error) {
	var f keyFile
	if json.Unmarshal(text, &f) != nil {
		return nil, fmt.Errorf("reading %s in Caddy's storage: it is no JSON of the expected form", keyFileName)
	}
	if f.Version != keyFileVersion {
		return nil, fmt.Errorf("reading %s in Caddy's storage: its version is %d, expected %d; a newer gateway may have written it", keyFileName, f.Version, keyFileVersion)
	}
	for _, kind := range []keyKind{signingKeys, sessionKeys} {
		keys := *f.keys(kind)
		for i := range keys {
			if err := keys[i].parse(kind); err != nil {
				return nil, fmt.Errorf("reading %s in Caddy's storage: %s key %d: %w", keyFileName, kind, i+1, err)
			}
		}
		keys.sort()
	}
	return &f, nil
}

func (f *keyFile) keys(kind keyKind) *timeline {
	if kind == signingKeys {
		return &f.Signing
	}
	return &f.Session
}

// parse reads the key itself.
func (k *storedKey) parse(kind keyKind) (err error) {
	if kind == signingKeys {
		if k.signing, err = token.ParseSigningKey([]byte(k.Key), nil); err == nil {
			k.ID = k.signing.ID()
		}
		return err
	}
	if k.session, err = token.ParseSessionKey([]byte(k.Key)); err == nil {
		k.ID = k.session.ID()
	}
	return err
}

// readKey makes an entry of a private key's text.
func readKey(kind keyKind, text []byte, now time.Time) (storedKey, error) {
	key := storedKey{Key: string(text), CreatedAt: now, SignsFrom: now}
	return key, key.parse(kind)
}

// makeKey makes a new key.
func makeKey(kind keyKind, now time.Time) (storedKey, error) {
	if kind == signingKeys {
		key, err := token.GenerateSigningKey()
		if err != nil {
			return storedKey{}, err
		}
		return readKey(kind, key.PrivatePEM(), now)
	}
	key, err := token.GenerateSessionKey()
	if err != nil {
		return storedKey{}, err
	}
	return readKey(kind, key.Text(), now)
}

// timeline is the keys of one kind in the order in which they sign.
type timeline []storedKey

func (t timeline) sort() {
	slices.SortStableFunc(t, func(a, b storedKey) int { return a.SignsFrom.Compare(b.SignsFrom) })
}

// active is the place of the key that signs; -1 if there are none. If the clock
// is before all of them, it is the first.
func (t timeline) active(now time.Time) int {
	active := min(0, len(t)-1)
	for i := range t {
		if !t[i].SignsFrom.After(now) {
			active = i
		}
	}
	return active
}

// signsUntil is when a key is followed by the next; zero if by none.
func (t timeline) signsUntil(i int) time.Time {
	if i+1 == len(t) {
		return time.Time{}
	}
	return t[i+1].SignsFrom
}

// acceptedUntil is when the last token of a key has surely ended; zero for the
// last key, which signs until there is another.
func (t timeline) acceptedUntil(i int) time.Time {
	until := t.signsUntil(i)
	if until.IsZero() {
		return until
	}
	return until.Add(time.Duration(t[i].TokenSeconds)*time.Second + keyGrace)
}

// live is the timeline without the keys whose time is over.
func (t timeline) live(now time.Time) timeline {
	var live timeline
	for i := range t {
		if until := t.acceptedUntil(i); until.IsZero() || now.Before(until) {
			live = append(live, t[i])
		}
	}
	return live
}

// state is what a key is for now.
func (t timeline) state(i int, now time.Time) string {
	switch active := t.active(now); {
	case i == active:
		return "active"
	case i > active:
		return "next"
	default:
		return "retired"
	}
}

// change is when the keys are for something else than now; zero if that is not
// known.
func (t timeline) change(now time.Time) time.Time {
	var change time.Time
	for i := range t {
		for _, at := range []time.Time{t[i].SignsFrom, t.acceptedUntil(i)} {
			if at.After(now) && (change.IsZero() || at.Before(change)) {
				change = at
			}
		}
	}
	return change
}

// prolong notes that gateways make tokens of this lifetime with the keys that
// sign, or will. It reports whether that is news.
func (t timeline) prolong(lifetime time.Duration, now time.Time) bool {
	seconds, news := int64(lifetime/time.Second), false
	for i := max(0, t.active(now)); i < len(t); i++ {
		if t[i].TokenSeconds < seconds {
			t[i].TokenSeconds, news = seconds, true
		}
	}
	return news
}
