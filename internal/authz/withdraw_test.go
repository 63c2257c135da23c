package authz

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datahq/auth-gateway/providers"
)

// S8: a logout ends, at once, whatever the session has led to: at every
// service, with its token, its cookie and the permission tokens made of it.
func TestSessionEnded(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.signIn("ada", "s-ada-2")
		credentials := w.credentials("ada")
		remember := func() {
			for name, c := range credentials {
				w.named(name).granted(c, "storage", "ada")
			}
			for _, c := range []Credential{credentials["cookie"], credentials["session token"]} {
				w.granted(c, "billing", "ada")
				w.granted(c, "", "ada")
				w.granted(c, "nope", "ada")
			}
			w.granted(Cookie("cookie-of-s-ada-2"), "storage", "ada")
		}
		remember()
		w.forget()
		remember()
		w.asks("once all is remembered", 0, 0)

		w.store.end("s-ada")
		w.SessionEnded("s-ada")
		for name, c := range credentials {
			w.named(name).refused(c, "storage", ErrEnded)
		}
		for _, c := range []Credential{credentials["cookie"], credentials["session token"]} {
			w.refused(c, "billing", ErrEnded)
			w.refused(c, "", ErrEnded)
			w.refused(c, "nope", ErrEnded)
		}
		// Her other browser stays signed in.
		w.granted(Cookie("cookie-of-s-ada-2"), "storage", "ada")
	})
}

// S8, S39: after a logout the old answer does not serve, not even while the
// database is down.
func TestWithdrawnIsNotStale(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, name := range []string{"ada", "bob"} {
			w.granted(w.cookie(name), "storage", name)
		}
		w.store.fail(errDown)
		w.SessionEnded("s-ada")
		w.UserChanged("bob")
		for _, name := range []string{"ada", "bob"} {
			w.refused(w.cookie(name), "storage", providers.ErrUnavailable)
		}
	})
	run(t, func(t *testing.T, w *world) {
		w.granted(w.cookie("ada"), "storage", "ada")
		// It is withdrawn while somebody waits for a database that fails him.
		time.Sleep(time.Minute)
		w.store.fail(errDown)
		release := w.store.hold()
		answers := w.asking(t.Context(), 1, w.cookie("ada"), "storage")
		synctest.Wait()
		w.SessionEnded("s-ada")
		release()
		got := <-answers
		w.wraps(got.err, providers.ErrUnavailable)
	})
}

func TestUserChanged(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.signIn("ada", "s-ada-2")
		credentials := w.credentials("ada")
		credentials["second cookie"] = Cookie("cookie-of-s-ada-2")
		for name, c := range credentials {
			w.named(name).granted(c, "storage", "ada")
		}
		w.store.edit("ada", func(u *providers.User) { u.Username = "countess" })
		w.UserChanged("ada")
		for name, c := range credentials {
			if d := w.named(name).granted(c, "storage", "ada"); d.User.Username != "countess" {
				t.Errorf("%s: username %q", name, d.User.Username)
			}
		}
		w.store.edit("ada", func(u *providers.User) { u.Disabled = true })
		w.UserChanged("ada")
		for name, c := range credentials {
			w.named(name).refused(c, "storage", ErrDisabled)
		}
		// The refusal is withdrawn as well.
		w.store.edit("ada", func(u *providers.User) { u.Disabled = false })
		w.UserChanged("ada")
		for name, c := range credentials {
			w.named(name).granted(c, "storage", "ada")
		}
	})
}

func TestInvalidator(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		credentials := map[string]map[string]Credential{"ada": w.credentials("ada"), "bob": w.credentials("bob")}
		may := func(name string, want bool) {
			t.Helper()
			for how, c := range credentials[name] {
				if d := w.named(how).granted(c, "storage", name); d.Permissions.Granted("read") != want {
					t.Errorf("%s may read: %v, by %s", name, !want, how)
				}
			}
		}
		grant := func(name string, read bool) {
			w.provider.grant(name, "storage", providers.Permissions{"read": read})
		}
		may("ada", true)
		may("bob", false)
		grant("ada", false)
		grant("bob", true)
		may("ada", true)
		may("bob", false)
		w.provider.changed("ada")
		may("ada", false)
		w.provider.changed("bob")
		may("bob", true)
		grant("ada", true)
		grant("bob", false)
		w.provider.changed("") // everybody's
		may("ada", true)
		may("bob", false)
	})
}

