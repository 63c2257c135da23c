package caddymodule_test

import "slices"

// separators stand between "/storage" and "admin".
var separators = []string{
	"//", "///", "/./", "/.//", "/x/../", "/x/y/../../", "/%2e/", "/%2E/", "/x/%2e%2e/", "/x/%2E%2e/", "/x/.%2e/", "/x/%2e./", "/x/..%2f", "/x%2f../", "/x%2f..%2f",
	"%2f", "%2F", "/%2f", "%2f/", "%2f%2f", "%252f", "%252F", "%25252f", "%%32%66", "%5c", "%5C", "/%5c", "%255c", `\`, `/\`, `\\`, `/x\..\`, "/x%5c..%5c", "/x/..%5c", "/x/..%255c",
	"/x/%252e%252e/", "/x/%252e%252e%252f", "/x/..%252f", "/x/%25252e%25252e/", "/x/..;/", "/x/..;a=b/", "/x/..%3b/", "/x/.%2e;/", "/x/%2e%2e;/", "/x;/../", "/;/", "/;a/", ";/", ";a=b/", "%3b/", "%3B/", "/.;/", "/%2e;/",
	"%c0%af", "%C0%AF", "/%c0%ae/", "/x/%c0%ae%c0%ae/", "/x/%c0%ae%c0%ae%c0%af", "%e0%80%af", "%f0%80%80%af", "%c1%9c", "%u002f", "%u2215", "%uff0f", "%25u002f",
	"/%00/", "%00/", "/%0a/", "/%0d/", "/%0d%0a/", "/%09/", "/%7f/", "/%20/", "%20/", "/.%20/", "/x/..%20/", "/x/..%00/", "/x/.%00./", "/./;/../", "/.../../", "/x/.../", "/%ef%bc%8f", "/%e2%88%95",
	"?/", "?/../", "#/", "%3f/", "%3F/", "%23/", "/x?/../", "/x#/../", "/x%3f/../", "/x%23/../", "/%/", "/%2/", "/%zz/", "/~/../", "/*/../", "/:/../", "/x/..\u2028/", "/\u00a0/", "/x/..%c2%a0/",
}

// spellings of "admin", and of something below it.
var spellings = []string{
	"admin", "admin/", "admin/secret", "Admin", "ADMIN", "aDmIn/secret", "%61dmin", "%61%64%6d%69%6e/secret", "%41DMIN", "adm%69n", "%2561dmin", "%252561dmin", "%c1%a1dmin", "a%00dmin", "%ef%bd%81dmin",
	"admin;", "admin;x", "admin;x=1/secret", "admin;/secret", "admin;jsessionid=1", "admin;%2f..", "admin%3b", "admin%3Bx", "admin%3bx/secret", "admin%253b", "admin/;/secret",
	"admin?", "admin?x", "admin??", "admin%3f", "admin%3Fx=1", "admin%3f/secret", "admin%253f", "admin#", "admin#x", "admin%23", "admin%23x", "admin%2523", "admin&x", "admin%26x",
	"admin%20", "admin%20/secret", "admin%20%20", "admin+", "admin%2520", "admin%09", "admin%0a", "admin%0d", "admin%0d%0aX:%20y", "admin%00", "admin%00.css", "admin%00/secret", "admin%2500", "admin%7f", "admin%a0", "admin%c2%a0", "admin%e2%80%8b",
	"admin.", "admin./secret", "admin..", "admin...", "admin%2e", "admin%2e/secret", "admin%252e", "admin.%20", "admin%20.", "admin. ", "admin .", "admin/.", "admin/./secret", "admin/x/..", "admin/x/../secret", "admin/..", "admin/../admin/secret", "admin/../x", "admin/..;/admin",
	`admin\`, `admin\secret`, "admin%5c", "admin%5csecret", "admin%255csecret", "admin%2fsecret", "admin%2Fsecret", "admin%252fsecret", "admin%25252fsecret", "admin//secret", "admin//", "admin%c0%afsecret", "admin%e0%80%afsecret", "admin%u002fsecret",
	"x/../admin", "x/%2e%2e/admin", "x/..%2fadmin", "x%2f..%2fadmin", "x%2f%2e%2e%2fadmin", `x\..\admin`, "x%5c..%5cadmin", "x/..;/admin", "x/.;./admin", "x/..%00/admin", ".../admin", "./admin", "../storage/admin", "%2e%2e/storage/admin", "..%2fstorage%2fadmin", "..;/storage/admin", "../../storage/admin", "../open/../storage/admin",
	"admin%", "admin%2", "admin%zz", "admin%u0000", "admin\x80", "admin\xff/secret", "adm\u0131n", "admın", "admin~1", "admin::$DATA", "admin:$i30", "admin%3a%3a$DATA",
}

// targets are all of the forms of a path.
func targets() []string {
	var list []string
	for _, root := range []string{"/storage", "/lenient"} {
		for _, separator := range separators {
			list = append(list, root+separator+"admin", root+separator+"admin/secret")
		}
		for _, spelling := range spellings {
			list = append(list, root+"/"+spelling)
		}
	}
	// From the open routes to the others, and to those that do not exist.
	for _, root := range []string{"/open", "/stripped", "/open/x", "/stripped/x"} {
		for _, up := range []string{
			"/..", "/../..", "/%2e%2e", "/.%2e", "/%2E.", "/..;", "/..;a=b", "/..%3b", "/..%00", "/..%20", "/%252e%252e", "/%c0%ae%c0%ae", `\..`, `/..\..`, "/%5c..", "%5c..%5c..", "%2f..", "%2f..%2f..", "%252f..", "//..", "/x/../..", "/.../..", "/./..", "/%00/..", "/;/../..", "#/..", "?/..", "%23/..", "%3f/..",
		} {
			list = append(list, root+up+"/storage/admin", root+up+"/secret", root+up+"%2fstorage%2fadmin", root+up+`\storage`)
		}
	}
	list = append(list, "//storage/admin", "///storage/admin", "/./storage/admin", "/%2fstorage/admin", "/;/storage/admin", `/\storage/admin`, `\storage\admin`, "/%5cstorage/admin", "/%00/storage/admin", "%2fstorage/admin", "storage/admin", ";/storage/admin", "./storage/admin", "*", "**", "?", "#", "/?/storage/admin", "/#/storage/admin", "/STORAGE/admin", "/%73torage/admin", "/.storage/admin", "/storage%2fadmin", "//lenient/x", "/open//", "/auth/../storage/admin", "/auth/%2e%2e/storage/admin", "/auth/..;/storage/admin", "//auth/check/../../storage/admin", "/auth%2f..%2fstorage/admin")
	slices.Sort(list)
	return slices.Compact(list)
}
