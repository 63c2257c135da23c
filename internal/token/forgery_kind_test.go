package token

import (
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// S4: neither kind is accepted as the other, nor is anything that was signed for
// another purpose, even with one of our keys.
func TestKindsExcludeEachOther(t *testing.T) {
	ring := testRing(t)
	permission, err := ring.SignPermission(testPermission())
	if err != nil {
		t.Fatal(err)
	}
	session, err := ring.SignSession(testSession())
	if err != nil {
		t.Fatal(err)
	}
	// An id_token as an identity provider makes it (OpenID Connect Core, section
	// 2), with its key and with ours: an operator might use one pair for both.
	idClaims := `{"iss":"https://accounts.google.com","azp":"gateway","aud":"gateway","sub":"user-1","userid":"user-1","email":"a@example.com",` +
		`"email_verified":true,"nonce":"n","service":"storage","permissions":{"read":true},"sid":"session-1",` + iatText() + `,` + expText() + `}`
	idHeader := `{"alg":"RS256","kid":"` + otherKey(t).ID() + `","typ":"JWT"}`
	// A token of everything, to be both kinds at once.
	allClaims := extend(permissionPayload(), `"state":"s"`)
	private, secret := testPrivate(t), testSessionKey(t).secret

	refusedAsSession(t, []forgery{
		{"permission token", permission, "wrong alg"},
		{"permission token that says session+jwt", forgePermission(t, strings.Replace(permissionHeader(t), `"JWT"`, `"session+jwt"`, 1), allClaims), "wrong alg"},
		{"signed as a permission, header of a session", forge(t, jwa.RS256, private, sessionHeader(t), allClaims), "signature: does not match"},
		{"right key, typ JWT", forgeSession(t, strings.Replace(sessionHeader(t), "session+jwt", "JWT", 1), allClaims), "wrong typ"},
		{"right key, no typ", forgeSession(t, strings.Replace(sessionHeader(t), `,"typ":"session+jwt"`, "", 1), allClaims), "wrong typ"},
		{"right key, typ in another case", forgeSession(t, strings.Replace(sessionHeader(t), "session+jwt", "Session+JWT", 1), allClaims), "wrong typ"},
		{"right key, typ as a media type", forgeSession(t, strings.Replace(sessionHeader(t), "session+jwt", "application/session+jwt", 1), allClaims), "wrong typ"},
		{"right key, typ state+jwt", forgeSession(t, strings.Replace(sessionHeader(t), "session+jwt", "state+jwt", 1), allClaims), "wrong typ"},
		{"id_token", forge(t, jwa.RS256, otherKey(t).private, idHeader, idClaims), "wrong alg"},
		{"session of the original, keyed with the PEM (O1)", forge(t, jwa.HS256, testPEM, `{"typ":"JWT","alg":"HS256"}`, `{"userid":"user-1",`+expText()+`}`), "wrong typ"},
	})
	refusedAsPermission(t, []forgery{
		{"session token", session, "wrong alg"},
		{"session token that says JWT", forgeSession(t, strings.Replace(sessionHeader(t), "session+jwt", "JWT", 1), allClaims), "wrong alg"},
		{"signed as a session, header of a permission", forge(t, jwa.HS256, secret, permissionHeader(t), allClaims), "signature: does not match"},
		{"right key, typ session+jwt", forgePermission(t, strings.Replace(permissionHeader(t), `"JWT"`, `"session+jwt"`, 1), allClaims), "wrong typ"},
		{"right key, no typ", forgePermission(t, strings.Replace(permissionHeader(t), `,"typ":"JWT"`, "", 1), allClaims), "wrong typ"},
		{"right key, typ in another case", forgePermission(t, strings.Replace(permissionHeader(t), `"JWT"`, `"jwt"`, 1), allClaims), "wrong typ"},
		{"right key, typ at+jwt", forgePermission(t, strings.Replace(permissionHeader(t), `"JWT"`, `"at+jwt"`, 1), allClaims), "wrong typ"},
		{"id_token", forge(t, jwa.RS256, otherKey(t).private, idHeader, idClaims), "unknown kid"},
		{"id_token without kid", forge(t, jwa.RS256, otherKey(t).private, `{"alg":"RS256","typ":"JWT"}`, idClaims), "signature: does not match"},
		{"id_token signed with our key", forgePermission(t, permissionHeader(t), idClaims), "aud: "},
		{"id_token signed with our key, no aud", forgePermission(t, permissionHeader(t), strings.Replace(idClaims, `"aud":"gateway",`, "", 1)), "iss: "},
		{"session claims signed with the permission key", forgePermission(t, permissionHeader(t), sessionPayload()), "service: not a string"},
		{"permission token of the original", forgePermission(t, `{"typ":"JWT","alg":"RS256"}`, `{"userid":"user-1","permissions":{},"service":"storage"}`), "iss: "},
	})
}
