package routes

import (
	"slices"
	"strings"
)

// passed is what a request has certainly passed when it comes to a place.
type passed struct {
	// gate says that a gate has judged it.
	gate bool
	// some are the conditions on which a gate has judged it.
	some []condition
	// rewritten says that its path may have changed since.
	rewritten bool
	// changes counts the handlers on the way that change what conditions look at.
	changes int
}

// change forgets the conditions: requests may meet them now that did not when
// the gate was passed by.
func (p *passed) change() {
	p.some = nil
	p.changes++
}

// place is how requests come somewhere: the conditions on the way.
type place []condition

func (p place) String() string {
	var parts []string
	for _, c := range p {
		if text := c.String(); text != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return "every request"
	}
	return strings.Join(parts, " and ")
}
