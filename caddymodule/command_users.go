package caddymodule

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/datahq/auth-gateway/internal/store"
)

func usersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users [<text>]",
		Short: "Lists users, or those whose ID, username, name or e-mail address contains a text; disables and enables them",
		Args:  cobra.MaximumNArgs(1),
	}
	cmd.AddCommand(disableCommand(true), disableCommand(false))
	limit := cmd.Flags().Int("limit", 100, "How many users to list at most")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withStore(cmd, func(ctx context.Context, s *store.Store) error {
			query := ""
			if len(args) == 1 {
				query = args[0]
			}
			users, err := s.Users(ctx, query, *limit)
			if err != nil {
				return fmt.Errorf("reading the users: %w", err)
			}
			rows := [][]string{{"ID", "USERNAME", "E-MAIL", "NAME", "SIGNED IN BY", "JOINED", "STATE"}}
			for _, user := range users {
				joined := ""
				if !user.JoinDate.IsZero() {
					joined = user.JoinDate.UTC().Format(time.DateOnly)
				}
				state := ""
				if user.Disabled {
					state = "disabled"
				}
				rows = append(rows, []string{user.ID, user.Username, user.Email, user.Name, user.ProviderID, joined, state})
			}
			return printTable(cmd.OutOrStdout(), rows, "There are no users.")
		})
	}
	return cmd
}

// printTable prints rows below their header, or a sentence if there are none.
func printTable(w io.Writer, rows [][]string, empty string) error {
	if len(rows) == 1 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, printable(cell))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// printable keeps what users wrote from speaking to the terminal: controls, line
// ends, and what is not seen but turns the text around or makes two names look
// alike. The joiners are part of how some languages are written.
func printable(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		const joiners = "\u200c\u200d"
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !strings.ContainsRune(joiners, r) {
			return '?'
		}
		return r
	}, text)
}
