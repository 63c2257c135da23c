package store

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/internal/testserver"
	"github.com/datahq/auth-gateway/providers"
)

// requests makes every call that a request to the gateway may cause, and what
// is done in the background every few seconds.
func requests(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	sign := func(id providers.Identity, newID, legacy string) {
		t.Helper()
		if _, _, err := s.FindOrCreateUser(ctx, "x", id, newID, true, legacy); err != nil {
			t.Fatal(err)
		}
	}
	github := providers.Identity{Issuer: "https://github.com", Subject: "17", Name: "Else"}
	sign(github, "never", "github") // by identity
	address := providers.Identity{Issuer: "https://corp.example", Subject: "18", Email: "u18@example.com", EmailVerified: true}
	sign(address, "never", "") // by address
	run(t, s, "DELETE FROM auth_emails WHERE address = 'u19@example.com'")
	address.Subject, address.Email = "19", "u19@example.com"
	sign(address, "never", "") // by an adopted user's address
	sign(providers.Identity{Issuer: "https://accounts.google.com", Subject: "20"}, "never", "google")
	sign(providers.Identity{Issuer: "https://corp.example", Subject: "new", Email: "new@example.com", EmailVerified: true, Username: "name7"}, "new", "")
	if err := s.ChooseUsername(ctx, "new", "chosen", true); err != nil {
		t.Fatal(err)
	}
	user, err := s.User(ctx, "u7")
	if err != nil || user.Username != "name7" {
		t.Fatal(user, err)
	}
	_, byName := s.UserByUsername(ctx, "Name7")
	_, byEmail := s.UserByEmail(ctx, "u7@example.com")
	_, byNoEmail := s.UserByEmail(ctx, "nobody@example.com")
	_, _, chosen := s.UsernameChosen(ctx, "u7")
	_, grants := s.Grants(ctx, "u7", "storage")
	_, list := s.ListGrants(ctx, "u7", "")
	_, _, session := s.SessionByID(ctx, "s7")
	_, _, attempt := s.TakeAttempt(ctx, []byte("nothing"))
	_, ended := s.EndUserSessions(ctx, "u9")
	_, last := s.LastChange(ctx)
	_, changes := s.Changes(ctx, 5000)
	_, announced := s.Announce(ctx, Node{ID: "node"}, time.Minute)
	_, due := s.due(ctx, choreAdopt, time.Hour)
	middle := "u5"
	_, page := s.adoptPage(ctx, &userPage{last: &middle}, 100, time.Now())
	now := time.Now()
	for what, err := range map[string]error{
		"UserByUsername": byName, "UserByEmail": byEmail, "UsernameChosen": chosen, "Grants": grants, "ListGrants": list,
		"SessionByID": session, "EndUserSessions": ended, "LastChange": last, "Changes": changes, "Announce": announced, "due": due, "adoptPage": page,
		"SetGrant":      s.SetGrant(ctx, "u7", "storage", "write", true),
		"RemoveGrant":   s.RemoveGrant(ctx, "u7", "storage", "write"),
		"SetDisabled":   s.SetDisabled(ctx, "u7", true),
		"CreateSession": s.CreateSession(ctx, providers.Session{ID: "new", UserID: "u7", ExpiresAt: now.Add(time.Hour)}, []byte("new")),
		"TouchSession":  s.TouchSession(ctx, "s7", now),
		"EndSession":    s.EndSession(ctx, "s7"),
		"PutAttempt":    s.PutAttempt(ctx, []byte("key"), nil, now),
		"purge":         s.purge(ctx),
		"Ping":          s.Ping(ctx),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !errors.Is(byNoEmail, providers.ErrNotFound) || !errors.Is(attempt, providers.ErrNotFound) {
		t.Error(byNoEmail, attempt)
	}
	if _, _, err := s.TakeAttempt(ctx, []byte("key")); err != nil {
		t.Error(err)
	}
}

// recordStatements notes the statements that go through gorm, with their values.
func recordStatements(t *testing.T, s *Store) func() []string {
	t.Helper()
	var (
		mu   sync.Mutex
		seen []string
	)
	note := func(tx *gorm.DB) {
		mu.Lock()
		defer mu.Unlock()
		text := tx.Dialector.Explain(tx.Statement.SQL.String(), tx.Statement.Vars...)
		if !slices.Contains(seen, text) {
			seen = append(seen, text)
		}
	}
	callbacks := s.db.Callback()
	if err := errors.Join(
		callbacks.Query().After("*").Register("test:note", note), callbacks.Row().After("*").Register("test:note", note),
		callbacks.Raw().After("*").Register("test:note", note), callbacks.Update().After("*").Register("test:note", note),
		callbacks.Delete().After("*").Register("test:note", note),
	); err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// plan is how a database goes about a statement, line by line.
func plan(t *testing.T, s *Store, statement string) (lines []string) {
	t.Helper()
	prefix := "EXPLAIN "
	if s.db.Name() == "sqlite" {
		prefix = "EXPLAIN QUERY PLAN "
	}
	rows, err := pool(t, s).Query(prefix + statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		fields := make([]any, len(columns))
		for i := range fields {
			fields[i] = new(any)
		}
		if err := rows.Scan(fields...); err != nil {
			t.Fatal(err)
		}
		var line strings.Builder
		for i, field := range fields {
			value := *field.(*any)
			if bytes, ok := value.([]byte); ok {
				value = string(bytes)
			}
			fmt.Fprintf(&line, "%s=%v ", columns[i], value)
		}
		lines = append(lines, line.String())
	}
	if err := rows.Err(); err != nil || len(lines) == 0 {
		t.Fatalf("%s: no plan: %v", statement, err)
	}
	return lines
}

// scans are what a plan says that reads a whole table.
var scans = map[string]*regexp.Regexp{
	"sqlite":   regexp.MustCompile(`detail=SCAN [^ ]+ ($|USING)`),
	"postgres": regexp.MustCompile(`Seq Scan on`),
	"mysql":    regexp.MustCompile(`type=(ALL|index) `),
}

// small are statements that read a handful of rows of tables that have no more,
// and that of trimAttempts, which reads an index up to the bound that it keeps.
var small = regexp.MustCompile("auth_(nodes|chores|migrations)|ORDER BY expires_at DESC LIMIT 1 OFFSET")

// What requests ask is found by an index, however many users there are. The
// statements are those that really run.
func TestLookUpsUseIndexes(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite":     tempFile(t),
		"PostgreSQL": testserver.SharedPostgres(t).NewDatabase(t),
		"MariaDB":    testserver.SharedMariaDB(t).NewDatabase(t),
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, url, options{})
			fill(t, s, 4)
			scan := scans[s.db.Name()]
			if control := plan(t, s, "SELECT * FROM users WHERE name = 'x'"); !slices.ContainsFunc(control, scan.MatchString) {
				t.Fatalf("the test itself: %v", control)
			}
			recorded := recordStatements(t, s)
			requests(t, s)
			statements := recorded()
			for _, query := range []struct {
				text string
				args []any
			}{
				{userQuery, []any{"u7"}},
				{sessionQuery + "s.id = ?", []any{0, "s7"}},
				{sessionQuery + "s.cookie_hash = ?", []any{0, "c7"}},
				{grantsQuery, []any{"u7", "storage"}},
			} {
				statements = append(statements, s.db.Dialector.Explain(s.db.Raw(query.text, query.args...).Statement.SQL.String(), query.args...))
			}
			if len(statements) < 60 {
				t.Errorf("the test itself: only %d statements were recorded", len(statements))
			}
			for _, statement := range statements {
				if !regexp.MustCompile(`^(SELECT|UPDATE|DELETE)`).MatchString(statement) || small.MatchString(statement) {
					continue
				}
				for _, line := range plan(t, s, statement) {
					if scan.MatchString(line) {
						t.Errorf("%s\n  %s", statement, line)
					}
				}
			}
		})
	}
}
