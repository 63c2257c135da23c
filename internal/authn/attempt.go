package authn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/datahq/auth-gateway/providers"
)

// AttemptLifetime is how long a sign-in may take, from the link to the
// callback (S21).
const AttemptLifetime = 10 * time.Minute

const (
	maxNext    = 8 << 10 // bytes; the longest request URI is no longer (S38)
	maxPrivate = 4 << 10 // bytes; promised by providers.IdentityProvider
)

// Attempt is what a sign-in was started with.
type Attempt struct {
	// Provider is the configured name of the identity provider.
	Provider string
	// Next is where to go afterwards, as it was given to Begin.
	Next string
	// DeliverToken says that Next gets a session token in its query.
	DeliverToken bool
}

// Request is what a sign-in is asked for with.
type Request struct {
	// Next is where to go afterwards, at most 8 KiB. It has been checked by the
	// caller (S19), who checks it again at the end.
	Next string
	// DeliverToken says that Next gets a session token in its query.
	DeliverToken bool
}

// Start is a sign-in that has been started.
type Start struct {
	// Location is the absolute URL to send the browser to.
	Location string
	// State names the sign-in in the callback: 43 characters of base64url, of which
	// the first says where it is kept.
	State string
	// Binding is the secret for the browser to keep in a cookie until the
	// callback: 43 characters of base64url.
	Binding string
	// ExpiresAt is when the sign-in, and so the cookie, is over.
	ExpiresAt time.Time
}

// record is an attempt as it is stored, under the hash of its state.
type record struct {
	Provider     string `json:"provider"`
	Next         string `json:"next"`
	DeliverToken bool   `json:"deliver"`
	Private      []byte `json:"private,omitempty"`
	RedirectURI  string `json:"redirect_uri"`
	// OwnURI says that RedirectURI is this provider's alone (S23).
	OwnURI    bool      `json:"own_uri"`
	Binding   []byte    `json:"binding"` // hash of Start.Binding
	ExpiresAt time.Time `json:"expires"`
}

// encode is the record as it is stored: JSON in which "&" and the like, of which
// a Next is full, take one byte and not six. At most two bytes for one of a
// checked Next (S19) and four for three of Private: 22 KiB.
func (r *record) encode() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (r *record) attempt() *Attempt {
	return &Attempt{Provider: r.Provider, Next: r.Next, DeliverToken: r.DeliverToken}
}

// Begin starts a sign-in with the named identity provider (S21, S22). The
// error is an *Error with one of CodeUnknownProvider, CodeBadNext,
// CodeProviderError, CodeProviderUnavailable, CodeClockSkew, CodeAccessDenied
// or CodeUnavailable.
func (s *Service) Begin(ctx context.Context, provider string, r Request) (Start, error) {
	start, failure := s.begin(ctx, provider, r)
	if failure != nil {
		s.logFailure(failure)
		return Start{}, failure
	}
	return start, nil
}

func (s *Service) begin(ctx context.Context, provider string, r Request) (Start, *Error) {
	login, ok := s.LoginNamed(provider)
	if !ok {
		// The name is whatever was in the path, so it is not repeated.
		return Start{}, fail(CodeUnknownProvider, nil, nil)
	}
	attempt := &Attempt{Provider: login.Name, DeliverToken: r.DeliverToken}
	if len(r.Next) > maxNext || !utf8.ValidString(r.Next) {
		return Start{}, fail(CodeBadNext, attempt, nil)
	}
	attempt.Next = r.Next

	kept := record{Provider: login.Name, Next: r.Next, DeliverToken: r.DeliverToken}
	err := guest(func() (err error) {
		kept.RedirectURI, kept.OwnURI, err = s.redirectURI(ctx, login)
		return err
	})
	if err != nil {
		return Start{}, fail(providerCode(err), attempt, scrubError(err))
	}
	failure := fail(CodeUnavailable, attempt, errors.New("storing the sign-in: there is no place for it"))
	for _, place := range s.store.AttemptPlaces() {
		// A place that gave an error may have kept it. So each has a state of its
		// own, and that one is never heard of again (S21).
		var start Start
		if start, failure = s.beginAt(ctx, place, login, kept); failure == nil || failure.Code != CodeUnavailable {
			return start, failure
		}
	}
	return Start{}, failure
}

// beginAt starts a sign-in that is kept in a place. kept lacks what is made anew
// for each. An error with CodeUnavailable means that the place cannot be used.
func (s *Service) beginAt(ctx context.Context, place Place, login Login, kept record) (Start, *Error) {
	start := Start{State: newState(place), Binding: randomSecret(), ExpiresAt: s.now().UTC().Add(AttemptLifetime)}
	kept.Binding, kept.ExpiresAt = hash(start.Binding), start.ExpiresAt
	err := guest(func() (err error) {
		start.Location, kept.Private, err = login.Provider.LoginURL(ctx, kept.RedirectURI, start.State)
		return err
	})
	if err == nil {
		err = checkStart(start.Location, kept.Private)
	}
	if err != nil {
		return Start{}, fail(providerCode(err), kept.attempt(), scrubError(err, start.State, string(kept.Private)))
	}
	value, err := kept.encode()
	if err == nil {
		err = s.store.PutAttempt(ctx, place, hash(start.State), value, start.ExpiresAt)
	}
	if err != nil {
		return Start{}, fail(CodeUnavailable, kept.attempt(), scrubError(fmt.Errorf("storing the sign-in: %w", err), start.State, string(kept.Private)))
	}
	return start, nil
}

// redirectURI returns where the provider sends the browser back to, and
// whether that address is the provider's alone: against mix-up either the
// address or the answer itself must tell whose it is (S23, ruling 19).
func (s *Service) redirectURI(ctx context.Context, login Login) (uri string, own bool, err error) {
	sends := false
	if sender, ok := login.Provider.(providers.IssuerSender); ok {
		if sends, err = sender.SendsIssuer(ctx); err != nil {
			return "", false, err
		}
	}
	switch {
	case login.CallbackURL != "":
		return login.CallbackURL, !sends, nil
	case sends:
		return s.callbackURL, false, nil
	}
	return s.callbackURL + "/" + url.PathEscape(login.Name), true, nil
}

// checkStart judges what a provider wants to begin with.
func checkStart(location string, private []byte) error {
	if len(private) > maxPrivate {
		return errors.New("the private data is longer than 4 KiB")
	}
	u, err := url.Parse(location)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("the login address is not an absolute http URL") // without it: it has the state
	}
	return nil
}
