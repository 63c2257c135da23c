package demo

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"time"
)

// stylePath is the one path besides the pages; the gateway must let it through
// to anybody.
const stylePath = "/demo.css"

//go:embed demo.css
var style []byte

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"pretty": pretty,
	"lines":  func(values []string) string { return strings.Join(values, "\n") },
	"clock":  func(t time.Time) string { return t.UTC().Format("15:04:05 UTC") },
}).Parse(pageText))

// page is what page.html shows.
type page struct {
	request

	Title    string
	KeyURL   string
	Gateway  string
	Curl     string
	Routes   []route
	OwnPages []route
	Users    []sampleUser
	Login    string
	Account  string
	Logout   string
}

// Home reports whether the page is the one that explains.
func (p page) Home() bool { return p.Path == "/" }

func (s *server) writePage(w http.ResponseWriter, seen request) {
	gateway := s.config.Gateway
	var body bytes.Buffer
	err := pageTemplate.Execute(&body, page{
		request: seen, Title: s.config.Title, KeyURL: s.config.PublicKeyURL, Gateway: gateway, Curl: curlLine(gateway),
		Routes: routes, OwnPages: ownPages, Users: sampleUsers(s.config.Users),
		Login: gateway + loginPath, Account: gateway + accountPath, Logout: gateway + logoutPath,
	})
	if err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes()) // a client that has gone
}

// pretty indents JSON and leaves the rest of it as it is.
func pretty(data json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return string(data)
	}
	return b.String()
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256(style)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(style))
}
