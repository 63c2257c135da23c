//go:build e2e

package e2e

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// sqlalchemy is a program with the original service's tables as SQLAlchemy
// declares them (contract 1.4). "make" makes a database and writes users as the
// original does, "make 2017" one whose usernames may be NULL; "read" starts as
// the original does, and shows everything.
const sqlalchemy = `
import json, sys
from datetime import datetime
from sqlalchemy import create_engine, Column, DateTime, String, func, inspect, text
from sqlalchemy.orm import declarative_base, Session

command, path, rows = sys.argv[1], sys.argv[2], json.load(sys.stdin)
old = command == "make 2017"
Base = declarative_base()

class User(Base):
    __tablename__ = "users"
    id = Column(String(128), primary_key=True)
    provider_id = Column(String(128))
    username = Column(String(), unique=not old, nullable=old)
    name = Column(String())
    email = Column(String())
    avatar_url = Column(String(512))
    join_date = Column(DateTime())

class Permission(Base):
    __tablename__ = "permissions"
    userid = Column(String(), primary_key=True)
    service = Column(String(), primary_key=True)
    permissions = Column(String())

engine = create_engine("sqlite:///" + path)
Base.metadata.create_all(engine)
with Session(engine) as session:
    if command != "read":
        for row in rows:
            session.add(User(**dict(row, join_date=row["join_date"] and datetime.fromisoformat(row["join_date"]))))
        session.add(Permission(userid="*", service="os.datastore", permissions=json.dumps({"datapackage-upload": True})))
        session.commit()
    names = [column.key for column in inspect(User).columns]
    users = [{name: getattr(user, name) for name in names} for user in session.query(User).order_by(User.email)]
    schema = session.execute(text("select type || ' ' || name || ': ' || coalesce(sql, '') from sqlite_master "
        "where tbl_name in ('users', 'permissions') order by 1")).scalars().all()
    print(json.dumps({
        "users": users, "schema": schema,
        "found": [user.id for user in session.query(User).filter(func.lower(User.username) == "moshe")],
        "permissions": [[p.userid, p.service, json.loads(p.permissions)] for p in session.query(Permission)],
        "integrity": session.execute(text("pragma integrity_check")).scalar(),
    }, default=lambda value: value.isoformat()))
`

// contractUsers is the original's table, but for white space (contract 1.4).
const contractUsers = "CREATE TABLE users ( id VARCHAR(128) NOT NULL, provider_id VARCHAR(128), username VARCHAR NOT NULL, " +
	"name VARCHAR, email VARCHAR, avatar_url VARCHAR(512), join_date DATETIME, PRIMARY KEY (id), UNIQUE (username) )"

// originalView is what the original sees of a database.
type originalView struct {
	Users       []map[string]any
	Schema      []string
	Found       []string
	Permissions []any
	Integrity   string
}

// runOriginal runs the program above.
func runOriginal(t testing.TB, command, path string, rows []map[string]any) originalView {
	t.Helper()
	input, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(program(t, debianPython), "-I", "-c", sqlalchemy, command, path)
	run.Stdin = bytes.NewReader(input)
	var problems bytes.Buffer
	run.Stderr = &problems
	output, err := run.Output()
	if err != nil {
		t.Fatalf("SQLAlchemy: %v; if a module is missing, %s:\n%s", err, install, &problems)
	}
	var view originalView
	if err := json.Unmarshal(output, &view); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	if view.Integrity != "ok" {
		t.Errorf("the file is damaged: %s", view.Integrity)
	}
	return view
}

// oldUser is a row as the original makes one (contract 1.5).
func oldUser(email, providerID string, username any, joinDate string) map[string]any {
	sum := md5.Sum([]byte(email))
	return map[string]any{
		"id": hex.EncodeToString(sum[:]), "provider_id": providerID, "username": username, "name": "Old Name",
		"email": email, "avatar_url": "https://pictures.example/old.png", "join_date": joinDate,
	}
}

