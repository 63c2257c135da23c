package authapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"net/http"
)

//go:embed static/conductor.js
var conductorTemplate []byte

// conductorLib serves the browser client of os-conductor's dialect: an Angular 1
// module, and the same without Angular. Its type is the original's.
func (a *API) conductorLib(w http.ResponseWriter, r *http.Request) {
	servePublicToOrigins(w, r, "text/javascript", a.conductorJS, publicFor)
}

// conductorScript is the script for the gateway at an origin.
func conductorScript(origin string) []byte {
	text, err := json.Marshal(origin)
	if err != nil { // a string
		return nil
	}
	return bytes.Replace(conductorTemplate, []byte(`"{ORIGIN}"`), text, 1)
}
