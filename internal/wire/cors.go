package wire

import "net/http"

// corsHeaders and corsMethods are what the pages of allowed origins may use.
const (
	corsHeaders = "Auth-Token, Authorization, Content-Type, X-Requested-With"
	corsMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
)

// IsPreflight reports whether a request asks for permission to make another
// (Fetch standard, CORS preflight).
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// AllowOrigin adds the CORS headers if the request comes from an allowed
// origin, and reports whether it did. Never "null", never a wildcard (S32).
func (n *NextPolicy) AllowOrigin(h http.Header, r *http.Request) bool {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return false
	}
	h.Add("Vary", "Origin")
	if len(origins) != 1 || !n.AllowsOrigin(origins[0]) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origins[0])
	h.Set("Access-Control-Allow-Credentials", "true")
	return true
}

// AnswerPreflight writes the answer to a preflight: 200 for allowed origins,
// 403 for others.
func (n *NextPolicy) AnswerPreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", BarePolicy)
	h.Set("Content-Length", "0")
	if !n.AllowOrigin(h, r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Allow-Methods", corsMethods)
	w.WriteHeader(http.StatusOK)
}
