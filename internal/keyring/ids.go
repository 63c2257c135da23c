package keyring

import (
	"slices"

	"github.com/datahq/auth-gateway/internal/token"
)

// keyIDs are the IDs of the keys, those that sign first.
func keyIDs(keys token.Keys) (signing, session []string) {
	signing, session = []string{keys.Signing.ID()}, []string{keys.Session.ID()}
	for _, key := range keys.OtherSigning {
		signing = append(signing, key.ID())
	}
	for _, key := range keys.OtherSessions {
		session = append(session, key.ID())
	}
	return signing, session
}

// accepted are the IDs of all keys.
func accepted(keys token.Keys) []string {
	signing, session := keyIDs(keys)
	return append(signing, session...)
}

func sameKeys(a, b token.Keys) bool {
	signing, session := keyIDs(a)
	otherSigning, otherSession := keyIDs(b)
	return slices.Equal(signing, otherSigning) && slices.Equal(session, otherSession) && a.Until.Equal(b.Until)
}
