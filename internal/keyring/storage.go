package keyring

import "context"

// Storage is what is needed of Caddy's, which a cluster may share: files by
// name, and locks that hold for all that use it.
type Storage interface {
	// Lock waits until the lock is free.
	Lock(ctx context.Context, name string) error
	Unlock(ctx context.Context, name string) error
	// Load reads a file; the error is fs.ErrNotExist if there is none.
	Load(ctx context.Context, name string) ([]byte, error)
	Store(ctx context.Context, name string, text []byte) error
	// Delete may say fs.ErrNotExist of a file that is not there.
	Delete(ctx context.Context, name string) error
}
