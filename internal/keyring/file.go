package keyring

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// fileVersion is the form of the file. A later form has a higher number.
const fileVersion = 1

// File is what all gateways on one storage share. What each key is for comes
// from the times in it alone, so that they all exchange keys at the same moment.
type File struct {
	Version int `json:"version"`
	// Epoch changes when a key is taken out whose tokens have not ended.
	Epoch   string   `json:"epoch"`
	Signing Timeline `json:"signing,omitempty"`
	Session Timeline `json:"session,omitempty"`
}

// NewFile is a file without keys.
func NewFile() *File { return &File{Version: fileVersion, Epoch: randomHex()} }

func randomHex() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends instead
	return hex.EncodeToString(b[:])
}

// parseFile reads a file. The errors have nothing of it in them.
func parseFile(text []byte) (*File, error) {
	var f File
	if json.Unmarshal(text, &f) != nil {
		return nil, fmt.Errorf("reading %s in Caddy's storage: it is no JSON of the expected form", fileName)
	}
	if f.Version != fileVersion {
		return nil, fmt.Errorf("reading %s in Caddy's storage: its version is %d, expected %d; a newer gateway may have written it", fileName, f.Version, fileVersion)
	}
	for _, kind := range Kinds() {
		keys := *f.Keys(kind)
		for i := range keys {
			if err := keys[i].parse(kind); err != nil {
				return nil, fmt.Errorf("reading %s in Caddy's storage: %s key %d: %w", fileName, kind, i+1, err)
			}
		}
		keys.sort()
	}
	return &f, nil
}

// Keys are those of one kind: Signing or Session.
func (f *File) Keys(kind Kind) *Timeline {
	if kind == Signing {
		return &f.Signing
	}
	return &f.Session
}

// Complete reports whether there are keys of all kinds.
func (f *File) Complete(lifetimes map[Kind]time.Duration) bool {
	for kind := range lifetimes {
		if len(*f.Keys(kind)) == 0 {
			return false
		}
	}
	return true
}

// prolong is Timeline.prolong for all kinds.
func (f *File) prolong(lifetimes map[Kind]time.Duration, now time.Time) bool {
	news := false
	for kind, lifetime := range lifetimes {
		news = f.Keys(kind).prolong(lifetime, now) || news
	}
	return news
}

// prune takes out the keys whose time is over. It reports whether there were
// any.
func (f *File) prune(now time.Time) bool {
	pruned := false
	for _, kind := range Kinds() {
		keys := f.Keys(kind)
		live := keys.Live(now)
		pruned = pruned || len(live) < len(*keys)
		*keys = live
	}
	return pruned
}
