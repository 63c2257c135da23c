package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// S43, S2: both keys are exchanged at two gateways while requests go on: none
// fails, whichever gateway made the token and whichever sees it.
func TestRotationAtTwoGateways(t *testing.T) {
	t.Parallel()
	a, b := twins(t, gatewaytest.Config{Auth: "login dev\nrate_limits off\nservice storage static {\neveryone read\n}", Site: storageSite})
	a.Run(t)
	b.Run(t)
	ada := signIn(t, a, "ada")
	permission := permissionToken(t, a, ada.Token, "storage")
	atA, atB, either := balanced(t, a), balanced(t, b), balanced(t, a, b)
	old := map[string]string{}
	for _, path := range []string{"public-key", "jwks.json"} {
		_, atOne, _ := ask(atA, a.URL+"/auth/"+path, "")
		_, atOther, err := ask(atB, a.URL+"/auth/"+path, "")
		if err != nil || atOne != atOther {
			t.Fatalf("%s differs: %v\n%s\n%s", path, err, atOne, atOther)
		}
		old[path] = atOne
	}

	var served, failed atomic.Int64
	var firstFailure atomic.Value
	stop := make(chan struct{})
	var load sync.WaitGroup
	request := func(client *http.Client, path, token string) string {
		status, body, err := ask(client, a.URL+path, token)
		if err != nil || status != http.StatusOK {
			failed.Add(1)
			firstFailure.CompareAndSwap(nil, fmt.Sprint(path, " ", status, " ", body, " ", err))
		}
		served.Add(1)
		return body
	}
	for range 2 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				request(either, "/storage/", permission)
				request(either, "/", ada.Token)
				// Minted at one gateway and shown to the other in the same moment.
				var minted struct{ Token string }
				_ = json.Unmarshal([]byte(request(either, "/auth/authorize?service=storage", ada.Token)), &minted)
				request(either, "/storage/", minted.Token)
				request(either, "/storage/", minted.Token)
			}
		})
	}
	output, err := a.Command("auth", "keys", "rotate", "--now", "--config", filepath.Join(a.State, "Caddyfile"))
	if err != nil || strings.Count(output, "next") < 2 || strings.Contains(output, "PRIVATE KEY") {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, client := range []*http.Client{atA, atB} {
		eventually(t, "the next key is published", func() bool {
			_, set, _ := ask(client, a.URL+"/auth/jwks.json", "")
			return strings.Count(set, `"kid"`) == 2
		})
	}
	for _, client := range []*http.Client{atA, atB} {
		eventually(t, "the next key signs", func() bool {
			_, pem, _ := ask(client, a.URL+"/auth/public-key", "")
			return pem != "" && pem != old["public-key"]
		})
	}
	until := served.Load() + 100
	eventually(t, "requests go on", func() bool { return served.Load() > until })
	fresh := signIn(t, a, "bob")
	request(atB, "/", fresh.Token)
	close(stop)
	load.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed: %v", failed.Load(), served.Load(), firstFailure.Load())
	}
	for name, pair := range map[string][2]string{
		"permission": {permission, permissionToken(t, a, ada.Token, "storage")}, "session": {ada.Token, fresh.Token},
	} {
		before, _ := decoded(t, pair[0])
		after, _ := decoded(t, pair[1])
		if before["kid"] == after["kid"] {
			t.Errorf("%s tokens are signed with the old key", name)
		}
	}
	if output, err := a.Command("auth", "keys", "list", "--config", filepath.Join(a.State, "Caddyfile")); err != nil || strings.Count(output, "active") != 2 || strings.Count(output, "retired") != 2 {
		t.Errorf("%v\n%s", err, output)
	}
}

// S43: a key has leaked and is taken out. What was made with it ends at all
// gateways, remembered or not; people stay signed in.
func TestDroppedKeysEndTheirTokens(t *testing.T) {
	t.Parallel()
	a, b := twins(t, gatewaytest.Config{Auth: "login dev\nrate_limits off\nservice storage static {\neveryone read\n}", Site: storageSite})
	a.Run(t)
	b.Run(t)
	ada := signIn(t, a, "ada")
	permission := permissionToken(t, a, ada.Token, "storage")
	clients := []*http.Client{balanced(t, a), balanced(t, b)}
	for _, client := range clients {
		for path, token := range map[string]string{"/": ada.Token, "/storage/": permission} {
			if status, body, err := ask(client, a.URL+path, token); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d %s %v", path, status, body, err)
			}
		}
	}
	output, err := a.Command("auth", "keys", "rotate", "--now", "--drop-old", "--config", filepath.Join(a.State, "Caddyfile"))
	if err != nil || !strings.Contains(output, "Warning: tokens of the old keys end") {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, client := range clients {
		for path, token := range map[string]string{"/": ada.Token, "/storage/": permission} {
			eventually(t, path+" is refused", func() bool {
				status, _, _ := ask(client, a.URL+path, token)
				return status == http.StatusUnauthorized
			})
		}
	}
	if answer := ada.Fetch(a.URL + "/"); answer.Status != http.StatusOK {
		t.Errorf("the browser is signed out: %d %s", answer.Status, answer.Body)
	}
	fresh := signIn(t, a, "bob")
	if status, body, err := ask(clients[1], a.URL+"/", fresh.Token); err != nil || status != http.StatusOK {
		t.Errorf("a token of the new key: %d %s %v", status, body, err)
	}
}
