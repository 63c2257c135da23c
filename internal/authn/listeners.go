package authn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/datahq/auth-gateway/providers"
)

// listenerTimeout is how long one extension may take over one event.
const listenerTimeout = 10 * time.Second

// listeners are the extensions, told one after the other. What one of them
// does, fails to do or panics about stops nothing.
type listeners struct {
	extensions []providers.Extension
	logger     *zap.Logger
}

func (l *listeners) newUser(ctx context.Context, event providers.Event) {
	for _, extension := range l.extensions {
		if listener, ok := extension.(providers.NewUserListener); ok {
			l.tell(ctx, "new_user", extension, listener.OnNewUser, event)
		}
	}
}

func (l *listeners) login(ctx context.Context, event providers.Event) {
	for _, extension := range l.extensions {
		if listener, ok := extension.(providers.LoginListener); ok {
			l.tell(ctx, "login", extension, listener.OnUserLogin, event)
		}
	}
}

func (l *listeners) logout(ctx context.Context, event providers.Event) {
	for _, extension := range l.extensions {
		if listener, ok := extension.(providers.LogoutListener); ok {
			l.tell(ctx, "logout", extension, listener.OnUserLogout, event)
		}
	}
}

// tell calls one listener. event is a copy that shares nothing with the
// caller's (S7): Event, User and Session hold values only, which a test
// watches. The request's end does not end the call, since what is told has
// happened already.
func (l *listeners) tell(ctx context.Context, about string, extension providers.Extension,
	call func(context.Context, providers.Event) error, event providers.Event,
) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenerTimeout)
	defer cancel()
	err := guest(func() error { return call(ctx, event) })
	if err == nil {
		return
	}
	fields := []zap.Field{
		zap.String("extension", fmt.Sprintf("%T", extension)),
		zap.String("event", about),
		zap.String("user_id", event.User.ID),
		zap.String("cause", scrub(err.Error(), event.User.Email)),
	}
	var panicked *panicError
	if errors.As(err, &panicked) {
		fields = append(fields, zap.ByteString("stack", panicked.stack))
	}
	l.logger.Error("extension failed", fields...)
}
