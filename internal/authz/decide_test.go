package authz

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/token"
	"github.com/datahq/auth-gateway/providers"
)

func TestDecide(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for name, c := range w.credentials("ada") {
			w := w.named(name)
			d := w.granted(c, "storage", "ada")
			// Ruling 1: what the permissions are now, not what the token claims; and the
			// user as the database has him.
			if !d.Permissions.Granted("read") || len(d.Permissions) != 1 {
				t.Errorf("%s: permissions %v", name, d.Permissions)
			}
			if d.User.Email != "ada@example.org" || d.User.Name != "ada the user" || d.Session.ID != "s-ada" {
				t.Errorf("%s: user %+v, session %+v", name, d.User, d.Session)
			}
			d = w.granted(c, "storage", "ada")
			if !d.Permissions.Granted("read") {
				t.Errorf("%s, remembered: permissions %v", name, d.Permissions)
			}
		}
		if d := w.granted(w.cookie("bob"), "storage", "bob"); len(d.Permissions) != 0 {
			t.Errorf("bob may %v", d.Permissions)
		}
	})
}

func TestDecideWho(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, c := range []Credential{w.sessionToken("ada"), w.cookie("ada")} {
			if d := w.granted(c, "", "ada"); d.Permissions != nil {
				t.Errorf("permissions %v in no service", d.Permissions)
			}
		}
		w.asks("who it is", 2, 0)
	})
}

// Ruling 10: a service that nobody has configured grants nothing, whoever asks.
func TestDecideUnknownService(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for _, c := range []Credential{w.sessionToken("ada"), w.cookie("ada")} {
			if d := w.granted(c, "nope", "ada"); d.Permissions != nil || d.Session.ID != "s-ada" || d.ExpiresAt.IsZero() {
				t.Errorf("permissions %v, session %v until %s", d.Permissions, d.Session, d.ExpiresAt)
			}
		}
		// That token opens no gate, not even one of the name it was made for.
		w.refused(w.permissionToken("ada", func(p *token.Permission) { p.Service = "nope" }), "nope", ErrInvalid)
		w.asks("unknown services", 2, 0)
	})
}

