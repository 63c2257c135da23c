package keyring

import (
	"encoding/json"
	"strings"
	"testing"
)

// What cannot be read is refused, and the error tells nothing of it (S43).
func TestParseFile(t *testing.T) {
	good := NewFile()
	good.Session = at(t, 0, -1)
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(text)
	if err != nil || len(f.Session) != 2 || !f.Session[0].SignsFrom.Before(f.Session[1].SignsFrom) || f.Session[0].session == nil {
		t.Errorf("%+v, %v", f, err)
	}
	for name, bad := range map[string]string{
		"nothing":          ``,
		"cut":              string(text[:len(text)/2]),
		"another form":     `["secret"]`,
		"a later version":  `{"version": 2}`,
		"no version":       `{"session": []}`,
		"no key":           `{"version": 1, "session": [{"id": "x"}]}`,
		"a broken PEM":     `{"version": 1, "signing": [{"key": "-----BEGIN PRIVATE KEY-----\nsecret"}]}`,
		"a wrong kind":     `{"version": 1, "signing": [{"key": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}]}`,
		"a time as number": `{"version": 1, "session": [{"signs_from": 1}]}`,
	} {
		if f, err := parseFile([]byte(bad)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}
