package routes

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// isWithin reports whether one alternative asks for all that a wider one does.
func isWithin(narrow, wide map[string]json.RawMessage) bool {
	for name, matcher := range wide {
		own, there := narrow[name]
		if !there || !bytes.Equal(own, matcher) && !isWithinList(name, own, matcher) {
			return false
		}
	}
	return true
}

// isWithinList compares matchers that are lists of which one must match.
func isWithinList(name string, narrow, wide json.RawMessage) bool {
	if name != "path" && name != "host" && name != "method" {
		return false
	}
	var few, many []string
	if json.Unmarshal(narrow, &few) != nil || json.Unmarshal(wide, &many) != nil {
		return false
	}
	for _, item := range few {
		if !slices.ContainsFunc(many, func(pattern string) bool {
			return item == pattern || name == "path" && isBelow(item, pattern)
		}) {
			return false
		}
	}
	return len(few) > 0
}

// isBelow reports whether all paths of one pattern are paths of another, which
// ends in "*": "/a/b/*" is below "/a/*".
func isBelow(narrow, wide string) bool {
	narrow, wide = strings.ToLower(narrow), strings.ToLower(wide)
	prefix, found := strings.CutSuffix(wide, "*")
	if !found || strings.ContainsAny(prefix, `*?[\{%`) || strings.ContainsAny(narrow, "{%") || strings.Contains(prefix, "//") != strings.Contains(narrow, "//") {
		return narrow == wide
	}
	if i := strings.IndexAny(narrow, `*?[\`); i >= 0 {
		narrow = narrow[:i]
	}
	return strings.HasPrefix(narrow, prefix)
}
