package tables

import (
	"context"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hatang/internal/layer"
)

// mif is a MapInfo interchange file: geometries in the .mif, attributes in the .mid beside it.
type mif struct {
	mif, mid  file
	hasMID    bool
	delimiter byte
	columns   []string
	types     []string   // of the columns, in lower case
	transform [4]float64 // x and y are multiplied by the first two, then moved by the others
	crs       string
	codec     codec
	guesses   []Guess
}

// openMIF reads the head of a .mif, and all of the .mid once for its encoding.
func openMIF(ctx context.Context, f file, o Options) (Table, error) {
	if o.Table != "" {
		return nil, noTables("MapInfo", o.Table)
	}
	m := &mif{mif: f, delimiter: '\t', transform: [4]float64{1, 1, 0, 0}}
	charset, err := m.head(ctx)
	if err != nil {
		return nil, err
	}
	if m.mid, m.hasMID, err = f.beside(".mid"); err != nil {
		return nil, err
	}
	if !m.hasMID {
		m.columns, m.types = nil, nil
		m.guesses = append(m.guesses, Guess{"attributes", "", "there is no .mid beside the .mif"})
		return m, nil
	}
	var texts specimen
	err = m.attributes(ctx, func(line string) error {
		texts.add([]byte(line))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range m.columns {
		texts.add([]byte(name))
	}
	var guesses []Guess
	if m.codec, guesses, err = declaredEncoding(&texts, o.Encoding, charset, "Charset"); err != nil {
		return nil, err
	}
	for i, name := range m.columns {
		m.columns[i], _ = m.codec.text(name)
	}
	m.columns = uniqueNames(m.columns)
	m.guesses = append(m.guesses, guesses...)
	return m, nil
}

// attributes hands on the lines of the .mid.
func (m *mif) attributes(ctx context.Context, each func(line string) error) (err error) {
	r, err := m.mid.lines(ctx)
	if err != nil {
		return err
	}
	defer closing(r, &err)
	for {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = each(line)
		}
		if err != nil {
			return err
		}
	}
}

// charsets are the names that MapInfo has for encodings.
var charsets = map[string]string{"windowslatin1": "windows-1252", "windowslatin2": "windows-1250", "windowscyrillic": "windows-1251", "windowsvietnamese": "windows-1258",
	"utf-8": "utf-8", "iso8859_1": "iso-8859-1", "windowssimpchinese": "gbk", "windowstradchinese": "big5"}

// head reads what stands before the geometries, and returns the encoding that it names.
func (m *mif) head(ctx context.Context) (charset string, err error) {
	r, err := m.mif.lines(ctx)
	if err != nil {
		return "", err
	}
	defer closing(r, &err)
	for {
		line, err := r.next()
		if errors.Is(err, io.EOF) {
			return "", layer.Wrong("tệp MIF không có phần Data", "the MIF file has no Data")
		}
		if err != nil {
			return "", err
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToLower(word) {
		case "data":
			return charset, nil
		case "charset":
			charset = charsets[strings.ToLower(strings.Trim(rest, `"`))]
		case "delimiter":
			if plain := strings.Trim(rest, `"`); len(plain) == 1 {
				m.delimiter = plain[0]
			}
		case "coordsys":
			m.crs = systemOfMapInfo(rest)
		case "transform":
			if err := m.readTransform(r, rest); err != nil {
				return "", err
			}
		case "columns":
			if err := m.readColumns(r, rest); err != nil {
				return "", err
			}
		}
	}
}

func (m *mif) readTransform(r *lineReader, rest string) error {
	for i, word := range strings.Split(rest, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || i >= len(m.transform) || math.IsInf(v, 0) || math.IsNaN(v) {
			return r.broken("MIF")
		}
		if v != 0 { // which stands for none
			m.transform[i] = v
		}
	}
	return nil
}

func (m *mif) readColumns(r *lineReader, rest string) error {
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 {
		return r.broken("MIF")
	}
	if n > MaxColumns {
		return tooManyColumns()
	}
	m.columns, m.types = nil, nil
	for range n {
		line, err := r.next()
		words := strings.Fields(line)
		if errors.Is(err, io.EOF) || err == nil && len(words) < 2 {
			return r.broken("MIF")
		}
		if err != nil {
			return err
		}
		if err := checkName(words[0]); err != nil {
			return err
		}
		kind, _, _ := strings.Cut(cut(strings.ToLower(words[1]), maxNameBytes), "(")
		m.columns, m.types = append(m.columns, words[0]), append(m.types, kind)
	}
	return nil
}

// mifBounds is where a clause goes on to what part of the system is used.
var mifBounds = regexp.MustCompile(`(?i)bounds`)

// systemOfMapInfo names the system of a CoordSys clause. MapInfo has no datum for VN-2000, so
// files give its shift in metres; one that says WGS 84 of a grid of Vietnam's is taken at its
// word, and so for a system that we have not.
func systemOfMapInfo(clause string) string {
	plain := clause
	if at := mifBounds.FindStringIndex(plain); at != nil {
		plain = strings.TrimSpace(plain[:at[0]])
	}
	const earth = "earth projection "
	if len(plain) < len(earth) || !strings.EqualFold(plain[:len(earth)], earth) {
		return ownWords(plain)
	}
	var values []float64
	unit := ""
	for _, word := range strings.Split(plain[len(earth):], ",") {
		word = strings.TrimSpace(word)
		if v, err := strconv.ParseFloat(word, 64); err == nil {
			values = append(values, v)
		} else {
			unit = strings.Trim(word, `"`)
		}
	}
	if len(values) < 2 {
		return ownWords(plain)
	}
	g := grid{projected: values[0] != 1, scale: 1}
	rest := values[2:]
	switch datum := values[1]; {
	case datum == 104 || datum == 157:
	case (datum == 999 || datum == 9999) && len(rest) >= 4 && isShift(rest[1:4]):
		g.vn2000 = true
		skip := 4
		if datum == 9999 {
			skip = 9 // three rotations, a scale, a meridian of reference
		}
		rest = rest[min(skip, len(rest)):]
	default:
		return ownWords(plain)
	}
	switch {
	case values[0] == 8 && len(rest) >= 5 && unit == "m":
		g.meridian, g.lat, g.scale, g.east, g.north = rest[0], rest[1], rest[2], rest[3], rest[4]
	case values[0] == 10 && values[1] == 157 && unit == "m":
		g.web = true
	case values[0] != 1:
		return ownWords(plain)
	}
	if name := g.known(); name != "" {
		return name
	}
	return ownWords(plain)
}

// Columns implements Table.
func (m *mif) Columns() []string { return m.columns }

// CRS implements Table.
func (m *mif) CRS() string { return m.crs }

// Guesses implements Table.
func (m *mif) Guesses() []Guess { return m.guesses }

// Close implements Table.
func (m *mif) Close() error { return nil }

// Read implements Table.
func (m *mif) Read(ctx context.Context, each func(*Row) error) (err error) {
	shapes, err := m.shapes(ctx)
	if err != nil {
		return err
	}
	defer closing(shapes, &err)
	row := &Row{Cells: make([]any, len(m.columns))}
	one := func() error {
		row.Number++
		row.Geometry, row.Faults = nil, nil
		b, fault, err := shapes.next()
		if err != nil {
			return err
		}
		if fault != nil {
			row.Faults.AddError("/geometry", fault)
		} else {
			row.Geometry = b.geometry()
		}
		return nil
	}
	if !m.hasMID {
		for {
			if err := one(); err != nil {
				return ended(err)
			}
			if err := each(row); err != nil {
				return err
			}
		}
	}
	err = m.attributes(ctx, func(line string) error {
		if err := one(); errors.Is(err, io.EOF) {
			if strings.TrimSpace(line) == "" {
				return nil // an empty line at the end
			}
			return layer.Wrong("tệp .mid có nhiều dòng hơn số hình trong .mif (%d)", "the .mid has more rows than the .mif has shapes (%d)", row.Number-1)
		} else if err != nil {
			return err
		}
		m.take(row, line)
		return each(row)
	})
	if err != nil {
		return err
	}
	if err := one(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return layer.Wrong("tệp .mif có nhiều hình hơn số dòng trong .mid (%d)", "the .mif has more shapes than the .mid rows (%d)", row.Number-1)
	}
	return nil
}

// ended makes of the end of a file none.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// take reads the values of a line of the .mid.
func (m *mif) take(row *Row, line string) {
	values := cells(line, m.delimiter)
	clear(row.Cells)
	if len(values) != len(m.columns) {
		row.Faults.Add("", "dòng .mid có %d giá trị cho %d cột", "the row of the .mid has %d values for %d columns", len(values), len(m.columns))
	}
	for i, text := range values[:min(len(values), len(m.columns))] {
		if strings.TrimSpace(text) == "" {
			continue
		}
		value, ok := m.value(m.types[i], text)
		if row.Cells[i] = value; !ok && m.types[i] == "char" {
			badText(row, m.columns[i], m.codec, text)
		} else if !ok {
			row.Cells[i] = nil
			row.Faults.Add("/properties/"+m.columns[i], "%q không phải giá trị kiểu %s", "%q is no value of the type %s", cut(text, 40), m.types[i])
		}
	}
}

// value reads a value of a column's type; false for one that is not of it.
func (m *mif) value(kind, text string) (any, bool) {
	plain := strings.TrimSpace(text)
	switch kind {
	case "integer", "smallint", "largeint":
		i, err := strconv.ParseInt(plain, 10, 64)
		return i, err == nil
	case "decimal", "float":
		f, err := strconv.ParseFloat(plain, 64)
		return f, err == nil && f-f == 0
	case "date", "datetime":
		if milliseconds := len("20060102150405000"); len(plain) == milliseconds && kind == "datetime" {
			plain = plain[:milliseconds-3] + "." + plain[milliseconds-3:]
		}
		for _, form := range []string{"20060102", "01/02/2006", "20060102150405.000", "20060102150405"} {
			if t, err := time.Parse(form, plain); err == nil {
				return t, true
			}
		}
		return nil, false
	case "logical":
		switch strings.ToUpper(plain) {
		case "T", "1":
			return true, true
		case "F", "0":
			return false, true
		}
		return nil, false
	}
	return m.codec.text(strings.ReplaceAll(text, `\n`, "\n"))
}
