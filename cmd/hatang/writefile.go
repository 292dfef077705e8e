package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile writes a file that is there whole or not at all; "" and - are standard
// output. What is no regular file, such as a pipe, is written into.
func writeFile(env *environment, path string, mode fs.FileMode, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return write(env.stdout)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	// Through links, so that the link stays and what it names is replaced.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".hatang-*")
	if err != nil {
		return err
	}
	err = errors.Join(write(temporary), temporary.Chmod(mode), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
