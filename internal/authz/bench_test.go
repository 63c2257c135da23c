package authz

import (
	"context"
	"fmt"
	"testing"
)

// realClock is the clock of benchmarks.
func realClock(c *Config) { c.Now = nil }

// BenchmarkDecideHit is what a gate pays for a request of somebody who has been
// there before.
func BenchmarkDecideHit(b *testing.B) {
	w := build(b, realClock)
	for _, c := range []struct {
		name       string
		credential Credential
	}{
		{"cookie", w.cookie("ada")},
		{"session", w.sessionToken("ada")},
		{"permission", w.permissionToken("ada")},
	} {
		w.granted(c.credential, "storage", "ada")
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Decide(context.Background(), c.credential, "storage"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := w.Decide(context.Background(), c.credential, "storage"); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkDecideManyUsers is the same with so many users that no processor's
// cache holds them.
func BenchmarkDecideManyUsers(b *testing.B) {
	const users = 5000
	w := build(b, realClock)
	credentials := make([]Credential, users)
	for i := range credentials {
		name := fmt.Sprint("user-", i)
		w.signIn(name, "s-"+name)
		credentials[i] = w.sessionToken(name)
		w.granted(credentials[i], "storage", name)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := w.Decide(context.Background(), credentials[i%users], "storage"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkDecideMiss is what the first request of a minute pays, but for the
// database and the provider.
func BenchmarkDecideMiss(b *testing.B) {
	w := build(b, realClock)
	for _, c := range []struct {
		name       string
		credential Credential
	}{
		{"cookie", w.cookie("ada")}, {"session", w.sessionToken("ada")}, {"permission", w.permissionToken("ada")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.memory.stamps.WithdrawAll()
				if _, err := w.Decide(context.Background(), c.credential, "storage"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecideForgery is what a flooder can make a gate spend.
func BenchmarkDecideForgery(b *testing.B) {
	w := build(b, realClock)
	good := w.permissionToken("ada").Value
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		text := fmt.Sprintf("%08dAA", i)
		if _, err := w.Decide(context.Background(), Token(good[:len(good)-len(text)]+text), "storage"); err == nil {
			b.Fatal("granted")
		}
	}
}

func BenchmarkMint(b *testing.B) {
	w := build(b, realClock)
	d := w.granted(w.cookie("ada"), "storage", "ada")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Mint(d); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpstreamToken is what forward_token adds to a hit.
func BenchmarkUpstreamToken(b *testing.B) {
	w := build(b, realClock)
	d := w.granted(w.cookie("ada"), "storage", "ada")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.UpstreamToken(context.Background(), d); err != nil {
			b.Fatal(err)
		}
	}
}
