package node

import (
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/store"
)

func TestStrangers(t *testing.T) {
	for name, test := range map[string]struct {
		own, other [2]string
		want       string
	}{
		"the same":                  {[2]string{"a", "s"}, [2]string{"a", "s"}, ""},
		"both know both":            {[2]string{"a b", "s t"}, [2]string{"b a", "t s"}, ""},
		"one has a next key":        {[2]string{"a b", "s"}, [2]string{"a", "s"}, ""},
		"other signing key":         {[2]string{"a", "s"}, [2]string{"b", "s"}, "signing key b"},
		"other session key":         {[2]string{"a", "s"}, [2]string{"a", "t"}, "session key t"},
		"ours is not known":         {[2]string{"a b", "s"}, [2]string{"b", "s"}, "our signing key a"},
		"our session is not known":  {[2]string{"a", "s t"}, [2]string{"a", "t"}, "our session key s"},
		"theirs is not known":       {[2]string{"a", "s"}, [2]string{"b a", "s"}, "signing key b"},
		"a gateway that tells none": {[2]string{"a", "s"}, [2]string{"", ""}, ""},
	} {
		own, other := store.Node{}, store.Node{Name: "host-2"}
		own.SigningKeys, own.SessionKeys = strings.Fields(test.own[0]), strings.Fields(test.own[1])
		other.SigningKeys, other.SessionKeys = strings.Fields(test.other[0]), strings.Fields(test.other[1])
		got := ""
		if d := strangers(own, other); d != nil {
			got = d.detail
		}
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) || got != "" && !strings.Contains(got, "host-2") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// Only the beginning of an ID is told.
func TestStrangersTellLittle(t *testing.T) {
	id := strings.Repeat("0123456789", 4)
	got := strangers(store.Node{SigningKeys: []string{id}}, store.Node{SigningKeys: []string{"other"}}).detail
	if !strings.Contains(got, "01234567") || strings.Contains(got, "012345678") {
		t.Error(got)
	}
}

// Tokens name their gateway's address, so another's are refused whatever signed
// them. One that ran before tells none.
func TestStrangersByAddress(t *testing.T) {
	at := func(address string) store.Node {
		return store.Node{Name: "host-" + address, Address: address, SigningKeys: []string{"a"}, SessionKeys: []string{"s"}}
	}
	for _, fit := range [][2]string{{"https://a.example", "https://a.example"}, {"https://a.example", ""}, {"", "https://a.example"}} {
		if d := strangers(at(fit[0]), at(fit[1])); d != nil {
			t.Errorf("%q: %+v", fit, d)
		}
	}
	d := strangers(at("https://a.example"), at("http://a.example"))
	if d == nil || d.bars || d.what != "another external_address" || d.detail != `http://a.example at the gateway on "host-http://a.example", https://a.example here` {
		t.Errorf("%+v", d)
	}
}
