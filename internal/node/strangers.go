package node

import (
	"fmt"
	"slices"

	"github.com/datahq/auth-gateway/internal/store"
)

// difference is why the tokens of one of two gateways are refused by the other.
type difference struct {
	what   string // the other gateway has
	detail string
	// bars says that the two must not run together. With other keys each would
	// take the other's tokens for forged ones; with another address they are known
	// for another site's, which may be what somebody wants while he moves.
	bars bool
}

// strangers compares two gateways; nil if nothing is in the way of them.
func strangers(own, other store.Node) *difference {
	if detail := strangeKey(own, other); detail != "" {
		return &difference{"other keys", detail, true}
	}
	if own.Address != "" && other.Address != "" && own.Address != other.Address {
		return &difference{
			"another external_address", fmt.Sprintf("%s at the gateway on %q, %s here", other.Address, other.Name, own.Address), false,
		}
	}
	return nil
}

// strangeKey says which key one of two gateways signs with that the other does
// not know; "" if there is none.
func strangeKey(own, other store.Node) string {
	for _, kind := range []struct {
		name        string
		ours, their []string
	}{{"signing", own.SigningKeys, other.SigningKeys}, {"session", own.SessionKeys, other.SessionKeys}} {
		switch {
		case len(kind.ours) == 0 || len(kind.their) == 0:
		case !slices.Contains(kind.ours, kind.their[0]):
			return fmt.Sprintf("the %s key %s of the gateway on %q is unknown here, where %s signs", kind.name, short(kind.their[0]), other.Name, short(kind.ours[0]))
		case !slices.Contains(kind.their, kind.ours[0]):
			return fmt.Sprintf("our %s key %s is unknown to the gateway on %q, where %s signs", kind.name, short(kind.ours[0]), other.Name, short(kind.their[0]))
		}
	}
	return ""
}

// short is the beginning of a key's ID, enough to tell keys apart.
func short(id string) string { return id[:min(8, len(id))] }
