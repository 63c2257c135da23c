package demo

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestBanner(t *testing.T) {
	var b strings.Builder
	Banner(&b, "http://localhost:8080/", "ada: storage read, write and admin", "bob: storage read", "carol")
	const want = `
  auth-gateway is running. Open this in a browser:

      http://localhost:8080/

  Sign in as one of the sample users; none has a password:

      ada    storage read, write and admin
      bob    storage read
      carol

  Or ask without signing in, and be refused (401, with the reason as JSON):

      curl -i http://localhost:8080/storage/

  Ctrl-C ends it.

`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n >= 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestBannerWithoutUsers(t *testing.T) {
	var b strings.Builder
	Banner(&b, "https://gateway.test")
	if strings.Contains(b.String(), "Sign in") || !strings.Contains(b.String(), "curl -i https://gateway.test/storage/\n") {
		t.Error(b.String())
	}
}
