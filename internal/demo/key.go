package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

const (
	fetchTimeout = 5 * time.Second
	maxKey       = 64 << 10
	// keepKey is how long a fetched key is used, and so how soon a new one is
	// known; keepFailure spares a gateway that is down a question per request.
	keepKey     = time.Minute
	keepFailure = time.Second
)

// keySource is the gateway's public key, fetched when it is first needed.
type keySource struct {
	url, issuer string
	client      http.Client

	mu    sync.Mutex // held while fetching, so that one request fetches for all
	known *token.Verifier
	err   error
	until time.Time
}

func newKeySource(url, issuer string) *keySource {
	return &keySource{url: url, issuer: issuer, client: http.Client{
		Timeout: fetchTimeout,
		// The key comes from where we were told, and from nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// verifier returns a verifier with the gateway's current key, or why there is
// none.
func (k *keySource) verifier(ctx context.Context) (*token.Verifier, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().Before(k.until) {
		return k.known, k.err
	}
	// The answer is for everybody, so it does not end with this request.
	k.known, k.err = k.fetch(context.WithoutCancel(ctx))
	k.until = time.Now().Add(keepKey)
	if k.err != nil {
		k.err = fmt.Errorf("fetching the public key: %w", k.err)
		k.until = time.Now().Add(keepFailure)
	}
	return k.known, k.err
}

func (k *keySource) fetch(ctx context.Context) (*token.Verifier, error) {
	if k.url == "" {
		return nil, errors.New("no address is configured")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the gateway answered %s", response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKey+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxKey {
		return nil, fmt.Errorf("more than %d bytes", maxKey)
	}
	return token.NewVerifier(k.issuer, text)
}
