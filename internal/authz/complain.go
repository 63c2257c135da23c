package authz

import (
	"time"

	"go.uber.org/zap"
)

// complainEvery is how often the log is told of what concerns each request.
const complainEvery = time.Minute

// complaint is something that the log is told of now and then.
type complaint int

const (
	cannotDecide complaint = iota
	claimHolds
	unsignable
	complaints // how many there are
)

var complaintMessages = [complaints]string{
	cannotDecide: "cannot decide",
	claimHolds:   "a permission token's own permissions hold",
	unsignable:   "what a user may do does not go into a token",
}

// complain tells the log, of each complaint once a minute.
func (a *Authorizer) complain(what complaint, err error, fields ...zap.Field) {
	now := a.Now().UnixNano()
	last := a.complained[what].Load()
	if now >= last && now < last+int64(complainEvery) || !a.complained[what].CompareAndSwap(last, now) {
		return
	}
	a.Logger.Warn(complaintMessages[what], append(fields, zap.Error(err))...)
}
