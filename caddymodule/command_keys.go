package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"

	"github.com/datahq/auth-gateway/internal/keyring"
)

// dayAhead is how long a new key is published before it signs: services that
// keep the key set for a day at most then never meet an unknown one (security
// section 3).
const dayAhead = 24 * time.Hour

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Shows and exchanges the keys that sign tokens",
		Long: `
Shows and exchanges the keys that are kept in Caddy's storage, for which it needs
the same configuration, user and environment as the gateway. Keys that the
configuration gives are exchanged there: see next and retired of signing_key and
session_key.

Private keys are never printed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(keysListCommand(), keysRotateCommand())
	return cmd
}

func keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Lists the keys: which one signs, which ones will and which ones did",
		Args:  cobra.NoArgs,
	}
	public := cmd.Flags().Bool("public", false, "Print the public halves of the signing keys as PEM instead, the active one first")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withKeys(cmd, func(ctx context.Context, app *App, s keyring.Store) error {
			file, err := s.Load(ctx)
			switch {
			case errors.Is(err, fs.ErrNotExist) && len(app.storedLifetimes()) > 0:
				return s.NoKeys()
			case errors.Is(err, fs.ErrNotExist):
				file = keyring.NewFile()
			case err != nil:
				return err
			case !file.Complete(app.storedLifetimes()):
				return s.NoKeys()
			}
			if *public {
				return printPublicKeys(cmd, app, file, time.Now())
			}
			return printKeys(cmd, app, file, time.Now())
		})
	}
	return cmd
}

func keysRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate [signing|session]",
		Short: "Makes a new key that takes over a day later, of one kind or of both",
		Long: `
Makes a new key. Every gateway on this storage knows it and publishes it in
jwks.json within seconds; it takes over a day later, at all of them at the same
moment. The old one is accepted until its last token has ended. Nobody is signed
out, and no request fails.

