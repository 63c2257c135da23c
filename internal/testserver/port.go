package testserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// freePort is a port of 127.0.0.1 on which nothing listens. It is from below
// the range that systems give to outgoing connections, so that it is still free
// after a Restart.
func freePort() (int, error) {
	for range 100 {
		port := 15000 + rand.IntN(17000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("finding a free port: 100 were taken")
}
