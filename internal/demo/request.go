package demo

import (
	"encoding/json"
	"net/http"
)

// request is what the demo saw of one: its JSON form is the answer to programs.
type request struct {
	Method   string              `json:"method"`
	Path     string              `json:"path"`
	Query    string              `json:"query"`
	Host     string              `json:"host"`
	Identity identity            `json:"identity"`
	Token    *forwarded          `json:"token"`
	Headers  map[string][]string `json:"headers"`
}

func (s *server) look(r *http.Request) request {
	who := readIdentity(r.Header)
	return request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: r.Host,
		Identity: who,
		Token:    s.readToken(r.Context(), r.Header[tokenHeader], who),
		Headers:  otherHeaders(r.Header),
	}
}

func (q request) writeJSON(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(q) // a client that has gone
}