func TestDecideRefuses(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.store.edit("carl", func(u *providers.User) { u.ID, u.Disabled = "carl", true })
		w.store.change(func() {
			now := time.Now()
			w.store.sessions["s-carl"] = providers.Session{ID: "s-carl", UserID: "carl", LastSeenAt: now, ExpiresAt: now.Add(day)}
			w.store.sessions["s-gone"] = providers.Session{ID: "s-gone", UserID: "gone", LastSeenAt: now, ExpiresAt: now.Add(day)}
			w.store.sessions["s-over"] = providers.Session{ID: "s-over", UserID: "ada", LastSeenAt: now, ExpiresAt: now}
		})
		other := &world{t: t, ring: &countingRing{Ring: ringOf(t, issuer, otherKeys)}}
		renamed := &world{t: t, ring: &countingRing{Ring: ringOf(t, "https://evil.example", ourKeys)}}
		good := w.permissionToken("ada").Value
		overP := func(p *token.Permission) { p.ExpiresAt = time.Now() }
		overS := func(s *token.Session) { s.ExpiresAt = time.Now() }
		forService := func(name string) func(*token.Permission) {
			return func(p *token.Permission) { p.Service = name }
		}
		use := func(text string) func(*token.Permission) { return func(p *token.Permission) { p.Use = text } }
		inSession := func(id, user string) func(*token.Session) {
			return func(s *token.Session) { s.SessionID, s.UserID = id, user }
		}

		for _, c := range []struct {
			name       string
			credential Credential
			service    string
			want       error
		}{
			// S6: it opens exactly its service, and case counts.
			{"permission token for another service", w.permissionToken("ada"), "billing", ErrInvalid},
			{"permission token for another spelling", w.permissionToken("ada"), "Storage", ErrInvalid},
			{"permission token for no service", w.permissionToken("ada", forService("")), "storage", ErrInvalid},
			// Ruling 8: where no service is named it is no credential, or it would open
			// every page that asks for a login.
			{"permission token, who", w.permissionToken("ada"), "", ErrInvalid},
			{"permission token for no service, who", w.permissionToken("ada", forService("")), "", ErrInvalid},
			{"permission token, unknown service", w.permissionToken("ada"), "nope", ErrInvalid},
			// Ruling 9: an upstream must not come back with what it was given.
			{"permission token of an upstream", w.permissionToken("ada", use("upstream")), "storage", ErrInvalid},
			{"permission token of another use", w.permissionToken("ada", use("state")), "storage", ErrInvalid},
			// S4: kinds exclude each other.
			{"session token as cookie", Cookie(w.sessionToken("ada").Value), "storage", ErrEnded},
			{"permission token as cookie", Cookie(good), "storage", ErrEnded},
			{"cookie as token", Token(w.cookie("ada").Value), "storage", ErrInvalid},
			{"name of a session as cookie", Cookie("s-ada"), "storage", ErrEnded},
			{"name of a session as token", Token("s-ada"), "storage", ErrInvalid},
			// S1, S2: another gateway's, of the same issuer, and ours with another one.
			{"session token of another key", other.sessionToken("ada"), "storage", ErrInvalid},
			{"permission token of another key", other.permissionToken("ada"), "storage", ErrInvalid},
			{"session token of another issuer", renamed.sessionToken("ada"), "storage", ErrInvalid},
			{"permission token of another issuer", renamed.permissionToken("ada"), "storage", ErrInvalid},
			{"permission token with another's signature", Token(good[:strings.LastIndex(good, ".")] + other.permissionToken("ada").Value[strings.LastIndex(good, "."):]), "storage", ErrInvalid},
			// S3, S38
			{"nothing", Token(""), "storage", ErrInvalid},
			{"nothing as cookie", Cookie(""), "storage", ErrEnded},
			{"garbage", Token("a.b.c"), "storage", ErrInvalid},
			{"no signature", Token(good[:strings.LastIndex(good, ".")+1]), "storage", ErrInvalid},
			{"too long", Token(good + strings.Repeat("A", 9<<10)), "storage", ErrInvalid},
			// S5
			{"expired session token", w.sessionToken("ada", overS), "storage", ErrInvalid},
			{"expired permission token", w.permissionToken("ada", overP), "storage", ErrInvalid},
			{"good token of an expired session", w.sessionToken("ada", inSession("s-over", "ada")), "storage", ErrEnded},
			// S8
			{"ended session", w.sessionToken("ada", inSession("s-none", "ada")), "storage", ErrEnded},
			{"ended session, permission token", w.permissionToken("none"), "storage", ErrEnded},
			{"permission token without a session", w.permissionToken("ada", func(p *token.Permission) { p.SessionID = "" }), "storage", ErrEnded},
			{"unknown cookie", w.cookie("none"), "storage", ErrEnded},
			{"user gone", w.sessionToken("gone"), "storage", ErrEnded},
			{"user gone, permission token", w.permissionToken("gone"), "storage", ErrEnded},
			// A token whose user and session differ is a mistake of ours or a forgery:
			// neither of the two is who is asking.
			{"bob in ada's session", w.sessionToken("ada", inSession("s-ada", "bob")), "storage", ErrInvalid},
			{"bob in ada's session, permission token", w.permissionToken("ada", func(p *token.Permission) { p.UserID = "bob" }), "storage", ErrInvalid},
			// S7
			{"disabled user", w.sessionToken("carl"), "storage", ErrDisabled},
			{"disabled user, who", w.sessionToken("carl"), "", ErrDisabled},
			{"disabled user, unknown service", w.sessionToken("carl"), "nope", ErrDisabled},
			{"disabled user, permission token", w.permissionToken("carl"), "storage", ErrDisabled},
		} {
			w := w.named(c.name)
			w.refused(c.credential, c.service, c.want)
			w.forget()
			w.refused(c.credential, c.service, c.want)
			w.asks("a refusal that is remembered", 0, 0)
			// S41: the reason goes into logs.
			_, err := w.Decide(t.Context(), c.credential, c.service)
			for _, piece := range slices.Concat(strings.Split(c.credential.Value, "."), []string{"ada", "bob", "carl"}) {
				if len(piece) > 2 && strings.Contains(err.Error(), piece) {
					w.errorf("the error repeats %q: %v", piece, err)
				}
			}
		}
		if got := w.provider.calls.Load(); got != 0 {
			t.Errorf("the provider has been asked %d times about nobody", got)
		}
		// None of it has done anything to those who are who they say.
		for _, c := range w.credentials("ada") {
			w.granted(c, "storage", "ada")
		}
	})
}

