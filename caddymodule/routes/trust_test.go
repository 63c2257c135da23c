package routes

import "testing"

// S15: forwarding headers that everybody may send are nobody's.
func TestTrustsEverybody(t *testing.T) {
	for _, test := range []struct {
		ranges []string
		want   bool
	}{
		{nil, false},
		{[]string{"10.0.0.0/8", "fd00::/8", "nonsense"}, false},
		{[]string{"192.0.2.0/24"}, false},
		{[]string{"0.0.0.0/0"}, true},
		{[]string{"128.0.0.0/1", "10.0.0.0/8", "0.0.0.0/1"}, true},
		{[]string{"::/0"}, true},
	} {
		if got := trustsEverybody(test.ranges); got != test.want {
			t.Errorf("%q: %t", test.ranges, got)
		}
	}
}
