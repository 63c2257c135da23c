package authapi

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// tooLarge refuses a body above maxBody.
var tooLarge = wire.Problem{
	Status: http.StatusRequestEntityTooLarge, Code: wire.CodeBadRequest, Detail: "The body of the request is too large.",
}

// parameters are what a request says, in its query first and then in its form
// (contract 1.1).
type parameters struct {
	query, form string              // urlencoded
	parts       map[string][]string // of a multipart form
}

// readParameters reads query and form. JSON bodies hold no parameters; what
// cannot be read of a form is not there. The error is an *http.MaxBytesError.
func readParameters(r *http.Request) (parameters, error) {
	p := parameters{query: r.URL.RawQuery}
	mediaType, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Body == nil {
		return p, nil
	}
	switch mediaType {
	case "application/x-www-form-urlencoded":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return p, onlyTooLarge(err)
		}
		if strings.Count(string(body), "&") < maxParameters {
			p.form = string(body)
		}
	case "multipart/form-data":
		form, err := multipart.NewReader(r.Body, options["boundary"]).ReadForm(maxBody)
		if err != nil {
			return p, onlyTooLarge(err)
		}
		p.parts = form.Value
		_ = form.RemoveAll() // a body that fits into maxBody makes no files
	}
	return p, nil
}

func onlyTooLarge(err error) error {
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return tooLong
	}
	return nil
}

// all are the values of a parameter, those of the query first.
func (p parameters) all(name string) []string {
	values := wire.QueryValues(p.query, name)
	values = append(values, wire.QueryValues(p.form, name)...)
	return append(values, p.parts[name]...)
}

// first is the first value of a parameter; "" if there is none.
func (p parameters) first(name string) string {
	if values := p.all(name); len(values) > 0 {
		return values[0]
	}
	return ""
}
