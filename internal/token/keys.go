package token

import (
	"crypto/rsa"
	"strings"
	"time"
)

// Keys are what a Ring holds at one time.
type Keys struct {
	// Session signs session tokens.
	Session *SessionKey
	// OtherSessions sign nothing; their tokens are accepted. They have signed
	// until lately, or soon will.
	OtherSessions []*SessionKey
	// Signing signs permission tokens.
	Signing *SigningKey
	// OtherSigning are to Signing what OtherSessions are to Session. They are
	// published.
	OtherSigning []*PublicKey
	// Until is when the published keys will change; zero if that is not known.
	Until time.Time
}

// content is what a ring has worked out of its keys. It never changes.
type content struct {
	keys        Keys
	session     *SessionKey
	sessions    map[string]*SessionKey // by "kid"; the active one among them
	active      *SigningKey
	permissions *Verifier
	jwks        []byte
	heads       []head // the active ones first
}

// head is how the tokens of one key begin.
type head struct {
	text string
	kind Kind
}

func newContent(issuer string, keys Keys) *content {
	if issuer == "" || keys.Session == nil || keys.Signing == nil {
		panic("token: a ring wants an issuer, a session key and a signing key")
	}
	c := &content{
		keys:        keys,
		session:     keys.Session,
		sessions:    make(map[string]*SessionKey, 1+len(keys.OtherSessions)),
		active:      keys.Signing,
		permissions: &Verifier{issuer: issuer, active: keys.Signing.public.key, keys: make(map[string]*rsa.PublicKey, 1+len(keys.OtherSigning))},
	}
	for _, key := range append([]*SessionKey{keys.Session}, keys.OtherSessions...) {
		if _, twice := c.sessions[key.id]; !twice {
			c.sessions[key.id] = key
			c.heads = append(c.heads, head{key.head, KindSession})
		}
	}
	var published []string
	for _, key := range append([]*PublicKey{keys.Signing.public}, keys.OtherSigning...) {
		if _, twice := c.permissions.keys[key.id]; !twice {
			c.permissions.keys[key.id] = key.key
			c.heads = append(c.heads, head{key.head, KindPermission})
			published = append(published, string(key.jwk))
		}
	}
	c.jwks = []byte(`{"keys":[` + strings.Join(published, ",") + `]}`)
	return c
}

// own tells what kind of token of ours raw begins like; KindUnknown for none.
func (c *content) own(raw string) Kind {
	for i := range c.heads {
		if strings.HasPrefix(raw, c.heads[i].text) {
			return c.heads[i].kind
		}
	}
	return KindUnknown
}
