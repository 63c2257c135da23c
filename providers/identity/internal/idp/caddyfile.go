package idp

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// ReadBlock reads a module's name and the block behind it. It calls read for
// each option, with the dispenser on its name; none may be given twice.
func ReadBlock(d *caddyfile.Dispenser, module string, read func(option string) error) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("login provider %s: expected no argument after its name, only a block", module)
	}
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] {
			return d.Errf("option '%s' of login provider %s is given twice", option, module)
		}
		seen[option] = true
		if err := read(option); err != nil {
			return err
		}
	}
	return nil
}

// ReadValue reads the one value of an option.
func ReadValue(d *caddyfile.Dispenser, module, option string, value *string) error {
	// No ArgErr: it prints the last value, which may be a part of a secret.
	args := d.RemainingArgs()
	if len(args) != 1 {
		return d.Errf("option '%s' of login provider %s: found %d values, expected one (quote a value with blanks)",
			option, module, len(args))
	}
	*value = args[0]
	return nil
}

// ReadValues reads the values of an option that has at least one.
func ReadValues(d *caddyfile.Dispenser, module, option string, values *[]string) error {
	if *values = d.RemainingArgs(); len(*values) == 0 {
		return d.Errf("option '%s' of login provider %s: found no value, expected at least one", option, module)
	}
	return nil
}

// Unrecognized is the error for an option that is not among options.
func Unrecognized(d *caddyfile.Dispenser, module, option string, options []string) error {
	return d.Errf("unrecognized option '%s' in login provider %s; did you mean '%s'? (options: %s)",
		option, module, nearest(option, options), strings.Join(options, ", "))
}
