package requestlog

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// telling is tellsPlainly, as a regular expression.
var telling = regexp.MustCompile(`eyJ[\w-]{6}` +
	`|(?:^|[^\w-])[\w-]{43}(?:$|[^\w-])` +
	`|[^\s/@=&?]@[^\s/@=&?]+\.[^\s/@=&?]` +
	`|(?i:(?:^|[?&#;])(?:` + strings.Join(slices.Sorted(maps.Keys(secretParameters)), "|") + `)=)`)

// S41: what is found in one pass is what the expression says.
func TestTellsAsTheExpressionSays(t *testing.T) {
	secret := strings.Repeat("a", 43)
	pieces := []string{
		"eyJ", "abcdef", "-_", "/", "?", "&", "#", ";", "=", "@", ".", " ", "jwt", "JWT", "code", "x", "ada@example.com", "@example.com",
		"a@b", ".com", "..", secret, secret[1:], "é", "eyJeyJ", "1", "email", "auth-token", "\t", "\r",
	}
	random := rand.New(rand.NewPCG(1, 2))
	told := 0
	for range 200_000 {
		var text strings.Builder
		for range 1 + random.IntN(7) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		want := telling.MatchString(text.String())
		if got := tellsPlainly(text.String()); got != want {
			t.Fatalf("%q: %v, the expression says %v", text.String(), got, want)
		}
		if want {
			told++
		}
	}
	if told < 10_000 || told > 190_000 {
		t.Errorf("%d of 200000 texts tell something", told)
	}
}

// BenchmarkCarriesSecret is what every request pays: one with little to look at,
// one of a page's script, and one with all that a browser sends.
func BenchmarkCarriesSecret(b *testing.B) {
	for name, uri := range map[string]string{"short": "/data", "page": "/api/items/12345?limit=10&sort=created_at&filter=open", "browser": "/data"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, uri, nil)
			if name == "page" {
				r.Header.Set("Referer", "http://localhost:8080/app/projects/overview/items?tab=all&view=list")
			}
			if name == "browser" {
				for _, header := range []string{
					"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Cookie", "Dnt", "Priority", "Sec-Fetch-Dest", "Sec-Fetch-Mode",
					"Sec-Fetch-Site", "Sec-Fetch-User", "Upgrade-Insecure-Requests", "User-Agent", "X-Forwarded-For", "X-Requested-With",
				} {
					r.Header.Set(header, "anything")
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if carriesSecret(r, uri) {
					b.Fatal("it carries none")
				}
			}
		})
	}
}
