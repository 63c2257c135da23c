package wire

import "strings"

// Deliver puts a session token into a checked destination, as the last
// parameter "jwt", unescaped (contract 1.2). Others of that name are dropped, in
// any encoding; the rest of the query and the fragment stay byte for byte (S20).
func Deliver(next, token string) string {
	rest, fragment, hasFragment := strings.Cut(Undelivered(next), "#")
	address, query, _ := strings.Cut(rest, "?")
	if query != "" {
		query += "&"
	}
	delivered := address + "?" + query + "jwt=" + token
	if hasFragment {
		delivered += "#" + fragment
	}
	return delivered
}

// Undelivered is a checked destination without parameters "jwt": one that was
// there before is planted, and the application would take it for the outcome of
// the sign-in, also where that has failed (S20).
func Undelivered(next string) string {
	rest, fragment, hasFragment := strings.Cut(next, "#")
	address, query, hasQuery := strings.Cut(rest, "?")
	if without := WithoutParameter(query, "jwt"); without != query {
		query, hasQuery = without, without != ""
	}
	if hasQuery {
		address += "?" + query
	}
	if hasFragment {
		address += "#" + fragment
	}
	return address
}
