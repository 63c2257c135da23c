//go:build e2e

package e2e

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

// chromium is a browser with a fresh profile.
type chromium struct {
	ctx   context.Context
	first bool // the tab that it starts with is taken
}

// newChromium runs a browser until the test ends. more changes how it is
// started.
func newChromium(t testing.TB, more ...chromedp.ExecAllocatorOption) *chromium {
	t.Helper()
	output := new(gatewaytest.Buffer)
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(program(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.CombinedOutput(output),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// Nothing of a test is further away.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"))
	options = append(options, more...)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end) // waits for the process, and removes the profile
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v\n%s", err, output)
	}
	return &chromium{ctx: ctx}
}

// tab is a tab of a browser. What its console shows is kept: a test ends with
// quiet.
type tab struct {
	ctx context.Context

	mu      sync.Mutex
	console []string
}

// tab opens a tab.
func (c *chromium) tab(t testing.TB) *tab {
	t.Helper()
	ctx := c.ctx
	if c.first {
		var cancel context.CancelFunc
		ctx, cancel = chromedp.NewContext(c.ctx)
		t.Cleanup(cancel)
	}
	c.first = true
	b := &tab{ctx: ctx}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.console = append(b.console, m.String()+" "+m.URL)
			b.mu.Unlock()
		}
	}()
	b.do(t)
	return b
}

// do runs actions.
func (b *tab) do(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatalf("%v\nat %s", err, b.where())
	}
}

// open goes to an address and waits for the page that it leads to.
func (b *tab) open(t testing.TB, address string) {
	t.Helper()
	b.do(t, chromedp.Navigate(address))
}

// click clicks with the mouse on the first link or button with a text.
func (b *tab) click(t testing.TB, text string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.Search(`//a[contains(normalize-space(), "`+text+`")] | //button[contains(normalize-space(), "`+text+`")]`)))
}

// at waits until the tab shows a page whose address begins so.
func (b *tab) at(t testing.TB, prefix string) {
	t.Helper()
	b.await(t, "a page at "+prefix+"...", func(url string) bool { return strings.HasPrefix(url, prefix) })
}

// atExactly waits until the tab shows the page of an address.
func (b *tab) atExactly(t testing.TB, address string) {
	t.Helper()
	b.await(t, "the page "+address, func(url string) bool { return url == address })
}

func (b *tab) await(t testing.TB, what string, right func(url string) bool) {
	t.Helper()
	end := time.Now().Add(deadline)
	for !right(b.where()) {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s; it shows %s:\n%s\nconsole: %q", deadline, what, b.where(), b.text(t), b.said())
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// where is the address of the page that the tab shows, once it is complete;
// else "".
func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	// An error means that the page is just being left.
	url, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? location.href : ""`))
	return url
}

// text is what a person reads on the page.
func (b *tab) text(t testing.TB) string {
	t.Helper()
	return evaluate[string](t, b, `document.title + "\n" + document.body.innerText`)
}

// shows fails the test unless the page has these texts.
func (b *tab) shows(t testing.TB, texts ...string) {
	t.Helper()
	page := b.text(t)
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("%s does not show %q:\n%s", b.where(), text, page)
		}
	}
}

// evaluate runs a script in the page and waits for its promise.
func evaluate[T any](t testing.TB, b *tab, script string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v\nin %s\nat %s", err, script, b.where())
	}
	return result
}

// said is what the console has shown since the last quiet.
func (b *tab) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.console)
}

// heard reports whether the console has shown a text.
func (b *tab) heard(text string) bool {
	return slices.ContainsFunc(b.said(), func(message string) bool { return strings.Contains(message, text) })
}

// forget drops what the console has shown.
func (b *tab) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.console = nil
}

// quiet fails the test if the console has shown anything but messages with
// these texts, each of them at least once: errors, violations of the content
// security policy and warnings all appear there.
func (b *tab) quiet(t testing.TB, but ...string) {
	t.Helper()
	// Whatever the page has said before comes before this.
	const mark = "that is all"
	evaluate[any](t, b, `console.log("`+mark+`")`)
	but = append(but, mark)
	for _, text := range but {
		for end := time.Now().Add(deadline); !b.heard(text); time.Sleep(25 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited %s for the console to say %q; it says %q", deadline, text, b.said())
			}
		}
	}
	b.mu.Lock()
	said := b.console
	b.console = nil
	b.mu.Unlock()
	for _, message := range said {
		if !slices.ContainsFunc(but, func(text string) bool { return strings.Contains(message, text) }) {
			t.Errorf("the console says %s", message)
		}
	}
}
