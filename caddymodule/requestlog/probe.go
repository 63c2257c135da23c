package requestlog

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// canaries are what a filter must not let through: a token, and a code or state.
var canaries = [...]string{"eyJjYW5hcnkiOjF9", "canary-for-logs"}

// shows reports whether some log that takes the entries of a logger writes a
// field unfiltered. Nothing is written to find out.
func shows(logger *zap.Logger, level zapcore.Level, field string) bool {
	for _, core := range coresOf(logger.Core()) {
		if core.Check(zapcore.Entry{LoggerName: logger.Name(), Level: level}, nil) == nil {
			continue
		}
		top, rest, _ := strings.Cut(field, ">")
		p := &probe{path: top + ">", rest: rest}
		core.With([]zap.Field{zap.Object(top, p)})
		if p.shown {
			return true
		}
	}
	return false
}

// coresOf takes zap's tee apart, which is a slice of an unexported type.
func coresOf(core zapcore.Core) []zapcore.Core {
	v := reflect.ValueOf(core)
	if v.Kind() != reflect.Slice {
		return []zapcore.Core{core}
	}
	cores := make([]zapcore.Core, 0, v.Len())
	for i := range v.Len() {
		if each, ok := v.Index(i).Interface().(zapcore.Core); ok {
			cores = append(cores, each)
		}
	}
	return cores
}

// probe is an object that notes how it would be encoded. If its encoder
// leaves it out as a whole, it is never called.
type probe struct {
	path, rest string
	shown      bool
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (p *probe) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	filter, ok := enc.(logging.FilterEncoder)
	if !ok {
		p.shown = true
		return nil
	}
	parent, name, nested := strings.Cut(p.rest, ">")
	if nested {
		if whole, filtered := filter.Fields[p.path+parent]; filtered && !passes(whole, zap.String(parent, canaries[0])) {
			return nil
		}
	} else {
		name = parent
	}
	field, filtered := filter.Fields[p.path+p.rest]
	canary := zap.Field(zap.Array(name, caddyhttp.LoggableStringArray{"https://a.example/?jwt=" + canaries[0]}))
	if !nested {
		canary = zap.String(name, "/?jwt="+canaries[0]+"&code="+canaries[1]+"&state="+canaries[1])
	}
	p.shown = !filtered || passes(field, canary)
	return nil
}

// passes reports whether a filter lets a canary through.
func passes(filter logging.LogFieldFilter, field zapcore.Field) bool {
	out := zapcore.NewMapObjectEncoder()
	filter.Filter(field).AddTo(out)
	text := fmt.Sprint(out.Fields)
	return strings.Contains(text, canaries[0]) || strings.Contains(text, canaries[1])
}
