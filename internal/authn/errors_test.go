package authn

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/datahq/auth-gateway/providers"
)

func TestErrorText(t *testing.T) {
	cause := fmt.Errorf("userinfo of ada@example.com: %w", providers.ErrUnavailable)
	err := error(fail(CodeProviderUnavailable, &Attempt{Provider: "corp", Next: "/secret-place"}, cause))
	if got, want := err.Error(), "provider_unavailable (corp): userinfo of [redacted]: unavailable"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, providers.ErrUnavailable) {
		t.Error("the cause is lost")
	}
	if got := fail(CodeStateUnknown, nil, nil).Error(); got != "state_unknown" {
		t.Errorf("Error() = %q", got)
	}
}

func TestProviderCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		code string
	}{
		{providers.ErrAccessDenied, CodeAccessDenied},
		{providers.ErrClockSkew, CodeClockSkew},
		{providers.ErrUnavailable, CodeProviderUnavailable},
		{context.DeadlineExceeded, CodeProviderUnavailable},
		{context.Canceled, CodeProviderUnavailable},
		{providers.ErrNotFound, CodeProviderError},
		{errors.New("x"), CodeProviderError},
		{&panicError{value: providers.ErrUnavailable}, CodeProviderError},
	} {
		if got := providerCode(fmt.Errorf("exchanging the code: %w", test.err)); got != test.code {
			t.Errorf("%v leads to %s, want %s", test.err, got, test.code)
		}
	}
}
