// Package e2e tests the real gateway with real outside parts: an OpenID
// provider, a JWT library, a browser, and clients of the original service, none
// of which we wrote. Its tests have the build tag e2e; scripts/test-deps
// installs what they need.
package e2e
