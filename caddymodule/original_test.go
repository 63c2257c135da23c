package caddymodule_test

import (
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
	"github.com/datahq/auth-gateway/providers/providertest/fakegithub"
	"github.com/datahq/auth-gateway/providers/providertest/fakeidp"
)

// The tables of the original as it made them (contract 1.4), those of 2017,
// and os-conductor's.
const (
	originalUsers = `CREATE TABLE users (
	id VARCHAR(128) NOT NULL, 
	provider_id VARCHAR(128), 
	username VARCHAR NOT NULL, 
	name VARCHAR, 
	email VARCHAR, 
	avatar_url VARCHAR(512), 
	join_date DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (username)
)`
	originalUsers2017 = `CREATE TABLE users (
	id VARCHAR(128) NOT NULL, 
	provider_id VARCHAR(128), 
	username VARCHAR, 
	name VARCHAR, 
	email VARCHAR, 
	avatar_url VARCHAR(512), 
	join_date DATETIME, 
	PRIMARY KEY (id)
)`
	originalPermissions = `CREATE TABLE permissions (
	userid VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	permissions VARCHAR, 
	PRIMARY KEY (userid, service)
)`
)

func md5ID(email string) string {
	sum := md5.Sum([]byte(email))
	return hex.EncodeToString(sum[:])
}

// originalRow is a row as the original wrote it; nil is NULL.
type originalRow struct {
	ProviderID, Username, Name, Email, JoinDate any
}

