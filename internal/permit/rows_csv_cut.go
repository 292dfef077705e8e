package permit

import "bytes"

// csvCutter cuts at the ends of lines that are not inside quotation marks. A quote
// opens only at the beginning of a cell; one that is not followed by the end of its
// cell makes a bad row, which ends with its line.
type csvCutter struct{ separator byte }

func (c *csvCutter) next(text []byte, atEnd bool) cut {
	n := bytes.IndexByte(text, '\n')
	if n < 0 && !atEnd {
		return cut{more: true}
	}
	line := text
	if n >= 0 {
		line = text[:n]
	}
	if bytes.IndexByte(line, '"') < 0 {
		return wholeLine(line, n >= 0, flawless)
	}
	end, state := c.closing(text)
	switch {
	case state == closed && end <= MaxRowBytes && (end < len(text) || atEnd):
		return wholeLine(text[:end], end < len(text), flawless)
	case !atEnd && len(text) <= MaxRowBytes:
		return cut{more: true}
	}
	// The rest of the file must not be taken for the inside of one cell.
	return wholeLine(line, n >= 0, unclosed)
}

func wholeLine(line []byte, ended bool, flaw flaw) cut {
	advance := len(line)
	if ended {
		advance++
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) == 0:
		return cut{advance: advance}
	case len(line) > MaxRowBytes:
		return cut{advance: advance, row: rowText{flaw: tooLong}, found: true}
	}
	return cut{advance: advance, row: rowText{to: int32(len(line)), flaw: flaw}, found: true}
}

type quoting uint8

const (
	closed quoting = iota
	open
)

// closing finds the end of the line that closes every quotation mark before it.
func (c *csvCutter) closing(text []byte) (int, quoting) {
	begins := true // of a cell
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\n':
			return i, closed
		case text[i] == '"' && begins:
			for i++; ; i++ {
				n := bytes.IndexByte(text[min(i, len(text)):], '"')
				if n < 0 {
					return 0, open
				}
				if i += n; i+1 < len(text) && text[i+1] == '"' {
					i++ // doubled: one inside
					continue
				}
				break
			}
			begins = false
		default:
			begins = text[i] == c.separator
		}
	}
	return len(text), closed
}

func (c *csvCutter) skip(text []byte) (int, bool) {
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		return n + 1, true
	}
	return len(text), false
}

func (c *csvCutter) end() error { return nil }
