package token

import "testing"

func BenchmarkVerifySession(b *testing.B) {
	ring := testRing(b)
	raw := must(ring.SignSession(testSession()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.VerifySession(raw, testNow); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPermission(b *testing.B) {
	ring := testRing(b)
	raw := must(ring.SignPermission(testPermission()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.VerifyPermission(raw, testNow); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefuseForgery is what a flooder can make a gate spend: a good form
// and a wrong signature.
func BenchmarkRefuseForgery(b *testing.B) {
	ring := testRing(b)
	raw := must(ring.SignPermission(testPermission()))
	raw = raw[:len(raw)-4] + "AAAA"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.VerifyPermission(raw, testNow); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkSignPermission(b *testing.B) {
	ring := testRing(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.SignPermission(testPermission()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignSession(b *testing.B) {
	ring := testRing(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.SignSession(testSession()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnverifiedIssuer(b *testing.B) {
	raw := must(testRing(b).SignPermission(testPermission()))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := UnverifiedIssuer(raw); !ok {
			b.Fatal("no issuer")
		}
	}
}

func BenchmarkKind(b *testing.B) {
	ring := testRing(b)
	raw := must(ring.SignPermission(testPermission()))
	b.ReportAllocs()
	for b.Loop() {
		if ring.Kind(raw) != KindPermission {
			b.Fatal("wrong kind")
		}
	}
}
