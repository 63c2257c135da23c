package store

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"gorm.io/gorm"
)

const (
	// defaultPageSize is how many users are looked through at a time. All of a
	// page is in memory, in the worst case.
	defaultPageSize = 1000
	// pageTimeout bounds the look at a page.
	pageTimeout = time.Minute
	// restFactor is how many times longer than it has worked an adoption rests
	// between two pages: it takes a tenth of one connection's time, however many
	// users there are.
	restFactor = 9
)

// adopt looks through all users for what another program has written, page by
// page, without a lock. A name that changes hands between users of two pages
// may take until the next time.
func (s *Store) adopt(ctx context.Context, pageSize int, resting bool) error {
	var (
		total adopted
		page  userPage
		now   = s.now()
	)
	for {
		start := time.Now()
		done, err := s.adoptPage(ctx, &page, pageSize, now)
		if err != nil {
			return err
		}
		total.users, total.names, total.ambiguous = total.users+done.users, total.names+done.names, total.ambiguous+done.ambiguous
		if page.last == nil {
			break
		}
		if resting && !pause(ctx, restFactor*time.Since(start)) {
			return wrap(ctx, "adopting users", ctx.Err())
		}
	}
	if total.users > 0 || total.names > 0 {
		s.logger.Info("adopted users of another program", zap.Int("users", total.users),
			zap.Int("usernames", total.names), zap.Int("ambiguous_usernames", total.ambiguous))
	}
	return nil
}

// userPage is some users, in the order of their IDs: those after an ID, if
// there is one, up to another, if it is not the last page.
type userPage struct{ after, last *string }

// condition is what users u fulfil that are on the page.
func (p userPage) condition() (condition string, args []any) {
	condition = "1 = 1"
	if p.after != nil {
		condition, args = condition+" AND u.id > ?", append(args, *p.after)
	}
	if p.last != nil {
		condition, args = condition+" AND u.id <= ?", append(args, *p.last)
	}
	return condition, args
}

// turn makes the page the next one.
func (p *userPage) turn(db *gorm.DB, size int) error {
	next := userPage{after: p.last}
	condition, args := next.condition()
	var last string
	err := first(db, "SELECT u.id FROM users u WHERE "+condition+" ORDER BY u.id LIMIT 1 OFFSET ?", append(args, size-1), &last)
	if err == nil {
		next.last = &last
	} else if !errors.Is(err, gorm.ErrRecordNotFound) {
		return err
	}
	*p = next
	return nil
}

// adoptPage turns the page and adopts whom it finds there.
func (s *Store) adoptPage(ctx context.Context, page *userPage, size int, now time.Time) (done adopted, err error) {
	const verb = "adopting users"
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	var found adoptions
	before := *page
	err = s.read(ctx, verb, func(db *gorm.DB) error {
		*page = before
		if err := page.turn(db, size); err != nil {
			return err
		}
		condition, args := page.condition()
		found, err = findAdoptions(db, now, condition, args...)
		return err
	})
	if err != nil || found.empty() {
		return adopted{}, err
	}
	err = s.write(ctx, verb, func(tx *gorm.DB) (err error) {
		done, err = found.adopt(tx)
		return err
	})
	return done, err
}
