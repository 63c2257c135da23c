package demo

import (
	"fmt"
	"io"
	"strings"
)

// Banner prints what a person needs who has just started the demo: the address
// to open, the sample users, and a line for a terminal. gateway and users are
// those of Config. Lines stay below 80 columns if users are shorter than 70.
func Banner(w io.Writer, gateway string, users ...string) {
	gateway = strings.TrimRight(gateway, "/")
	var b strings.Builder
	fmt.Fprintf(&b, "\n  auth-gateway is running. Open this in a browser:\n\n      %s/\n", gateway)
	if len(users) > 0 {
		b.WriteString("\n  Sign in as one of the sample users; none has a password:\n\n")
		people := sampleUsers(users)
		width := 0
		for _, p := range people {
			width = max(width, len(p.Name))
		}
		for _, p := range people {
			line := fmt.Sprintf("      %-*s  %s", width, p.Name, p.May)
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	fmt.Fprintf(&b, "\n  Or ask without signing in, and be refused (401, with the reason as JSON):\n\n      %s\n", curlLine(gateway))
	b.WriteString("\n  Ctrl-C ends it.\n\n")
	_, _ = io.WriteString(w, b.String()) // a terminal that has gone
}

// curlLine shows the gateway refusing a program.
func curlLine(gateway string) string { return "curl -i " + gateway + "/storage/" }

// sampleUser is one entry of Config.Users.
type sampleUser struct{ Name, May string }

func sampleUsers(users []string) []sampleUser {
	var people []sampleUser
	for _, user := range users {
		name, may, _ := strings.Cut(user, ":")
		people = append(people, sampleUser{strings.TrimSpace(name), strings.TrimSpace(may)})
	}
	return people
}
