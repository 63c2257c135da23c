package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/store"
	"github.com/datahq/auth-gateway/providers"
)

// crowd is how many do the same at once.
const crowd = 50

// together calls fn crowd times at once.
func together(fn func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

// outcome is what one of a crowd of sign-ins got.
type outcome struct {
	user    providers.User
	created bool
	err     error
}

// signInTogether signs a crowd in at once, each with an ID of his own to
// propose.
func signInTogether(t *testing.T, s Store, identity func(i int) providers.Identity) []outcome {
	t.Helper()
	outcomes := make([]outcome, crowd)
	together(func(i int) {
		o := &outcomes[i]
		o.user, o.created, o.err = s.FindOrCreateUser(t.Context(), "google", identity(i), fmt.Sprintf("u%d", i), true, "")
	})
	return outcomes
}

// wantOneAccount demands that all reached the account which one of them made.
func wantOneAccount(t *testing.T, s Store, outcomes []outcome) {
	t.Helper()
	created := 0
	for i, o := range outcomes {
		if o.err != nil {
			t.Errorf("sign-in %d: %v", i, o.err)
		}
		if o.user.ID != outcomes[0].user.ID {
			t.Errorf("sign-in %d reached account %q, sign-in 0 %q", i, o.user.ID, outcomes[0].user.ID)
		}
		if o.created {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d of %d made an account", created, crowd)
	}
	for i := range crowd {
		id := fmt.Sprintf("u%d", i)
		if _, err := s.User(t.Context(), id); (id == outcomes[0].user.ID) != (err == nil) {
			t.Errorf("user %s: %v", id, err)
		}
	}
}

var raceTests = []test{
	{"S29: parallel first sign-ins of one identity make one account", func(t *testing.T, s Store) {
		wantOneAccount(t, s, signInTogether(t, s, func(int) providers.Identity { return moshe() }))
	}},
	{"S29: identities of one verified address meet in one account", func(t *testing.T, s Store) {
		wantOneAccount(t, s, signInTogether(t, s, func(i int) providers.Identity {
			id := moshe()
			id.Issuer = "https://idp" + strconv.Itoa(i) + ".example"
			return id
		}))
	}},
	{"S29: of two owners of one address at one issuer, one gets the account", func(t *testing.T, s Store) {
		outcomes := signInTogether(t, s, func(i int) providers.Identity {
			id := moshe()
			id.Subject = strconv.Itoa(i % 2)
			return id
		})
		owner := slices.IndexFunc(outcomes, func(o outcome) bool { return o.created })
		if owner < 0 {
			t.Fatal("nobody made an account")
		}
		for i, o := range outcomes {
			if i%2 == owner%2 {
				if o.err != nil || o.user.ID != outcomes[owner].user.ID {
					t.Errorf("sign-in %d reached %q, %v", i, o.user.ID, o.err)
				}
			} else if !errors.Is(o.err, store.ErrAccountExists) {
				t.Errorf("sign-in %d of the other subject: %v, want ErrAccountExists", i, o.err)
			}
		}
	}},
	{"S28: parallel wishes for one username lead to distinct ones", func(t *testing.T, s Store) {
		outcomes := signInTogether(t, s, func(i int) providers.Identity { return person(strconv.Itoa(i), "Moshe") })
		var got []string
		for i, o := range outcomes {
			if o.err != nil || !o.created {
				t.Errorf("sign-in %d: created %v, %v", i, o.created, o.err)
			}
			got = append(got, o.user.Username)
			if user, err := s.UserByUsername(t.Context(), o.user.Username); err != nil || user.ID != o.user.ID {
				t.Errorf("username %q leads to %q, %v; want %q", o.user.Username, user.ID, err, o.user.ID)
			}
		}
		want := []string{"moshe"}
		for i := 1; i < crowd; i++ {
			want = append(want, "moshe"+strconv.Itoa(i))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("usernames %v, want %v", got, want)
		}
	}},
	{"S21: of many who take an attempt one is first", func(t *testing.T, s Store) {
		if err := s.PutAttempt(t.Context(), []byte("state"), []byte("value"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		var (
			mu     sync.Mutex
			firsts int
		)
		together(func(i int) {
			value, first, err := s.TakeAttempt(t.Context(), []byte("state"))
			if err != nil || string(value) != "value" {
				t.Errorf("take %d: %q, %v", i, value, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if first {
				firsts++
			}
		})
		if firsts != 1 {
			t.Errorf("%d of %d were first", firsts, crowd)
		}
	}},
	{"parallel writers and readers all succeed", func(t *testing.T, s Store) {
		ctx := t.Context()
		signIn(t, s, "google", moshe(), "u1")
		together(func(i int) {
			id := fmt.Sprintf("s%d", i)
			err := errors.Join(
				s.CreateSession(ctx, session(id, "u1"), []byte(id)),
				s.TouchSession(ctx, id, time.Now().Add(time.Minute)),
			)
			_, user, readErr := s.SessionByCookie(ctx, []byte(id))
			if err := errors.Join(err, readErr, s.EndSession(ctx, id)); err != nil || user.ID != "u1" {
				t.Errorf("session %d: %+v, %v", i, user, err)
			}
			if _, _, err := s.SessionByID(ctx, id); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("session %d was ended and is %v", i, err)
			}
		})
	}},
}
