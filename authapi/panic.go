package authapi

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/wire"
)

// watched is an answer of which one can tell whether it has begun.
type watched struct {
	http.ResponseWriter
	begun bool
}

func (w *watched) WriteHeader(status int) {
	w.begun = w.begun || status >= http.StatusOK
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(text []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(text)
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recovered, deferred, ends a request whose handler has panicked, such as a page
// of an identity provider's (S39): the client gets a 500 that tells nothing
// (S44), the log the stack. An answer that has begun is cut off, for nobody is
// to take it for a whole one.
func (a *API) recovered(w *watched, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // it is the panic's value itself
		panic(p)
	}
	a.Logger.Error("panic while answering", zap.String("request_id", a.RequestID(r)),
		zap.String("cause", fmt.Sprint(p)), zap.String("stack", string(debug.Stack())))
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	for _, name := range []string{"Set-Cookie", "Location", "Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "ETag", "Last-Modified", "Refresh"} {
		w.Header().Del(name)
	}
	ownHeaders(w.Header())
	a.refuse(w, r, wire.Problem{
		Status: http.StatusInternalServerError, Code: wire.CodeInternal, Detail: "The request could not be answered.",
	})
}
