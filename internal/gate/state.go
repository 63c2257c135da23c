package gate

import (
	"net/http"
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
	// Decision is what the last gate let through; nil means anonymous.
	Decision *authz.Decision
	// Candidate is whom a gate refused although it knew him.
	Candidate *authz.Decision

	cleaned     bool
	varied      bool
	credentials wire.Credentials
	// values backs the headers that are set, so that each request has its own
	// and a later handler may change them.
	values [headerCount + 1]string
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
	st.values[headerCount] = varyValue
	h["Vary"] = st.values[headerCount : headerCount+1 : headerCount+1]
}
