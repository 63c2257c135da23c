package caddymodule

import (
	"crypto/md5" // the original's IDs; it protects nothing
	"encoding/hex"
	"fmt"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
)

// md5Email is the value of user_ids for the original's IDs.
const md5Email = "md5_email"

// provisionCompatibility checks what is there for the sake of old clients.
func (a *App) provisionCompatibility() error {
	if err := checkUserIDs(a.UserIDs); err != nil {
		return err
	}
	if a.AcceptLegacySessions == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, a.AcceptLegacySessions)
	if err != nil {
		return fmt.Errorf("accept_legacy_sessions until %q is no day; expected something like 2026-12-31", a.AcceptLegacySessions)
	}
	text, err := keyText(a.SigningKey, "signing_key", "PRIVATE_KEY")
	if err != nil {
		return err
	}
	if text == nil {
		return fmt.Errorf("accept_legacy_sessions needs the original's private key; expected signing_key, or PRIVATE_KEY in the environment")
	}
	a.legacy, a.legacyEnd = token.NewLegacy(text), day.AddDate(0, 0, 1)
	return nil
}

func checkUserIDs(value string) error {
	if value != "" && value != md5Email {
		return fmt.Errorf("user_ids is %q; expected %s, or nothing", value, md5Email)
	}
	return nil
}

// newUserID is authn's way to name new users; nil means at random.
func (a *App) newUserID() func(email string) string {
	if a.UserIDs != md5Email {
		return nil
	}
	return func(email string) string {
		sum := md5.Sum([]byte(email))
		return hex.EncodeToString(sum[:])
	}
}

// isOff reports whether a switch that is on by default has been switched off.
func isOff(on *bool) bool { return on != nil && !*on }
