package token

import (
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// S3: one compact form, canonical to the last bit, and nothing around it.
func TestForgedForm(t *testing.T) {
	var permissions, sessions []forgery
	both := func(name, reason string, change func(raw string) string) {
		permissions = append(permissions, forgery{name, change(forgePermission(t, permissionHeader(t), permissionPayload())), reason})
		sessions = append(sessions, forgery{name, change(forgeSession(t, sessionHeader(t), sessionPayload())), reason})
	}
	part := func(i int, change func(part string) string) func(string) string {
		return func(raw string) string {
			parts := strings.Split(raw, ".")
			parts[i] = change(parts[i])
			return strings.Join(parts, ".")
		}
	}
	for i, name := range []string{"header", "payload", "signature"} {
		reason := name + ": not canonical base64url"
		for _, c := range []string{"=", "==", "\n", "\r\n", " ", "\t", "\x00", "+", "/", "%3D", "é", "~", ","} {
			both("after the "+name+" "+strings.Trim(b64(c), "="), reason, part(i, func(p string) string { return p + c }))
			both("before the "+name+" "+strings.Trim(b64(c), "="), reason, part(i, func(p string) string { return c + p }))
			both("within the "+name+" "+strings.Trim(b64(c), "="), reason, part(i, func(p string) string { return p[:4] + c + p[4:] }))
		}
		both("no "+name, reason, part(i, func(string) string { return "" }))
		both(name+" with a character too many", name+": ", part(i, func(p string) string { return p + "A" }))
		both(name+" in base64 with padding", name+": ", part(i, func(p string) string {
			return strings.NewReplacer("-", "+", "_", "/").Replace(p) + strings.Repeat("=", (4-len(p)%4)%4) + "="
		}))
	}
	// Bits that the last character has to spare: another text, the same bytes.
	both("stray bits in the signature", "signature: not canonical base64url", part(2, strayBit))
	permissions = append(permissions,
		forgery{"stray bits in the header", strayPart(t, 0), "header: not canonical base64url"},
		forgery{"stray bits in the payload", strayPart(t, 1), "payload: not canonical base64url"})

	both("empty", "not three parts", func(string) string { return "" })
	both("two periods", "not canonical", func(string) string { return ".." })
	both("no signature and no period", "not three parts", func(raw string) string { return raw[:strings.LastIndexByte(raw, '.')] })
	both("a fourth part", "not three parts", func(raw string) string { return raw + ".e30" })
	both("a fourth, empty part", "not three parts", func(raw string) string { return raw + "." })
	both("a period before", "not three parts", func(raw string) string { return "." + raw })
	both("the token twice", "not three parts", func(raw string) string { return raw + "." + raw })
	both("the token twice, comma", "not three parts", func(raw string) string { return raw + "," + raw })
	both("with its scheme", "header: not canonical", func(raw string) string { return "Bearer " + raw })
	both("in quotes", "header: not canonical", func(raw string) string { return `"` + raw + `"` })
	both("over 8 KiB", "8 KiB", func(raw string) string { return raw + strings.Repeat("A", maxToken-len(raw)+1) })

	// The other serialisations (RFC 7515, section 7.2), made by jwx of a good
	// signature.
	for name, option := range map[string]jws.SignOption{"JSON": jws.WithJSON(), "pretty JSON": jws.WithJSON(jws.WithPretty(true))} {
		headers := jws.NewHeaders()
		for k, v := range map[string]any{"kid": testSigningKey(t).ID(), "typ": "JWT"} {
			if err := headers.Set(k, v); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := jws.Sign([]byte(permissionPayload()), option, jws.WithKey(jwa.RS256, testPrivate(t), jws.WithProtectedHeaders(headers)))
		if err != nil {
			t.Fatal(err)
		}
		permissions = append(permissions, forgery{name + " serialisation", string(raw), "not three parts"})
	}
	parts := strings.Split(forgePermission(t, permissionHeader(t), permissionPayload()), ".")
	general := `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`
	permissions = append(permissions, forgery{"general JSON serialisation", general, "not three parts"})
	// JWE (RFC 7516): anybody can encrypt to the public key, and libraries that
	// take either form mistake that for a proof (CVE-2022-3102).
	encrypted, err := jwe.Encrypt([]byte(permissionPayload()), jwe.WithKey(jwa.RSA_OAEP_256, testPrivate(t).PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	permissions = append(permissions, forgery{"JWE", string(encrypted), "not three parts"},
		forgery{"JWE cut to three parts", strings.Join(strings.Split(string(encrypted), ".")[:3], "."), "header: "})

	t.Run("permission", func(t *testing.T) { refusedAsPermission(t, permissions) })
	t.Run("session", func(t *testing.T) { refusedAsSession(t, sessions) })
}

// strayBit sets the lowest bit of the last character, which must have bits to
// spare.
func strayBit(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(part)%4 == 0 || len(part)%4 == 1 {
		panic("no bits to spare")
	}
	last := strings.IndexByte(alphabet, part[len(part)-1])
	return part[:len(part)-1] + string(alphabet[last|1])
}

// strayPart signs a token one of whose first two parts has a stray bit, as it
// is: the signature is good.
func strayPart(t *testing.T, part int) string {
	t.Helper()
	texts := []string{permissionHeader(t), permissionPayload()}
	for len(texts[part])%3 == 0 {
		texts[part] = texts[part][:1] + " " + texts[part][1:]
	}
	parts := []string{b64(texts[0]), b64(texts[1])}
	parts[part] = strayBit(parts[part])
	signer, err := jws.NewSigner(jwa.RS256)
	if err != nil {
		t.Fatal(err)
	}
	signed := parts[0] + "." + parts[1]
	signature, err := signer.Sign([]byte(signed), testPrivate(t))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(string(signature))
}
