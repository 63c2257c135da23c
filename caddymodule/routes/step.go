package routes

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/intercept"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// step is one handler of a route, loaded or still as JSON.
type step struct {
	name   string // "reverse_proxy"
	raw    json.RawMessage
	module caddyhttp.MiddlewareHandler // nil: as JSON
}

func steps(r *caddyhttp.Route) []step {
	var list []step
	for _, raw := range r.HandlersRaw {
		var inline struct {
			Handler string `json:"handler"`
		}
		if json.Unmarshal(raw, &inline) == nil {
			list = append(list, step{name: inline.Handler, raw: raw})
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, module := range r.Handlers {
		list = append(list, step{name: caddy.GetModuleName(module), module: module})
	}
	return list
}

// options are those of a handler. Of loaded ones, what are modules themselves
// is gone.
func (s step) options() json.RawMessage {
	if s.module == nil {
		return s.raw
	}
	raw, err := json.Marshal(s.module)
	if err != nil {
		return nil
	}
	return raw
}

// read reads the options of a handler.
func (s step) read(into any) {
	// What does not fit is for Caddy to refuse.
	_ = json.Unmarshal(s.options(), into)
}

func subrouteOf(s step) caddyhttp.Subroute {
	if loaded, ok := s.module.(*caddyhttp.Subroute); ok {
		return *loaded
	}
	var sub caddyhttp.Subroute
	s.read(&sub)
	return sub
}

// responsesOf are the routes of handle_response and intercept.
func responsesOf(s step) []caddyhttp.ResponseHandler {
	switch loaded := s.module.(type) {
	case *reverseproxy.Handler:
		return loaded.HandleResponse
	case *intercept.Intercept:
		return loaded.HandleResponse
	}
	var options struct {
		HandleResponse []caddyhttp.ResponseHandler `json:"handle_response"`
	}
	s.read(&options)
	return options.HandleResponse
}

func invokedBy(s step) string {
	var options caddyhttp.Invoke
	s.read(&options)
	return options.Name
}

// changesRequest reports whether a handler of kind headers, vars or map
// changes more than the answer.
func changesRequest(s step) bool {
	if s.name != "headers" {
		return true
	}
	var options struct {
		Request json.RawMessage `json:"request"`
	}
	s.read(&options)
	return len(options.Request) > 0
}
