//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// form is a form of a page, filled in as the page came.
type form struct {
	action string
	fields url.Values
}

// onlyForm reads the one form of a page that is at an address.
func onlyForm(t testing.TB, page, at string) form {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var forms []form
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		switch node.Data {
		case "form":
			if method := attribute(node, "method"); !strings.EqualFold(method, "post") {
				t.Fatalf("the form at %s has the method %q", at, method)
			}
			forms = append(forms, form{action: gatewaytest.Resolve(t, at, attribute(node, "action")), fields: make(url.Values)})
		case "input":
			if name := attribute(node, "name"); name != "" && len(forms) > 0 {
				forms[len(forms)-1].fields.Set(name, attribute(node, "value"))
			}
		}
	}
	if len(forms) != 1 {
		t.Fatalf("%d forms at %s, want one:\n%s", len(forms), at, page)
	}
	return forms[0]
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// submit sends a form as a browser does from a page with the referrer policy
// no-referrer, which makes the Origin "null" (Fetch Standard, section 3.2).
func (f form) submit(b *gatewaytest.Browser) gatewaytest.Answer {
	return b.Do(http.MethodPost, f.action, strings.NewReader(f.fields.Encode()), http.Header{
		"Accept": {"text/html"}, "Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"null"},
		"Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"same-origin"},
	})
}
