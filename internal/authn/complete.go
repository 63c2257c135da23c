package authn

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/providers"
)

// Result is a sign-in that has succeeded.
type Result struct {
	// User is who signed in.
	User providers.User
	// Session is the session that was opened. Service.SessionToken makes its
	// token.
	Session providers.Session
	// NewUser says that this sign-in made the account.
	NewUser bool
	// Next and DeliverToken are what the sign-in was started with. Next is to be
	// checked again before anybody is sent there.
	Next         string
	DeliverToken bool
	// Cookie is the opaque value for the browser's session cookie: 43 characters
	// of base64url, a secret, known to nobody else.
	Cookie string
}

// Complete ends a sign-in with what the browser brought back (security
// section 3, "Callback").
//
// pathProvider is the name at the end of the callback's path, or "". query is
// the callback's query. binding returns what the browser's cookie for a state
// holds, "" if there is none; it is called for states of the right form only.
//
// The error is an *Error with any code but CodeBadNext. A sign-in can be ended
// once, well or badly; but where the Store could not be asked for it
// (CodeUnavailable with a nil Attempt) the same callback may be tried again.
func (s *Service) Complete(ctx context.Context, pathProvider string, query url.Values, binding func(state string) string) (Result, error) {
	result, failure := s.complete(ctx, pathProvider, query, binding)
	if failure != nil {
		failure.Err = scrubError(failure.Err, slices.Concat(query["state"], query["code"])...)
		s.logFailure(failure)
		return Result{}, failure
	}
	s.observe(result.Session.Provider, SignedIn)
	s.logger.Info("signed in",
		zap.String("provider", result.Session.Provider),
		zap.String("user_id", result.User.ID),
		zap.String("session_id", result.Session.ID),
		zap.Bool("new_user", result.NewUser))
	return result, nil
}

func (s *Service) complete(ctx context.Context, pathProvider string, query url.Values, binding func(state string) string) (Result, *Error) {
	query, err := readCallback(query)
	if err != nil {
		return Result{}, fail(CodeStateMissing, nil, err)
	}
	kept, failure := s.take(ctx, query.Get("state"))
	if failure != nil {
		return Result{}, failure
	}
	attempt := kept.attempt()
	switch {
	case !s.now().Before(kept.ExpiresAt):
		return Result{}, fail(CodeStateExpired, attempt, nil)
	case !kept.boundTo(binding(query.Get("state"))):
		return Result{}, fail(CodeStateMismatch, attempt, errors.New("the browser did not bring the cookie of this sign-in"))
	case !kept.fitsPath(pathProvider, query):
		return Result{}, fail(CodeStateMismatch, attempt, errors.New("the callback came to another provider's address"))
	}
	login, ok := s.LoginNamed(kept.Provider)
	if !ok {
		return Result{}, fail(CodeUnknownProvider, attempt, nil)
	}

	who, failure := identify(ctx, login, kept, query)
	if failure != nil {
		return Result{}, failure
	}
	user, created, failure := s.account(ctx, attempt, who)
	if failure != nil {
		return Result{}, failure
	}
	session, cookie, err := s.open(ctx, user, login.Name, who.SessionID)
	if err != nil {
		if created { // the account is there and will not be new again
			s.listeners.newUser(ctx, providers.Event{User: user, NewUser: true})
		}
		return Result{}, fail(CodeUnavailable, attempt, scrubError(err, user.Email))
	}
	event := providers.Event{User: user, Session: session, NewUser: created}
	if created {
		s.listeners.newUser(ctx, event)
	}
	s.listeners.login(ctx, event)
	return Result{
		User: user, Session: session, NewUser: created,
		Next: attempt.Next, DeliverToken: attempt.DeliverToken, Cookie: cookie,
	}, nil
}

// arrival is who came back.
type arrival struct {
	providers.Identity
	// separate says that the provider's accounts stay apart.
	separate bool
	// legacy is what the original service called the provider; "" if it did not
	// know it.
	legacy string
}

// identify asks the provider who came back, and what that may lead to.
func identify(ctx context.Context, login Login, kept *record, query url.Values) (who arrival, failure *Error) {
	refused := query.Has("error")
	err := guest(func() (err error) {
		who.Identity, err = login.Provider.HandleCallback(ctx, kept.RedirectURI, kept.Private, query)
		if err == nil && refused {
			err = errors.New("the provider took an error for an identity")
		}
		if separator, ok := login.Provider.(providers.AccountSeparator); ok {
			who.separate = separator.SeparateAccounts()
		}
		if known, ok := login.Provider.(providers.LegacyProvider); ok {
			who.legacy = known.LegacyProviderName()
		}
		return err
	})
	if err == nil {
		err = checkKey(who.Identity)
	}
	if err != nil {
		return arrival{}, fail(providerCode(err), kept.attempt(), scrubError(err, string(kept.Private), who.Email))
	}
	if err := checkEmail(who.Identity); err != nil {
		return arrival{}, fail(CodeEmailUnverified, kept.attempt(), err)
	}
	who.Identity = tidy(who.Identity)
	return who, nil
}

// account returns the user of an identity, made if there is none.
func (s *Service) account(ctx context.Context, attempt *Attempt, who arrival) (providers.User, bool, *Error) {
	newUserID := randomID()
	if !who.separate {
		newUserID = s.newUserID(who.Email)
	}
	user, created, err := s.store.FindOrCreateUser(ctx, attempt.Provider, who.Identity, newUserID, !who.separate, who.legacy)
	switch {
	case err == nil && user.Disabled:
		return user, false, fail(CodeUserDisabled, attempt, nil)
	case err == nil:
		return user, created, nil
	case s.isAccountExists(err):
		return user, false, fail(CodeAccountExists, attempt, scrubError(err, who.Email))
	default:
		return user, false, fail(CodeUnavailable, attempt, scrubError(fmt.Errorf("finding the user: %w", err), who.Email))
	}
}

// logFailure tells why somebody could not sign in; the cause has been scrubbed
// (S41).
func (s *Service) logFailure(failure *Error) {
	s.observe(failure.Provider, failure.Code)
	fields := []zap.Field{zap.String("provider", failure.Provider), zap.String("code", failure.Code)}
	if failure.Err != nil {
		fields = append(fields, zap.String("cause", failure.Err.Error()))
	}
	var panicked *panicError
	if errors.As(failure.Err, &panicked) {
		s.logger.Error("identity provider panicked", append(fields, zap.ByteString("stack", panicked.stack))...)
		return
	}
	s.logger.Info("sign-in failed", fields...)
}
