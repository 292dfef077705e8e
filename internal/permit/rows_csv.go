package permit

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hatang/geo"
)

// table is what the first line of a CSV file says of the rows below. Names are those
// of the API (lon, lat, mast_type, …), in any case; other columns are kept and not
// judged. Cells are separated by commas, semicolons or tabs, whichever the first line
// has most of; where it is not the comma, decimals may have one. Text is UTF-8, cells
// may be quoted, empty cells count as not given, empty lines as no rows. A line that
// names the separator may come first, as Excel writes it: sep=; (there also sep=|).
type table struct {
	separator byte
	mark      bool // begins with a byte order mark
	named     bool // has a line that names the separator
	line      []byte
	columns   []column
	id        int // column that names the row, -1 for none
}

type column struct {
	name   string
	member member
}

// openCSV reads the line of column names.
func openCSV(f *feed) (*table, error) {
	text, err := f.peek(MaxRowBytes + len(byteOrderMark) + len("sep=;\r\n\r\n"))
	if err != nil {
		return nil, err
	}
	t := &table{id: -1, mark: bytes.HasPrefix(text, byteOrderMark)}
	if t.mark {
		text = text[len(byteOrderMark):]
	}
	if text, err = t.readSeparator(trimLineEnds(text)); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, noRows("không có dòng tên cột nào", "there is no line of column names")
	}
	if !utf8.Valid(firstLine(text)) || bytes.IndexByte(firstLine(text), 0) >= 0 {
		return nil, noRows("dòng đầu không phải UTF-8; hãy lưu tệp dạng CSV UTF-8", "the first line is not UTF-8; save the file as CSV UTF-8")
	}
	if !t.named {
		t.separator = separatorOf(firstLine(text))
	}
	cutter := &csvCutter{separator: t.separator}
	k := cutter.next(text, f.atEnd)
	if !k.found || k.row.flaw != flawless {
		return nil, noRows("dòng tên cột dài quá hoặc có dấu ngoặc kép không đóng", "the line of column names is too long, or has a quotation mark that does not close")
	}
	t.line = bytes.Clone(text[:k.row.to])
	f.cutter = cutter
	f.rest = append([]byte(nil), text[k.advance:]...)
	return t, t.readNames()
}

func trimLineEnds(text []byte) []byte { return bytes.TrimLeft(text, "\r\n") }

// readSeparator reads the line that names the separator, if there is one, and
// returns what follows it.
func (t *table) readSeparator(text []byte) ([]byte, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	length := len(line)
	line = bytes.TrimSuffix(line, []byte("\r"))
	if bytes.HasPrefix(line, []byte(`"`)) && bytes.HasSuffix(line, []byte(`"`)) && len(line) > 1 {
		line = line[1 : len(line)-1]
	}
	const begins = "sep="
	if len(line) != len(begins)+1 || !strings.EqualFold(string(line[:len(begins)]), begins) {
		return text, nil
	}
	t.named, t.separator = true, line[len(begins)]
	if strings.IndexByte(",;\t|", t.separator) < 0 {
		return nil, noRows("dòng sep= nêu dấu phân cách %q; hãy dùng dấu phẩy, chấm phẩy, tab hoặc |", "the line sep= names the separator %q; use a comma, a semicolon, a tab or |", line[len(begins):])
	}
	return trimLineEnds(text[length:]), nil
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line[:min(len(line), MaxRowBytes)]
}

