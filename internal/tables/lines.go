package tables

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"hatang/internal/layer"
)

// lineReader runs over the lines of a file, none longer than is allowed.
type lineReader struct {
	*reading
	scanner *bufio.Scanner
	number  int64
}

func (f file) lines(ctx context.Context) (*lineReader, error) {
	in, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 1<<16), MaxLineBytes)
	return &lineReader{reading: in, scanner: s}, nil
}

// next returns the next line without its end, until the next call; io.EOF after the last.
func (l *lineReader) next() (string, error) {
	if !l.scanner.Scan() {
		err := l.scanner.Err()
		switch {
		case err == nil:
			return "", io.EOF
		case errors.Is(err, bufio.ErrTooLong):
			return "", errLongLine()
		}
		return "", err
	}
	l.number++
	line := strings.TrimSuffix(l.scanner.Text(), "\r")
	if l.number == 1 {
		line = strings.TrimPrefix(line, "\ufeff")
	}
	return line, nil
}

// broken says at which line a file stops being of its format.
func (l *lineReader) broken(format string) error {
	return layer.Wrong("tệp %s hỏng ở dòng %d", "the %s file is broken at line %d", format, l.number)
}

// cells parts a line at a character that stands in no quotation marks; these are taken off,
// and two of them in a text are one.
func cells(line string, comma byte) []string {
	var all []string
	for {
		trimmed := strings.TrimLeft(line, " ")
		if !strings.HasPrefix(trimmed, `"`) {
			one, rest, more := strings.Cut(line, string(comma))
			if all = append(all, one); !more {
				return all
			}
			line = rest
			continue
		}
		var b strings.Builder
		rest := trimmed[1:]
		for {
			at := strings.IndexByte(rest, '"')
			if at < 0 {
				return append(all, b.String()+rest)
			}
			b.WriteString(rest[:at])
			rest = rest[at+1:]
			if !strings.HasPrefix(rest, `"`) {
				break
			}
			b.WriteByte('"')
			rest = rest[1:]
		}
		all = append(all, b.String())
		_, after, more := strings.Cut(rest, string(comma))
		if !more {
			return all
		}
		line = after
	}
}
