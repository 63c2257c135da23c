// Package gate is what stands before an upstream: it cleans the request, finds
// out who is asking, asks authz whether that is enough, and sets the identity
// headers that the upstream trusts. It is plain net/http; Caddy's handler and
// the verify endpoint are adapters.
package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

// Kind is what a gate demands.
type Kind int

const (
	// Identify turns nobody away.
	Identify Kind = iota
	// Login lets through whoever is signed in.
	Login
	// Permission lets through whoever has the permissions in a service.
	Permission
)

// Rule is one directive's demand.
type Rule struct {
	Kind Kind
	// Service is the protected service of a Permission rule.
	Service string
	// All are the permissions of which every one is needed; of Any, one. They may
	// hold placeholders.
	All, Any []string
	// QueryToken lets "?jwt=" count as a credential.
	QueryToken bool
	// ForwardToken is the header that takes a signed permission token to the
	// upstream; "" means none.
	ForwardToken string
	// LenientPaths judges paths by wire.LenientPath instead of wire.ForwardPath.
	LenientPaths bool
	// PassPreflight hands CORS preflights to the upstream.
	PassPreflight bool
}

// Decider is what a gate needs of authz.
type Decider interface {
	Decide(ctx context.Context, c authz.Credential, service string) (*authz.Decision, error)
	// UpstreamToken returns a header's one value.
	UpstreamToken(ctx context.Context, d *authz.Decision) ([]string, error)
}

// Config is what gates share. Page and Reserved may be nil.
type Config struct {
	Site    *wire.Site
	Next    *wire.NextPolicy
	Decider Decider
	// Ours reports whether a Bearer token claims to be the gateway's.
	Ours func(token string) bool
	// Page shows a refusal to a person; nil means JSON for everybody.
	Page wire.ProblemPage
	// Reserved holds the header names besides X-Auth-* and Auth-Token that no
	// client may send: the ForwardToken headers of all gates that share it.
	Reserved *Reserved
}

// Gate judges requests by one rule.
type Gate struct {
	Config
	rule   Rule
	reader wire.Reader
}

// New makes a gate.
func New(c Config, rule Rule) (*Gate, error) {
	if rule.Kind == Permission && (rule.Service == "" || len(rule.All)+len(rule.Any) == 0) {
		return nil, fmt.Errorf("a permission gate needs a service and at least one permission")
	}
	if rule.Kind != Permission && rule.ForwardToken != "" {
		return nil, fmt.Errorf("only a permission gate forwards a token: a permission token is for one service")
	}
	if c.Reserved == nil {
		c.Reserved = new(Reserved)
	}
	if err := c.Reserved.add(rule.ForwardToken); err != nil {
		return nil, err
	}
	rule.ForwardToken = http.CanonicalHeaderKey(rule.ForwardToken)
	return &Gate{Config: c, rule: rule, reader: wire.Reader{Site: c.Site, Ours: c.Ours}}, nil
}

// Admit judges a request. If it may go on, Admit returns nil, and r has been
// cleaned and carries the identity headers; otherwise the refusal, which the
// caller hands to Refuse. Gates may be stacked: all of a request share st, and
// the last one's headers stand.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request, st *State) *wire.Problem {
	if p := g.clean(r, st); p != nil {
		return p
	}
	if g.rule.QueryToken {
		st.queried = true
		if p := g.readQuery(r, st); p != nil {
			return p
		}
	} else if st.queried {
		dropQueryToken(r) // an error route has the address back as it came
	}
	d, p := g.judge(r, st)
	if p != nil {
		return p
	}
	if hasLower(r.Method) {
		return &badMethod
	}
	st.Decision = d
	if p := g.setHeaders(r, st); p != nil {
		return p
	}
	st.vary(w.Header())
	return nil
}

// judge says as whom a request may go on; nil means as nobody.
func (g *Gate) judge(r *http.Request, st *State) (*authz.Decision, *wire.Problem) {
	if g.rule.Kind != Identify && wire.IsPreflight(r) {
		if !g.rule.PassPreflight {
			return nil, &preflight
		}
		return nil, nil // preflights carry no credentials (Fetch standard)
	}
	d, p := g.decide(r, st)
	switch {
	case p != nil && g.rule.Kind == Identify && p.Code != wire.CodeAmbiguousCredentials:
		return nil, nil
	case p != nil:
		return nil, p
	case g.rule.Kind == Permission:
		if p := g.missing(d, st); p != nil {
			st.Candidate = d
			return nil, p
		}
	}
	return d, nil
}

// decide finds out whose credential it is. A token speaks before a cookie,
// which must then be of the same session (S9).
func (g *Gate) decide(r *http.Request, st *State) (*authz.Decision, *wire.Problem) {
	c := st.credentials
	switch {
	case c.Token != "":
		d, err := g.Decider.Decide(r.Context(), authz.Token(c.Token), g.rule.Service)
		if err != nil {
			return nil, refusalOf(err)
		}
		if c.Cookie != "" {
			other, err := g.Decider.Decide(r.Context(), authz.Cookie(c.Cookie), "")
			if err == nil && other.Session.ID != d.Session.ID {
				return nil, &ambiguous
			}
		}
		return d, nil
	case c.Cookie != "":
		d, err := g.Decider.Decide(r.Context(), authz.Cookie(c.Cookie), g.rule.Service)
		if err != nil {
			return nil, refusalOf(err)
		}
		return d, nil
	}
	return nil, &notSignedIn
}

func refusalOf(err error) *wire.Problem {
	switch {
	case errors.Is(err, authz.ErrInvalid):
		return &tokenInvalid
	case errors.Is(err, authz.ErrEnded):
		return &sessionEnded
	case errors.Is(err, authz.ErrDisabled):
		return &userDisabled
	}
	return &unavailable
}
