// Package cluster holds the tests of several gateways in front of one database
// and one Redis, with real servers and real faults.
package cluster
