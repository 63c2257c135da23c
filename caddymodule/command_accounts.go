package caddymodule

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// disableCommand is "users disable", or "users enable".
func disableCommand(disable bool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "enable <user>",
		Short: "Lets a disabled user sign in again",
		Args:  cobra.ExactArgs(1),
	}
	if disable {
		cmd.Use, cmd.Short = "disable <user>", "Ends all sessions of a user, who cannot sign in any more"
		cmd.Long = `
Ends all sessions of a user, who cannot sign in any more. Running gateways refuse
what came from these sessions, tokens included, within five seconds. The account
and its permissions stay.`
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withStore(cmd, func(ctx context.Context, s *store.Store) error {
			user, err := findAccount(ctx, s, args[0])
			if err != nil {
				return err
			}
			if err := s.SetDisabled(ctx, user.ID, disable); err != nil {
				return err
			}
			if !disable {
				return say(cmd, "%s can sign in again.\n", printable(args[0]))
			}
			// Second, so that no session begins in between.
			sessions, err := s.EndUserSessions(ctx, user.ID)
			if err != nil {
				return fmt.Errorf("%s is disabled, but the sessions have not been ended: %w", printable(args[0]), err)
			}
			return say(cmd, "%s is disabled; sessions ended: %d.\n", printable(args[0]), len(sessions))
		})
	}
	return cmd
}

func signOutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sign-out <user>",
		Short: "Ends all sessions of a user",
		Long: `
Ends all sessions of a user, in every browser and program. Running gateways refuse
what came from these sessions, tokens included, within five seconds. The user can
sign in again: see "users disable".

Session tokens of the original service (accept_legacy_sessions) belong to no
session; only "users disable" ends them.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(ctx context.Context, s *store.Store) error {
				user, err := findAccount(ctx, s, args[0])
				if err != nil {
					return err
				}
				sessions, err := s.EndUserSessions(ctx, user.ID)
				if err != nil {
					return err
				}
				return say(cmd, "%s is signed out; sessions ended: %d.\n", printable(args[0]), len(sessions))
			})
		},
	}
}

// findAccount is findUser for one person: what ends sessions is for no "*".
func findAccount(ctx context.Context, s *store.Store, who string) (providers.User, error) {
	if who == providers.Everyone {
		return providers.User{}, errors.New("* is everyone; expected one user, by ID, e-mail address or username")
	}
	return findUser(ctx, s, who)
}

func say(cmd *cobra.Command, format string, args ...any) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format, args...)
	return err
}
