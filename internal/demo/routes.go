package demo

// route is one thing to try, as the Caddyfile at the top of the repository
// guards it.
type route struct {
	Path, Rule, Text string
}

var routes = []route{
	{"/", "identify", "Open to everybody. Who is signed in is told to the service."},
	{"/me", "require_login", "Any signed-in user."},
	{"/storage/", "require_permission storage read", "One permission, which ada and bob have. Others get a 403 that names it."},
	{"/storage/admin", "require_permission storage admin", "One that only ada has."},
	{eventsPath, "require_login", "An event stream: one event a second, with the identity in it."},
}

// ownPages are the gateway's.
var ownPages = []route{
	{loginPath, "", "Sign in"},
	{accountPath, "", "Your account"},
	{logoutPath, "", "Sign out"},
}

const (
	loginPath   = "/auth/login?next=/me"
	accountPath = "/auth/account"
	logoutPath  = "/auth/logout"
)