// with is a row with other values.
func with(row map[string]any, values map[string]any) map[string]any {
	changed := make(map[string]any)
	for _, all := range []map[string]any{row, values} {
		for name, value := range all {
			changed[name] = value
		}
	}
	return changed
}

// fakeProviders are a Google and a GitHub, and what the gateway has to know of
// them.
func fakeProviders(t testing.TB) (google *fakeidp.IdP, github *fakegithub.GitHub, logins string) {
	t.Helper()
	google = providertest.StartIdP(t, fakeidp.Config{
		Clients: []fakeidp.Client{{ID: "gateway", Secret: "hush", RedirectAllowed: func(string) bool { return true }}},
	})
	github = providertest.StartGitHub(t, fakegithub.Config{
		Clients: []fakegithub.Client{{ID: "gateway", Secret: "hush", CallbackURL: "http://localhost/auth/oauth_callback"}},
	})
	return google, github, `
	login google {
		issuer ` + google.Issuer() + `
		client_id gateway
		client_secret hush
	}
	login github {
		url ` + github.URL() + `
		client_id gateway
		client_secret hush
	}
	`
}

// profileAfter signs in by a provider, whose script knows as whom, and returns
// the session token and what check says then.
func profileAfter(t testing.TB, g *gatewaytest.Gateway, provider string) (token string, profile map[string]any) {
	t.Helper()
	b := gatewaytest.NewBrowser(t)
	at := g.URL + "/auth/login/" + provider + "?deliver=jwt&next=" + url.QueryEscape("http://localhost:3000/")
	for range 3 {
		answer := b.Navigate(at)
		if answer.Location == "" {
			t.Fatalf("%s: %d:\n%s", at, answer.Status, answer.Body)
		}
		at = gatewaytest.Resolve(t, at, answer.Location)
	}
	_, token, found := strings.Cut(at, "http://localhost:3000/?jwt=")
	if !found {
		t.Fatalf("the sign-in ended at %s", at)
	}
	check := parseJSON(t, gatewaytest.NewBrowser(t).Fetch(g.URL+"/auth/check?jwt="+token).Body)
	profile, _ = check["profile"].(map[string]any)
	return token, profile
}

