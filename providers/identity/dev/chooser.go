package dev

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// What the page adds to the query of the authorize request.
const (
	paramUser  = "dev_user"  // sign this sample user in
	paramName  = "dev_name"  // the name that was typed
	paramEmail = "dev_email" // the address that was typed
	paramGo    = "dev_go"    // sign in who was typed
	paramFault = "dev_fault" // and let this go wrong
)

const (
	maxTypedName = 100
	maxRequest   = 4 << 10
)

// chooser is the page on which somebody says who to be. Everything that signs
// in is a link: a form that ends in a redirect to another origin is blocked by
// Chromium under form-action 'self', and the application behind the sign-in may
// be on one. So the form only leads to this page again, with one link more.
type chooser struct {
	users []User
	idp   *fakeidp.IdP
}

// link is somebody or something to choose.
type link struct{ URL, Title, Detail string }

// hidden is a part of the authorize request that the form carries on.
type hidden struct{ Name, Value string }

// chooserData is what chooser.html shows.
type chooserData struct {
	Request         []hidden
	People          []link
	Typed           *link
	TypedName       string
	TypedEmail      string
	Problem         string
	FaultsFor       string
	Failing, Normal []link
}

func (c chooser) serve(w http.ResponseWriter, r *http.Request, req fakeidp.AuthorizeRequest) {
	if c.idp == nil || len(r.URL.RawQuery) > maxRequest {
		http.Error(w, "400 Bad Request", http.StatusBadRequest)
		return
	}
	query := r.URL.Query()
	faults, ok := chosenFaults(query)
	if !ok {
		http.Error(w, "this failure is not known here", http.StatusBadRequest)
		return
	}
	if name := query.Get(paramUser); name != "" {
		i := slices.IndexFunc(c.users, func(u User) bool { return u.Username == name })
		if i < 0 {
			http.Error(w, "this user is not known here", http.StatusBadRequest)
			return
		}
		c.idp.Finish(w, r, req, c.users[i].person(), faults...)
		return
	}
	typed, problem := c.typed(query)
	if typed != nil && query.Get(paramGo) != "" {
		c.idp.Finish(w, r, req, *typed, faults...)
		return
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusBadRequest
	}
	render(w, status, chooserPage, c.data(query, typed, problem))
}

func chosenFaults(query url.Values) ([]fakeidp.Fault, bool) {
	fault := fakeidp.Fault(query.Get(paramFault))
	if fault == "" {
		return nil, true
	}
	return []fakeidp.Fault{fault}, slices.Contains(fakeidp.Faults(), fault)
}

// typed returns who was typed into the form, if anybody, or what is wrong with
// it. A sample user's address is that user.
func (c chooser) typed(query url.Values) (*fakeidp.Person, string) {
	name, email := strings.TrimSpace(query.Get(paramName)), strings.TrimSpace(query.Get(paramEmail))
	if !query.Has(paramEmail) {
		return nil, ""
	}
	if !idp.ValidEmail(email) {
		return nil, "This is not an e-mail address. Write one such as grace@example.com."
	}
	if len(name) > maxTypedName {
		return nil, "This name is too long."
	}
	person := typedPerson(name, email)
	for _, user := range c.users {
		if strings.EqualFold(user.Email, email) {
			person = user.person()
		}
	}
	return &person, ""
}

func (c chooser) data(query url.Values, typed *fakeidp.Person, problem string) chooserData {
	request := maps.Clone(query)
	for _, name := range []string{paramUser, paramName, paramEmail, paramGo, paramFault} {
		request.Del(name)
	}
	data := chooserData{
		TypedName:  query.Get(paramName),
		TypedEmail: query.Get(paramEmail),
		Problem:    problem,
	}
	for _, name := range slices.Sorted(maps.Keys(request)) {
		data.Request = append(data.Request, hidden{name, request.Get(name)})
	}
	for _, user := range c.users {
		data.People = append(data.People, link{
			address(request, paramUser, user.Username), user.displayName(), user.Email,
		})
	}
	var who []string
	if typed != nil {
		who = []string{paramName, query.Get(paramName), paramEmail, query.Get(paramEmail), paramGo, "1"}
		data.Typed = &link{address(request, who...), typed.Name, typed.Email}
		data.FaultsFor = typed.Name
	} else if len(c.users) > 0 {
		who = []string{paramUser, c.users[0].Username}
		data.FaultsFor = c.users[0].displayName()
	}
	for _, f := range faultTexts() {
		to := link{address(request, append(slices.Clone(who), paramFault, string(f.fault))...), f.title, f.detail}
		if f.works {
			data.Normal = append(data.Normal, to)
		} else {
			data.Failing = append(data.Failing, to)
		}
	}
	return data
}

// address is the authorize request again with more parameters, relative to the
// page.
func address(request url.Values, more ...string) string {
	query := maps.Clone(request)
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return "authorize?" + query.Encode()
}
