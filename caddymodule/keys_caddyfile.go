package caddymodule

// key reads signing_key or session_key, with the keys that are accepted besides:
//
//	<name> [<key>] {
//		next    <key>...
//		retired <key>...
//	}
func (p *appParser) key(name string, active *string, next, retired *[]string) error {
	switch args := p.RemainingArgs(); len(args) {
	case 0:
	case 1:
		*active = args[0]
	default:
		return p.countErr(name, len(args))
	}
	lists := map[string]*[]string{"next": next, "retired": retired}
	block := false
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		block = true
		option := p.Val()
		list, known := lists[option]
		if !known {
			if near := nearest(option, sortedKeys(lists)); near == "" { // it may be a key (S41)
				return p.Errf("unrecognized option in the block of %s; %s", name, expected("", sortedKeys(lists)))
			}
			return p.Errf("unrecognized option %q of %s; %s", option, name, expected(option, sortedKeys(lists)))
		}
		keys := p.RemainingArgs()
		if len(keys) == 0 {
			return p.ArgErr()
		}
		*list = append(*list, keys...)
	}
	if *active == "" && !block {
		return p.ArgErr()
	}
	return nil
}
