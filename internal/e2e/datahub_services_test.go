//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// datahubRights lets ada publish.
const datahubRights = "service rawstore static {\n user ada@example.com upload\n}\nservice source static {\n user ada@example.com upload\n}"

// datahubServices stands in for DataHub's rawstore and source, as far as the
// client talks to them.
type datahubServices struct {
	address string

	mu    sync.Mutex
	seen  []string
	given map[string]string
}

func newDatahubServices(t testing.TB) *datahubServices {
	t.Helper()
	s := &datahubServices{given: make(map[string]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /rawstore/authorize", func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Metadata struct{ Owner string }
			Filedata map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Metadata.Owner != r.Header.Get("X-Auth-User-Id") {
			http.Error(w, "not the owner", http.StatusForbidden)
			return
		}
		files := make(map[string]any)
		for name := range asked.Filedata { // all of them are there already
			files[name] = map[string]any{"exists": true, "upload_url": "http://store.example/", "upload_query": map[string]string{"key": name}}
		}
		s.answer(w, r, map[string]any{"filedata": files})
	})
	mux.HandleFunc("GET /rawstore/presign", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, map[string]any{"url": r.URL.Query().Get("url") + "?signed"})
	})
	mux.HandleFunc("POST /source/upload", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, map[string]any{"success": true, "dataset_id": "ada/numbers"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.address = strings.TrimPrefix(server.URL, "http://")
	return s
}

// site has a gate before each service, which is given its token as DataHub's
// are.
func (s *datahubServices) site() string {
	site := "auth_api\n"
	for _, service := range []string{"rawstore", "source"} {
		site += "handle /" + service + "/* {\n require_permission " + service + " upload {\n forward_token Auth-Token\n }\n reverse_proxy " + s.address + "\n}\n"
	}
	return site
}

func (s *datahubServices) answer(w http.ResponseWriter, r *http.Request, answer any) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	s.given[r.Header.Get("X-Auth-Service")] = r.Header.Get("Auth-Token")
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// calls are what the services were asked, in order.
func (s *datahubServices) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// tokens are the last that each service was given.
func (s *datahubServices) tokens() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.given)
}
