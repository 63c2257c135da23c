// Package authapi serves the auth endpoints: the API of the DataHQ auth
// service, which existing clients rely on, and the pages that people see when
// they sign in, sign out or are refused.
//
// It is plain net/http and html/template. Pages need no script, no font and no
// request to anybody else, and show no text that comes from a URL (S25).
package authapi
