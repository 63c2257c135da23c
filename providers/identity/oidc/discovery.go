package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

const (
	// metadataLifetime is how long the metadata and keys are used before they are
	// fetched again; the old ones stay if that fails.
	metadataLifetime = time.Hour
	// failureLifetime is how long a failure answers for further attempts, so that
	// a provider in trouble is not hammered.
	failureLifetime = 2 * time.Second
)

// metadata is what discovery told.
type metadata struct {
	oauth2.Endpoint
	userinfo    string // "" if there is none
	sendsIssuer bool
	keys        *keySet
}

// discovery fetches the provider's metadata when it is first needed, one call
// at a time (OpenID Connect Discovery 1.0 section 4).
type discovery struct {
	issuer    string
	algorithm jose.SignatureAlgorithm
	client    *http.Client
	now       func() time.Time
	calls     singleflight.Group

	mu          sync.Mutex
	known       *metadata
	refreshAt   time.Time
	failure     error
	failedUntil time.Time
}

func newDiscovery(issuer, algorithm string, client *http.Client, now func() time.Time) *discovery {
	return &discovery{issuer: issuer, algorithm: jose.SignatureAlgorithm(algorithm), client: client, now: now}
}

// get returns the metadata, from memory if it is fresh. The error wraps
// providers.ErrUnavailable.
func (d *discovery) get(ctx context.Context) (*metadata, error) {
	if m, err, ok := d.remembered(); ok {
		return m, err
	}
	// The call is everybody's: it does not end with the request that began it.
	result := d.calls.DoChan("", func() (any, error) { return d.refresh(context.WithoutCancel(ctx)) })
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*metadata), nil
	case <-ctx.Done():
		return nil, idp.Unavailable("waiting for the metadata of "+d.issuer, ctx.Err())
	}
}

// remembered returns what memory has to say, if anything.
func (d *discovery) remembered() (*metadata, error, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	switch {
	case d.known != nil && now.Before(d.refreshAt):
		return d.known, nil, true
	case !now.Before(d.failedUntil):
		return nil, nil, false
	case d.known != nil:
		return d.known, nil, true
	default:
		return nil, d.failure, true
	}
}

func (d *discovery) refresh(ctx context.Context) (*metadata, error) {
	// Another call may have ended between the look into memory and this one.
	if m, err, ok := d.remembered(); ok {
		return m, err
	}
	fetched, err := d.fetch(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.failure, d.failedUntil = err, d.now().Add(failureLifetime)
		if d.known != nil {
			return d.known, nil
		}
		return nil, err
	}
	if d.known != nil && d.known.keys.uri == fetched.keys.uri {
		fetched.keys = d.known.keys
	}
	d.known, d.refreshAt = fetched, d.now().Add(metadataLifetime)
	return fetched, nil
}

func (d *discovery) fetch(ctx context.Context) (*metadata, error) {
	doing := "discovering " + d.issuer
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, d.client), d.issuer)
	var mismatch *oidc.IssuerMismatchError
	if errors.As(err, &mismatch) {
		err = fmt.Errorf("its metadata says that it is %.200q", mismatch.Discovered)
	}
	if err != nil {
		return nil, idp.Unavailable(doing, err)
	}
	var text json.RawMessage
	if err := provider.Claims(&text); err != nil {
		return nil, idp.Unavailable(doing, errors.New("the metadata is not JSON"))
	}
	if _, err := idp.DecodeObject(text); err != nil {
		return nil, idp.Unavailable(doing, fmt.Errorf("the metadata is not what it should be: %w", err))
	}
	var more struct {
		JWKS        string   `json:"jwks_uri"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, idp.Unavailable(doing, errors.New("the metadata has a member of the wrong type"))
	}
	m := &metadata{
		Endpoint:    provider.Endpoint(),
		userinfo:    provider.UserInfoEndpoint(),
		sendsIssuer: more.SendsIssuer,
		keys:        newKeySet(more.JWKS, d.algorithm, d.client, d.now),
	}
	m.AuthStyle = authStyle(more.AuthMethods)
	required := []struct{ name, url string }{
		{"authorization_endpoint", m.AuthURL},
		{"token_endpoint", m.TokenURL},
		{"jwks_uri", more.JWKS},
	}
	if m.userinfo != "" {
		required = append(required, struct{ name, url string }{"userinfo_endpoint", m.userinfo})
	}
	for _, endpoint := range required {
		u, err := url.Parse(endpoint.url)
		if err != nil || !idp.SecureURL(u, strings.HasPrefix(d.issuer, "http:")) {
			return nil, idp.Unavailable(doing, fmt.Errorf("the metadata's %s is %.200q, expected an absolute https URL", endpoint.name, endpoint.url))
		}
	}
	return m, nil
}

// authStyle chooses how the gateway proves itself at the token endpoint: by
// HTTP Basic, the default of OpenID Connect Discovery 1.0 section 3, unless
// only the form is offered. x/oauth2 would try both, and a code that has been
// tried is gone.
func authStyle(methods []string) oauth2.AuthStyle {
	if !slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}
