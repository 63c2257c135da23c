package caddymodule

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"

	"github.com/datahq/auth-gateway/internal/keyring"
	"github.com/datahq/auth-gateway/internal/token"
)

// provisionKeys reads the keys of the configuration.
func (a *App) provisionKeys() error {
	private, err := keyText(a.SigningKey, "signing_key", "PRIVATE_KEY")
	if err != nil {
		return err
	}
	public, err := keyText(a.PublicKey, "public_key", "PUBLIC_KEY")
	if err != nil {
		return err
	}
	var given keyring.Given
	switch {
	case private != nil:
		if given.Signing, err = token.ParseSigningKey(private, public); err != nil {
			return fmt.Errorf("signing_key: %w", err)
		}
	case public != nil:
		return errors.New("there is a public_key (or PUBLIC_KEY), but no signing_key (or PRIVATE_KEY) that it belongs to")
	}
	session, err := keyText(a.SessionKey, "session_key", "")
	if err != nil {
		return err
	}
	if session != nil {
		if given.Session, err = token.ParseSessionKey(session); err != nil {
			return fmt.Errorf("session_key: %w", err)
		}
	}
	err = errors.Join(
		furtherKeys(&given.SigningNext, a.SigningKeyNext, "signing_key next", token.ParsePublicKey),
		furtherKeys(&given.SigningRetired, a.SigningKeyRetired, "signing_key retired", token.ParsePublicKey),
		furtherKeys(&given.SessionNext, a.SessionKeyNext, "session_key next", token.ParseSessionKey),
		furtherKeys(&given.SessionRetired, a.SessionKeyRetired, "session_key retired", token.ParseSessionKey),
	)
	if err == nil {
		a.keys = given
	}
	return err
}

// furtherKeys reads the keys of a list.
func furtherKeys[K any](keys *[]K, values []string, field string, parse func([]byte) (K, error)) error {
	for _, value := range values {
		text, err := keyText(value, field, "")
		if err != nil {
			return err
		}
		if text == nil {
			return fmt.Errorf("%s: one of the keys is empty", field)
		}
		key, err := parse(text)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		*keys = append(*keys, key)
	}
	return nil
}

// keyText is the text of a key: given itself, by placeholder, by the path of a
// file, or by an environment variable. Nil means that there is none.
func keyText(value, field, variable string) ([]byte, error) {
	if value == "" {
		if variable != "" && os.Getenv(variable) != "" {
			return []byte(os.Getenv(variable)), nil
		}
		return nil, nil
	}
	resolved, err := resolve(caddy.NewReplacer(), value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if !filepath.IsAbs(resolved) {
		return []byte(resolved), nil
	}
	text, err := os.ReadFile(resolved)
	switch {
	case err == nil:
		return text, nil
	case resolved == value:
		return nil, fmt.Errorf("%s: reading the key: %w", field, err)
	}
	// What a placeholder stands for may be a key itself, for base64 begins with "/"
	// now and then, and is not to be shown (S41).
	return []byte(resolved), nil
}
