package caddymodule

import (
	"net/http"
	"strings"

	"github.com/datahq/auth-gateway/internal/wire"
)

// The sizes that our handlers accept, whatever the server would let through
// (S38). Bodies, parameters and tokens have their limits where they are read.
const (
	maxURI     = 8 << 10
	maxHeader  = 16 << 10
	maxCookies = 100
)

var (
	longURI     = wire.Problem{Status: http.StatusRequestURITooLong, Code: wire.CodeBadRequest, Detail: "The address of the request is too long."}
	longHeader  = wire.Problem{Status: http.StatusRequestHeaderFieldsTooLarge, Code: wire.CodeBadRequest, Detail: "The header of the request is too large."}
	manyCookies = wire.Problem{Status: http.StatusBadRequest, Code: wire.CodeBadRequest, Detail: "The request has too many cookies."}
)

// oversize refuses a request for its size; nil if it is small enough.
func oversize(r *http.Request) *wire.Problem {
	if len(r.RequestURI) > maxURI {
		return &longURI
	}
	if lines, cookies := r.Header["Cookie"], 0; len(lines) > 0 {
		for _, line := range lines {
			cookies += 1 + strings.Count(strings.TrimRight(line, "; \t"), ";")
		}
		if cookies > maxCookies {
			return &manyCookies
		}
	}
	return nil
}

// oversizeHeader refuses a request for the size of its header as a whole; nil
// if it is small enough.
func oversizeHeader(r *http.Request) *wire.Problem {
	size := 0
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	if size > maxHeader {
		return &longHeader
	}
	return nil
}