// A logout must not cost everybody else a look-up.
func TestWithdrawalLeavesOthers(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		const others = 200
		ask := func() {
			for i := range others {
				w.granted(w.cookie(fmt.Sprint("u", i)), "storage", fmt.Sprint("u", i))
			}
		}
		for i := range others {
			w.signIn(fmt.Sprint("u", i), fmt.Sprint("s-u", i))
		}
		ask()
		w.forget()
		w.SessionEnded("s-ada")
		w.UserChanged("bob")
		ask()
		if got := w.store.lookups.Load(); got > others/20 {
			t.Errorf("two withdrawals have cost %d of %d others a look-up", got, others)
		}
	})
}

// S8: a look-up that begins before a logout and ends after it has seen the
// session alive. It must not be remembered, nor answer a request that comes
// after the logout and finds it under way.
func TestLogoutDuringALookUp(t *testing.T) {
	for name, withdraw := range map[string]func(w *world){
		"session ended": func(w *world) {
			w.store.end("s-ada")
			w.SessionEnded("s-ada")
		},
		"user disabled": func(w *world) {
			w.store.edit("ada", func(u *providers.User) { u.Disabled = true })
			w.UserChanged("ada")
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				release := w.store.hold()
				before := w.asking(t.Context(), 1, w.cookie("ada"), "storage")
				synctest.Wait()
				withdraw(w)
				after := w.asking(t.Context(), 10, w.cookie("ada"), "storage")
				synctest.Wait()
				release()
				<-before // may see either
				for range 10 {
					if got := <-after; got.err == nil {
						t.Fatalf("a request that came after the logout is granted to %s", got.decision.User.ID)
					}
				}
				if d, err := w.Decide(t.Context(), w.cookie("ada"), "storage"); err == nil {
					t.Errorf("remembered: %v", d.User)
				}
			})
		})
	}
}

// S8: the same for a provider that is asked before its answers change.
func TestPermissionChangeDuringAQuestion(t *testing.T) {
	for name, user := range map[string]string{"one user's": "ada", "everybody's": ""} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				gate := make(chan struct{})
				w.provider.instead(func(context.Context, providers.User, string) (providers.Answer, error) {
					answer := providers.Answer{Permissions: providers.Permissions{"read": true}}
					<-gate
					return answer, nil
				})
				before := w.asking(t.Context(), 1, w.cookie("ada"), "storage")
				synctest.Wait()
				w.provider.instead(nil)
				w.provider.grant("ada", "storage", nil)
				w.provider.changed(user)
				after := w.asking(t.Context(), 10, w.cookie("ada"), "storage")
				synctest.Wait()
				close(gate)
				<-before
				for range 10 {
					if got := <-after; got.err != nil || got.decision.Permissions.Granted("read") {
						t.Fatalf("a request that came after the change: %v, %v", got.decision, got.err)
					}
				}
				if d := w.granted(w.cookie("ada"), "storage", "ada"); d.Permissions.Granted("read") {
					t.Error("the old answer is remembered")
				}
			})
		})
	}
}

// A withdrawal of somebody else must not keep a look-up from being remembered:
// where somebody always signs out, nothing would be.
func TestLogoutOfOthersDuringALookUp(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		release := w.store.hold()
		answers := w.asking(t.Context(), 1, w.cookie("ada"), "storage")
		synctest.Wait()
		w.SessionEnded("s-somebody")
		release()
		if got := <-answers; got.err != nil {
			t.Fatal(got.err)
		}
		if !w.memory.stamps.Current(w.memory.stamps.Stamp(0, sessionStamp("s-ada"), userStamp("ada"))) {
			return // they share a slot, once in 8,000 runs
		}
		w.forget()
		w.granted(w.cookie("ada"), "storage", "ada")
		w.asks("afterwards", 0, 0)
	})
}
