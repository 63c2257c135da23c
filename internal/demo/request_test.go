package demo

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
)

func TestJSON(t *testing.T) {
	for name, test := range map[string]struct {
		method, target string
		headers        []string
		want           string
	}{
		"anonymous": {
			method: "POST", target: "http://localhost:8080/a%2Fb/%3Cx%3E?q=1&q=2&jwt",
			headers: []string{"Accept", "*/*"},
			want: `{"method": "POST", "path": "/a%2Fb/%3Cx%3E", "query": "q=1&q=2&jwt", "host": "localhost:8080",
				"identity": {"anonymous": true}, "token": null, "headers": {"Accept": ["*/*"]}}`,
		},
		"signed in": {
			method: "GET", target: "http://localhost:8080/storage/",
			headers: []string{
				"X-Auth-User-Id", "u1", "X-Auth-Username", "ada", "X-Auth-Email", "ada@example.com",
				"X-Auth-Name", "Ada%20Lov%C3%A9lace", "X-Auth-Service", "storage", "X-Auth-Permissions", `{"mb":50,"read":true}`,
				"X-Twice", "one", "X-Twice", "two",
			},
			want: `{"method": "GET", "path": "/storage/", "query": "", "host": "localhost:8080",
				"identity": {"anonymous": false, "user_id": "u1", "username": "ada", "email": "ada@example.com", "name": "Ada Lovélace",
					"service": "storage", "permissions": {"mb": 50, "read": true}},
				"token": null, "headers": {"X-Twice": ["one", "two"]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, New(Config{}), test.method, test.target, test.headers...)
			var got, want any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("not JSON: %v\n%s", err, w.Body)
			}
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%s\nwant\n%s", w.Body, test.want)
			}
		})
	}
}

// What is not text or JSON in a header must not make the answer anything else.
func TestJSONOfBrokenValues(t *testing.T) {
	w := ask(t, New(Config{}), http.MethodGet, "/",
		"X-Auth-User-Id", "%FF", "X-Auth-Name", "100%", "X-Auth-Permissions", `{"read":`, "X-Other", "\xff", tokenHeader, "a.b.c")
	var got struct {
		Identity map[string]any
		Token    *struct {
			Verified       bool
			Error          string
			Header, Claims map[string]any
		}
		Headers map[string][]string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, w.Body)
	}
	want := map[string]any{"anonymous": false, "user_id": "\ufffd", "name": "100%", "permissions": `{"read":`}
	if !reflect.DeepEqual(got.Identity, want) {
		t.Errorf("identity is %v, want %v", got.Identity, want)
	}
	if got.Headers["X-Other"][0] != "\ufffd" {
		t.Errorf("X-Other is %q", got.Headers["X-Other"])
	}
	if got.Token == nil || got.Token.Verified || got.Token.Error == "" || got.Token.Header != nil || got.Token.Claims != nil {
		t.Errorf("token is %+v", got.Token)
	}
}
