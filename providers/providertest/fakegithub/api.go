package fakegithub

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPerPage = 30
	maxPerPage     = 100
)

// authorized returns the sign-in of the request's token, or answers.
func (g *GitHub) authorized(w http.ResponseWriter, r *http.Request) (grant, bool) {
	if r.Header.Get("User-Agent") == "" {
		writeMessage(w, http.StatusForbidden, "Request forbidden by administrative rules.")
		return grant{}, false
	}
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	g.mu.Lock()
	v, ok := g.tokens[token]
	g.mu.Unlock()
	if kind = strings.ToLower(kind); !ok || kind != "bearer" && kind != "token" || v.faults.has(RevokedToken) {
		writeMessage(w, http.StatusUnauthorized, "Bad credentials")
		return grant{}, false
	}
	w.Header().Set("X-OAuth-Scopes", strings.Join(v.scopes, ", "))
	return v, true
}

// serveUser tells about the person of a token.
func (g *GitHub) serveUser(w http.ResponseWriter, r *http.Request) {
	v, ok := g.authorized(w, r)
	if !ok {
		return
	}
	p := v.person
	members := map[string]any{
		"login": p.Login, "id": p.ID, "node_id": fmt.Sprintf("U_%d", p.ID), "type": "User", "site_admin": false,
		"avatar_url": p.AvatarURL, "html_url": g.config.URL + "/" + p.Login,
		"name": orNull(p.Name), "email": orNull(p.PublicEmail),
		"company": nil, "blog": "", "location": nil, "bio": nil, "twitter_username": nil,
		"public_repos": 2, "followers": 3, "created_at": "2008-01-14T04:33:35Z",
	}
	maps.Copy(members, p.Extra)
	writeJSON(w, http.StatusOK, members)
}

// serveEmails lists a page of the addresses of the person of a token.
func (g *GitHub) serveEmails(w http.ResponseWriter, r *http.Request) {
	v, ok := g.authorized(w, r)
	if !ok {
		return
	}
	if !slices.Contains(v.scopes, "user:email") && !slices.Contains(v.scopes, "user") {
		writeMessage(w, http.StatusNotFound, "Not Found")
		return
	}
	perPage, page := number(r, "per_page", defaultPerPage), number(r, "page", 1)
	perPage = min(perPage, maxPerPage)
	all := v.person.Emails
	start := min((page-1)*perPage, len(all))
	end := min(start+perPage, len(all))
	if end < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?per_page=%d&page=%d>; rel="next"`, g.config.URL, r.URL.Path, perPage, page+1))
	}
	writeJSON(w, http.StatusOK, append([]Email{}, all[start:end]...))
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// number returns a parameter that is a number of 1 to 1000, else fallback.
func number(r *http.Request, name string, fallback int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 1 || n > 1000 {
		return fallback
	}
	return n
}
