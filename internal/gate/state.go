package gate

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

// varyValue is what an answer behind a gate depends on (S34).
const varyValue = "Authorization, Cookie, Auth-Token"

// State is what the gates of one request know. The first one cleans the
// request and keeps what it found; a new State is an unseen request.
type State struct {
	// Expand replaces the placeholders of a permission; nil leaves them.
	Expand func(string) string
	// TrustedPeer says that the request comes from a configured proxy, whose
	// forwarding headers stand.
	TrustedPeer bool
	// Original is the address as the client sent it, where a rewrite has changed
	// it: matchers may have judged by that, and a rewrite cleans what is ambiguous
	// (S11). Nil means that there was no rewrite.
	Original *url.URL
	// Decision is what the last gate let through; nil means anonymous.
	Decision *authz.Decision
	// Candidate is whom a gate refused although it knew him.
	Candidate *authz.Decision

	cleaned     bool
	varied      bool
	queried     bool // "?jwt=" counts
	named       bool // identity headers are set
	credentials wire.Credentials
	// forwarded is the header in which the last gate forwards a token, "" if it
	// does not.
	forwarded string
	// values backs the headers that are set: identityHeaders and then those of the
	// slots.
	values [headerCount + 2]string
}

const (
	varySlot = headerCount + iota
	tokenSlot
)

// own makes header values of this request's own, without allocating, so that a
// later handler may change them in place: the decision's are shared.
func (st *State) own(slot int, value string) []string {
	st.values[slot] = value
	return st.values[slot : slot+1 : slot+1]
}

// expand replaces placeholders; a permission must not become empty by it.
func (st *State) expand(name string) (string, bool) {
	if st.Expand == nil || !strings.Contains(name, "{") {
		return name, name != ""
	}
	name = st.Expand(name)
	return name, name != ""
}

// vary marks the answer as depending on the credential. The upstream's own
// Vary is added to it by the proxy.
func (st *State) vary(h http.Header) {
	if st.varied {
		return
	}
	st.varied = true
	if _, set := h["Vary"]; set {
		h.Add("Vary", varyValue)
		return
	}
	h["Vary"] = st.own(varySlot, varyValue)
}
