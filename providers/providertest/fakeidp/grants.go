package fakeidp

import (
	"container/list"
	"sync"
	"time"
)

// grant is one sign-in between authorize, token and userinfo.
type grant struct {
	request AuthorizeRequest
	person  Person
	faults  faults
	sid     string
}

// grants keeps sign-ins by their code or access token: at most max of them,
// each for one lifetime. All live equally long, so the oldest ends first.
type grants struct {
	lifetime time.Duration
	max      int

	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of *heldGrant, oldest first
}

type heldGrant struct {
	key     string
	expires time.Time
	grant   grant
}

func newGrants(lifetime time.Duration, limit int) *grants {
	return &grants{lifetime: lifetime, max: limit, byKey: make(map[string]*list.Element), order: list.New()}
}

func (g *grants) put(key string, v grant, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for front := g.order.Front(); front != nil; front = g.order.Front() {
		if len(g.byKey) < g.max && now.Before(front.Value.(*heldGrant).expires) {
			break
		}
		g.remove(front)
	}
	g.byKey[key] = g.order.PushBack(&heldGrant{key, now.Add(g.lifetime), v})
}

// get returns a living grant and leaves it there.
func (g *grants) get(key string, now time.Time) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.byKey[key]
	if !ok {
		return grant{}, false
	}
	held := e.Value.(*heldGrant)
	return held.grant, now.Before(held.expires)
}

// take returns a living grant and removes it, dead or alive.
func (g *grants) take(key string, now time.Time) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.byKey[key]
	if !ok {
		return grant{}, false
	}
	g.remove(e)
	held := e.Value.(*heldGrant)
	return held.grant, now.Before(held.expires)
}

func (g *grants) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.byKey)
}

func (g *grants) remove(e *list.Element) {
	delete(g.byKey, e.Value.(*heldGrant).key)
	g.order.Remove(e)
}
