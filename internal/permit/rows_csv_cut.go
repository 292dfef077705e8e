package permit

import "bytes"

// csvCutter cuts at the ends of lines that are not inside quotation marks. A quote
// opens only at the beginning of a cell. Where one is not followed by the end of its
// cell, or does not close within maxQuotedBytes of the row's beginning, the row is
// bad and ends with its first line.
//
// The work is a few looks at each byte, whatever the text. When a row is bad, its
// lines are looked at one by one; one of them that opens a quote which goes on into
// the next line is then, from there, in the same state as the bad row was. So what
// lies ahead is looked through once for all of them.
type csvCutter struct {
	separator byte

	seen   int     // no end of line stands before it
	marked bool    // a quotation mark does
	own    quoting // of the first line by itself
	ahead  quoting // of this row, or an earlier one, that went on behind its first line

	scanned int64 // bytes looked at, in all
}

func (c *csvCutter) next(text []byte, atEnd bool) cut {
	n := c.lineEnd(text)
	ended := n >= 0
	if !ended {
		n = len(text)
	}
	switch {
	case !ended && !atEnd:
		return cut{more: true, quoted: c.marked}
	case !c.marked:
		return c.cut(text[:n], ended, flawless)
	}
	c.scanned += c.own.pass(text[:n], c.separator)
	if c.own.state != quoted {
		return c.cut(text[:n], ended, flawless) // what is misplaced is found when it is read
	}
	if !ended {
		return c.cut(text[:n], false, unclosed)
	}
	if c.ahead.at <= n {
		c.ahead = c.own
	}
	c.scanned += c.ahead.pass(text[:min(len(text), maxQuotedBytes+1)], c.separator)
	switch s := c.ahead.state; {
	case s == endOfLine:
		return c.cut(text[:c.ahead.at], true, flawless)
	case s == misplaced || len(text) > maxQuotedBytes:
	case !atEnd:
		return cut{more: true, quoted: true}
	case s != quoted:
		return c.cut(text, false, flawless)
	}
	// The rest of the file must not be taken for the inside of one cell.
	return c.cut(text[:n], true, unclosed)
}

// lineEnd finds the end of the first line, -1 for none, and notes whether there is a
// quotation mark before it. One that stands behind the longest row is of no interest.
func (c *csvCutter) lineEnd(text []byte) int {
	from := min(c.seen, len(text))
	n := bytes.IndexByte(text[from:], '\n')
	to := len(text)
	if n >= 0 {
		n += from
		to = n
	}
	c.scanned += int64(to - from)
	if near := min(to, MaxRowBytes); !c.marked && from < near {
		c.marked = bytes.IndexByte(text[from:near], '"') >= 0
		c.scanned += int64(near - from)
	}
	c.seen = to
	return n
}

// cut makes a row of a line, and turns to what lies behind it.
func (c *csvCutter) cut(line []byte, ended bool, flaw flaw) cut {
	k := wholeLine(line, ended, flaw)
	c.seen, c.marked, c.own = 0, false, quoting{}
	if c.ahead.at -= k.advance; c.ahead.at <= 0 {
		c.ahead = quoting{}
	}
	return k
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

// quoting is how far the quotation marks of a row have been followed.
type quoting struct {
	at    int
	state quotingState
}

type quotingState uint8

const (
	beginning quotingState = iota // of a cell
	bare                          // in a cell without quotation marks
	quoted                        // in one with them
	mark                          // behind a mark in it: the last, or the first of two
	carriage                      // behind the last mark and a carriage return
	misplaced                     // the last mark was not; for good
	endOfLine                     // and of the row; for good
)

// pass goes on to the end of the text, or of the row, and returns how many bytes it
// looked at.
func (q *quoting) pass(text []byte, separator byte) int64 {
	from := q.at
	for q.at < len(text) && q.state < misplaced {
		if q.state == quoted {
			n := bytes.IndexByte(text[q.at:], '"')
			if n < 0 {
				q.at = len(text)
				break
			}
			q.at += n
		}
		if q.state = q.state.after(text[q.at], separator); q.state < misplaced {
			q.at++
		}
	}
	return int64(q.at - from)
}

// after is the state behind one more byte.
func (s quotingState) after(b, separator byte) quotingState {
	switch {
	case s == quoted && b == '"':
		return mark
	case s == quoted:
		return quoted
	case b == '\n':
		return endOfLine
	case s == carriage:
		return misplaced
	case b == separator:
		return beginning
	case b == '"' && (s == beginning || s == mark):
		return quoted
	case s == mark && b == '\r':
		return carriage
	case s == mark:
		return misplaced
	}
	return bare
}

func (c *csvCutter) skip(text []byte) (int, bool) {
	*c = csvCutter{separator: c.separator, scanned: c.scanned}
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		c.scanned += int64(n)
		return n + 1, true
	}
	c.scanned += int64(len(text))
	return len(text), false
}

func (c *csvCutter) end() error { return nil }