// separatorOf is the separator that a line has most of outside quotation marks.
func separatorOf(line []byte) byte {
	counts, quoted := map[byte]int{}, false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// maxColumns is how many columns a file may have.
const maxColumns = 200

func (t *table) readNames() error {
	var scratch []byte
	cells, ok := t.split(nil, t.line, &scratch)
	if !ok {
		return noRows("dòng tên cột có dấu ngoặc kép đặt sai", "the line of column names has a misplaced quotation mark")
	}
	if len(cells) > maxColumns {
		return noRows("có %d cột, nhiều nhất là %d", "there are %d columns, at most %d are taken", len(cells), maxColumns)
	}
	var has [members]bool
	for i, cell := range cells {
		name := strings.TrimSpace(string(cell.text))
		c := column{name, memberOf([]byte(strings.ToLower(name)))}
		if c.member != foreign && has[c.member] {
			return noRows("cột %q có hai lần", "the column %q is there twice", name)
		}
		has[c.member] = true
		t.columns = append(t.columns, c)
		if lower := strings.ToLower(name); t.id < 0 && (lower == "id" || lower == "code") {
			t.id = i
		}
	}
	placed := has[lon] && has[lat] || has[crsName] && has[x] && has[y]
	if !has[mastType] || !placed {
		return noRows("dòng đầu phải nêu tên cột, có mast_type cùng lon và lat (hoặc crs, x và y); đã đọc: %s",
			"the first line must name the columns, among them mast_type with lon and lat (or crs, x and y); it reads: %s", clip(string(t.line)))
	}
	return nil
}

// clip shortens what a file says before it is said back.
func clip(s string) string {
	const most = 120
	s = strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// ignored are the columns that are no member of a proposal.
func (t *table) ignored() []string {
	var names []string
	for i, c := range t.columns {
		if c.member == foreign && i != t.id && !slices.Contains(names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

// cell is the text of a cell, without white space and quotation marks around it.
type cell struct {
	text []byte
	end  int // in the row
}

// split takes a row apart; false where a quotation mark is misplaced. Doubled marks
// are made single in the scratch.
func (t *table) split(cells []cell, row []byte, scratch *[]byte) ([]cell, bool) {
	*scratch = (*scratch)[:0]
	for at := 0; ; {
		if at < len(row) && row[at] == '"' {
			text, n := unquote(row[at:], scratch)
			at += n
			if n == 0 || at < len(row) && row[at] != t.separator {
				return cells, false
			}
			cells = append(cells, cell{text, at})
		} else {
			n := bytes.IndexByte(row[at:], t.separator)
			if n < 0 {
				n = len(row) - at
			}
			cells = append(cells, cell{row[at : at+n], at + n})
			at += n
		}
		if at >= len(row) {
			return cells, true
		}
		at++
	}
}

// unquote reads a quoted cell and returns how long it is, 0 when it does not close.
func unquote(row []byte, scratch *[]byte) ([]byte, int) {
	from, start := len(*scratch), 1
	for i := 1; i < len(row); i++ {
		if row[i] != '"' {
			continue
		}
		if i+1 < len(row) && row[i+1] == '"' {
			*scratch = append(*scratch, row[start:i+1]...)
			i++
			start = i + 1
			continue
		}
		if start == 1 {
			return row[1:i], i + 1
		}
		*scratch = append(*scratch, row[start:i]...)
		return (*scratch)[from:], i + 1
	}
	return nil, 0
}

// read makes a proposal of a row, or says what is wrong with it.
func (t *table) read(r *row, onDate geo.Date) {
	var whole bool
	r.cells, whole = t.split(r.cells[:0], r.text, &r.scratch)
	switch {
	case !whole:
		r.cells = r.cells[:0]
		r.faults.Add("", "có dấu ngoặc kép đặt sai", "a quotation mark is misplaced")
	case len(r.cells) != len(t.columns):
		r.faults.Add("", "có %d ô, dòng tên cột có %d", "has %d cells, the line of column names has %d", len(r.cells), len(t.columns))
	case t.readFast(r, onDate):
	default:
		t.readStrictly(r, onDate)
	}
}

// readFast takes a row that is well formed and complete.
func (t *table) readFast(r *row, onDate geo.Date) bool {
	r.start(onDate)
	for i := range r.cells {
		m := t.columns[i].member
		if m == foreign {
			continue
		}
		text := trim(r.cells[i].text)
		if len(text) == 0 {
			continue
		}
		switch {
		case m.isNumber():
			value, n := numberAt(text, '.')
			if n != len(text) && t.separator != ',' {
				value, n = numberAt(text, ',')
			}
			if n != len(text) {
				return false
			}
			r.setNumber(m, value)
		case m == concealed:
			yes := string(text) == "true"
			if !yes && string(text) != "false" {
				return false
			}
			r.setConcealed(yes)
		default:
			if !isPlain(text) || !r.setText(m, text) {
				return false
			}
		}
	}
	return r.finish()
}

func trim(text []byte) []byte {
	if len(text) > 0 && text[0] > ' ' && text[0] < utf8.RuneSelf && text[len(text)-1] > ' ' && text[len(text)-1] < utf8.RuneSelf {
		return text
	}
	return bytes.TrimSpace(text)
}

func isPlain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// readStrictly writes the row as the API would be sent it, and reads that.
func (t *table) readStrictly(r *row, onDate geo.Date) {
	members := map[string]any{}
	for i, c := range t.columns {
		text := string(bytes.TrimSpace(r.cells[i].text))
		if c.member != foreign && text != "" {
			members[strings.ToLower(c.name)] = t.cellValue(c.member, text)
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		r.faults.AddError("", err)
		return
	}
	r.judgeStrictly(raw, onDate, func(at string) string { return at })
}

// judgeStrictly reads JSON by the definition; where says how a member is called in
// the file.
func (r *row) judgeStrictly(raw []byte, onDate geo.Date, where func(string) string) {
	var err error
	r.Proposal, err = parseStrictly(raw, onDate)
	invalid, ok := Faults(err)
	switch {
	case ok:
		for _, f := range invalid.Faults {
			f.At = where(f.At)
			r.faults = append(r.faults, f)
		}
	case err != nil:
		r.faults.AddError("", err)
	}
}

// cellValue turns a cell into the JSON value that its column holds; what does not
// read as one stays text, so that the fault names it.
func (t *table) cellValue(m member, text string) any {
	switch {
	case m.isNumber():
		if value, ok := t.cellNumber(text); ok {
			return value
		}
	case m == concealed:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}

func (t *table) cellNumber(text string) (float64, bool) {
	if t.separator != ',' && strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false // hexadecimal, NaN, infinity
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil && !math.IsInf(value, 0)
}
