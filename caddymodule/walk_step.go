package caddymodule

import (
	"encoding/json"
	"strings"

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

// read reads the options of a handler. Those of loaded ones that are modules
// themselves are gone.
func (s step) read(into any) {
	raw := s.raw
	if s.module != nil {
		var err error
		if raw, err = json.Marshal(s.module); err != nil {
			return
		}
	}
	// What does not fit is for Caddy to refuse.
	_ = json.Unmarshal(raw, into)
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

// proxyStep are the options of a reverse_proxy that matter here.
type proxyStep struct {
	Upstreams []struct {
		Dial string `json:"dial"`
	} `json:"upstreams"`
	Rewrite        rewriteStep       `json:"rewrite"`
	TrustedProxies []string          `json:"trusted_proxies"`
	HandleResponse []json.RawMessage `json:"handle_response"`
}

func proxyOf(s step) (proxy proxyStep) {
	s.read(&proxy)
	return proxy
}

// upstream is where a proxied route leads.
func (p proxyStep) upstream() string {
	var dials []string
	for _, upstream := range p.Upstreams {
		dials = append(dials, upstream.Dial)
	}
	if len(dials) == 0 {
		return "dynamic"
	}
	return strings.Join(dials, " ")
}

// asksFirst reports whether this is a forward_auth: the rewritten request is a
// question of its own, and what is forwarded comes after it.
func (p proxyStep) asksFirst() bool {
	return p.Rewrite.Method == "GET" && len(p.HandleResponse) > 0
}

// rewriteStep are the options of a rewrite that concern the path.
type rewriteStep struct {
	Method          string            `json:"method"`
	URI             string            `json:"uri"`
	StripPathPrefix string            `json:"strip_path_prefix"`
	StripPathSuffix string            `json:"strip_path_suffix"`
	URISubstring    []json.RawMessage `json:"uri_substring"`
	PathRegexp      []json.RawMessage `json:"path_regexp"`
}

func rewriteOf(s step) (rewrite rewriteStep) {
	s.read(&rewrite)
	return rewrite
}

// movesPath reports whether a path may be another one afterwards. That a file
// was found under (try_files, php_fastcgi) cannot be steered.
func (r rewriteStep) movesPath() bool {
	path, _, _ := strings.Cut(r.URI, "?")
	return path != "" && !strings.HasPrefix(path, "{http.matchers.file.") ||
		r.StripPathPrefix != "" || r.StripPathSuffix != "" || len(r.URISubstring)+len(r.PathRegexp) > 0
}
