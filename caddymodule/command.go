package caddymodule

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "auth",
		Usage: "grant|revoke|permissions|users|sign-out|keys",
		Short: "Looks at users and keys, and changes what users may do",
		Long: `
Works on the database of the configuration (--config, else a Caddyfile in the
current folder, else DATABASE_URL), whether the gateway is running or not.

A user is given by ID, e-mail address or username; "*" is everyone. What is
granted here counts for services with the permission provider "database",
within five seconds. "keys" works on Caddy's storage instead.`,
		CobraFunc: func(root *cobra.Command) {
			root.PersistentFlags().StringP("config", "c", "", "Configuration file")
			root.PersistentFlags().StringP("adapter", "a", "", "Name of the config adapter to apply")
			root.PersistentFlags().String("database", "", "URL of the database, instead of the configuration's")
			root.AddCommand(grantCommand(), revokeCommand(), permissionsCommand(), usersCommand(), signOutCommand(), keysCommand())
			root.Args = cobra.NoArgs
			root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		},
	})
}

// commandTimeout bounds a command, which waits for a database that is busy.
const commandTimeout = time.Minute

// withStore runs a command on the configured database.
func withStore(cmd *cobra.Command, run func(ctx context.Context, s *store.Store) error) error {
	cmd.SilenceUsage = true
	ctx, cancel := context.WithTimeout(cmd.Context(), commandTimeout)
	defer cancel()
	app, err := commandApp(cmd)
	if err != nil {
		return err
	}
	if err := app.provisionDatabase(); err != nil {
		return err
	}
	if !app.dsn.Exists() {
		return fmt.Errorf("there is no database %s; expected the one of a gateway that has been started (see --config and --database)", app.dsn)
	}
	s, err := store.Open(ctx, app.dsn, zap.NewNop())
	if err != nil {
		return fmt.Errorf("opening the database %s: %w", app.dsn, err)
	}
	defer s.Close()
	return run(ctx, s)
}

// commandApp is the auth app of the configuration, as far as it names a
// database.
func commandApp(cmd *cobra.Command) (*App, error) {
	if database, _ := cmd.Flags().GetString("database"); database != "" {
		return &App{Database: database}, nil
	}
	app, _, err := commandConfig(cmd)
	if err != nil {
		return nil, err
	}
	setDefault(&app.Database, "DATABASE_URL")
	return app, nil
}

// commandConfig is the auth app of the configuration, empty if there is none,
// and the whole of it.
func commandConfig(cmd *cobra.Command) (*App, *caddy.Config, error) {
	file, _ := cmd.Flags().GetString("config")
	adapter, _ := cmd.Flags().GetString("adapter")
	if file == "" {
		if _, err := os.Stat("Caddyfile"); errors.Is(err, os.ErrNotExist) {
			return new(App), new(caddy.Config), nil
		}
	}
	text, err := loadConfig(file, adapter)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the configuration: %w", err)
	}
	config, app := new(caddy.Config), new(App)
	if err := json.Unmarshal(text, config); err != nil {
		return nil, nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if raw := config.AppsRaw["auth"]; raw != nil {
		if err := json.Unmarshal(raw, app); err != nil {
			return nil, nil, fmt.Errorf("reading the auth app of the configuration: %w", err)
		}
	}
	return app, config, nil
}

// loadConfig reads a configuration file as JSON. Caddy's own LoadConfig would
// write its log into what is printed here for a person or a script.
func loadConfig(file, adapter string) ([]byte, error) {
	file = cmp.Or(file, "Caddyfile")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if adapter == "" && strings.HasPrefix(filepath.Base(file), "Caddyfile") || filepath.Ext(file) == ".caddyfile" {
		adapter = "caddyfile"
	}
	if adapter == "" {
		return text, nil
	}
	a := caddyconfig.GetAdapter(adapter)
	if a == nil {
		return nil, fmt.Errorf("unknown config adapter %q; expected something like caddyfile", adapter)
	}
	text, _, err = a.Adapt(text, map[string]any{"filename": file})
	return text, err
}

// findUser finds a user by what a person would type.
func findUser(ctx context.Context, s *store.Store, who string) (providers.User, error) {
	if who == providers.Everyone {
		return providers.User{ID: providers.Everyone}, nil
	}
	lookups := []func(context.Context, string) (providers.User, error){s.User, s.UserByUsername}
	if strings.Contains(who, "@") {
		// Not by username first: os-conductor let people choose any text, also
		// somebody else's address.
		lookups = []func(context.Context, string) (providers.User, error){
			s.User, s.UserByEmail, func(ctx context.Context, email string) (providers.User, error) { return searchEmail(ctx, s, email) }, s.UserByUsername,
		}
	}
	for _, lookup := range lookups {
		user, err := lookup(ctx, who)
		if !errors.Is(err, providers.ErrNotFound) {
			return user, err
		}
	}
	return providers.User{}, fmt.Errorf("there is no user %q; expected an ID, an e-mail address or a username (see \"auth users\"), or * for everyone", who)
}

// findGrantee is findUser, and also finds who has grants and no account: rows of
// os-conductor, and of users who are gone.
func findGrantee(ctx context.Context, s *store.Store, who string) (id string, err error) {
	user, err := findUser(ctx, s, who)
	if err == nil {
		return user.ID, nil
	}
	if grants, listErr := s.ListGrants(ctx, who, ""); listErr == nil && len(grants) > 0 {
		return who, nil
	}
	return "", err
}

// searchEmail finds a user by an address that links no accounts, such as those
// of the development provider.
func searchEmail(ctx context.Context, s *store.Store, email string) (providers.User, error) {
	users, err := s.Users(ctx, email, 100)
	if err != nil {
		return providers.User{}, err
	}
	users = slices.DeleteFunc(users, func(u providers.User) bool { return !strings.EqualFold(u.Email, email) })
	switch len(users) {
	case 0:
		return providers.User{}, providers.ErrNotFound
	case 1:
		return users[0], nil
	}
	return providers.User{}, fmt.Errorf("%d users have the address %q; expected an ID (see \"auth users\")", len(users), email)
}

// serviceWarning tells about a service that the configuration does not have, or
// that does not look into the database.
func serviceWarning(cmd *cobra.Command, service string) {
	app, err := commandApp(cmd)
	if err != nil || len(app.Services) == 0 {
		return
	}
	for _, s := range app.Services {
		if s.Name != service {
			continue
		}
		var module struct {
			Module string `json:"module"`
		}
		if json.Unmarshal(s.ProviderRaw, &module) == nil && module.Module != "database" {
			fmt.Fprintf(cmd.ErrOrStderr(), "Note: the service %s has the permission provider %s, which does not look into the database.\n", service, module.Module)
		}
		return
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Note: the configuration has no service %s; %s.\n", service, expected(service, app.serviceNames()))
}
