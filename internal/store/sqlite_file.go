package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// openFile is the file that a database was opened from.
type openFile struct {
	path string
	info fs.FileInfo
}

func newOpenFile(path string) (openFile, error) {
	info, err := os.Stat(path)
	return openFile{path, info}, err
}

// check says why the database must not be used: its file has been removed,
// renamed or replaced. The connections that there are could go on, in a file
// that nobody finds any more, so that sign-outs come undone at the next start;
// new ones would use what is at the path now, and two files that share one
// journal spoil each other (https://sqlite.org/howtocorrupt.html, section 2.6).
// When the same file is back, all is well.
func (f openFile) check() error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("database file %s is not there any more", f.path)
	case err != nil:
		return fmt.Errorf("database file %s: %w", f.path, withoutPath(err))
	case !os.SameFile(info, f.info):
		return fmt.Errorf("database file %s has been replaced; put it back, or start anew to use the other one", f.path)
	}
	return nil
}
