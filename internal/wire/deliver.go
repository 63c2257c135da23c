package wire

import "strings"

// Deliver puts a session token into a checked destination, as the last
// parameter "jwt", unescaped (contract 1.2). Others of that name are dropped, in
// any encoding; the rest of the query and the fragment stay byte for byte (S20).
func Deliver(next, token string) string {
	rest, fragment, hasFragment := strings.Cut(next, "#")
	address, query, _ := strings.Cut(rest, "?")
	query = WithoutParameter(query, "jwt")
	if query != "" {
		query += "&"
	}
	delivered := address + "?" + query + "jwt=" + token
	if hasFragment {
		delivered += "#" + fragment
	}
	return delivered
}
