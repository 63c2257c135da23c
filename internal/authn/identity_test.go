package authn

import (
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

// S27: one "@", ASCII, nothing that two programs read in two ways.
func TestS27Addresses(t *testing.T) {
	for _, good := range []string{
		"ada@example.com", "Ada.Lovelace+x@sub.example.co.uk", "a@b", "o'brien@example.com",
		"ends.with.dot.@docomo.example", "two..dots@docomo.example", "x_y-z@xn--bcher-kva.example",
		strings.Repeat("a", 242) + "@example.com",
	} {
		if !isAddress(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{
		"", "@", "ada", "ada@", "@example.com", "a@b@c", `"a@b"@c`, "ada@@example.com",
		"ada @example.com", "ada@example.com ", " ada@example.com", "ada@exa mple.com", "ada\t@example.com",
		"ada@example.com\x00", "ada@example.com\r\nBcc: eve@example.com", "ädä@example.com", "ada@exämple.com",
		"ada@[127.0.0.1]", "ada(comment)@example.com", "<ada@example.com>", "ada@example.com,eve@example.com",
		"ada@example..com", "ada@.example.com", "ada@example.com.", "ada@-example.com", "ada@example-.com",
		"ada;eve@example.com", `a\b@example.com`, strings.Repeat("a", 243) + "@example.com",
	} {
		if isAddress(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// A hostile account at the provider has odd names: they become storable and
// harmless, and nobody is turned away for them.
func TestTidy(t *testing.T) {
	got := tidy(providers.Identity{
		Issuer: "https://idp.example", Subject: "1", Email: "ada@example.com", EmailVerified: true,
		Name: " Ada\x00 \xffLove\r\nlace\u0085 ", Username: "a\x1bda", AvatarURL: "javascript:alert(1)", SessionID: "a\nb",
	})
	if got.Name != "Ada Lovelace" || got.Username != "ada" || got.AvatarURL != "" || got.SessionID != "" {
		t.Errorf("tidy = %+v", got)
	}
	if got.Issuer != "https://idp.example" || got.Subject != "1" || got.Email != "ada@example.com" || !got.EmailVerified {
		t.Errorf("tidy changed what names the account: %+v", got)
	}
	long := tidy(providers.Identity{Name: strings.Repeat("é", 1000), AvatarURL: "https://x/" + strings.Repeat("a", 600)})
	if long.Name != strings.Repeat("é", maxText) || long.AvatarURL != "" {
		t.Errorf("tidy keeps %d bytes of name, %d of avatar", len(long.Name), len(long.AvatarURL))
	}
	same := ada()
	same.Name = "Zoë 李 👩‍💻"
	if got := tidy(same); got.Name != same.Name || got.AvatarURL != same.AvatarURL || got.SessionID != same.SessionID {
		t.Errorf("tidy changed a harmless identity: %+v", got)
	}
}

func TestAvatarURLs(t *testing.T) {
	for text, want := range map[string]bool{
		"https://idp.example/a.png?x=1": true, "http://localhost:8080/a": true,
		"": false, "/a.png": false, "//idp.example/a": false, "data:image/png;base64,x": false, "https:///a": false,
		"JavaScript:alert(1)": false, "https://idp.example/\n": false,
		// S25: markup for whoever writes <img src="..."> without escaping.
		`https://idp.example/"><script>alert(1)</script>`: false, `https://idp.example/' onerror='alert(1)`: false,
		"https://idp.example/`": false, `https://idp.example\@evil.example/`: false, "https://idp.example/a b": false,
	} {
		if got := isAvatarURL(text); got != want {
			t.Errorf("isAvatarURL(%q) = %v", text, got)
		}
	}
}

func TestAccountKeyLength(t *testing.T) {
	id := ada()
	id.Subject = strings.Repeat("s", maxAccountKey)
	if err := checkKey(id); err != nil {
		t.Errorf("a long subject: %v", err)
	}
	id.Subject += "s"
	if checkKey(id) == nil {
		t.Error("an endless subject is accepted")
	}
}
