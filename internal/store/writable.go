package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckWritable reports why the file of a database cannot be written, naming it,
// or nil. It is for before anything listens, and leaves nothing behind. A file
// that another program has locked for the moment counts as writable, and so does
// a database on a server: whether that is so, Open finds out.
func (d DSN) CheckWritable() error {
	if d.kind == "" {
		return errors.New("no database")
	}
	if d.path == "" {
		return nil
	}
	if err := checkFile(d.path); err != nil {
		return fmt.Errorf("database file %s: %w", d.path, withoutPath(err))
	}
	return nil
}

func checkFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkDirectory(filepath.Dir(path))
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("is a directory")
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	}
	// By way of SQLite, not os.OpenFile: closing any descriptor of the file
	// drops the POSIX locks of this process, those of a Store that is open too.
	return probeSQLite(path)
}

// checkDirectory proves that a file can be made in dir, or dir itself in the
// nearest directory above it that exists.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
		if err := checkDirectory(filepath.Dir(dir)); err != nil {
			return fmt.Errorf("directory %s is missing and cannot be made: %w", dir, err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("directory %s: %w", dir, withoutPath(err))
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	}
	probe, err := os.MkdirTemp(dir, ".auth-probe-")
	if err != nil {
		return fmt.Errorf("directory %s is not writable: %w", dir, withoutPath(err))
	}
	return os.Remove(probe)
}

// withoutPath returns the reason alone: messages name the file themselves.
func withoutPath(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// makeFile makes the database file, readable to its owner only, and its
// directory, where they are missing. SQLite would make it readable to all.
func makeFile(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// Made under another name and linked, so that this process never closes a
	// descriptor of a file which SQLite may have open already; see checkFile.
	temporary, err := os.CreateTemp(dir, ".auth-new-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if err := temporary.Close(); err != nil {
		return err
	}
	err = os.Link(temporary.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// A file system without links.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return file.Close()
}
