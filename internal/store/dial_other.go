//go:build !linux

package store

import (
	"syscall"
	"time"
)

// limitSilence is for Linux; elsewhere keep-alive probes must do.
func limitSilence(time.Duration) func(network, address string, conn syscall.RawConn) error {
	return nil
}