// S5: a decision says when the credential ends, which is never after its
// session.
func TestDecisionExpiresAt(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		now := time.Now()
		for _, c := range []struct {
			name       string
			credential Credential
			want       time.Duration
		}{
			{"cookie", w.cookie("ada"), 14 * day},
			{"session token", w.sessionToken("ada"), 14 * day},
			{"shorter session token", w.sessionToken("ada", func(s *token.Session) { s.ExpiresAt = now.Add(day) }), day},
			{"longer session token", w.sessionToken("ada", func(s *token.Session) { s.ExpiresAt = now.Add(30 * day) }), 14 * day},
			{"permission token", w.permissionToken("ada"), 12 * time.Hour},
			{"permission token of another clock", w.permissionToken("ada", func(p *token.Permission) { p.ExpiresAt = now.Add(12*time.Hour + time.Minute) }), 12*time.Hour + time.Minute},
		} {
			if d := w.granted(c.credential, "storage", "ada"); !d.ExpiresAt.Equal(now.Add(c.want)) {
				t.Errorf("%s: until %s from now, want %s", c.name, d.ExpiresAt.Sub(now), c.want)
			}
		}
		w.refused(w.permissionToken("ada", func(p *token.Permission) { p.ExpiresAt = now.Add(12*time.Hour + 2*time.Minute) }), "storage", ErrInvalid)
	})
	// Where the service has it so, they last longer.
	run(t, func(t *testing.T, w *world) {
		w.granted(w.permissionToken("ada", func(p *token.Permission) { p.ExpiresAt = time.Now().Add(2 * day) }), "storage", "ada")
	}, func(c *Config) { c.Services[0].TokenLifetime = 2 * day })
}

// What a gate sends is rendered once for all requests.
func TestDecisionIsRenderedOnce(t *testing.T) {
	rendered := 0
	render := func(d *Decision) any {
		rendered++
		return d.User.ID + " may " + strings.Join(slices.Collect(maps.Keys(d.Permissions)), " ") + " in " + d.Service
	}
	run(t, func(t *testing.T, w *world) {
		first := w.granted(w.cookie("ada"), "storage", "ada")
		second := w.granted(w.cookie("ada"), "storage", "ada")
		if first != second || rendered != 1 || first.Rendered != "ada may read in storage" {
			t.Errorf("rendered %d times: %v, %v", rendered, first.Rendered, second.Rendered)
		}
	}, func(c *Config) { c.Render = render })
}

// S39: whatever goes wrong in a look-up is "cannot tell", never a pass.
func TestDecidePanicIsUnavailable(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.refused(w.cookie("ada"), "storage", providers.ErrUnavailable)
		entries := w.logs.FilterMessage("panic while deciding").All()
		if len(entries) != 1 || entries[0].ContextMap()["error"] != "panic: no such column" {
			t.Fatalf("logged: %v", w.logs.All())
		}
		if stack, _ := entries[0].ContextMap()["stack"].(string); !strings.Contains(stack, "panickingStore") {
			t.Errorf("the log does not say where the panic was: %s", stack)
		}
	}, func(c *Config) { c.Store = panickingStore{} })
}

type panickingStore struct{ Store }

func (panickingStore) SessionByCookie(context.Context, []byte) (providers.Session, providers.User, error) {
	panic("no such column")
}
