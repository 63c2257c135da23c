package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

func TestNewTablesHaveTheOriginalsForm(t *testing.T) {
	s := openTest(t, "sqlite://", options{})
	for table, want := range map[string]string{ // contract 1.4
		"users": `CREATE TABLE users ( id VARCHAR(128) NOT NULL, provider_id VARCHAR(128), username VARCHAR NOT NULL, name VARCHAR, ` +
			`email VARCHAR, avatar_url VARCHAR(512), join_date DATETIME, PRIMARY KEY (id), UNIQUE (username) )`,
		"permissions": `CREATE TABLE permissions ( userid VARCHAR NOT NULL, service VARCHAR NOT NULL, permissions VARCHAR, PRIMARY KEY (userid, service) )`,
	} {
		var sql string
		if err := first(s.db, "SELECT sql FROM sqlite_master WHERE name = ?", []any{table}, &sql); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(sql), " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", table, got, want)
		}
	}
}

func TestStoresOpenedAtOnceMigrateOnce(t *testing.T) {
	path := tempFile(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := Open(t.Context(), parse(t, path), nil)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := dump(t, openRaw(t, path), "SELECT id FROM auth_migrations"); !slices.Equal(got, migrationIDs) {
		t.Errorf("migrations: %v", got)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{})
	run(t, s, "INSERT INTO auth_migrations (id) VALUES ('9999_of_the_future')")
	before := dump(t, openRaw(t, path), "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
	newer, err := Open(t.Context(), parse(t, path), nil)
	if err == nil {
		newer.Close()
		t.Fatal("it was opened")
	}
	if !errors.Is(err, ErrSchema) || errors.Is(err, providers.ErrUnavailable) ||
		!strings.Contains(err.Error(), "newer version") || !strings.Contains(err.Error(), path) {
		t.Errorf("%v; want ErrSchema, the reason and the file", err)
	}
	if after := dump(t, openRaw(t, path), "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"); !slices.Equal(before, after) {
		t.Errorf("the schema has changed:\n%v", after)
	}
}

// DATABASE_URL may name the database of some other program.
func TestForeignTableIsRefused(t *testing.T) {
	path := tempFile(t)
	raw := openRaw(t, path)
	rawExec(t, raw, "CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT)")
	s, err := Open(t.Context(), parse(t, path), nil)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	if !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), `"users" has no column "provider_id"`) {
		t.Errorf("%v", err)
	}
	if got := dump(t, raw, "SELECT name FROM sqlite_master WHERE name LIKE 'auth%'"); len(got) > 0 {
		t.Errorf("we left %v there", got)
	}
}

// original makes a database as a deployment of 2017 left it: no constraints
// but the key, names that are NULL or double, odd dates.
func original(t *testing.T, path string) {
	t.Helper()
	raw := openRaw(t, path)
	defer raw.Close()
	for _, statement := range []string{
		"CREATE TABLE users (\n\tid VARCHAR(128) NOT NULL, \n\tprovider_id VARCHAR(128), \n\tusername VARCHAR, \n\tname VARCHAR, \n\temail VARCHAR, \n\tavatar_url VARCHAR(512), \n\tjoin_date DATETIME, \n\tPRIMARY KEY (id)\n)",
		"CREATE TABLE permissions (userid VARCHAR NOT NULL, service VARCHAR NOT NULL, permissions VARCHAR, PRIMARY KEY (userid, service))",
		"CREATE INDEX somebodys_own ON users (email)",
		`INSERT INTO permissions VALUES ('*', 'sample', '{"read":true}')`,
		"INSERT INTO users VALUES ('old1', 'google:1234', 'moshe', 'Moshe', 'moshe@example.com', 'https://p.example/1', '2017-07-24 12:17:50.123456')",
		"INSERT INTO users VALUES ('old2', 'github:5', NULL, NULL, NULL, NULL, NULL)",
		"INSERT INTO users VALUES ('old3', NULL, NULL, '', '', '', '2017-07-24 12:17:50')",
		"INSERT INTO users VALUES ('old4', 'github:6', 'Ruth', NULL, 'ruth@example.com', NULL, '2018-01-01 00:00:00.000000')",
		"INSERT INTO users VALUES ('old5', 'github:7', 'ＲＵＴＨ', NULL, 'ruth2@example.com', NULL, '2017-01-01 00:00:00.000000')",
		"INSERT INTO users VALUES ('old6', 'github:8', '', NULL, NULL, NULL, 'long ago')",
	} {
		rawExec(t, raw, statement)
	}
}

const (
	originalSchema = "SELECT type || name || sql FROM sqlite_master WHERE tbl_name NOT LIKE 'auth!_%' ESCAPE '!' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND sql IS NOT NULL ORDER BY 1"
	originalRows   = `SELECT json_array(id, provider_id, username, name, email, avatar_url, join_date, typeof(join_date)) FROM users WHERE id LIKE 'old%'
UNION ALL SELECT json_array(userid, service, permissions) FROM permissions ORDER BY 1`
)

