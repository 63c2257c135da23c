package caddymodule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// expected ends an error message: what would have been right, the nearest
// spelling first.
func expected(found string, right []string) string {
	text := "expected one of " + strings.Join(right, ", ")
	if len(right) == 0 {
		text = "none is configured"
	}
	if near := nearest(found, right); near != "" {
		return fmt.Sprintf("did you mean %s? (%s)", near, text)
	}
	return text
}

// nearest is the candidate that a typing error would turn into found; "" if
// none is near.
func nearest(found string, candidates []string) string {
	best, least := "", len(found)/2+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(found), candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements between two words
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost = 1 + min(previous, row[j], row[j+1])
			}
			previous, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// unknownService is the error for a gate in front of nothing.
func unknownService(name string, known []string) error {
	return errors.New("unknown service " + quote(name) + "; " + expected(name, known) + "; add \"service " + name + " <provider>\" to the auth block")
}

func quote(text string) string { return fmt.Sprintf("%q", text) }

// moduleNames are the registered guests of a namespace, without it.
func moduleNames(namespace string) []string {
	var names []string
	for _, module := range caddy.GetModules(namespace) {
		names = append(names, module.ID.Name())
	}
	return names
}
