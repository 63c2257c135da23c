package idp

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

const (
	callTimeout = 10 * time.Second
	maxBody     = 1 << 20
)

// NewHTTPClient returns the client for every call to a provider (S26): 10 s
// from dialling to the last byte, at most 1 MiB, no redirect, JSON only. Every
// other answer is an error of the call; one with a wrong status is a
// *StatusError, but for a 4xx answer to a POST, which is returned.
func NewHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Client{
		Timeout: callTimeout,
		Transport: strict{&http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           8,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}},
	}
}

// strict refuses every answer that is not what a provider gives. It reads the
// body at once, so that what is wrong with it is an error of the call and no
// parser sees half of it.
type strict struct {
	base *http.Transport
}

func (s strict) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && r.Header.Get("Accept") == "" {
		// The token endpoint: x/oauth2 does not say what it wants, and then GitHub
		// answers with a form.
		r = r.Clone(r.Context())
		r.Header.Set("Accept", "application/json")
	}
	resp, err := s.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// The token endpoint says what is wrong with a request in the JSON of a 4xx
	// answer (RFC 6749 section 5.2).
	refusal := r.Method == http.MethodPost && resp.StatusCode >= 400 && resp.StatusCode < 500 &&
		resp.StatusCode != http.StatusTooManyRequests
	if resp.StatusCode != http.StatusOK && !refusal {
		return nil, newStatusError(resp)
	}
	if contentType := resp.Header.Get("Content-Type"); !isJSON(contentType) {
		return nil, unacceptable("status %d with Content-Type %.80q, expected JSON", resp.StatusCode, contentType)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxBody {
		return nil, unacceptable("more than %d bytes", maxBody)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// CloseIdleConnections is called by http.Client's method of that name.
func (s strict) CloseIdleConnections() { s.base.CloseIdleConnections() }

func unacceptable(format string, args ...any) error {
	return errors.New("the provider answered with " + fmt.Sprintf(format, args...))
}

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" ||
		strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json"))
}

// Unavailable is the error of a call that brought no answer, or none that can
// be used. It wraps providers.ErrUnavailable and err.
func Unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, providers.ErrUnavailable, err)
}
