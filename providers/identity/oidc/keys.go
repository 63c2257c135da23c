package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

const (
	maxKeys    = 100
	minRSABits = 2048 // RFC 7518 section 3.3
	// At most maxRefetches times in refetchWindow are the keys fetched again
	// because a token names one that is not known (S24).
	maxRefetches  = 5
	refetchWindow = time.Minute
)

// errKeyUnknown says that the key set has no key that a token could be checked
// with.
var errKeyUnknown = errors.New("the provider publishes no key that the id_token was signed with")

// keySet holds the provider's public keys (RFC 7517). It replaces the one of
// go-oidc, which fetches the keys again for every token that it cannot verify.
type keySet struct {
	uri       string
	algorithm jose.SignatureAlgorithm
	client    *http.Client
	now       func() time.Time
	calls     singleflight.Group

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	refreshAt time.Time
	window    time.Time // when the current refetchWindow began
	refetches int       // in it
}

func newKeySet(uri string, algorithm jose.SignatureAlgorithm, client *http.Client, now func() time.Time) *keySet {
	return &keySet{uri: uri, algorithm: algorithm, client: client, now: now}
}

// verify checks the signature of a JWT in its compact form and returns the
// payload. The algorithm is the configured one, whatever the token says (S1).
func (k *keySet) verify(ctx context.Context, token string) ([]byte, error) {
	if err := checkCompact(token); err != nil {
		return nil, fmt.Errorf("the id_token is not a JWT signed with %s: %w", k.algorithm, err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{k.algorithm})
	if err != nil {
		return nil, fmt.Errorf("the id_token is not a JWT signed with %s", k.algorithm)
	}
	keys, fresh, err := k.get(ctx)
	if err != nil {
		return nil, err
	}
	payload, err := verifyWith(keys, jws)
	if !errors.Is(err, errKeyUnknown) || fresh || !k.mayRefetch() {
		return payload, err
	}
	if keys, err = k.fetchOnce(ctx); err != nil {
		return nil, err
	}
	return verifyWith(keys, jws)
}

// verifyWith uses the key that the token names by its kid. A token without kid
// can only mean the one key there is (OpenID Connect Core 1.0 section 10.1).
func verifyWith(keys []jose.JSONWebKey, jws *jose.JSONWebSignature) ([]byte, error) {
	kid := jws.Signatures[0].Header.KeyID
	if kid == "" && len(keys) > 1 {
		return nil, errors.New("the id_token names no key, and the provider publishes several")
	}
	for _, key := range keys {
		if kid != "" && key.KeyID != kid {
			continue
		}
		payload, err := jws.Verify(key.Key)
		if err != nil {
			if kid == "" {
				return nil, errKeyUnknown // the one key may have been replaced
			}
			return nil, errors.New("the signature of the id_token is wrong")
		}
		return payload, nil
	}
	return nil, errKeyUnknown
}

// get returns the keys, and whether they have been fetched just now.
func (k *keySet) get(ctx context.Context) (keys []jose.JSONWebKey, fresh bool, err error) {
	k.mu.Lock()
	keys, refreshAt := k.keys, k.refreshAt
	k.mu.Unlock()
	if keys != nil && k.now().Before(refreshAt) {
		return keys, false, nil
	}
	fetched, err := k.fetchOnce(ctx)
	if err != nil && keys != nil {
		return keys, false, nil
	}
	return fetched, true, err
}

func (k *keySet) mayRefetch() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); now.Sub(k.window) >= refetchWindow {
		k.window, k.refetches = now, 0
	}
	if k.refetches == maxRefetches {
		return false
	}
	k.refetches++
	return true
}

// fetchOnce fetches the keys, or waits for the call that does.
func (k *keySet) fetchOnce(ctx context.Context) ([]jose.JSONWebKey, error) {
	result := k.calls.DoChan("", func() (any, error) {
		keys, err := k.fetch(context.WithoutCancel(ctx))
		if err != nil {
			return nil, idp.Unavailable("fetching the keys of the provider", err)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.keys, k.refreshAt = keys, k.now().Add(metadataLifetime)
		return keys, nil
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.([]jose.JSONWebKey), nil
	case <-ctx.Done():
		return nil, idp.Unavailable("waiting for the keys of the provider", ctx.Err())
	}
}

func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.uri, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return parseKeys(body, k.algorithm)
}

// parseKeys returns the keys of a JWK set that can verify algorithm. Others
// are ignored, as RFC 7517 section 5 asks.
func parseKeys(body []byte, algorithm jose.SignatureAlgorithm) ([]jose.JSONWebKey, error) {
	if err := idp.CheckJSON(body); err != nil {
		return nil, fmt.Errorf("the provider's key set is not a JWK set: %w", err)
	}
	var set map[string]json.RawMessage // a struct would also take "KEYS"
	var all []json.RawMessage
	if json.Unmarshal(body, &set) != nil || json.Unmarshal(set["keys"], &all) != nil || all == nil {
		return nil, errors.New("the provider's key set is not a JWK set")
	}
	if len(all) > maxKeys {
		return nil, fmt.Errorf("the provider's key set has %d keys, more than %d", len(all), maxKeys)
	}
	keys := []jose.JSONWebKey{}
	for _, raw := range all {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil && usable(&key, algorithm) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// usable reports whether key is a public signing key of the algorithm's kind.
func usable(key *jose.JSONWebKey, algorithm jose.SignatureAlgorithm) bool {
	if key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != string(algorithm) {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		kind := strings.HasPrefix(string(algorithm), "RS") || strings.HasPrefix(string(algorithm), "PS")
		return kind && public.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		return map[jose.SignatureAlgorithm]int{jose.ES256: 256, jose.ES384: 384, jose.ES512: 521}[algorithm] ==
			public.Curve.Params().BitSize
	case ed25519.PublicKey:
		return algorithm == jose.EdDSA
	default:
		return false
	}
}
