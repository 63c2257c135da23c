package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"github.com/datahq/auth-gateway/providers"
)

func TestWrap(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		err   error
		is    []error
		isNot []error
	}{
		"no row":    {t.Context(), gorm.ErrRecordNotFound, []error{providers.ErrNotFound}, []error{providers.ErrUnavailable}},
		"trouble":   {t.Context(), sql.ErrConnDone, []error{providers.ErrUnavailable, sql.ErrConnDone}, []error{providers.ErrNotFound}},
		"account":   {t.Context(), ErrAccountExists, []error{ErrAccountExists}, []error{providers.ErrUnavailable}},
		"taken":     {t.Context(), ErrUsernameTaken, []error{ErrUsernameTaken}, []error{providers.ErrUnavailable}},
		"chosen":    {t.Context(), ErrUsernameChosen, []error{ErrUsernameChosen}, []error{providers.ErrUnavailable}},
		"invalid":   {t.Context(), ErrUsernameInvalid, []error{ErrUsernameInvalid}, []error{providers.ErrUnavailable}},
		"grant":     {t.Context(), ErrGrant, []error{ErrGrant, providers.ErrUnavailable}, []error{providers.ErrNotFound}},
		"schema":    {t.Context(), fmt.Errorf("x: %w", ErrSchema), []error{ErrSchema}, []error{providers.ErrUnavailable}},
		"cancelled": {done, context.Canceled, []error{providers.ErrUnavailable, context.Canceled}, nil},
		// What database/sql says to whoever goes on after the context has rolled back.
		"cancelled midway": {done, sql.ErrTxDone, []error{providers.ErrUnavailable, context.Canceled}, nil},
	} {
		err := wrap(c.ctx, "doing", c.err)
		for _, target := range c.is {
			if !errors.Is(err, target) {
				t.Errorf("%s: %v is not %v", name, err, target)
			}
		}
		for _, target := range c.isNot {
			if errors.Is(err, target) {
				t.Errorf("%s: %v is %v", name, err, target)
			}
		}
	}
	if err := wrap(done, "doing", nil); err != nil {
		t.Errorf("no error has become %v", err)
	}
}
