package store

import (
	"fmt"
	"strings"
	"testing"
)

// fill makes users u0, u1 and so on, 10 to the power of a number of them, who
// have all that a user can have: u7 is google:7 and github:7, has the address
// u7@example.com, the name name7, the session s7 and a grant in storage.
func fill(t testing.TB, s *Store, power int) {
	t.Helper()
	digits := "(SELECT 0 AS d" + strings.Repeat(" UNION ALL SELECT %d", 9) + ")"
	digits = fmt.Sprintf(digits, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	var sum, from []string
	factor := 1
	for i := range power {
		sum = append(sum, fmt.Sprintf("%d * d%d.d", factor, i))
		from = append(from, fmt.Sprintf("%s d%d", digits, i))
		factor *= 10
	}
	numbers := " FROM (SELECT " + strings.Join(sum, " + ") + " AS n FROM " + strings.Join(from, " CROSS JOIN ") + ") x"
	const later = "9000000000000000"
	tables := []string{"users", "permissions", "auth_adopted", "auth_accounts", "auth_identities", "auth_emails", "auth_usernames", "auth_sessions", "auth_attempts", "auth_changes"}
	for _, statement := range []string{
		"INSERT INTO users (id, provider_id, username, name, email) SELECT CONCAT('u', n), CONCAT('google:', n), CONCAT('name', n), 'Somebody', CONCAT('u', n, '@example.com')",
		"INSERT INTO permissions (userid, service, permissions) SELECT CONCAT('u', n), 'storage', '{\"read\": true}'",
		"INSERT INTO auth_adopted (user_id, provider_id, email, address) SELECT CONCAT('u', n), CONCAT('google:', n), CONCAT('u', n, '@example.com'), CONCAT('u', n, '@example.com')",
		"INSERT INTO auth_accounts (user_id, created_at) SELECT CONCAT('u', n), 0",
		"INSERT INTO auth_identities (issuer, subject, user_id, provider, created_at, last_login_at) SELECT 'https://github.com', CONCAT('', n), CONCAT('u', n), 'github', 0, 0",
		"INSERT INTO auth_emails (address, user_id) SELECT CONCAT('u', n, '@example.com'), CONCAT('u', n)",
		"INSERT INTO auth_usernames (folded, user_id, display) SELECT CONCAT('name', n), CONCAT('u', n), CONCAT('name', n)",
		"INSERT INTO auth_sessions (id, user_id, cookie_hash, provider, provider_session_id, created_at, last_seen_at, expires_at) SELECT CONCAT('s', n), CONCAT('u', n), CONCAT('c', n), 'github', CONCAT('p', n), 0, 0, " + later + " + n",
		"INSERT INTO auth_attempts (key_hash, value, expires_at) SELECT CONCAT('a', n), '', " + later + " + n",
		"INSERT INTO auth_changes (user_id, created_at) SELECT CONCAT('u', n), " + later + " + n",
	} {
		run(t, s, statement+numbers)
	}
	for _, table := range tables {
		run(t, s, map[string]string{"sqlite": "ANALYZE ", "postgres": "ANALYZE ", "mysql": "ANALYZE TABLE "}[s.db.Name()]+table)
	}
}
