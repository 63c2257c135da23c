// Package wire is what the gate and the auth endpoints share on the wire:
// where the gateway lives, how a credential is read from a request, cookies,
// which kind of client is asking, where a browser may be sent, and the form of
// an error answer. It is plain net/http and imports nothing of ours.
package wire
