package store

// The tables of the first schema. This text is history: what changes later
// goes into a migration of its own. What stands in braces is replaced by the
// database's own words: types that differ, {text} and {long} being any text, of
// 255 characters at least and without bound, and the {options} of a table. No
// foreign keys: an adopted users table may lack what they need.
var firstSchema = []string{
	// The original service's, contract 1.4.
	`CREATE TABLE IF NOT EXISTS users (
	id VARCHAR(128) NOT NULL,
	provider_id VARCHAR(128),
	username {text} NOT NULL,
	name {text},
	email {text},
	avatar_url VARCHAR(512),
	join_date {timestamp},
	PRIMARY KEY (id),
	UNIQUE (username)
){options}`,
	// os-conductor's, contract 1.4.
	`CREATE TABLE IF NOT EXISTS permissions (
	userid {text} NOT NULL,
	service {text} NOT NULL,
	permissions {long},
	PRIMARY KEY (userid, service)
){options}`,

	// Who an identity belongs to: the account key is issuer and subject (S27),
	// and a user has one subject of an issuer.
	`CREATE TABLE auth_identities (
	issuer VARCHAR(255) NOT NULL,
	subject VARCHAR(255) NOT NULL,
	user_id VARCHAR(128) NOT NULL,
	provider VARCHAR(128) NOT NULL,
	created_at BIGINT NOT NULL,
	last_login_at BIGINT NOT NULL,
	PRIMARY KEY (issuer, subject),
	UNIQUE (user_id, issuer)
){options}`,
	// One account per verified address.
	`CREATE TABLE auth_emails (
	address VARCHAR(255) NOT NULL,
	user_id VARCHAR(128) NOT NULL,
	PRIMARY KEY (address)
){options}`,
	`CREATE INDEX auth_emails_user_id ON auth_emails (user_id)`,
	// Usernames, unique on the folded form (S28). chosen_at is NULL while the
	// name is one that the gateway made.
	`CREATE TABLE auth_usernames (
	folded VARCHAR(255) NOT NULL,
	user_id VARCHAR(128) NOT NULL,
	display VARCHAR(255) NOT NULL,
	chosen_at BIGINT,
	PRIMARY KEY (folded),
	UNIQUE (user_id)
){options}`,
	// What we add to a user.
	`CREATE TABLE auth_accounts (
	user_id VARCHAR(128) NOT NULL,
	disabled_at BIGINT,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (user_id)
){options}`,
	// cookie_hash is hexadecimal, so that it compares byte for byte everywhere.
	`CREATE TABLE auth_sessions (
	id VARCHAR(128) NOT NULL,
	user_id VARCHAR(128) NOT NULL,
	cookie_hash VARCHAR(128),
	provider VARCHAR(128) NOT NULL,
	provider_session_id VARCHAR(255),
	created_at BIGINT NOT NULL,
	last_seen_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (cookie_hash)
){options}`,
	`CREATE INDEX auth_sessions_user_id ON auth_sessions (user_id)`,
	`CREATE INDEX auth_sessions_provider_session_id ON auth_sessions (provider_session_id)`,
	`CREATE INDEX auth_sessions_expires_at ON auth_sessions (expires_at)`,
	`CREATE TABLE auth_attempts (
	key_hash VARCHAR(64) NOT NULL,
	value {bytes} NOT NULL,
	taken_at BIGINT,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (key_hash)
){options}`,
	`CREATE INDEX auth_attempts_expires_at ON auth_attempts (expires_at)`,
}

// The second schema: rows of users that we did not make, with what they are
// recognised by. Nobody verified their addresses for us. An index on the
// original's own table would alter it (ruling 14).
var secondSchema = []string{
	// provider_id is what the original service wrote last; "" for none. The
	// column of users proves nothing any more once the user has signed in here,
	// since we write the names there that an operator has given to providers
	// (ruling 12). address is email in folded form, NULL if it joins nothing.
	`CREATE TABLE auth_adopted (
	user_id VARCHAR(128) NOT NULL,
	provider_id VARCHAR(255) NOT NULL,
	email VARCHAR(255) NOT NULL,
	address VARCHAR(255),
	PRIMARY KEY (user_id)
){options}`,
	`CREATE INDEX auth_adopted_provider_id ON auth_adopted (provider_id)`,
	`CREATE INDEX auth_adopted_address ON auth_adopted (address)`,
}

// The third schema: what several gateways on one database tell each other.
// Times are the database's, see clock.
var thirdSchema = []string{
	// What is not to be believed any more: a session that has ended, or whatever
	// was known of a user. IDs only grow, and none is used again.
	`CREATE TABLE auth_changes (
	id {serial},
	session_id VARCHAR(128),
	user_id VARCHAR(255),
	created_at BIGINT NOT NULL
){options}`,
	`CREATE INDEX auth_changes_created_at ON auth_changes (created_at)`,
	// The gateways that run, and the IDs of their keys as JSON.
	`CREATE TABLE auth_nodes (
	id VARCHAR(128) NOT NULL,
	name VARCHAR(255) NOT NULL,
	signing_keys {long} NOT NULL,
	session_keys {long} NOT NULL,
	seen_at BIGINT NOT NULL,
	PRIMARY KEY (id)
){options}`,
	// What one gateway does at a time, or one for all.
	`CREATE TABLE auth_chores (
	name VARCHAR(64) NOT NULL,
	done_at BIGINT NOT NULL,
	PRIMARY KEY (name)
){options}`,
	`INSERT INTO auth_chores (name, done_at) VALUES ('adopt', 0), ('announce', 0)`,
}

// The fourth schema: where users reach a gateway. It is NULL of one that ran
// before.
var fourthSchema = []string{
	`ALTER TABLE auth_nodes ADD COLUMN address {long}`,
}
