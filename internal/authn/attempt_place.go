package authn

// Place is where a Store keeps an attempt, as a letter of base64url; what it
// stands for is the Store's affair. It begins the attempt's state, so that all
// gateways know it and nobody can change it afterwards: with another letter it
// is another state.
type Place byte

// newState returns a state that begins with its place: 250 random bits.
func newState(place Place) string { return string(rune(place)) + randomSecret()[1:] }

// placeOf returns where the attempt of a state is kept.
func placeOf(state string) Place { return Place(state[0]) }
