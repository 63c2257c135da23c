// Package authn answers who somebody is: it runs sign-ins from the first
// click to the open session, ends sessions, and tells the extensions about
// new users, sign-ins and sign-outs.
//
// The identity provider owns its protocol (PKCE, nonce, code exchange); this
// package owns what surrounds it: the state, its binding to the browser, its
// single use, and what is asked of the identity that comes back. It knows
// neither HTTP nor SQL.
package authn