public-key shows the key that signs. A service that reads it once, at its start,
refuses the new key's tokens until it reads it again: let it read jwks.json, or
restart it when the new key has taken over.`,
		Example:   "  auth-gateway auth keys rotate\n  auth-gateway auth keys rotate signing --after 48h",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{string(keyring.Signing), string(keyring.Session)},
	}
	after := cmd.Flags().Duration("after", dayAhead, "When the new key takes over")
	now := cmd.Flags().Bool("now", false, "Let it (or the next key, if there is one) take over as soon as all gateways know it, in half a minute")
	drop := cmd.Flags().Bool("drop-old", false, "With --now, if a key has leaked: take all other keys out at once, whose tokens end")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *drop && !*now {
			return errors.New("--drop-old ends the tokens of the old keys at once; expected --now with it")
		}
		if *now && cmd.Flags().Changed("after") || *after < 0 {
			return errors.New("expected one of --now and --after, which is not negative")
		}
		return withKeys(cmd, func(ctx context.Context, app *App, s keyring.Store) error {
			r := keyring.Rotation{After: max(*after, keyring.Settle), Now: *now, Drop: *drop}
			kinds, err := rotatable(cmd, app, args)
			if err != nil {
				return err
			}
			file, err := s.Rotate(ctx, kinds, r)
			if err != nil {
				return err
			}
			warnOfRotation(cmd, r, kinds)
			return printKeys(cmd, app, file, time.Now())
		})
	}
	return cmd
}

// rotatable are the kinds of keys that are to be rotated and are in storage.
func rotatable(cmd *cobra.Command, app *App, args []string) ([]keyring.Kind, error) {
	stored := app.storedLifetimes()
	var kinds []keyring.Kind
	for _, kind := range keyring.Kinds() {
		if len(args) == 1 && args[0] != string(kind) {
			continue
		}
		if _, ok := stored[kind]; ok {
			kinds = append(kinds, kind)
			continue
		}
		message := fmt.Sprintf("the configuration gives the %s key: exchange it there, as next, then as %s_key with the old one as retired", kind, kind)
		if len(args) == 1 || len(stored) == 0 {
			return nil, errors.New(message)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "Note: "+message+".")
	}
	return kinds, nil
}

// warnOfRotation says what a rotation costs.
func warnOfRotation(cmd *cobra.Command, r keyring.Rotation, kinds []keyring.Kind) {
	w, signing := cmd.ErrOrStderr(), slices.Contains(kinds, keyring.Signing)
	if r.Drop {
		fmt.Fprintf(w, "Warning: tokens of the old keys end within %s. Programs sign in or ask for a token again; people stay signed in.\n", keyring.Pace)
	}
	if signing && (r.Now || r.After < dayAhead) {
		fmt.Fprintln(w, "Warning: services that keep the public key refuse new tokens until they read jwks.json or public-key again.")
	}
}

// withKeys runs a command on the configured keys.
func withKeys(cmd *cobra.Command, run func(ctx context.Context, app *App, s keyring.Store) error) error {
	cmd.SilenceUsage = true
	ctx, cancel := context.WithTimeout(cmd.Context(), commandTimeout)
	defer cancel()
	app, config, err := commandConfig(cmd)
	if err != nil {
		return err
	}
	if err := app.provisionKeys(); err != nil {
		return err
	}
	caddyCtx, cancelCaddy := caddy.NewContext(caddy.Context{Context: ctx})
	defer cancelCaddy()
	var s storage = caddy.DefaultStorage
	if config.StorageRaw != nil {
		module, err := caddyCtx.LoadModule(config, "StorageRaw")
		if err != nil {
			return fmt.Errorf("opening Caddy's storage: %w", err)
		}
		if s, err = module.(caddy.StorageConverter).CertMagicStorage(); err != nil {
			return fmt.Errorf("opening Caddy's storage: %w", err)
		}
	}
	return run(ctx, app, keyring.NewStore(s))
}

// printKeys lists the keys of the configuration and those of the file.
func printKeys(cmd *cobra.Command, app *App, f *keyring.File, now time.Time) error {
	rows := [][]string{{"KEY", "ID", "STATE", "SIGNS FROM", "SIGNS UNTIL", "ACCEPTED UNTIL"}}
	for _, key := range givenRows(app.keys) {
		rows = append(rows, append(key, "", "", "configuration"))
	}
	for _, kind := range keyring.Kinds() {
		if _, stored := app.storedLifetimes()[kind]; !stored {
			continue
		}
		keys := f.Keys(kind).Live(now)
		for i, key := range keys {
			rows = append(rows, []string{
				string(kind), short(key.ID), keys.State(i, now), keyring.Moment(key.SignsFrom), keyring.Moment(keys.SignsUntil(i)), keyring.Moment(keys.AcceptedUntil(i)),
			})
		}
	}
	return printTable(cmd.OutOrStdout(), rows, "There are no keys.")
}

// short is the beginning of a key's ID, enough to tell keys apart.
func short(id string) string { return id[:min(8, len(id))] }

// givenRows is one row per key: kind, beginning of the ID, state.
func givenRows(g keyring.Given) (rows [][]string) {
	add := func(kind keyring.Kind, id, state string) {
		rows = append(rows, []string{string(kind), short(id), state})
	}
	if g.Signing != nil {
		add(keyring.Signing, g.Signing.ID(), "active")
	}
	for _, key := range g.SigningNext {
		add(keyring.Signing, key.ID(), "next")
	}
	for _, key := range g.SigningRetired {
		add(keyring.Signing, key.ID(), "retired")
	}
	if g.Session != nil {
		add(keyring.Session, g.Session.ID(), "active")
	}
	for _, key := range g.SessionNext {
		add(keyring.Session, key.ID(), "next")
	}
	for _, key := range g.SessionRetired {
		add(keyring.Session, key.ID(), "retired")
	}
	return rows
}

// printPublicKeys prints what services verify with.
func printPublicKeys(cmd *cobra.Command, app *App, f *keyring.File, now time.Time) error {
	keys := app.keys.With(f, now)
	texts := [][]byte{keys.Signing.PublicPEM()}
	for _, key := range keys.OtherSigning {
		texts = append(texts, key.PEM())
	}
	_, err := cmd.OutOrStdout().Write(slices.Concat(texts...))
	return err
}
