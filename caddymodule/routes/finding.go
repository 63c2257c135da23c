package routes

import (
	"fmt"
	"strings"

	"go.uber.org/zap"
)

// Finding is something about a server's routes that its operator should know.
type Finding struct {
	// Problem and Advice are sentences without a full stop.
	Problem, Advice string
	// Server is its name in the configuration: "srv0".
	Server string
	// Route is how requests come here, by the matchers on the way.
	Route string
	// Upstream is where a proxied route leads; "" if the finding is about none.
	Upstream string
	// A Note is never an error, what is Fatal always is; the rest is what the
	// operator says.
	Note, Fatal bool
}

// String is the finding as part of an error.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (server %s, %s", f.Problem, f.Server, f.Route)
	if f.Upstream != "" {
		fmt.Fprintf(&b, ", upstream %s", f.Upstream)
	}
	fmt.Fprintf(&b, "): %s", f.Advice)
	return b.String()
}

// Fields is the finding as fields of a log line, whose message is the problem.
func (f Finding) Fields() []zap.Field {
	fields := []zap.Field{zap.String("advice", f.Advice), zap.String("server", f.Server), zap.String("route", f.Route)}
	if f.Upstream != "" {
		fields = append(fields, zap.String("upstream", f.Upstream))
	}
	return fields
}
