package testserver

// Option says how a server is to be. Without any, a server is quick and keeps
// its data over Kill and Restart, but not over a crash of the machine; a Redis
// keeps nothing.
type Option func(*options)

type options struct {
	durable        bool
	tls            bool
	user, password string
	rules          string
	config         []string

	// What Sentinel and Cluster need.
	admin             string
	sentinel, cluster bool
}

func collect(all []Option) options {
	var o options
	for _, option := range all {
		option(&o)
	}
	return o
}

// Durable makes a server write to the disk as in production: SQL servers call
// fsync, and Redis has an append-only file that is synchronized at each write,
// so that Restart finds its data.
func Durable() Option { return func(o *options) { o.durable = true } }

// TLS makes a server speak TLS on its port, and nothing else there. Its
// certificate is for 127.0.0.1, ::1 and localhost; the file CAFile has the
// authority. Unix sockets stay plain.
func TLS() Option { return func(o *options) { o.tls = true } }

// Password is what a Redis asks of the default user. SQL servers have always a
// password, a random one.
func Password(password string) Option { return func(o *options) { o.password = password } }

// User gives a Redis one user instead of the default one. The rules are those
// of ACL SETUSER, such as "~auth-gateway:* &* +@read"; without any the user may
// do everything.
func User(name, password, rules string) Option {
	return func(o *options) { o.user, o.password, o.rules = name, password, rules }
}

// Setting adds a line to the configuration, in the server's own words: of
// redis.conf ("maxclients 3"), or an argument for the postgres or mariadbd
// command ("--max_connections=3").
func Setting(line string) Option { return func(o *options) { o.config = append(o.config, line) } }
