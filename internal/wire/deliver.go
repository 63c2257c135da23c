package wire

import "strings"

// Deliver puts a session token into a checked destination, as the original
// service did (contract 1.2): as the last parameter "jwt", unescaped; others of
// that name and parameters without a value are dropped, the fragment is kept.
func Deliver(next, token string) string {
	rest, fragment, hasFragment := strings.Cut(next, "#")
	address, query, _ := strings.Cut(rest, "?")
	kept := make([]string, 0, 8)
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if value != "" && unescape(key) != "jwt" {
			kept = append(kept, pair)
		}
	}
	delivered := address + "?" + strings.Join(append(kept, "jwt="+token), "&")
	if hasFragment {
		delivered += "#" + fragment
	}
	return delivered
}
