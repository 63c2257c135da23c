package routes

import (
	"slices"
	"strings"
)

// passed is what a request has certainly passed when it comes to a place.
type passed struct {
	// gate is that a gate has judged it, lock that it has been turned away unless
	// it says who it is.
	gate, lock barrier
	// rewritten says that its path may have changed since its gate.
	rewritten bool
	// changes counts the handlers on the way that change what conditions look at.
	changes int
}

// change forgets the conditions: requests may meet them now that did not when
// the gate was passed by.
func (p *passed) change() {
	p.gate.some, p.lock.some = nil, nil
	p.changes++
}

// barrier is one kind of handlers on the way.
type barrier struct {
	// all says that every request has passed one.
	all bool
	// some are the conditions on which requests have passed one.
	some []condition
}

// where is the barrier for the requests that meet a condition.
func (b barrier) where(c condition) barrier {
	return barrier{all: b.all || slices.ContainsFunc(b.some, c.implies), some: slices.Clone(b.some)}
}

// add notes that requests of a condition have passed what is inside it.
func (b *barrier) add(inside barrier, c condition) {
	if inside.all {
		b.some = append(b.some, c)
	}
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
