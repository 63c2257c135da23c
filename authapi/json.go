package authapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/wire"
)

// object is a JSON object; encoding/json sorts its members.
type object map[string]any

// writeJSON writes an answer of the API: status 200, sorted, compact, escaped
// to ASCII, without a final newline (contract 1.1, ruling 31).
func (a *API) writeJSON(w http.ResponseWriter, r *http.Request, answer object) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the type is JSON and not sniffed
	if err := encoder.Encode(answer); err != nil {
		a.Logger.Error("encoding an answer", zap.Error(err))
		a.problemJSON(w, r, wire.Problem{
			Status: http.StatusInternalServerError, Code: wire.CodeInternal, Detail: "The answer could not be written.",
		})
		return
	}
	text := toASCII(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(text)
}

// toASCII escapes what is not ASCII in a JSON text, where it can stand in
// strings only.
func toASCII(text []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(text))
	escape := func(unit rune) {
		out = append(out, '\\', 'u', hex[unit>>12&15], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
	}
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			out = append(out, text[i])
			i++
			continue
		}
		char, size := utf8.DecodeRune(text[i:])
		i += size
		if high, low := utf16.EncodeRune(char); high != utf8.RuneError {
			escape(high)
			escape(low)
			continue
		}
		escape(char)
	}
	return out
}

// problemJSON writes a refusal for a program.
func (a *API) problemJSON(w http.ResponseWriter, r *http.Request, p wire.Problem) {
	p.RequestID = a.RequestID(r)
	p.WriteJSON(w)
}

// acceptsJSON reports whether JSON is asked for by name.
func acceptsJSON(r *http.Request) bool {
	for _, line := range r.Header["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, params, _ := strings.Cut(item, ";")
			mediaType = strings.ToLower(strings.TrimSpace(mediaType))
			isJSON := mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
			if isJSON && !wire.HasZeroWeight(params) {
				return true
			}
		}
	}
	return false
}
