package cache

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// What holds where the URL does not say.
const (
	dialTimeout = time.Second
	readTimeout = 250 * time.Millisecond
	poolTimeout = 150 * time.Millisecond
	// poolPerCore is how many connections there are at most, for each core; but
	// never less than minPool.
	poolPerCore = 10
	minPool     = 20
)

// open makes a client, which connects when it is used.
func (a Address) open() (redis.UniversalClient, error) {
	if a.kind == "" {
		return nil, errors.New("no Redis")
	}
	options := &redis.UniversalOptions{
		Addrs: strings.Split(a.servers, ","), IsClusterMode: a.kind == clusterRedis, MasterName: a.master, DB: a.database,
		Username: a.user, Password: a.password, SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPassword,
		ClientName: cmp.Or(a.clientName, "auth-gateway"),
		// A command that is sent twice can do what it did not when it was sent once:
		// take an attempt in vain.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout:           cmp.Or(a.dialTimeout, dialTimeout),
		ReadTimeout:           cmp.Or(a.readTimeout, readTimeout),
		WriteTimeout:          cmp.Or(a.writeTimeout, readTimeout),
		PoolTimeout:           cmp.Or(a.poolTimeout, poolTimeout),
		ContextTimeoutEnabled: true,
		PoolSize:              cmp.Or(a.poolSize, max(minPool, poolPerCore*runtime.GOMAXPROCS(0))),
		PipelinePoolSize:      -1,
		MinIdleConns:          a.minIdle, MaxIdleConns: a.maxIdle,
		ConnMaxIdleTime: a.maxIdleTime, ConnMaxLifetime: a.maxLifetime,
		// What proxies of Redis do not know either.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.kind == socketRedis {
		options.Addrs = []string{a.servers}
	}
	if a.tls {
		config, err := a.tlsConfig()
		if err != nil {
			return nil, err
		}
		options.TLSConfig = config
	}
	return redis.NewUniversalClient(options), nil
}

func (a Address) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: a.skipVerify} //nolint:gosec // asked for by name
	if a.caFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(a.caFile)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates for Redis: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the certificates for Redis: %s has none", a.caFile)
	}
	return config, nil
}
