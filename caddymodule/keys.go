package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/certmagic"

	"github.com/datahq/auth-gateway/internal/token"
)

// storage is Caddy's, which may be shared by a cluster.
type storage = certmagic.Storage

const (
	signingKeyFile = "auth/signing_key.pem"
	sessionKeyFile = "auth/session_key"
	keyLock        = "auth_keys"
)

// findKeys returns the keys of the configuration; those it leaves out are kept
// in Caddy's storage, and made there the first time.
func (a *App) findKeys(ctx context.Context) (*token.SigningKey, *token.SessionKey, error) {
	signing, session := a.signingKey, a.sessionKey
	if signing != nil && session != nil {
		return signing, session, nil
	}
	if err := a.storage.Lock(ctx, keyLock); err != nil {
		return nil, nil, fmt.Errorf("locking the keys in Caddy's storage: %w", err)
	}
	defer func() {
		if err := a.storage.Unlock(context.WithoutCancel(ctx), keyLock); err != nil {
			a.logger.Error("unlocking the keys in Caddy's storage: " + err.Error())
		}
	}()
	if signing == nil {
		text, err := a.stored(ctx, signingKeyFile, func() ([]byte, error) {
			key, err := token.GenerateSigningKey()
			if err != nil {
				return nil, err
			}
			return key.PrivatePEM(), nil
		})
		if err != nil {
			return nil, nil, err
		}
		if signing, err = token.ParseSigningKey(text, nil); err != nil {
			return nil, nil, fmt.Errorf("reading %s in Caddy's storage: %w", signingKeyFile, err)
		}
	}
	if session == nil {
		text, err := a.stored(ctx, sessionKeyFile, func() ([]byte, error) {
			key, err := token.GenerateSessionKey()
			if err != nil {
				return nil, err
			}
			return key.Text(), nil
		})
		if err != nil {
			return nil, nil, err
		}
		if session, err = token.ParseSessionKey(text); err != nil {
			return nil, nil, fmt.Errorf("reading %s in Caddy's storage: %w", sessionKeyFile, err)
		}
	}
	return signing, session, nil
}

// stored loads a file of Caddy's storage, or makes it. The lock is held.
func (a *App) stored(ctx context.Context, name string, generate func() ([]byte, error)) ([]byte, error) {
	text, err := a.storage.Load(ctx, name)
	if err == nil {
		return text, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("loading %s from Caddy's storage: %w", name, err)
	}
	if text, err = generate(); err != nil {
		return nil, fmt.Errorf("making %s: %w", name, err)
	}
	if err := a.storage.Store(ctx, name, text); err != nil {
		return nil, fmt.Errorf("keeping %s in Caddy's storage: %w", name, err)
	}
	a.logger.Info("made a key and kept it in Caddy's storage: " + name)
	return text, nil
}
