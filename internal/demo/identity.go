package demo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// identityHeaders are what the gateway says of the user, in the order shown.
// All values but the permissions are percent-encoded outside visible ASCII.
var identityHeaders = [...]struct{ header, key string }{
	{"X-Auth-User-Id", "user_id"},
	{"X-Auth-Username", "username"},
	{"X-Auth-Email", "email"},
	{"X-Auth-Name", "name"},
	{"X-Auth-Service", "service"},
	{permissionsHeader, "permissions"},
}

const permissionsHeader = "X-Auth-Permissions"

// identity is who the gateway says it is: one fact per identity header, in the
// order of identityHeaders.
type identity []fact

// fact is one identity header.
type fact struct {
	Header string
	// Raw is the value as it came, "" if none did. A header that was repeated,
	// which the gateway never does, reads as one with commas (RFC 9110, section
	// 5.3).
	Raw string
	// Value is Raw decoded: text, or the permissions as indented JSON.
	Value string
	// Decoded says that Raw was percent-encoded and Value differs from it.
	Decoded bool
	// JSON says that Value is JSON.
	JSON bool

	key string
}

func readIdentity(h http.Header) identity {
	var who identity
	for _, known := range identityHeaders {
		raw := strings.Join(h[known.header], ", ")
		f := fact{Header: known.header, key: known.key, Raw: strings.ToValidUTF8(raw, "\ufffd"), Value: raw}
		if known.header == permissionsHeader {
			var indented bytes.Buffer
			if json.Indent(&indented, []byte(raw), "", "  ") == nil {
				f.Value, f.JSON = indented.String(), true
			}
		} else if decoded, err := url.PathUnescape(raw); err == nil {
			f.Value, f.Decoded = decoded, decoded != raw
		}
		f.Value = strings.ToValidUTF8(f.Value, "\ufffd")
		who = append(who, f)
	}
	return who
}

// Get returns the decoded value of a fact by its key, "" if it did not come.
func (who identity) Get(key string) string {
	for _, f := range who {
		if f.key == key {
			return f.Value
		}
	}
	return ""
}

// Anonymous reports whether the gateway named nobody.
func (who identity) Anonymous() bool { return who.Get("user_id") == "" }

// Empty reports whether no identity header came at all.
func (who identity) Empty() bool {
	for _, f := range who {
		if f.Raw != "" {
			return false
		}
	}
	return true
}

// Label is what to call the user in a line: the first of name, username and ID
// that is known.
func (who identity) Label() string {
	for _, key := range []string{"name", "username", "user_id"} {
		if value := who.Get(key); value != "" {
			return value
		}
	}
	return ""
}

// MarshalJSON implements json.Marshaler; the shape is in New's comment.
func (who identity) MarshalJSON() ([]byte, error) {
	members := map[string]any{"anonymous": who.Anonymous()}
	for _, f := range who {
		switch {
		case f.Raw == "":
		case f.JSON:
			members[f.key] = json.RawMessage(f.Value)
		default:
			members[f.key] = f.Value
		}
	}
	return json.Marshal(members)
}
