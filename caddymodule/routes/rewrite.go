package routes

import (
	"encoding/json"
	"strings"
)

// rewriteStep are the options of a rewrite that concern the path.
type rewriteStep struct {
	Method          string            `json:"method"`
	URI             string            `json:"uri"`
	StripPathPrefix string            `json:"strip_path_prefix"`
	StripPathSuffix string            `json:"strip_path_suffix"`
	URISubstring    []json.RawMessage `json:"uri_substring"`
	PathRegexp      []json.RawMessage `json:"path_regexp"`
}

func rewriteOf(s step) (rewrite rewriteStep) {
	s.read(&rewrite)
	return rewrite
}

// movesPath reports whether a path may be another one afterwards. That a file
// was found under (try_files, php_fastcgi) cannot be steered.
func (r rewriteStep) movesPath() bool {
	path, _, _ := strings.Cut(r.URI, "?")
	return path != "" && !strings.HasPrefix(path, "{http.matchers.file.") ||
		r.StripPathPrefix != "" || r.StripPathSuffix != "" || len(r.URISubstring)+len(r.PathRegexp) > 0
}
