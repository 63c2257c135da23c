package routes

import (
	"encoding/json"
	"testing"
)

// S11: what may make another path of the one that was judged.
func TestMovesPath(t *testing.T) {
	for options, want := range map[string]bool{
		`{}`:                                       false,
		`{"method": "GET"}`:                        false,
		`{"uri": "?a=1"}`:                          false,
		`{"uri": "/x{uri}"}`:                       true,
		`{"uri": "/admin?a=1"}`:                    true,
		`{"strip_path_prefix": "/a"}`:              true,
		`{"strip_path_suffix": "/a"}`:              true,
		`{"uri_substring": [{}]}`:                  true,
		`{"path_regexp": [{"find": "a"}]}`:         true,
		`{"uri": "{http.matchers.file.relative}"}`: false,
	} {
		if got := rewriteOf(step{raw: json.RawMessage(options)}).movesPath(); got != want {
			t.Errorf("%s: %t", options, got)
		}
	}
}
