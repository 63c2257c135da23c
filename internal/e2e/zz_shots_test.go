//go:build e2e

package e2e

import (
	"os"
	"testing"
	"context"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
)

func TestShots(t *testing.T) {
	p := newProvider(t, nil)
	g := demonstration(t, p.login())
	g.Run(t)
	b := newChromium(t).tab(t)
	for _, page := range pagesShown(g.URL) {
		page.find(t, b)
		for _, w := range []int64{1280, 320} {
			for _, scheme := range []string{"light", "dark"} {
				b.do(t, chromedp.EmulateViewport(w, 800), func(ctx context.Context, tg *chromedp.Target) (chromedp.Void, error) {
					_, err := cdp.Call(ctx, tg, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
					return chromedp.Void{}, err
				})
				png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
				if err != nil { t.Fatal(err) }
				name := "/tmp/shots/" + page.name + "-" + map[int64]string{1280: "wide", 320: "narrow"}[w] + "-" + scheme + ".png"
				os.WriteFile(name, png, 0o644)
			}
		}
	}
}
