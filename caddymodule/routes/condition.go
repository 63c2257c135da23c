package routes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// condition is a route's matchers: alternatives, each of which is matchers by
// name that all must match. None at all is met by every request.
type condition []map[string]json.RawMessage

// onErrors stands for the error routes.
var onErrors = condition{{"error": json.RawMessage(`["routes"]`)}}

func conditionOf(r *caddyhttp.Route) condition {
	if len(r.MatcherSetsRaw) > 0 {
		return rawCondition(r.MatcherSetsRaw)
	}
	return loadedCondition(r.MatcherSets)
}

func rawCondition(sets caddyhttp.RawMatcherSets) condition {
	var c condition
	for _, set := range sets {
		alternative := make(map[string]json.RawMessage, len(set))
		for name, raw := range set {
			alternative[name] = compact(raw)
		}
		c = append(c, alternative)
	}
	return c
}

func loadedCondition(sets caddyhttp.MatcherSets) condition {
	var c condition
	for _, set := range sets {
		alternative := make(map[string]json.RawMessage, len(set))
		for _, matcher := range set {
			alternative[caddy.GetModuleName(matcher)] = loadedMatcher(matcher)
		}
		c = append(c, alternative)
	}
	return c
}

// plainMatchers are matchers whose JSON says all of what they do, also when
// they have been loaded.
var plainMatchers = []string{
	"client_ip", "expression", "header", "header_regexp", "host", "method", "path", "path_regexp", "protocol", "query", "remote_ip",
}

// loadedMatcher is a matcher's JSON. One that may have forgotten some of it is
// like no other.
func loadedMatcher(matcher any) json.RawMessage {
	if not, ok := matcher.(*caddyhttp.MatchNot); ok {
		var sets caddyhttp.MatcherSets
		for _, set := range not.MatcherSets {
			sets = append(sets, set)
		}
		raw, _ := json.Marshal(loadedCondition(sets))
		return raw
	}
	if slices.Contains(plainMatchers, caddy.GetModuleName(matcher)) {
		if raw, err := json.Marshal(matcher); err == nil {
			return compact(raw)
		}
	}
	raw, _ := json.Marshal(fmt.Sprintf("%p", matcher))
	return raw
}

func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// implies reports whether every request that meets c meets other too, as far
// as that can be seen.
func (c condition) implies(other condition) bool {
	if len(other) == 0 {
		return true
	}
	for _, alternative := range c {
		if !slices.ContainsFunc(other, func(wider map[string]json.RawMessage) bool { return isWithin(alternative, wider) }) {
			return false
		}
	}
	return len(c) > 0
}

// String is a condition in words: `host app.example.com, path /a /b`.
func (c condition) String() string {
	var alternatives []string
	for _, set := range c {
		var matchers []string
		for _, name := range slices.Sorted(maps.Keys(set)) {
			var list []string
			value := string(set[name])
			if json.Unmarshal(set[name], &list) == nil {
				value = strings.Join(list, " ")
			}
			matchers = append(matchers, name+" "+value)
		}
		alternatives = append(alternatives, strings.Join(matchers, ", "))
	}
	return strings.Join(alternatives, " or ")
}

// hosts are the host names that a condition lists; nil means any.
func (c condition) hosts() []string {
	var names []string
	for _, set := range c {
		var list []string
		if raw, there := set["host"]; !there || json.Unmarshal(raw, &list) != nil {
			return nil
		}
		names = append(names, list...)
	}
	return names
}
