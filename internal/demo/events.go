package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	eventsPath    = "/events"
	eventInterval = time.Second
	// streamLifetime bounds a stream. A browser opens it again by itself, and
	// then passes the gate again: a gate judges a request once, when it begins.
	streamLifetime = 10 * time.Minute
	// writeTimeout ends a stream whose client has stopped reading.
	writeTimeout = 10 * time.Second
)

// event is what the stream sends each second.
type event struct {
	Number   int       `json:"number"`
	Time     time.Time `json:"time"`
	Identity identity  `json:"identity"`
}

// serveEvents sends Server-Sent Events (HTML Standard, section 9.2) until the
// client goes or the stream's time is over.
func serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	if r.Method == http.MethodHead {
		return
	}
	who := readIdentity(r.Header)
	connection := http.NewResponseController(w)
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	end := time.NewTimer(streamLifetime)
	defer end.Stop()
	for number := 1; ; number++ {
		data, err := json.Marshal(event{Number: number, Time: time.Now().UTC(), Identity: who})
		if err != nil {
			return
		}
		// Not every writer has deadlines; one that cannot flush is no stream.
		_ = connection.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", number, data); err != nil {
			return
		}
		if err := connection.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-end.C:
			return
		case <-ticker.C:
		}
	}
}
