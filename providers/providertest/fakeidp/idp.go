package fakeidp

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Endpoint names one of the provider's endpoints, by its path.
type Endpoint string

// The endpoints.
const (
	Discovery Endpoint = "/.well-known/openid-configuration"
	JWKS      Endpoint = "/jwks"
	Authorize Endpoint = "/authorize"
	Token     Endpoint = "/token"
	Userinfo  Endpoint = "/userinfo"
)

// IdP is the provider. Its methods may be called by many goroutines at once.
type IdP struct {
	config Config
	keys   signingKeys
	codes  *grants
	access *grants

	mu       sync.Mutex
	script   []login
	always   *login
	broken   map[Endpoint]Fault
	requests map[Endpoint]int
}

// login is one scripted sign-in.
type login struct {
	person Person
	faults faults
}

// New makes a provider. It does no work and keeps no resources: the signing
// key is made when it is first needed, and there is nothing to close.
func New(config Config) *IdP {
	config.setDefaults()
	return &IdP{
		config:   config,
		codes:    newGrants(codeLifetime, maxGrants),
		access:   newGrants(accessLifetime, maxGrants),
		broken:   make(map[Endpoint]Fault),
		requests: make(map[Endpoint]int),
	}
}

// Issuer returns the issuer identifier.
func (p *IdP) Issuer() string { return p.config.Issuer }

// Next signs person in, with faults, at the next authorize request that no
// earlier call of Next has answered.
func (p *IdP) Next(person Person, faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script = append(p.script, login{person, faults})
}

// Always signs person in, with faults, at every authorize request that Next
// does not answer.
func (p *IdP) Always(person Person, faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.always = &login{person, faults}
}

// Break lets an endpoint misbehave at every request, by one of Slow, Down,
// HTMLInsteadOfJSON, HugeAnswer and RedirectingToken; "" repairs it.
func (p *IdP) Break(endpoint Endpoint, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken[endpoint] = fault
}

// Requests returns how often an endpoint has been asked.
func (p *IdP) Requests(endpoint Endpoint) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[endpoint]
}

// RotateKey replaces the signing key. The old one leaves the JWKS at once.
func (p *IdP) RotateKey() { p.keys.rotate() }

// ServeHTTP serves the endpoints.
func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint := Endpoint(r.URL.Path)
	var serve func(http.ResponseWriter, *http.Request)
	method := http.MethodGet
	switch endpoint {
	case Discovery:
		serve = p.serveMetadata
	case JWKS:
		serve = p.serveJWKS
	case Authorize:
		serve = p.serveAuthorize
	case Token:
		serve, method = p.serveToken, http.MethodPost
	case Userinfo:
		serve = p.serveUserinfo
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != method && (r.Method != http.MethodHead || method != http.MethodGet) {
		w.Header().Set("Allow", method)
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	p.mu.Lock()
	p.requests[endpoint]++
	fault := p.broken[endpoint]
	p.mu.Unlock()
	if p.misbehave(w, r, fault) {
		return
	}
	serve(w, r)
}

// scripted takes the sign-in that the script has for now.
func (p *IdP) scripted() (login, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.script) > 0 {
		next := p.script[0]
		p.script = p.script[1:]
		return next, true
	}
	if p.always != nil {
		return *p.always, true
	}
	return login{}, false
}

// misbehave reports whether fault has spoilt the answer, so that nothing is
// left to do.
func (p *IdP) misbehave(w http.ResponseWriter, r *http.Request, fault Fault) bool {
	switch fault {
	case Slow:
		timer := time.NewTimer(p.config.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			return false
		case <-r.Context().Done():
			return true
		}
	case Down:
		http.Error(w, "503 Service Unavailable", http.StatusServiceUnavailable)
	case HTMLInsteadOfJSON:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Welcome</title><script>alert(1)</script>"))
	case HugeAnswer:
		writeJSON(w, http.StatusOK, map[string]string{"padding": strings.Repeat("x", 1<<20)})
	case RedirectingToken:
		w.Header().Set("Location", p.config.Issuer+"/elsewhere")
		w.WriteHeader(http.StatusFound)
	default:
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "a claim cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// random returns an unguessable name of 130 bits or more.
func random() string { return rand.Text() }
