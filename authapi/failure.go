package authapi

import (
	"errors"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/authn"
	"github.com/datahq/auth-gateway/internal/wire"
	"github.com/datahq/auth-gateway/providers"
)

// failure is what is said of a failed sign-in.
type failure struct {
	status int
	title  string
	text   string // "{provider}" stands for the identity provider
}

// failureOf says what a code of authn's means. An unknown code gets the last,
// general text.
func failureOf(code string) failure {
	switch code {
	case authn.CodeAccessDenied:
		return failure{http.StatusForbidden, "Sign-in was refused", "{provider} says that the sign-in was cancelled or is not allowed."}
	case authn.CodeStateMissing:
		return failure{http.StatusBadRequest, "This sign-in is incomplete", "What {provider} sent back is not complete. Please start again."}
	case authn.CodeStateUnknown:
		return failure{http.StatusBadRequest, "This sign-in is not known", "It may have been started long ago. Please start again."}
	case authn.CodeStateExpired:
		return failure{http.StatusBadRequest, "This sign-in took too long", "It took longer than 10 minutes. Please start again."}
	case authn.CodeStateUsed:
		return failure{http.StatusBadRequest, "This sign-in has been used", "A sign-in can be completed once. Please start again."}
	case authn.CodeStateMismatch:
		return failure{http.StatusBadRequest, "Your browser did not send our cookie back", "The sign-in was started in another browser, or this browser blocks or has lost our cookie. Please start again here; if you see this again, allow cookies for this site."}
	case authn.CodeEmailUnverified:
		return failure{http.StatusForbidden, "Your e-mail address is not verified", "{provider} does not confirm that your e-mail address is yours. Verify it there, then try again."}
	case authn.CodeAccountExists:
		return failure{http.StatusForbidden, "You have an account already", "Your e-mail address belongs to an account with another way to sign in. Please use the way you used first."}
	case authn.CodeProviderError:
		return failure{http.StatusBadGateway, "Sign-in did not work", "What {provider} answered could not be accepted. You can try again, or sign in another way."}
	case authn.CodeProviderUnavailable:
		return failure{http.StatusServiceUnavailable, "{provider} does not answer", "Signing in with {provider} is not possible at the moment. If you are signed in elsewhere, you stay so."}
	case authn.CodeClockSkew:
		return failure{http.StatusBadGateway, "The clocks do not agree", "The clock of this gateway or of {provider} is wrong. Please tell whoever runs this site."}
	case authn.CodeUserDisabled:
		return failure{http.StatusForbidden, "This account has been disabled", "You cannot sign in with it any more."}
	case authn.CodeUnavailable:
		return failure{http.StatusServiceUnavailable, "Please try again shortly", "Signing in is not possible at the moment."}
	case authn.CodeUnknownProvider:
		return failure{http.StatusNotFound, "This way to sign in is not offered", "Please choose another one."}
	case authn.CodeBadNext:
		return failure{http.StatusBadRequest, "You cannot be sent to that address", "The address to go to after the sign-in is too long."}
	}
	return failure{http.StatusInternalServerError, "Something went wrong", "The sign-in could not be completed."}
}

// asError is an error of authn's, whatever came.
func asError(err error) *authn.Error {
	if e := new(authn.Error); errors.As(err, &e) {
		return e
	}
	if errors.Is(err, providers.ErrUnavailable) {
		return &authn.Error{Code: authn.CodeUnavailable, Err: err}
	}
	return &authn.Error{Code: wire.CodeInternal, Err: err}
}

// mayComeAgain reports whether a callback has used nothing up, so that the same
// one may be tried again with the same cookie.
func mayComeAgain(err error) bool {
	e := new(authn.Error)
	return errors.As(err, &e) && e.Code == authn.CodeUnavailable && e.Attempt == nil
}

// startFailed answers when a sign-in could not be started.
func (a *API) startFailed(w http.ResponseWriter, r *http.Request, provider string, d destination, err error) {
	e := asError(err)
	a.showFailure(w, r, e, failureOf(e.Code), provider, d)
}

// callbackFailed answers when a sign-in could not be ended.
func (a *API) callbackFailed(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	d := a.ofAttempt(e.Attempt)
	switch e.Code {
	case authn.CodeAccessDenied, authn.CodeProviderError, authn.CodeProviderUnavailable:
		// Applications that asked for a token wait for their page to be called
		// again, without one if need be (contract 1.2, oauth_callback).
		if d.deliver {
			a.logFailure(r, e)
			redirect(w, http.StatusFound, d.target)
			return
		}
	case authn.CodeStateUsed:
		// The back button, while signed in: just go on.
		if who, err := a.viewer(w, r); err == nil && who != nil {
			if d.target == "" {
				d.target = a.defaultNext
			}
			redirect(w, http.StatusSeeOther, d.target)
			return
		}
	}
	provider := e.Provider
	if e.Attempt != nil {
		provider = e.Attempt.Provider
	}
	f := failureOf(e.Code)
	if e.Code == authn.CodeProviderUnavailable {
		f.status = http.StatusBadGateway // S26; nothing is left to come again with
	}
	a.showFailure(w, r, e, f, provider, d)
}

// showFailure shows why somebody could not sign in, and the ways on. All of it
// comes from the code and from the stored sign-in, nothing from the URL (S25).
func (a *API) showFailure(w http.ResponseWriter, r *http.Request, e *authn.Error, f failure, provider string, d destination) {
	a.logFailure(r, e)
	if e.Code == authn.CodeProviderUnavailable && wire.ClientOf(r) != wire.Program {
		f.status = http.StatusBadGateway // S26, S39; a program is told to come again (pages section 5)
	}
	again, name := "/login", ""
	if login, known := a.logins[provider]; known {
		again, name = "/login/"+login.Name, login.displayName()
	}
	p := wire.Problem{Status: f.status, Code: e.Code, Detail: withProvider(f.text, name), LoginURL: a.link(again, d, "")}
	if f.status == http.StatusServiceUnavailable || e.Code == authn.CodeProviderUnavailable {
		p.RetryAfter = retryLater
	}
	if wire.ClientOf(r) == wire.Program {
		a.problemJSON(w, r, p)
		return
	}
	page := a.problemPage(r, p)
	page.Title = withProvider(f.title, name)
	page.Actions = []action{
		{Label: "Try again", URL: p.LoginURL, Primary: true},
		{Label: "Other ways to sign in", URL: a.link("/login", d, "prompt=1")},
	}
	if mayComeAgain(e) {
		page.Actions[0].URL = "" // the same address
	}
	p.Headers(w.Header())
	a.render(w, r, p.Status, "problem", page)
}

// withProvider puts the name of the identity provider into a text, "" for one
// that is not known.
func withProvider(text, name string) string {
	if name == "" {
		if rest, first := strings.CutPrefix(text, "{provider}"); first {
			text = "The identity provider" + rest
		}
		name = "the identity provider"
	}
	return strings.ReplaceAll(text, "{provider}", name)
}

// logFailure ties what authn has logged to the request that a person may ask
// about.
func (a *API) logFailure(r *http.Request, e *authn.Error) {
	fields := []zap.Field{zap.String("request_id", a.RequestID(r)), zap.String("code", e.Code), zap.String("provider", e.Provider)}
	if e.Code == wire.CodeInternal {
		a.Logger.Error("sign-in failed", append(fields, zap.String("cause", e.Error()))...)
		return
	}
	a.Logger.Info("sign-in failed", fields...)
}
