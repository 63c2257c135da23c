package storetest

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// Database is one that an original service has written, too.
type Database struct {
	// Exec runs a statement as another program does.
	Exec func(t *testing.T, statement string)
	// Open opens a Store and closes it when the test ends. It may be called
	// several times.
	Open func(t *testing.T) Store
	// Timestamp is the type of join_date: TIMESTAMP WITHOUT TIME ZONE or DATETIME
	// (contract 1.4).
	Timestamp string
	// Text is the type of a text without a length; default VARCHAR. The original
	// never ran where that is none.
	Text string
}

// RunAdoption tests what a Store does with the database of an original service.
// open makes a new, empty database.
func RunAdoption(t *testing.T, open func(t *testing.T) Database) {
	for _, group := range []struct {
		name  string
		tests []adoptionTest
	}{
		{"adoption", adoptionTests},
		{"adopted addresses", adoptedAddressTests},
		{"adopted names", adoptedNameTests},
		{"shared database", sharedTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
			}
		})
	}
}

type adoptionTest struct {
	name string
	run  func(t *testing.T, d Database)
}

// md5ID is the ID that the original makes of an address (contract 1.5).
func md5ID(address string) string {
	sum := md5.Sum([]byte(address))
	return hex.EncodeToString(sum[:])
}

// null is NULL in originalUser.
const null = "NULL"

// originalUser is a row that an original has written; "" is the usual value.
type originalUser struct {
	id, providerID, username, name, email, avatarURL, joinDate string
}

// joined is the usual join date.
var joined = time.Date(2017, 7, 24, 12, 17, 50, 123456000, time.UTC)

// makeUsers makes the table as the original does (contract 1.4), or as those
// of 2017 are, whose usernames may be NULL or double.
func (d Database) makeUsers(t *testing.T, of2017 bool, users ...originalUser) {
	t.Helper()
	text := d.Text
	if text == "" {
		text = "VARCHAR"
	}
	username, unique := "username "+text+" NOT NULL", ", UNIQUE (username)"
	if of2017 {
		username, unique = "username "+text, ""
	}
	d.Exec(t, "CREATE TABLE users (id VARCHAR(128) NOT NULL, provider_id VARCHAR(128), "+username+
		", name "+text+", email "+text+", avatar_url VARCHAR(512), join_date "+d.Timestamp+", PRIMARY KEY (id)"+unique+")")
	for _, user := range users {
		d.insert(t, user)
	}
}

func (d Database) insert(t *testing.T, user originalUser) {
	t.Helper()
	var values []string
	for _, value := range [][2]string{
		{user.id, md5ID(user.email)},
		{user.providerID, null},
		{user.username, null},
		{user.name, "Old Name"},
		{user.email, null},
		{user.avatarURL, "https://pictures.example/old.png"},
		{user.joinDate, joined.Format("2006-01-02 15:04:05.000000")},
	} {
		text := value[0]
		if text == "" {
			text = value[1]
		}
		if text != null {
			text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		}
		values = append(values, text)
	}
	d.Exec(t, "INSERT INTO users (id, provider_id, username, name, email, avatar_url, join_date) VALUES ("+strings.Join(values, ", ")+")")
}