// Ruling 14: the original's tables are used as they are.
func TestOriginalDatabaseIsNotAltered(t *testing.T) {
	path := tempFile(t)
	original(t, path)
	raw := openRaw(t, path)
	schema, rows := dump(t, raw, originalSchema), dump(t, raw, originalRows)
	if len(schema) != 3 || len(rows) != 7 {
		t.Fatalf("the test itself: %v, %v", schema, rows)
	}
	s := openTest(t, path, options{})
	if _, _, err := s.FindOrCreateUser(t.Context(), "google", google("1234"), "new", true, ""); err != nil {
		t.Fatal(err)
	}
	openTest(t, path, options{}) // and once more
	if got := dump(t, raw, originalSchema); !slices.Equal(got, schema) {
		t.Errorf("schema:\n%s\nwas:\n%s", strings.Join(got, "\n"), strings.Join(schema, "\n"))
	}
	if got := dump(t, raw, originalRows); !slices.Equal(got, rows) {
		t.Errorf("rows:\n%s\nwere:\n%s", strings.Join(got, "\n"), strings.Join(rows, "\n"))
	}
}

func TestOriginalUsersAreRead(t *testing.T) {
	path := tempFile(t)
	original(t, path)
	s := openTest(t, path, options{})
	for id, want := range map[string]string{
		"old1": "{ID:old1 ProviderID:google:1234 Username:moshe Name:Moshe Email:moshe@example.com AvatarURL:https://p.example/1 JoinDate:2017-07-24 12:17:50.123456 +0000 UTC Disabled:false}",
		"old2": "{ID:old2 ProviderID:github:5 Username: Name: Email: AvatarURL: JoinDate:0001-01-01 00:00:00 +0000 UTC Disabled:false}",
		"old3": "{ID:old3 ProviderID: Username: Name: Email: AvatarURL: JoinDate:2017-07-24 12:17:50 +0000 UTC Disabled:false}",
	} {
		user, err := s.User(t.Context(), id)
		if got := fmt.Sprintf("%+v", user); err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", id, err, got, want)
		}
	}
	if err := s.SetDisabled(t.Context(), "old1", true); err != nil {
		t.Fatal(err)
	}
	if user, err := s.User(t.Context(), "old1"); err != nil || !user.Disabled {
		t.Errorf("after disabling: %+v, %v", user, err)
	}
	for username, want := range map[string]string{"moshe": "old1", "MOSHE": "old1", "ruth": "old5", "Ruth": "old5"} {
		if user, err := s.UserByUsername(t.Context(), username); err != nil || user.ID != want {
			t.Errorf("username %q leads to %q, %v; want %q, the oldest", username, user.ID, err, want)
		}
	}
	if user, err := s.UserByUsername(t.Context(), ""); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("no username leads to %+v, %v", user, err)
	}
}

// A sign-in changes what it brings, and nothing else of its row.
func TestSignInOfAnOriginalUser(t *testing.T) {
	path := tempFile(t)
	original(t, path)
	s := openTest(t, path, options{})
	for _, c := range []struct {
		subject, legacy, email string
		want                   string
	}{
		{"1234", "google", "new@example.com", "old1"},
		{"5", "github", "u2@example.com", "old2"},
		{"9", "google", "RUTH@example.com", "old4"},
		{"8", "github", "u6@example.com", "old6"},
	} {
		id := google(c.subject)
		id.Issuer, id.Email, id.Name, id.AvatarURL = "https://"+c.legacy+".example", c.email, "New "+c.want, "https://p.example/new"
		user, created, err := s.FindOrCreateUser(t.Context(), c.legacy, id, "new", true, c.legacy)
		if err != nil || created || user.ID != c.want {
			t.Errorf("%s: %+v, created %v, %v", c.want, user, created, err)
		}
	}
	want := []string{
		`["old1","google:1234","moshe","New old1","moshe@example.com","https://p.example/new","2017-07-24 12:17:50.123456","text"]`,
		`["old2","github:5",null,"New old2",null,"https://p.example/new",null,"null"]`,
		`["old3",null,null,"","","","2017-07-24 12:17:50","text"]`,
		`["old4","google:9","Ruth","New old4","ruth@example.com","https://p.example/new","2018-01-01 00:00:00.000000","text"]`,
		`["old5","github:7","ＲＵＴＨ",null,"ruth2@example.com",null,"2017-01-01 00:00:00.000000","text"]`,
		`["old6","github:8","","New old6",null,"https://p.example/new","long ago","text"]`,
	}
	got := dump(t, openRaw(t, path), strings.Replace(originalRows, "UNION ALL SELECT json_array(userid, service, permissions) FROM permissions ", "", 1))
	if !slices.Equal(got, want) {
		t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An original service on the same database goes on making users.
func TestUsersMadeByAnOriginalMeanwhile(t *testing.T) {
	path := tempFile(t)
	s := openTest(t, path, options{})
	rawExec(t, openRaw(t, path), "INSERT INTO users (id, username) VALUES ('theirs', 'moshe')")
	id := google("1")
	user, _, err := s.FindOrCreateUser(t.Context(), "google", id, "ours", true, "")
	if err != nil || user.Username != "moshe1" {
		t.Errorf("%+v, %v; want moshe1", user, err)
	}
	s = openTest(t, path, options{})
	if user, err := s.UserByUsername(t.Context(), "Moshe"); err != nil || user.ID != "theirs" {
		t.Errorf("after the next start the name leads to %+v, %v", user, err)
	}
}
