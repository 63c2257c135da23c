package authn

import (
	"fmt"
	"runtime/debug"
)

// panicError is a panic in a guest module's code.
type panicError struct {
	value any
	stack []byte // shows functions and addresses, no texts
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// guest calls code of a guest module and turns a panic in it into an error, so
// that somebody else's mistake costs one sign-in and not the connection.
func guest(call func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return call()
}
