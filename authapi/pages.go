package authapi

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/wire"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pageNames are the pages; each has a template file of its own that defines
// "title" and "main" for layout.html.
func pageNames() []string { return []string{"account", "login", "logout", "problem", "signed-out"} }

// contentSecurityPolicy is that of every page: no script, nothing from anybody
// else, no frame.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// permissionsPolicy gives up what a page could ask a browser for.
const permissionsPolicy = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), " +
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), " +
	"screen-wake-lock=(), usb=(), xr-spatial-tracking=()"

// layoutPage is what layout.html shows around every page.
type layoutPage struct {
	// Lang is the language of the texts (BCP 47).
	Lang string
	// Site is the name of the site, Home its front page and Style the URL of the
	// CSS file.
	Site, Home, Style string
	// Page is what the page's own template shows.
	Page any
}

func parseTemplates() (map[string]*template.Template, error) {
	templates := make(map[string]*template.Template)
	for _, name := range pageNames() {
		t, err := template.New("layout.html").ParseFS(templateFiles, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parsing the page %s: %w", name, err)
		}
		templates[name] = t
	}
	return templates, nil
}

// render writes a page. It is made as a whole first, so that half of one is
// never seen.
func (a *API) render(w http.ResponseWriter, r *http.Request, status int, name string, page any) {
	var b bytes.Buffer
	err := a.templates[name].Execute(&b, layoutPage{
		Lang: "en", Site: a.Site.Host(), Home: a.Site.Origin() + "/", Style: a.Site.URL("/style.css"), Page: page,
	})
	if err != nil {
		a.Logger.Error("rendering a page", zap.String("page", name), zap.Error(err))
		a.problemJSON(w, r, wire.Problem{
			Status: http.StatusInternalServerError, Code: wire.CodeInternal, Detail: "The page could not be made.",
		})
		return
	}
	h := w.Header()
	pageHeaders(h)
	if !a.Site.IsOwnHost(r.Host) {
		// A gate's refusal on another host: our CSS is not "self" there.
		h.Set("Content-Security-Policy", strings.Replace(contentSecurityPolicy, "style-src 'self'", "style-src "+a.Site.Origin(), 1))
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// pageHeaders are on every page (pages section 1), besides ownHeaders.
func pageHeaders(h http.Header) {
	ownHeaders(h)
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("X-Robots-Tag", "noindex")
}
