package github

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"

	"github.com/datahq/auth-gateway/providers"
	"github.com/datahq/auth-gateway/providers/identity/internal/idp"
)

// public are the members of the profile that are passed on as Claims: what
// everybody can read at GitHub. With wide scopes there would be more, such as
// the plan and whether there is a second factor.
var public = []string{
	"login", "html_url", "type", "site_admin", "company", "blog", "location", "bio", "twitter_username", "created_at",
}

// validID is a GitHub user's number. A text or a fraction is not GitHub's, and
// two spellings of one number would be two people.
var validID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// user asks who the token is about. The identity has no Email: the one in the
// profile is whatever the person chose to show.
func (p *Provider) user(ctx context.Context, accessToken string) (providers.Identity, error) {
	// A map, since a struct would also take "ID" for "id".
	var user map[string]any
	if err := p.get(ctx, "/user", accessToken, &user); err != nil {
		return providers.Identity{}, err
	}
	return p.identity(user)
}

func (p *Provider) identity(user map[string]any) (providers.Identity, error) {
	id, _ := user["id"].(json.Number)
	if !validID.MatchString(id.String()) {
		return providers.Identity{}, errors.New("the API's user has no id that is a positive number")
	}
	login := idp.Line(text(user, "login"))
	if login == "" {
		return providers.Identity{}, errors.New("the API's user has no login")
	}
	who := providers.Identity{
		Issuer:    p.url,
		Subject:   id.String(),
		Name:      idp.Line(text(user, "name")), // null unless the person has set it
		Username:  login,
		AvatarURL: idp.WebURL(text(user, "avatar_url")),
		Claims:    make(map[string]any),
	}
	if who.Name == "" {
		who.Name = login
	}
	for _, name := range public {
		switch value := user[name].(type) {
		case string:
			if value != "" {
				who.Claims[name] = value
			}
		case bool:
			who.Claims[name] = value
		}
	}
	return who, nil
}

// text returns a member that is a text, or "".
func text(object map[string]any, name string) string {
	s, _ := object[name].(string)
	return s
}