// originalFile writes a database as the original did, and returns its path.
func originalFile(t *testing.T, users string, rows ...originalRow) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auth.db")
	database := openFile(t, path)
	for _, table := range []string{users, originalPermissions} {
		if _, err := database.Exec(table); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range rows {
		_, err := database.Exec("INSERT INTO users (id, provider_id, username, name, email, avatar_url, join_date) VALUES (?, ?, ?, ?, ?, ?, ?)",
			md5ID(row.Email.(string)), row.ProviderID, row.Username, row.Name, row.Email, "https://pictures.example/old.png", row.JoinDate)
		if err != nil {
			t.Fatal(err)
		}
	}
	// Contract 1.2: os-conductor's fixture, and an entry of moshe's own.
	for userID, permissions := range map[string]string{
		"*": `{"datapackage-upload": true, "quota": 1}`, md5ID("moshe@example.com"): `{"quota": 50}`,
	} {
		if _, err := database.Exec("INSERT INTO permissions VALUES (?, 'os.datastore', ?)", userID, permissions); err != nil {
			t.Fatal(err)
		}
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	database, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	return database
}

// originalTables is all that sqlite_master says of the original's two tables.
func originalTables(t *testing.T, path string) (found []string) {
	t.Helper()
	rows, err := openFile(t, path).Query(`SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master
WHERE tbl_name IN ('users', 'permissions') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	if err := rows.Err(); err != nil || len(found) < 2 {
		t.Fatalf("%v, %v", found, err)
	}
	return found
}

// onOriginal runs a gateway on the original's file and demands afterwards that
// its tables are as they were (ruling 14).
func onOriginal(t *testing.T, path, auth string) *accounts {
	t.Helper()
	before := originalTables(t, path)
	a := newAccounts(t, nil, gatewaytest.Config{Auth: auth, Env: []string{"DATABASE_URL=sqlite:///" + path}})
	t.Cleanup(func() {
		a.Stop(t)
		if after := originalTables(t, path); !reflect.DeepEqual(after, before) {
			t.Errorf("ruling 14: the original's tables have become\n%q\nwere\n%q", after, before)
		}
	})
	return a
}

// post updates as old clients do, with everything in a form.
func (a *accounts) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	answer := gatewaytest.NewBrowser(t).Do(http.MethodPost, a.URL+path, strings.NewReader(form.Encode()), header("Content-Type", "application/x-www-form-urlencoded"))
	if answer.Status != http.StatusOK {
		t.Errorf("POST %s: %d", path, answer.Status)
	}
	return answer.Body
}

const (
	moshesDate = "2017-07-24 12:17:50.123456"
	updateDone = `{"success":true}`
	updateSet  = `{"error":"Cannot modify username, already set","success":false}`
)

// Contract 1.4 and 1.5: users of the original are who they were.
func TestOriginalUsers(t *testing.T) {
	path := originalFile(t, originalUsers,
		originalRow{"google:1234", "moshe", "Moshe", "moshe@example.com", moshesDate},
		originalRow{"github:77", "ruth1", nil, "ruth@example.com", "2018-01-02 03:04:05.000000"},
		originalRow{"github:78", "silent", nil, "silent@example.com", nil})
	a := onOriginal(t, path, "")

	// By provider_id, though the address is another by now.
	moshe := a.byGoogle(t, fakeidp.Person{Subject: "1234", Email: "m.cohen@example.org", EmailVerified: true, Name: "Moshe Cohen", Username: "cohen"})
	want := account{
		ID: md5ID("moshe@example.com"), Username: "moshe", Name: "Moshe Cohen", Email: "moshe@example.com",
		AvatarURL: "https://pictures.example/old.png", ProviderID: "google:1234", JoinDate: "Mon, 24 Jul 2017 12:17:50 GMT",
	}
	if moshe != want {
		t.Errorf("by provider_id\ngot  %+v\nwant %+v", moshe, want)
	}
	// By the verified address, at another provider.
	ruth := a.byGoogle(t, fakeidp.Person{Subject: "99", Email: "ruth@example.com", EmailVerified: true})
	if ruth.ID != md5ID("ruth@example.com") || ruth.Username != "ruth1" || ruth.JoinDate != "Tue, 02 Jan 2018 03:04:05 GMT" || ruth.ProviderID != "google:99" {
		t.Errorf("by the address: %+v", ruth)
	}
	// And still by the provider_id that the original had written.
	if again := a.byGitHub(t, fakegithub.Person{ID: 77, Login: "ruth-levi", Emails: fakegithub.Verified("levi@example.org")}); again.ID != ruth.ID || again.Username != "ruth1" {
		t.Errorf("by the old provider_id: %+v", again)
	}
	// S27, the attack: an address of an old account, unverified.
	a.google.Next(fakeidp.Person{Subject: "666", Email: "silent@example.com", EmailVerified: false})
	b, callback := a.callback(t, "google")
	wantFailure(t, a.Gateway, b, b.Navigate(callback), http.StatusForbidden, "email_unverified")
	a.github.Next(fakegithub.Person{ID: 666, Login: "eve", Emails: []fakegithub.Email{{Email: "silent@example.com", Primary: true, Verified: false}}})
	b, callback = a.callback(t, "github")
	wantFailure(t, a.Gateway, b, b.Navigate(callback), http.StatusForbidden, "email_unverified")
	// Another person of the same provider who has been given the address since.
	a.github.Next(fakegithub.Person{ID: 667, Login: "heir", Emails: fakegithub.Verified("silent@example.com")})
	b, callback = a.callback(t, "github")
	wantFailure(t, a.Gateway, b, b.Navigate(callback), http.StatusForbidden, "account_exists")
	// Somebody new gets a name that nobody of old has.
	if heir := a.byGitHub(t, fakegithub.Person{ID: 668, Login: "Silent", Emails: fakegithub.Verified("new@example.com")}); heir.Username != "silent1" {
		t.Errorf("the new user is %+v", heir)
	}

	// Contract 1.2, resolve and get_profile.
	for query, body := range map[string]string{
		"resolve?username=MOSHE":       `{"userid":"` + moshe.ID + `"}`,
		"resolve?username=m.cohen":     `{"userid":null}`,
		"get_profile?username=nobody":  `{"found":false,"profile":null}`,
		"get_profile?username=silent":  `{"found":true,"profile":{"avatar_url":"https://pictures.example/old.png","gravatar":"ID","id":"ID","join_date":null,"name":null}}`,
		"get_profile?username=silent1": "",
	} {
		answer := call(t, a.Gateway, "/auth/"+query)
		body = strings.ReplaceAll(body, "ID", md5ID("silent@example.com"))
		if body != "" && answer.Body != body || answer.Status != http.StatusOK || strings.Contains(answer.Body, "@") {
			t.Errorf("%s: %d %s\nwant %s", query, answer.Status, answer.Body, body)
		}
	}
	// The file has what the original would read.
	var username, joined string
	err := openFile(t, path).QueryRow("SELECT username, CAST(join_date AS TEXT) FROM users WHERE id = ?", moshe.ID).Scan(&username, &joined)
	if err != nil || username != "moshe" || joined != moshesDate {
		t.Errorf("the file has %q of %q, %v", username, joined, err)
	}
}

// Contract 1.5 and 3: a user of 2017 without a name chooses one, once.
func TestOriginalUsersWithoutName(t *testing.T) {
	path := originalFile(t, originalUsers2017,
		originalRow{"google:1234", nil, "Moshe", "moshe@example.com", moshesDate},
		originalRow{"github:77", "ruth", nil, "ruth@example.com", moshesDate})
	a := onOriginal(t, path, "")
	a.google.Next(fakeidp.Person{Subject: "1234", Email: "moshe@example.com", EmailVerified: true})
	moshe, token := a.signIn(t, "google")
	if moshe.ID != md5ID("moshe@example.com") || moshe.Username != "" {
		t.Errorf("before: %+v", moshe)
	}
	for _, step := range []struct{ username, want string }{
		{"Ruth", ""}, // somebody else's
		{"Moshe", updateDone},
		{"Moshe2", updateSet},
		{"moshe", updateSet},
	} {
		body := a.post(t, "/auth/update", url.Values{"jwt": {token}, "username": {step.username}})
		if step.want == "" && !strings.Contains(body, `"success":false`) || step.want != "" && body != step.want {
			t.Errorf("update to %s: %s, want %s", step.username, body, step.want)
		}
	}
	if after := a.check(t, token); after.Username != "moshe" || after.JoinDate != moshe.JoinDate {
		t.Errorf("after: %+v", after)
	}
	if answer := call(t, a.Gateway, "/auth/resolve?username=moshe"); answer.Body != `{"userid":"`+moshe.ID+`"}` {
		t.Errorf("resolve: %s", answer.Body)
	}
	a.github.Next(fakegithub.Person{ID: 77, Login: "ruth", Emails: fakegithub.Verified("ruth@example.com")})
	_, token = a.signIn(t, "github")
	if body := a.post(t, "/auth/update", url.Values{"jwt": {token}, "username": {"levi"}}); body != updateSet {
		t.Errorf("S28: who has a name: %s", body)
	}
}

// os-conductor's dialect on its tables (contract 1.2, "os-conductor
// differences").
func TestOriginalConductor(t *testing.T) {
	path := originalFile(t, originalUsers2017,
		originalRow{"google:1234", nil, "Moshe", "moshe@example.com", moshesDate},
		originalRow{"google:99", nil, nil, "ruth@example.com", nil})
	a := onOriginal(t, path, `os_conductor {
			google_callback
		}
		service os.datastore database`)
	tokens := make(map[string]string)
	for name, subject := range map[string]string{"moshe": "1234", "ruth": "99"} {
		a.google.Next(fakeidp.Person{Subject: subject, Email: name + "@example.com", EmailVerified: true, Name: name})
		b, callback := a.callback(t, "google")
		if !strings.HasPrefix(callback, a.URL+"/oauth/google_callback?") {
			t.Errorf("Google sends the browser to %s", callback)
		}
		tokens[name] = delivered(t, b.Navigate(callback).Location)
	}
	id := md5ID("moshe@example.com")
	check := func(username string) {
		t.Helper()
		answer := call(t, a.Gateway, "/user/check?jwt="+tokens["moshe"])
		want := `{"authenticated":true,"profile":{"avatar_url":"https://pictures.example/old.png","email":"moshe@example.com","id":"google:1234","idhash":"` +
			id + `","join_date":"2017-07-24T12:17:50.123456","name":"moshe","username":` + username + `}}`
		if answer.Body != want {
			t.Errorf("check\ngot  %s\nwant %s", answer.Body, want)
		}
	}
	check("null")
	for name, want := range map[string]map[string]any{
		"moshe": {"datapackage-upload": true, "quota": 50.0}, // the user's own over those of everybody
		"ruth":  {"datapackage-upload": true, "quota": 1.0},
	} {
		var authorized struct {
			Permissions   map[string]any
			UserID, Token string
		}
		parse(t, call(t, a.Gateway, "/user/authorize?service=os.datastore&jwt="+tokens[name]), &authorized)
		if !reflect.DeepEqual(authorized.Permissions, want) || authorized.UserID != md5ID(name+"@example.com") || authorized.Token == "" {
			t.Errorf("authorize as %s: %+v", name, authorized)
		}
	}
	for _, step := range []struct{ username, want string }{{"New_Name", updateDone}, {"new_username", updateSet}} {
		// Contract 2b, os-admin: all in the query.
		answer := gatewaytest.NewBrowser(t).Do(http.MethodPost, a.URL+"/user/update?username="+step.username+"&jwt="+tokens["moshe"], nil, nil)
		if answer.Status != http.StatusOK || answer.Body != step.want {
			t.Errorf("update to %s: %d %s, want %s", step.username, answer.Status, answer.Body, step.want)
		}
	}
	check(`"New_Name"`)
	lib := call(t, a.Gateway, "/user/lib")
	if lib.Status != http.StatusOK || lib.Header.Get("Content-Type") != "text/javascript" || !strings.Contains(lib.Body, a.URL) {
		t.Errorf("lib: %d %v", lib.Status, lib.Header)
	}
	if key := call(t, a.Gateway, "/user/public-key"); !strings.Contains(key.Body, "BEGIN PUBLIC KEY") {
		t.Errorf("public-key: %d %s", key.Status, key.Body)
	}
}
