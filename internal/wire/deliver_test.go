package wire

import (
	"net/url"
	"slices"
	"testing"
)

// Contract 1.2 and S20: "jwt" goes last and unescaped, the token of somebody
// else goes, the rest and the fragment stay byte for byte (the original lost
// blank and repeated parameters: O21). datahub-client
// takes everything after "?jwt=" for the token, gobble everything after "/?jwt=".
func TestDeliver(t *testing.T) {
	for _, next := range []string{"https://app.example.com", "https://app.example.com/a?", "https://app.example.com/#", "https://app.example.com/a?b=&&c#?jwt=x"} {
		if got := Undelivered(next); got != next {
			t.Errorf("%q is changed to %q", next, got)
		}
	}
	for next, want := range map[string]string{
		"http://localhost:3000":                     "http://localhost:3000?jwt=T.o-k_n",
		"http://localhost:3000/":                    "http://localhost:3000/?jwt=T.o-k_n",
		"https://app.example.com/a?":                "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?b=c":             "https://app.example.com/a?b=c&jwt=T.o-k_n",
		"https://app.example.com/a?b=c&b=d":         "https://app.example.com/a?b=c&b=d&jwt=T.o-k_n",
		"https://app.example.com/a?client=web#top":  "https://app.example.com/a?client=web&jwt=T.o-k_n#top",
		"https://app.example.com/#top":              "https://app.example.com/?jwt=T.o-k_n#top",
		"https://app.example.com/#":                 "https://app.example.com/?jwt=T.o-k_n#",
		"https://app.example.com/#a?jwt=x":          "https://app.example.com/?jwt=T.o-k_n#a?jwt=x",
		"https://app.example.com/a?b#c#d":           "https://app.example.com/a?b&jwt=T.o-k_n#c#d",
		"https://app.example.com/a?jwt=evil":        "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?jwt=evil&b=c":    "https://app.example.com/a?b=c&jwt=T.o-k_n",
		"https://app.example.com/a?b=c&jwt=x&jwt=y": "https://app.example.com/a?b=c&jwt=T.o-k_n",
		"https://app.example.com/a?%6Awt=evil&b=c":  "https://app.example.com/a?b=c&jwt=T.o-k_n",
		"https://app.example.com/a?j%77%74=evil":    "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?jwt":             "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?jwt=":            "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?JWT=x":           "https://app.example.com/a?JWT=x&jwt=T.o-k_n",
		"https://app.example.com/a?b=&c&d=e&=f":     "https://app.example.com/a?b=&c&d=e&=f&jwt=T.o-k_n",
		"https://app.example.com/a?&&&":             "https://app.example.com/a?&&&&jwt=T.o-k_n",
		"https://app.example.com/a?b=%zz&c=d+e%20f": "https://app.example.com/a?b=%zz&c=d+e%20f&jwt=T.o-k_n",
		"https://app.example.com/a?u=https://x?y=z": "https://app.example.com/a?u=https://x?y=z&jwt=T.o-k_n",
		"https://app.example.com/a?jwt&x&jwt=&y=":   "https://app.example.com/a?x&y=&jwt=T.o-k_n",
		"https://app.example.com/a?jwt=old&":        "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?%6a%77%74":       "https://app.example.com/a?jwt=T.o-k_n",
		"https://app.example.com/a?jwt[]=x&+jwt=y":  "https://app.example.com/a?jwt[]=x&+jwt=y&jwt=T.o-k_n",
		"https://app.example.com/a?x=1;jwt=evil":    "https://app.example.com/a?x=1;jwt=evil&jwt=T.o-k_n",
		"https://app.example.com/a?%2525=%26&b=%3D": "https://app.example.com/a?%2525=%26&b=%3D&jwt=T.o-k_n",
		"https://app.example.com/a;p=q?b=c":         "https://app.example.com/a;p=q?b=c&jwt=T.o-k_n",
	} {
		got := Deliver(next, "T.o-k_n")
		if got != want {
			t.Errorf("%q: %q; expected %q", next, got, want)
		}
		without := Undelivered(next)
		if u, err := url.Parse(without); err != nil || len(QueryValues(u.RawQuery, "jwt")) > 0 || Deliver(without, "T.o-k_n") != want {
			t.Errorf("%q without a token: %q", next, without)
		}
		// S20: whoever reads it sees our token and no other.
		if u, err := url.Parse(got); err != nil || !slices.Equal(QueryValues(u.RawQuery, "jwt"), []string{"T.o-k_n"}) {
			t.Errorf("%q: %q is read as %v, %v", next, got, u, err)
		}
	}
}
