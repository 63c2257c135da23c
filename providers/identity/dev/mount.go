package dev

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
	"github.com/datahq/auth-gateway/providers/identity/oidc"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// ClientID is the gateway's name at its development sign-in: a public client,
// which proves itself by PKCE.
const ClientID = "auth-gateway"

// slowness is more than the gateway waits for a provider.
const slowness = 12 * time.Second

// idps holds the OpenID Connect providers by issuer, so that keys and codes
// outlive a reload of the configuration.
var idps = caddy.NewUsagePool()

// pooled is a provider in the pool. It has nothing to close, so a request that
// is still being served when the last configuration lets go of it goes on.
type pooled struct{ *fakeidp.IdP }

func (pooled) Destruct() error { return nil }

// mount is a Provider at an address.
type mount struct {
	issuer string
	idp    *fakeidp.IdP
	client *oidc.Provider
}

// Mount takes the address of the sign-in page, and refuses one that others
// could reach.
func (p *Provider) Mount(base *url.URL) error {
	if err := checkBase(base); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mount != nil {
		return errors.New("the development sign-in is mounted already")
	}
	issuer := strings.TrimSuffix(base.String(), "/")
	client := &oidc.Provider{Issuer: issuer, ClientID: ClientID}
	if err := client.Provision(caddy.Context{}); err != nil {
		return fmt.Errorf("preparing the development sign-in: %w", err)
	}
	if err := client.Validate(); err != nil {
		return fmt.Errorf("preparing the development sign-in: %w", err)
	}
	held, _, err := idps.LoadOrNew(issuer, func() (caddy.Destructor, error) { return newIdP(issuer, base), nil })
	if err != nil {
		return fmt.Errorf("preparing the development sign-in: %w", err)
	}
	p.mount = &mount{issuer: issuer, idp: held.(pooled).IdP, client: client}
	if p.logger != nil {
		p.logger.Warn("development sign-in is on: whoever uses this machine can sign in as anybody",
			zap.String("address", issuer))
	}
	return nil
}

func (m *mount) release() error {
	_, err := idps.Delete(m.issuer)
	return errors.Join(err, m.client.Cleanup())
}

func newIdP(issuer string, base *url.URL) pooled {
	origin := base.Scheme + "://" + base.Host
	return pooled{fakeidp.New(fakeidp.Config{
		Issuer: issuer,
		Clients: []fakeidp.Client{{
			ID:              ClientID,
			RedirectAllowed: func(uri string) bool { return sameOrigin(uri, origin) },
		}},
		Choose: func(w http.ResponseWriter, r *http.Request, req fakeidp.AuthorizeRequest) {
			chooserOf(r).serve(w, r, req)
		},
		Delay: slowness,
	})}
}

func checkBase(base *url.URL) error {
	const advice = `write "external_address http://localhost:<port>" (or 127.0.0.1, [::1]), or take the development sign-in out of the configuration`
	if base == nil {
		return errors.New("the development sign-in has no address")
	}
	if base.Scheme != "http" || base.User != nil || !idp.IsLoopback(base.Hostname()) {
		return fmt.Errorf("the development sign-in lets anybody be anybody and must not be reachable by others: found the address %q, expected http on this machine; %s",
			base.Redacted(), advice)
	}
	return nil
}

func sameOrigin(uri, origin string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.User == nil && u.Fragment == "" && u.Scheme+"://"+u.Host == origin
}
