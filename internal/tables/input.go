package tables

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"hatang/internal/layer"
)

// file is a file that is read from its start, as often as it is needed: one on disk, or one
// in an archive.
type file struct {
	name string // without its folders
	path string // on disk; "" for one in an archive
	size int64  // bytes
	open func() (io.ReadCloser, error)
	// beside finds the file of the same name with another ending, in whatever case.
	beside func(ending string) (file, bool, error)
}

// onDisk is a file of the file system.
func onDisk(path string) (file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return file{}, err
	}
	if !info.Mode().IsRegular() {
		return file{}, layer.Wrong("%s không phải là tệp", "%s is no file", filepath.Base(path))
	}
	return file{
		name:   filepath.Base(path),
		path:   path,
		size:   info.Size(),
		open:   func() (io.ReadCloser, error) { return os.Open(path) },
		beside: func(ending string) (file, bool, error) { return besideOnDisk(path, ending) },
	}, nil
}

// counted counts what is read of the file from now on.
func (f file) counted(bytes *atomic.Int64) file {
	open := f.open
	f.open = func() (io.ReadCloser, error) {
		in, err := open()
		if err != nil {
			return nil, err
		}
		return counting{in, bytes}, nil
	}
	return f
}

// counting counts what is read.
type counting struct {
	io.ReadCloser
	bytes *atomic.Int64
}

// Read implements io.Reader.
func (c counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func besideOnDisk(path, ending string) (file, bool, error) {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return file{}, false, err
	}
	for _, e := range entries {
		if sameStem(e.Name(), filepath.Base(path), ending) && e.Type().IsRegular() {
			found, err := onDisk(filepath.Join(folder, e.Name()))
			return found, err == nil, err
		}
	}
	return file{}, false, nil
}

// read opens the file; reading ends when the context does.
func (f file) read(ctx context.Context) (*reading, error) {
	in, err := f.open()
	if err != nil {
		return nil, err
	}
	return &reading{ctx, in}, nil
}

// head is the file's first bytes, up to so many.
func (f file) head(ctx context.Context, most int) (_ []byte, err error) {
	in, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(in, &err)
	start := make([]byte, most)
	n, err := io.ReadFull(in, start)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return start[:n], err
}

// reading is a file being read, until its context ends.
type reading struct {
	ctx context.Context
	in  io.ReadCloser
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// Close implements io.Closer.
func (r *reading) Close() error { return r.in.Close() }

// closing closes and adds what goes wrong there to the error.
func closing(c io.Closer, err *error) { *err = errors.Join(*err, c.Close()) }

// gate lets so many bytes through each time that it is opened, and then fails: a parser
// behind it never holds more.
type gate struct {
	in         io.Reader
	most, left int
	full       error
}

func newGate(in io.Reader, most int, full error) *gate { return &gate{in, most, most, full} }

func (g *gate) open() { g.left = g.most }

// Read implements io.Reader.
func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, g.full
	}
	n, err := g.in.Read(p)
	g.left -= n
	return n, err
}

// short makes the end of a file before what must be there what is wrong with it; other errors
// are the system's.
func short(err, wrong error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wrong
	}
	return err
}
