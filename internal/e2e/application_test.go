//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// application is an upstream with scripts and sockets: pages that let scripts
// run (evaluate), JSON at data, and an echo at socket whose first message says
// who is asking.
func application(t testing.TB) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Application</title><link rel="icon" href="data:,"><p>Hello %s`, r.Header.Get("X-Auth-Email"))
	})
	mux.HandleFunc("/strict/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>Strict</title><link rel="icon" href="data:,"><p style="color: red">Not red`)
	})
	mux.HandleFunc("/app/data", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"email": %q}`, r.Header.Get("X-Auth-Email"))
	})
	mux.HandleFunc("/app/socket", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // it has answered
		}
		defer c.CloseNow()
		who := r.Header.Get("X-Auth-Email")
		for err == nil {
			if err = c.Write(r.Context(), websocket.MessageText, []byte(who)); err == nil {
				var message []byte
				_, message, err = c.Read(r.Context())
				who = "echo " + string(message)
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// demonstration is a gateway in the shape of the Caddyfile at the top of the
// repository, with the application below /app/ besides.
func demonstration(t testing.TB, auth string) *gatewaytest.Gateway {
	t.Helper()
	port := gatewaytest.FreePort(t)
	return gatewaytest.New(t, gatewaytest.Config{
		Auth: auth + `
	login dev
	service storage static {
		user ada@example.com read write admin
		user bob@example.com read
	}`,
		Site: strings.ReplaceAll(`auth_api
	handle /storage/* {
		require_permission storage read {
			forward_token
		}
		@admin path /storage/admin /storage/admin/*
		require_permission @admin storage admin {
			forward_token
		}
		reverse_proxy DEMO
	}
	handle /me {
		require_login
		reverse_proxy DEMO
	}
	handle /events {
		require_login
		reverse_proxy DEMO {
			stream_close_delay 5m
		}
	}
	handle /app/* {
		require_login
		reverse_proxy `+application(t)+`
	}
	@open path / /demo.css
	handle @open {
		identify
		reverse_proxy DEMO
	}
	handle {
		respond "There is nothing here." 404
	}`, "DEMO", "127.0.0.1:"+port),
		Extra: "http://:" + port + " {\n auth_demo\n}",
		Env:   []string{"CORP_SECRET=" + clientSecret},
	})
}
