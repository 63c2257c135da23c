package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

func grantCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "grant <user> <service> <permission>[=<value>]...",
		Short:   "Grants permissions in a service",
		Long:    "Grants permissions in a service. A permission alone is true; a value is JSON, or text if it is none.",
		Example: "  auth-gateway auth grant ada@example.com storage read max_public_storage_mb=50",
		Args:    cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, s *store.Store) error {
				user, err := findUser(ctx, s, args[0])
				if err != nil {
					return err
				}
				grants, err := parseGrants(args[2:])
				if err != nil {
					return err
				}
				for _, grant := range grants {
					if err := s.SetGrant(ctx, user.ID, args[1], grant.name, grant.value); err != nil {
						return fmt.Errorf("granting %s: %w", grant.name, err)
					}
				}
				serviceWarning(cmd, args[1])
				return printGrants(ctx, cmd, s, user.ID, args[1])
			})
		},
	}
}

func revokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke <user> <service> [<permission>...]",
		Short:   "Takes permissions in a service away, or all of them",
		Example: "  auth-gateway auth revoke ada@example.com storage write",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, s *store.Store) error {
				id, err := findGrantee(ctx, s, args[0])
				if err != nil {
					return err
				}
				if err := revoke(ctx, s, id, args[0], args[1], args[2:]); err != nil {
					return err
				}
				serviceWarning(cmd, args[1])
				return printGrants(ctx, cmd, s, id, args[1])
			})
		},
	}
}

// revoke takes the named permissions away, or all if none is named.
func revoke(ctx context.Context, s *store.Store, id, who, service string, permissions []string) error {
	if len(permissions) == 0 {
		permissions = []string{""}
	}
	for _, permission := range permissions {
		err := s.RemoveGrant(ctx, id, service, permission)
		switch {
		case errors.Is(err, providers.ErrNotFound) && permission == "":
			return fmt.Errorf("%s has no permissions in %s", who, service)
		case errors.Is(err, providers.ErrNotFound):
			return fmt.Errorf("%s does not have %q in %s; what was named before it has been taken away", who, permission, service)
		case err != nil:
			return err
		}
	}
	return nil
}

func permissionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "permissions [<user>]",
		Short: "Lists what is granted in the database",
		Args:  cobra.MaximumNArgs(1),
	}
	service := cmd.Flags().String("service", "", "Only this service")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withStore(cmd, func(ctx context.Context, s *store.Store) error {
			id := ""
			if len(args) == 1 {
				var err error
				if id, err = findGrantee(ctx, s, args[0]); err != nil {
					return err
				}
			}
			return printGrants(ctx, cmd, s, id, *service)
		})
	}
	return cmd
}

// parsedGrant is one permission of the command line.
type parsedGrant struct {
	name  string
	value any
}

func parseGrants(args []string) ([]parsedGrant, error) {
	var grants []parsedGrant
	for _, arg := range args {
		name, text, hasValue := strings.Cut(arg, "=")
		if name == "" {
			return nil, fmt.Errorf("%q names no permission; expected <permission> or <permission>=<value>", arg)
		}
		var value any = true
		if hasValue && json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		grants = append(grants, parsedGrant{name, value})
	}
	return grants, nil
}

// printGrants prints what is in the database now, one line per user and
// service.
func printGrants(ctx context.Context, cmd *cobra.Command, s *store.Store, userID, service string) error {
	grants, err := s.ListGrants(ctx, userID, service)
	if err != nil {
		return fmt.Errorf("reading the permissions: %w", err)
	}
	rows := [][]string{{"USER", "SERVICE", "PERMISSIONS"}}
	for _, grant := range grants {
		permissions, err := json.Marshal(grant.Permissions)
		if err != nil {
			return fmt.Errorf("printing the permissions: %w", err)
		}
		rows = append(rows, []string{grant.UserID, grant.Service, string(permissions)})
	}
	return printTable(cmd.OutOrStdout(), rows, "Nothing is granted.")
}
