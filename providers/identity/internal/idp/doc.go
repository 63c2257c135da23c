// Package idp is what the identity providers have in common: the HTTP client
// and its limits, the steps of OAuth 2.0 that are the same everywhere, and how
// options are read and checked.
package idp
