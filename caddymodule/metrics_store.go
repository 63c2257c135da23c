package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// observedStore is the database with a clock on each operation that a request
// waits for, and with an ear for writes that it refuses.
type observedStore struct {
	*store.Store
	metrics *collectors
	writes  *writes
}

// observe notes an operation when it has ended. What is not found, or refused
// for what it is, is an answer.
func (s observedStore) observe(ctx context.Context, operation string, start time.Time, err *error) {
	s.metrics.databaseCall(operation, start, errors.Is(*err, providers.ErrUnavailable))
	s.writes.request(ctx, *err)
}

func (s observedStore) SessionByID(ctx context.Context, id string) (session providers.Session, user providers.User, err error) {
	defer s.observe(ctx, "session_by_id", time.Now(), &err)
	return s.Store.SessionByID(ctx, id)
}

func (s observedStore) SessionByCookie(ctx context.Context, cookieHash []byte) (session providers.Session, user providers.User, err error) {
	defer s.observe(ctx, "session_by_cookie", time.Now(), &err)
	return s.Store.SessionByCookie(ctx, cookieHash)
}

func (s observedStore) TouchSession(ctx context.Context, id string, seen time.Time) (err error) {
	defer s.observe(ctx, "touch_session", time.Now(), &err)
	return s.Store.TouchSession(ctx, id, seen)
}

func (s observedStore) CreateSession(ctx context.Context, session providers.Session, cookieHash []byte) (err error) {
	defer s.observe(ctx, "create_session", time.Now(), &err)
	return s.Store.CreateSession(ctx, session, cookieHash)
}

func (s observedStore) EndSession(ctx context.Context, id string) (err error) {
	defer s.observe(ctx, "end_session", time.Now(), &err)
	return s.Store.EndSession(ctx, id)
}

func (s observedStore) EndUserSessions(ctx context.Context, userID string) (ids []string, err error) {
	defer s.observe(ctx, "end_user_sessions", time.Now(), &err)
	return s.Store.EndUserSessions(ctx, userID)
}

func (s observedStore) FindOrCreateUser(ctx context.Context, provider string, id providers.Identity, newUserID string, link bool, legacy string) (user providers.User, created bool, err error) {
	defer s.observe(ctx, "find_or_create_user", time.Now(), &err)
	return s.Store.FindOrCreateUser(ctx, provider, id, newUserID, link, legacy)
}

func (s observedStore) PutAttempt(ctx context.Context, key, value []byte, expires time.Time) (err error) {
	defer s.observe(ctx, "put_attempt", time.Now(), &err)
	return s.Store.PutAttempt(ctx, key, value, expires)
}

func (s observedStore) TakeAttempt(ctx context.Context, key []byte) (value []byte, first bool, err error) {
	defer s.observe(ctx, "take_attempt", time.Now(), &err)
	return s.Store.TakeAttempt(ctx, key)
}

func (s observedStore) User(ctx context.Context, id string) (user providers.User, err error) {
	defer s.observe(ctx, "user_by_id", time.Now(), &err)
	return s.Store.User(ctx, id)
}

func (s observedStore) UserByUsername(ctx context.Context, username string) (user providers.User, err error) {
	defer s.observe(ctx, "user_by_username", time.Now(), &err)
	return s.Store.UserByUsername(ctx, username)
}

func (s observedStore) UserByEmail(ctx context.Context, email string) (user providers.User, err error) {
	defer s.observe(ctx, "user_by_email", time.Now(), &err)
	return s.Store.UserByEmail(ctx, email)
}

func (s observedStore) ChooseUsername(ctx context.Context, userID, username string, keepCase bool) (err error) {
	defer s.observe(ctx, "choose_username", time.Now(), &err)
	return s.Store.ChooseUsername(ctx, userID, username, keepCase)
}

func (s observedStore) UsernameChosen(ctx context.Context, userID string) (display string, chosen bool, err error) {
	defer s.observe(ctx, "username_chosen", time.Now(), &err)
	return s.Store.UsernameChosen(ctx, userID)
}

func (s observedStore) Grants(ctx context.Context, userID, service string) (permissions providers.Permissions, err error) {
	defer s.observe(ctx, "grants", time.Now(), &err)
	return s.Store.Grants(ctx, userID, service)
}
