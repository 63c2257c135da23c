// Package keyring keeps the keys that sign tokens: those that the configuration
// gives, and for what it does not give a file in Caddy's storage, which all
// gateways on that storage share. It exchanges them without a token refused, and
// keeps a token.Ring up to date while the gateway runs.
package keyring
