package authn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

// open opens a session with a fresh name and a fresh cookie value (S31).
func (s *Service) open(ctx context.Context, user providers.User, provider, providerSessionID string) (session providers.Session, cookie string, err error) {
	// Whole seconds, so that the token's times are exactly the session's.
	now := s.now().UTC().Truncate(time.Second)
	session = providers.Session{
		ID:                randomID(),
		UserID:            user.ID,
		Provider:          provider,
		ProviderSessionID: providerSessionID,
		CreatedAt:         now,
		LastSeenAt:        now,
		ExpiresAt:         now.Add(s.sessionLifetime),
	}
	cookie = randomSecret()
	if err := s.store.CreateSession(ctx, session, CookieHash(cookie)); err != nil {
		return providers.Session{}, "", fmt.Errorf("storing the session: %w", err)
	}
	return session, cookie, nil
}

// SessionToken makes the session token of a session: issued now, ending with
// the session.
func (s *Service) SessionToken(session providers.Session) (string, error) {
	signed, err := s.tokens.SignSession(token.Session{
		UserID:    session.UserID,
		SessionID: session.ID,
		IssuedAt:  s.now(),
		ExpiresAt: session.ExpiresAt,
	})
	if err != nil {
		return "", fmt.Errorf("signing the session token: %w", err)
	}
	return signed, nil
}

// End ends one session of a user: it is removed from the database first, then
// Config.SessionEnded is told, then the extensions. A session that had ended
// before is no error, and the extensions are not told again. The error is an
// *Error with CodeUnavailable; the session may then still hold.
func (s *Service) End(ctx context.Context, user providers.User, session providers.Session) error {
	err := s.store.EndSession(ctx, session.ID)
	known := !errors.Is(err, providers.ErrNotFound)
	if err != nil && known {
		return s.endFailed(fmt.Errorf("ending the session: %w", err), session.Provider, user)
	}
	s.sessionEnded(session.ID, session.UserID)
	if known {
		s.ended(ctx, user, session)
	}
	return nil
}

// EndAll ends every session of a user, in the order of End. Of the sessions
// the extensions are told no more than ID and UserID. The error is an *Error
// with CodeUnavailable.
func (s *Service) EndAll(ctx context.Context, user providers.User) error {
	ids, err := s.store.EndUserSessions(ctx, user.ID)
	if err != nil {
		return s.endFailed(fmt.Errorf("ending the user's sessions: %w", err), "", user)
	}
	for _, id := range ids { // all of them, before an extension takes its time
		s.sessionEnded(id, user.ID)
	}
	for _, id := range ids {
		s.ended(ctx, user, providers.Session{ID: id, UserID: user.ID})
	}
	return nil
}

// EndByCookie ends the session of a browser's cookie, or with everywhere all
// sessions of its user, as End and EndAll do. The user may be disabled and the
// session idle for too long: whoever signs out leaves nothing behind. A cookie
// that has no session is providers.ErrNotFound.
func (s *Service) EndByCookie(ctx context.Context, cookie string, everywhere bool) error {
	session, user, err := s.store.SessionByCookie(ctx, CookieHash(cookie))
	return s.endFound(ctx, session, user, everywhere, err)
}

// EndByID is EndByCookie for the ID of a session, which the caller has from a
// token that it has verified.
func (s *Service) EndByID(ctx context.Context, id string, everywhere bool) error {
	session, user, err := s.store.SessionByID(ctx, id)
	return s.endFound(ctx, session, user, everywhere, err)
}

func (s *Service) endFound(ctx context.Context, session providers.Session, user providers.User, everywhere bool, err error) error {
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return fmt.Errorf("ending the session: %w", err)
	case err != nil:
		return s.endFailed(fmt.Errorf("finding the session: %w", err), "", user)
	case everywhere:
		return s.EndAll(ctx, user)
	}
	return s.End(ctx, user, session)
}

// Alive reports whether a session is there and its user is not disabled.
func (s *Service) Alive(ctx context.Context, sessionID string) (bool, error) {
	_, user, err := s.store.SessionByID(ctx, sessionID)
	if errors.Is(err, providers.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("finding the session: %w", err)
	}
	return !user.Disabled, nil
}

func (s *Service) ended(ctx context.Context, user providers.User, session providers.Session) {
	s.logger.Info("signed out",
		zap.String("provider", session.Provider),
		zap.String("user_id", user.ID),
		zap.String("session_id", session.ID))
	s.listeners.logout(ctx, providers.Event{User: user, Session: session})
}

func (s *Service) endFailed(cause error, provider string, user providers.User) error {
	failure := &Error{Code: CodeUnavailable, Provider: provider, Err: scrubError(cause, user.Email)}
	s.outages.Error("sign-out failed",
		zap.String("provider", provider),
		zap.String("user_id", user.ID),
		zap.String("cause", failure.Err.Error()))
	return failure
}
