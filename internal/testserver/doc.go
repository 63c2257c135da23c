// Package testserver starts real servers for tests: Redis, PostgreSQL and
// MariaDB, and a TCP proxy with faults to put before them. Each server is a
// process of its own in a private folder, on a loopback port and a Unix socket
// that nothing else on the machine uses, and ends with the test.
//
// A test that wants a database, or some room in a Redis, and does nothing to
// the server, shares one with the other tests of its package; that costs a few
// hundredths of a second:
//
//	databaseURL := testserver.SharedPostgres(t).NewDatabase(t)
//	redisURL := testserver.SharedRedis(t).NewURL(t)
//
// A test that stops, kills, fills or configures a server starts its own:
//
//	server := testserver.Redis(t, testserver.Password("secret"))
//	server.Kill()    // or Stop, Continue, Shutdown
//	server.Restart() // same port; the data is there with Durable
//
// Faults of the network come from a proxy:
//
//	proxy := testserver.NewProxy(t, server.Address)
//	databaseURL = testserver.Through(databaseURL, proxy.Address)
//	proxy.BlackHole() // or Freeze, Reset, Refuse, Latency
//	proxy.Heal()
//
// What is not installed fails the test, with what to install. Nothing here
// leaves a goroutine behind. When the test binary dies, however it dies, its
// servers are killed and their folders removed; TestMain needs no call for it.
package testserver
