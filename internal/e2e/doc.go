// Package e2e tests the real gateway with real outside parts: an OpenID
// provider, a JWT library and a browser that we did not write. Its tests have
// the build tag e2e; scripts/test-deps installs what they need.
package e2e
