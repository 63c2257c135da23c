package wire

// Some upstreams read a header's name as CGI does: case is lost, and "_" and
// "." are "-". A name that is folded here is as they read it.

// Fold is a header's name as such an upstream reads it.
func Fold(name string) string {
	folded := []byte(name)
	for i, c := range folded {
		folded[i] = foldByte(c)
	}
	return string(folded)
}

func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c | 0x20
	case c == '_' || c == '.':
		return '-'
	}
	return c
}

// EqualFolded reports whether a name folds to another one, which is folded.
func EqualFolded(name, folded string) bool {
	return len(name) == len(folded) && HasFoldedPrefix(name, folded)
}

// HasFoldedPrefix reports whether a folded name begins so.
func HasFoldedPrefix(name, folded string) bool {
	if len(name) < len(folded) {
		return false
	}
	for i := range len(folded) {
		if foldByte(name[i]) != folded[i] {
			return false
		}
	}
	return true
}

// HasFoldedSuffix reports whether a folded name ends so.
func HasFoldedSuffix(name, folded string) bool {
	return len(name) >= len(folded) && HasFoldedPrefix(name[len(name)-len(folded):], folded)
}
