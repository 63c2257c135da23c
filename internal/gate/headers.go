package gate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"github.com/datahq/auth-gateway/internal/authz"
	"github.com/datahq/auth-gateway/internal/wire"
)

// DefaultForwardToken is the header of a forwarded permission token.
const DefaultForwardToken = "X-Auth-Token"

// maxHeaderValue is how long an identity header may be; a longer one is left
// out.
const maxHeaderValue = 4 << 10

// The identity headers, in the order of Rendered.values.
var identityHeaders = [headerCount]string{
	"X-Auth-User-Id", "X-Auth-Username", "X-Auth-Email", "X-Auth-Name", "X-Auth-Service", "X-Auth-Permissions",
}

const headerCount = 6

// Rendered is a decision as header values, made once per decision.
type Rendered struct {
	values [headerCount]string // "" means no header
}

// Render is authz.Config.Render: it makes the header values of a decision, a
// *Rendered.
func Render(d *authz.Decision) any { return render(d) }

func render(d *authz.Decision) *Rendered {
	r := &Rendered{values: [headerCount]string{
		headerValue(d.User.ID), headerValue(d.User.Username), headerValue(d.User.Email), headerValue(d.User.Name),
	}}
	if d.Service != "" {
		r.values[4] = headerValue(d.Service)
		r.values[5] = permissionsValue(d.Permissions)
	}
	return r
}

// headerValue percent-encodes everything but visible ASCII, and "%" itself.
func headerValue(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() > maxHeaderValue {
		return ""
	}
	return b.String()
}

// permissionsValue is compact JSON with sorted keys, ASCII alone.
func permissionsValue(permissions map[string]any) string {
	if permissions == nil {
		return "{}"
	}
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(permissions); err != nil {
		return ""
	}
	var b strings.Builder
	for _, r := range strings.TrimSuffix(plain.String(), "\n") {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	if b.Len() > maxHeaderValue {
		return ""
	}
	return b.String()
}

// setHeaders sets each identity header exactly once from the decision, and
// removes those of an earlier gate that this one does not speak of (S13). What
// the client sent under these names is gone since clean.
func (g *Gate) setHeaders(r *http.Request, st *State) *wire.Problem {
	if st.forwarded != "" {
		delete(r.Header, st.forwarded)
		st.forwarded = ""
	}
	rendered := anonymous
	if st.Decision != nil {
		rendered = renderedOf(st.Decision)
	} else if !st.named {
		return nil
	}
	st.named = st.Decision != nil
	for i, name := range identityHeaders {
		if value := rendered.values[i]; value != "" {
			r.Header[name] = st.own(i, value)
		} else {
			delete(r.Header, name)
		}
	}
	if g.rule.ForwardToken == "" || st.Decision == nil {
		return nil
	}
	values, err := g.Decider.UpstreamToken(r.Context(), st.Decision)
	if err != nil || len(values) != 1 {
		return &unavailable
	}
	st.forwarded = g.rule.ForwardToken
	r.Header[st.forwarded] = st.own(tokenSlot, values[0])
	return nil
}

// anonymous is nobody's decision: no headers at all.
var anonymous = new(Rendered)

func renderedOf(d *authz.Decision) *Rendered {
	if rendered, ok := d.Rendered.(*Rendered); ok {
		return rendered
	}
	return render(d)
}