// An operator points the gateway at the file that the original has written:
// people sign in and are who they were, and the original could go on with it.
func TestOriginalDatabase(t *testing.T) {
	for _, kind := range []string{"make", "make 2017"} {
		t.Run(kind, func(t *testing.T) {
			moshe := oldUser("Moshe@example.com", "google:1234", "moshe", "2017-07-24T12:17:50.123456")
			ruth := oldUser("ruth@example.com", "github:77", "ruth1", "2018-01-02T03:04:05")
			silent := oldUser("silent@example.com", "github:78", "silent", "2018-01-02T03:04:05.000001")
			if kind == "make 2017" {
				ruth["username"], silent["username"], silent["join_date"], silent["name"] = nil, nil, nil, nil
			}
			path := filepath.Join(t.TempDir(), "auth.db")
			before := runOriginal(t, kind, path, []map[string]any{moshe, ruth, silent})
			if made := strings.Join(strings.Fields(strings.Join(before.Schema, " ")), " "); kind == "make" && !strings.Contains(made, contractUsers) {
				t.Fatalf("the test's own database is not the original's:\n%s\nwant\n%s", made, contractUsers)
			}

			google, github, logins := fakeProviders(t)
			g := gatewaytest.Start(t, gatewaytest.Config{
				Auth: "database sqlite:///" + path + "\nservice os.datastore database\n" + logins, Site: "auth_api",
			})
			// Known by provider_id, under another address by now.
			google.Next(fakeidp.Person{Subject: "1234", Email: "moshe@example.org", EmailVerified: true, Name: "Moshe Cohen"})
			mosheToken, profile := profileAfter(t, g, "google")
			moshe = with(moshe, map[string]any{"name": "Moshe Cohen"})
			wantProfile(t, profile, moshe, "Mon, 24 Jul 2017 12:17:50 GMT")

			// Known by the address, and from then on by two providers.
			google.Next(fakeidp.Person{Subject: "99", Email: "Ruth@Example.com", EmailVerified: true, Name: "Ruth", Picture: "https://pictures.example/ruth.png"})
			_, profile = profileAfter(t, g, "google")
			ruth = with(ruth, map[string]any{"name": "Ruth", "provider_id": "google:99", "avatar_url": "https://pictures.example/ruth.png"})
			wantProfile(t, profile, ruth, "Tue, 02 Jan 2018 03:04:05 GMT")
			github.Next(fakegithub.Person{ID: 77, Login: "ruth", Emails: fakegithub.Verified("ruth.levi@example.org")})
			ruthToken, profile := profileAfter(t, g, "github")
			ruth["provider_id"], ruth["name"] = "github:77", "ruth" // GitHub knows no other name
			wantProfile(t, profile, ruth, "Tue, 02 Jan 2018 03:04:05 GMT")

			// S27, the attack: say at a provider that one is called silent@example.com.
			google.Next(fakeidp.Person{Subject: "666", Email: "silent@example.com", EmailVerified: false})
			attack := gatewaytest.NewBrowser(t)
			if page, at := attack.Follow(g.URL + "/auth/login/google"); page.Status != http.StatusForbidden {
				t.Errorf("S27: an unverified address ended at %s with %d", at, page.Status)
			}

			// Somebody new.
			github.Next(fakegithub.Person{ID: 5, Login: "Moshe", Name: "Another", Emails: fakegithub.Verified("another@example.com")})
			_, another := profileAfter(t, g, "github")
			if another["username"] != "moshe1" || another["id"] == "" {
				t.Errorf("the new user is %v", another)
			}

			// The original's table of permissions.
			authorize := parseJSON(t, attack.Fetch(g.URL+"/auth/authorize?service=os.datastore&jwt="+mosheToken).Body)
			if !reflect.DeepEqual(authorize["permissions"], map[string]any{"datapackage-upload": true}) || authorize["userid"] != moshe["id"] {
				t.Errorf("authorize: %v", authorize)
			}
			// Contract 1.2, update: whoever has a name keeps it, and the others choose.
			wantSuccess := kind == "make 2017"
			form := strings.NewReader(url.Values{"jwt": {ruthToken}, "username": {"Levi"}}.Encode())
			answer := attack.Do(http.MethodPost, g.URL+"/auth/update", form, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
			if parseJSON(t, answer.Body)["success"] != wantSuccess {
				t.Errorf("update: %s, want success %v", answer.Body, wantSuccess)
			} else if wantSuccess {
				ruth["username"] = "levi"
			}
			g.Stop(t)

			after := runOriginal(t, "read", path, nil)
			if !reflect.DeepEqual(after.Schema, before.Schema) {
				t.Errorf("ruling 14: the original's tables have become\n%q\nwere\n%q", after.Schema, before.Schema)
			}
			if !reflect.DeepEqual(after.Permissions, before.Permissions) {
				t.Errorf("permissions are %v, were %v", after.Permissions, before.Permissions)
			}
			if len(after.Found) != 1 || after.Found[0] != moshe["id"] {
				t.Errorf("the original finds moshe as %v", after.Found)
			}
			users := make(map[any]map[string]any)
			for _, user := range after.Users {
				users[user["id"]] = user
			}
			for _, want := range []map[string]any{moshe, ruth, silent} {
				if got := users[want["id"]]; !reflect.DeepEqual(got, want) {
					t.Errorf("the original reads %v\nwant %v", got, want)
				}
			}
			if got := users[another["id"]]; len(users) != 4 || got["username"] != "moshe1" || got["provider_id"] != "github:5" || got["join_date"] == nil {
				t.Errorf("the original reads %d users, and of the new one %v", len(users), got)
			}
		})
	}
}

// wantProfile demands what check says of a row (contract 1.2).
func wantProfile(t testing.TB, profile, row map[string]any, joinDate string) {
	t.Helper()
	for name, want := range with(row, map[string]any{"join_date": joinDate}) {
		if got, there := profile[name]; !there || got != want {
			t.Errorf("check says %s is %v, want %v", name, got, want)
		}
	}
}
