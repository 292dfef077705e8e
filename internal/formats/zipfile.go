package formats

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/flate"

	"hatang/geo"
)

// UnfitError says in both languages which rows a format has no room for, and what else
// can be asked for.
type UnfitError struct{ Text geo.Text }

// Error returns the English sentence.
func (e *UnfitError) Error() string { return e.Text.EN }

// misfit makes an UnfitError; the texts are formats of the same arguments.
func misfit(vi, en string, args ...any) error {
	return &UnfitError{geo.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}}
}

// zipFile is a temporary file in which members are compressed one after another. The
// same members make the same bytes.
type zipFile struct {
	file *os.File
	out  *bufio.Writer
	zip  *zip.Writer
}

func newZipFile(s *Sheet) (*zipFile, error) {
	file, err := TempFile()
	if err != nil {
		return nil, err
	}
	out := buffered(file, s.maxBytes())
	z := &zipFile{file: file, out: out, zip: zip.NewWriter(out)}
	// The quickest level: the better ones take twice as long for a tenth of the size.
	z.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	return z, nil
}

// member begins a member; what is written next is in it.
func (z *zipFile) member(name string) (io.Writer, error) {
	first := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) // the first day there is to zip
	return z.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: first})
}

// text is a whole member.
func (z *zipFile) text(name, content string) error {
	w, err := z.member(name)
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	return err
}

// finish ends the file and goes back to its beginning.
func (z *zipFile) finish() error {
	if err := z.zip.Close(); err != nil {
		return err
	}
	if err := z.out.Flush(); err != nil {
		return err
	}
	_, err := z.file.Seek(0, io.SeekStart)
	return err
}

// give hands the file over: who gets it closes it.
func (z *zipFile) give() *os.File {
	file := z.file
	z.file = nil
	return file
}

// spool is a temporary file that is written once and then read.
type spool struct {
	*bufio.Writer
	file *os.File
}

// newSpool makes one; left is how many bytes it and others may take.
func newSpool(left *int64) (*spool, error) {
	file, err := TempFile()
	if err != nil {
		return nil, err
	}
	return &spool{bufio.NewWriterSize(&limited{file, left}, chunkBytes), file}, nil
}

// reader reads what has been written, from its beginning.
func (s *spool) reader() (*bufio.Reader, error) {
	if err := s.Flush(); err != nil {
		return nil, err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(s.file, 1<<16), nil
}

// closeAll closes files, of which some may be nil.
func closeAll(files ...*os.File) error {
	var errs []error
	for _, f := range files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
