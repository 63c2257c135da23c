package cache

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// maxTimeout is the longest time-out that a URL may ask for. More would only
// keep connections busy: a call ends earlier anyway.
const maxTimeout = 5 * time.Second

// arguments are what stands behind the question mark of a Redis URL. Zero means
// that it is not there.
type arguments struct {
	clientName                                          string
	poolSize, minIdle, maxIdle                          int
	maxIdleTime, maxLifetime                            time.Duration
	dialTimeout, readTimeout, writeTimeout, poolTimeout time.Duration
	skipVerify, cluster                                 bool
	caFile                                              string
	sentinelUser, sentinelPassword                      string
}

// readArguments refuses what would silently have no effect (S39).
func (a *Address) readArguments(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the Redis URL has a malformed part after the question mark")
	}
	readers := map[string]func(string) error{
		"db": into(&a.database, parseNumber), "pool_size": into(&a.poolSize, parseNumber),
		"min_idle_conns": into(&a.minIdle, parseNumber), "max_idle_conns": into(&a.maxIdle, parseNumber),
		"conn_max_idle_time": into(&a.maxIdleTime, parseDuration), "conn_max_lifetime": into(&a.maxLifetime, parseDuration),
		"dial_timeout": into(&a.dialTimeout, parseTimeout), "read_timeout": into(&a.readTimeout, parseTimeout),
		"write_timeout": into(&a.writeTimeout, parseTimeout), "pool_timeout": into(&a.poolTimeout, parseTimeout),
		"skip_verify": into(&a.skipVerify, strconv.ParseBool), "cluster": into(&a.cluster, strconv.ParseBool),
		"client_name": into(&a.clientName, parseText), "ssl_ca_certs": into(&a.caFile, parseText),
		"sentinel_username": into(&a.sentinelUser, parseText), "sentinel_password": into(&a.sentinelPassword, parseText),
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		read, known := readers[name]
		if !known {
			return fmt.Errorf("the Redis URL has the argument %q, which is not known here", name)
		}
		if len(values[name]) > 1 {
			return fmt.Errorf("the Redis URL has the argument %q several times; expected it once", name)
		}
		if err := read(values[name][0]); err != nil {
			return fmt.Errorf("the Redis URL has a value of %q that is none of its kind", name)
		}
	}
	return nil
}

// into makes a reader that stores what it parses.
func into[V any](target *V, parse func(string) (V, error)) func(string) error {
	return func(text string) (err error) {
		*target, err = parse(text)
		return err
	}
}

func parseText(text string) (string, error) { return text, nil }

func parseNumber(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err
}

// parseDuration reads something like 250ms, or a number of seconds.
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, errors.New("no duration")
	}
	return d, nil
}

func parseTimeout(text string) (time.Duration, error) {
	d, err := parseDuration(text)
	if err != nil || d <= 0 || d > maxTimeout {
		return 0, errors.New("no time-out")
	}
	return d, nil
}
