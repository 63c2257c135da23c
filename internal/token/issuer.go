package token

import "strings"

// UnverifiedIssuer returns the "iss" that a token claims to have, and whether
// raw is a JWT that claims one at all. It proves nothing: it only tells whose
// token it would be, so that a Bearer token of somebody else's can be left alone
// and one that claims to be ours must verify (ruling 5).
//
// The payload is read as strictly as by a verifier (8 KiB in all, canonical
// base64url without padding, a JSON object), but that other members than "iss"
// may be repeated. What the header says and whether there is a signature does not
// matter: so more tokens count as claiming.
//
// It costs no allocation but the issuer's, yet more than a look-up by the
// token's text: look there first.
func UnverifiedIssuer(raw string) (iss string, ok bool) {
	first, second, third, ok := split(raw)
	if !ok || first == "" || second == "" || !isBase64URL(first) || !isBase64URL(third) {
		return "", false
	}
	var buffer [maxToken * 3 / 4]byte
	text, escaped, ok := findMember(&buffer, second, "iss")
	if !ok || len(text) == 0 {
		return "", false
	}
	return unquote(text, escaped), true
}

// findMember decodes one part of a token into the buffer and returns the string
// member of that name, as scanner.literal does. ok is false if the part is not a
// JSON object, or does not have the member exactly once and as a string.
func findMember(buffer *[maxToken * 3 / 4]byte, part, name string) (text []byte, escaped, ok bool) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, false, false
	}
	n, err := partEncoding.Decode(buffer[:], []byte(part))
	if err != nil {
		return nil, false, false
	}
	s := scanner{data: buffer[:n], depth: maxDepth}
	if s.begin() != nil || s.open() != nil || s.take('}') {
		return nil, false, false
	}
	found := false
	for more := true; more; {
		member, memberEscaped, err := s.name()
		if err != nil {
			return nil, false, false
		}
		if string(member) == name || memberEscaped && unquote(member, true) == name {
			if found {
				return nil, false, false
			}
			found = true
			text, escaped, err = s.literal()
		} else {
			_, err = s.value()
		}
		if err != nil {
			return nil, false, false
		}
		if more, err = s.next('}'); err != nil {
			return nil, false, false
		}
	}
	return text, escaped, found && s.pos == n
}

// isBase64URL reports whether text has only characters of the base64url
// alphabet.
func isBase64URL(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
