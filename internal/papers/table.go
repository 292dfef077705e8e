package papers

import "github.com/paulmach/orb"

// padding is the white in a cell beside its text, millimetres.
const padding = 1.2

// fitting is a row made ready: the lines of each cell, its notes, and how high it is.
type fitting struct {
	cells  []cellLines
	notes  []string
	height float64
}

// cellLines are the lines of a cell; the first so many are bold.
type cellLines struct {
	lines  []string
	strong int
	tone   Tone
}

// afterTable is the white below a table, the most that there is below any part, millimetres.
const afterTable = 2.0

// table sets a table; its head stands again on every page.
func (s *setter) table(t *Table) {
	head := s.fitHead(t)
	title := body(textSize, Bold)
	s.room(s.beginning(t))
	if t.Title != "" {
		s.y = s.draw(title, s.lines(title, t.Title), s.y+1) + 1
	}
	rows := make([]fitting, len(t.Rows))
	for i := range t.Rows {
		rows[i] = s.fitRow(t, &t.Rows[i])
	}
	s.drawRow(t, &head, true)
	for i := range rows {
		row, below := &rows[i], s.below()
		if s.y+row.height+below > bodyEnd && row.height+below <= bodyEnd-marginTop-head.height {
			s.breakPage()
			s.drawRow(t, &head, true)
		}
		s.drawLong(t, row, &head, below)
	}
	s.y += afterTable
}

// beginning is how high a table is to its first row, or to some of that where it fits on no
// page: nothing above a row stands alone at the end of a page.
func (s *setter) beginning(t *Table) float64 {
	head := s.fitHead(t)
	height := head.height
	if t.Title != "" {
		height += float64(len(s.lines(body(textSize, Bold), t.Title)))*lineHeight(textSize) + 2
	}
	if len(t.Rows) > 0 {
		first := s.fitRow(t, &t.Rows[0])
		height += min(first.height, 80)
	}
	if len(t.Rows) == 1 && s.left == 1 { // the paper ends with it
		height += s.signatureHeight() + afterTable
	}
	return height
}

// drawLong draws a row, over several pages where it is higher than one; so much room is kept
// below it, and some of its lines stay with that.
func (s *setter) drawLong(t *Table, row, head *fitting, below float64) {
	for s.y+row.height+below > bodyEnd {
		here, rest := row.split(min(bodyEnd-s.y, row.height-2*lineHeight(smallSize)))
		if here.height > 0 {
			s.drawRow(t, &here, false)
		}
		s.breakPage()
		s.drawRow(t, head, true)
		row = &rest
	}
	s.drawRow(t, row, false)
}

// split cuts a row at a height: lines of cells first, then notes.
func (f *fitting) split(height float64) (here, rest fitting) {
	n := int((height - 2*padding) / lineHeight(smallSize))
	if n < 1 {
		return fitting{}, *f
	}
	deepest := 0
	for _, c := range f.cells {
		k := min(n, len(c.lines))
		deepest = max(deepest, k)
		here.cells = append(here.cells, cellLines{c.lines[:k], min(c.strong, k), c.tone})
		rest.cells = append(rest.cells, cellLines{c.lines[k:], max(c.strong-k, 0), c.tone})
	}
	k := min(max(n-deepest, 0), len(f.notes))
	here.notes, rest.notes = f.notes[:k], f.notes[k:]
	here.measure()
	rest.measure()
	return here, rest
}

// measure finds out how high a row is.
func (f *fitting) measure() {
	deepest := 0
	for _, c := range f.cells {
		deepest = max(deepest, len(c.lines))
	}
	f.height = float64(deepest+len(f.notes))*lineHeight(smallSize) + 2*padding
}

func (s *setter) fitHead(t *Table) fitting {
	var f fitting
	for _, c := range t.Columns {
		lines := s.faces[Bold].wrap(c.Title, smallSize, c.Width-2*padding)
		f.cells = append(f.cells, cellLines{lines, len(lines), Plain})
	}
	f.measure()
	return f
}

func (s *setter) fitRow(t *Table, row *Row) fitting {
	var f fitting
	for i, c := range row.Cells {
		width := t.Columns[i].Width - 2*padding
		var fitted cellLines
		if c.Strong != "" {
			fitted.lines = s.faces[Bold].wrap(c.Strong, smallSize, width)
			fitted.strong = len(fitted.lines)
		}
		if c.Text != "" {
			fitted.lines = append(fitted.lines, s.faces[Regular].wrap(c.Text, smallSize, width)...)
		}
		fitted.tone = c.Tone
		f.cells = append(f.cells, fitted)
	}
	for _, note := range row.Notes {
		f.notes = append(f.notes, s.faces[Regular].wrap(note, smallSize, t.width()-2*padding-noteIndent)...)
	}
	f.measure()
	return f
}

// noteIndent is how far notes stand in, millimetres.
const noteIndent = 3

func (t *Table) width() float64 {
	width := 0.0
	for _, c := range t.Columns {
		width += c.Width
	}
	return width
}

// drawRow draws a row that fits, with its frame.
func (s *setter) drawRow(t *Table, f *fitting, head bool) {
	x, deepest := float64(marginLeft), 0
	outline := Shape{Paths: [][]orb.Point{rectangle(x, s.y, t.width(), f.height)}, Closed: true, Stroke: &faint, Width: 0.2}
	if head {
		outline.Fill = &pale
	}
	s.page().add(outline)
	for i := range f.cells {
		c, column := &f.cells[i], &t.Columns[i]
		deepest = max(deepest, len(c.lines))
		b := block{x: x + padding, width: column.Width - 2*padding, size: smallSize, style: Bold, colour: c.tone.colour()}
		if column.Right {
			b.anchor = End
		}
		y := s.draw(b, c.lines[:c.strong], s.y+padding)
		b.style = Regular
		if c.strong > 0 {
			b.colour = black
		}
		s.draw(b, c.lines[c.strong:], y)
		x += column.Width
	}
	notes := block{x: marginLeft + padding + noteIndent, width: t.width() - 2*padding - noteIndent, size: smallSize}
	s.draw(notes, f.notes, s.y+padding+float64(deepest)*lineHeight(smallSize))
	s.y += f.height
}
