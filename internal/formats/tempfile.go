package formats

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"syscall"

	"hatang/internal/layer"
)

// DefaultMaxBytes is the largest file that is made on disk for an answer.
const DefaultMaxBytes = 1 << 30

// ErrTooLarge is returned when a file would be larger than its sheet allows.
var ErrTooLarge = errors.New("formats: the file is too large")

// maxBytes is the sheet's limit of a file.
func (s *Sheet) maxBytes() int64 {
	if s.MaxBytes > 0 {
		return s.MaxBytes
	}
	return DefaultMaxBytes
}

// TempFile makes a file in the folder for them that has no name any more: whatever
// becomes of the process, the system frees it with the last descriptor.
func TempFile() (*os.File, error) {
	f, err := os.CreateTemp("", "hatang-*")
	if err != nil {
		return nil, noRoom(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// noRoom says of a full disk that it is one.
func noRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", layer.ErrNoSpace, err)
	}
	return err
}

// limited writes to a file until what it may take, with others or alone, is used up.
type limited struct {
	file *os.File
	left *int64 // bytes
}

// Write implements io.Writer.
func (l *limited) Write(b []byte) (int, error) {
	if *l.left -= int64(len(b)); *l.left < 0 {
		return 0, ErrTooLarge
	}
	n, err := l.file.Write(b)
	return n, noRoom(err)
}

// buffered writes to a temporary file by way of a buffer.
func buffered(f *os.File, most int64) *bufio.Writer {
	return bufio.NewWriterSize(&limited{f, &most}, 1<<16)
}
