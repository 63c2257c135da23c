package gate

import (
	"net/http"

	"github.com/datahq/auth-gateway/internal/wire"
)

// readQuery takes the token out of the query, where that is switched on.
func (g *Gate) readQuery(r *http.Request, st *State) *wire.Problem {
	if r.URL.RawQuery == "" {
		return nil
	}
	err := st.credentials.AddQuery(r.URL.RawQuery)
	dropQueryToken(r)
	if err != nil {
		return &ambiguous
	}
	return nil
}

// dropQueryToken removes what readQuery reads.
func dropQueryToken(r *http.Request) {
	if rest := wire.WithoutParameter(r.URL.RawQuery, "jwt"); rest != r.URL.RawQuery {
		r.URL.RawQuery = rest
		r.RequestURI = r.URL.RequestURI()
	}
}
