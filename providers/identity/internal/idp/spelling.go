package idp

import "strings"

// nearest returns the one of words that has word in it ("secret" for
// client_secret), or else is fewest edits from it.
func nearest(word string, words []string) string {
	best, least := "", -1
	for _, candidate := range words {
		if word != "" && strings.Contains(candidate, word) {
			return candidate
		}
		if d := distance(word, candidate); least < 0 || d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
