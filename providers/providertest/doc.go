// Package providertest has a contract suite for each kind of provider. Call
// one from a test of your implementation:
//
//	func TestContract(t *testing.T) {
//		providertest.RunPermissionProvider(t, providertest.PermissionProviderSuite{
//			New: func(t testing.TB) providers.PermissionProvider { return newProvider(t) },
//		})
//	}
//
// Run it with -race: a part of each suite is that many goroutines call the
// implementation at once.
package providertest
