package fakegithub

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Endpoint names one of the endpoints, by its path at github.com or
// api.github.com.
type Endpoint string

// The endpoints.
const (
	Authorize   Endpoint = "/login/oauth/authorize"
	AccessToken Endpoint = "/login/oauth/access_token"
	User        Endpoint = "/user"
	Emails      Endpoint = "/user/emails"
)

// enterprise is in front of the API's paths at an Enterprise Server.
const enterprise = "/api/v3"

// GitHub is the stand-in. Its methods may be called by many goroutines at
// once.
type GitHub struct {
	config Config

	mu       sync.Mutex
	script   []login
	always   *login
	broken   map[Endpoint]Failure
	requests map[Endpoint]int
	codes    map[string]grant
	tokens   map[string]grant
}

// login is one scripted sign-in.
type login struct {
	person Person
	faults faults
}

// grant is one sign-in between authorize, token and API.
type grant struct {
	login
	clientID, redirectURI, challenge string
	scopes                           []string
	expires                          time.Time // the code, not the token
}

// New makes a GitHub. There is nothing to close.
func New(config Config) *GitHub {
	config.setDefaults()
	return &GitHub{
		config:   config,
		broken:   make(map[Endpoint]Failure),
		requests: make(map[Endpoint]int),
		codes:    make(map[string]grant),
		tokens:   make(map[string]grant),
	}
}

// URL returns where it is served: the client's "url".
func (g *GitHub) URL() string { return g.config.URL }

// Issuer returns the "iss" of its callbacks: "The issuer for GitHub.com is
// https://github.com/login/oauth"
// (docs.github.com/apps/github-authentication-discovery-endpoints).
func (g *GitHub) Issuer() string { return g.config.URL + "/login/oauth" }

// Next signs person in, with faults, at the next authorize request that no
// earlier call of Next has answered.
func (g *GitHub) Next(person Person, faults ...Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.script = append(g.script, login{person, slices.Clone(faults)})
}

// Always signs person in, with faults, at every authorize request that Next
// does not answer. Without either, a sign-in ends in access_denied.
func (g *GitHub) Always(person Person, faults ...Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.always = &login{person, slices.Clone(faults)}
}

// Break lets an endpoint misbehave at every request; "" repairs it.
func (g *GitHub) Break(endpoint Endpoint, failure Failure) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.broken[endpoint] = failure
}

// Requests returns how often an endpoint has been asked.
func (g *GitHub) Requests(endpoint Endpoint) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests[endpoint]
}

// ServeHTTP serves the endpoints.
func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, isEnterprise := strings.CutPrefix(r.URL.Path, enterprise)
	endpoint := Endpoint(path)
	method := http.MethodGet
	var serve http.HandlerFunc
	switch {
	case endpoint == Authorize && !isEnterprise:
		serve = g.serveAuthorize
	case endpoint == AccessToken && !isEnterprise:
		serve, method = g.serveAccessToken, http.MethodPost
	case endpoint == User:
		serve = g.serveUser
	case endpoint == Emails:
		serve = g.serveEmails
	}
	if serve == nil || r.Method != method {
		http.NotFound(w, r) // GitHub says so of wrong methods, too
		return
	}
	g.mu.Lock()
	g.requests[endpoint]++
	failure := g.broken[endpoint]
	g.mu.Unlock()
	if !g.misbehave(w, r, failure) {
		serve(w, r)
	}
}

// scripted takes the sign-in that the script has for now.
func (g *GitHub) scripted() (login, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.script) > 0 {
		next := g.script[0]
		g.script = g.script[1:]
		return next, true
	}
	if g.always != nil {
		return *g.always, true
	}
	return login{}, false
}

// keep keeps v under a new unguessable name, of which it forgets all if there
// are too many.
func (g *GitHub) keep(grants map[string]grant, prefix string, v grant) string {
	name := prefix + rand.Text()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(grants) >= maxGrants {
		clear(grants)
	}
	grants[name] = v
	return name
}

// take takes the sign-in of a code, which nobody can do twice.
func (g *GitHub) take(code string) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, ok := g.codes[code]
	delete(g.codes, code)
	return v, ok && g.config.Now().Before(v.expires)
}

const jsonType = "application/json; charset=utf-8"

func write(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "a member cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	write(w, status, jsonType, string(body))
}

// writeMessage is the API's form of an error.
func writeMessage(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"message": message, "documentation_url": "https://docs.github.com/rest"})
}
