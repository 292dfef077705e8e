package intake

import (
	"context"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// Meaning is what the rows of a file mean as rows of a layer.
type Meaning struct {
	table   tables.Table
	layer   *layer.Layer
	options Options
	report  *Report
	head    []Fault // of the file as a whole

	columns   Columns
	evidence  []evidence
	file      Comma // as the file writes numbers, as a whole
	places    *placeReader
	hasShapes bool // rows have geometries of their own
	cells     []*cells
	unread    *Fault // the first of those that the reader of the file found
	units     *unitReader
	declared  Declared
}

// notedRows is in how many rows notes about the reference system are looked for.
const notedRows = 100

// Understand reads a file once or twice to find out what its columns are, how they are
// written and where its numbers lie. What it has found, faults among it, is in the Report; an
// error is one of reading the file, or of ctx. Memory does not grow with the file.
func Understand(ctx context.Context, t tables.Table, l *layer.Layer, o Options) (*Meaning, error) {
	m := &Meaning{table: t, layer: l, options: o, report: newReport(l.Name, o.MaxFaults)}
	columns, faults := Match(t.Columns(), l, o.Mapping, o.Strict)
	m.columns, m.evidence = columns, make([]evidence, len(columns))
	m.report.File = append(m.report.File, t.Guesses()...)
	m.head = faults
	notes := map[string]geo.CRS{}
	if err := m.survey(ctx, notes); err != nil {
		return nil, err
	}
	m.leaveOut()
	m.settle()
	m.declare(notes)
	if err := m.sample(ctx); err != nil {
		return nil, err
	}
	m.report.Columns, m.report.NotTaken = m.columns, m.columns.NotTaken()
	m.report.Add(m.head...)
	m.report.Ready = len(m.head) == 0 && (m.report.Placement.Outcome == Taken || m.report.Placement.Outcome == NoPlace)
	return m, nil
}

// Report returns what is known of the file; Read adds to it.
func (m *Meaning) Report() *Report { return m.report }

// Unread is the first fault that the reader of the file found; nil for none.
func (m *Meaning) Unread() *Fault { return m.unread }

// survey looks at the cells of all rows for what they prove.
func (m *Meaning) survey(ctx context.Context, notes map[string]geo.CRS) error {
	m.places = newPlaceReader(m.columns, &m.options, m.evidence, CommaUnknown)
	for i := range m.columns {
		if crs, ok := noteCRS(m.columns[i].Name); ok {
			notes[crs.String()] = crs
		}
	}
	var letters hemispheres
	rows := 0
	err := m.table.Read(ctx, func(row *tables.Row) error {
		rows++
		m.hasShapes = m.hasShapes || row.Geometry != nil
		if len(row.Faults) > 0 && m.unread == nil {
			m.unread = &unreadable(row)[0]
		}
		for i, cell := range row.Cells[:min(len(row.Cells), len(m.columns))] {
			if m.columns[i].field != nil || m.columns[i].isPlace() {
				m.evidence[i].observe(cell)
			} else if s, ok := cell.(string); ok && rows <= notedRows {
				if crs, ok := noteCRS(s); ok {
					notes[crs.String()] = crs
				}
			}
		}
		if m.places != nil && len(row.Cells) == len(m.columns) {
			m.places.observe(row.Cells, &letters)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if m.places != nil && !m.hasShapes {
		language, why := letters.decide(m.options.Territory)
		m.places.letters = language
		if why != nil {
			m.report.Guesses = append(m.report.Guesses, Guess{"letters", string(language), *why})
		}
	}
	return nil
}

// leaveOut drops the columns of places where rows have geometries, or the layer holds no
// points, and those of names of units where nobody knows units.
func (m *Meaning) leaveOut() {
	points := slices.Contains([]layer.GeometryType{layer.Point, layer.MultiPoint, layer.AnyGeometry}, m.layer.Geometry)
	for i := range m.columns {
		c := &m.columns[i]
		drop := c.isPlace() && (m.hasShapes || !points && c.To != ToWKT) || m.options.Gazetteer == nil && (c.To == ToCommune || c.To == ToDistrict)
		if drop {
			c.To, c.How, c.Instead = "", ByNothing, ""
			if m.hasShapes {
				c.Instead = layer.GeometryName
			}
		}
	}
}

// settle decides how cells are read.
func (m *Meaning) settle() {
	for _, g := range m.table.Guesses() {
		if g.What == "decimal_comma" && (g.Value == string(CommaDecimal) || g.Value == string(PointDecimal)) {
			m.file = Comma(g.Value)
		}
	}
	if m.file == CommaUnknown {
		var all evidence
		for i := range m.evidence {
			all.comma += m.evidence[i].comma
			all.point += m.evidence[i].point
		}
		m.file = all.decides()
	}
	letters := LettersUnknown
	if m.places != nil {
		letters = m.places.letters
	}
	if m.places = newPlaceReader(m.columns, &m.options, m.evidence, m.file); m.places != nil {
		m.places.letters = letters
	}
	m.cells = make([]*cells, len(m.columns))
	for i := range m.columns {
		if m.columns[i].field != nil {
			m.cells[i] = newCells(&m.columns[i], &m.evidence[i], m.layer, &m.options, m.file)
		}
	}
	m.units = newUnitReader(m.layer, m.columns, &m.options)
	m.tellHabits()
}

// tellHabits puts how the file writes things into the report.
func (m *Meaning) tellHabits() {
	if m.options.DecimalComma == CommaUnknown && m.file != CommaUnknown {
		m.report.guess("decimal_comma", string(m.file), "theo các số chỉ đọc được một cách", "by the numbers that can be read in one way alone")
	}
	for i, c := range m.cells {
		switch {
		case c == nil:
		case c.field.Kind == layer.Date && m.options.DateOrder == OrderUnknown && m.evidence[i].monthFirst > 0:
			m.report.guess("date_order", "", "cột %q có ngày chỉ đọc được theo tháng/ngày/năm: ngày đọc được hai cách bị từ chối", "the column %q has dates that can only be month first: dates with two readings are refused", m.columns[i].Name)
		case c.blankIsNo:
			m.report.guess("blank_is_no", m.columns[i].Name, "cột %q chỉ có dấu và ô trống: ô trống là không", "the column %q has marks and blanks alone: a blank is no", m.columns[i].Name)
		case c.factor != 1:
			m.report.guess("unit", m.columns[i].Unit, "cột %q tính bằng %s, được nhân với %v", "the column %q is in %s, and is multiplied by %v", m.columns[i].Name, m.columns[i].Unit, c.factor)
		}
	}
}

// declare gathers what is said of the places: by an option, by the file, or by a note in it.
func (m *Meaning) declare(notes map[string]geo.CRS) {
	d := &m.declared
	d.Axis, d.Datum = m.options.Axis, m.options.Datum
	d.Degrees = m.options.LonLat && m.hasShapes
	if m.places != nil {
		d.AxesOpen, d.Degrees = m.places.open(), m.places.degrees()
	}
	switch {
	case m.options.CRS != "":
		d.Words, d.By = m.options.CRS, "option"
	case m.table.CRS() != "":
		d.Words, d.By = m.table.CRS(), "file"
	case len(notes) == 1:
		for _, crs := range notes {
			d.CRS, d.Words, d.By = &crs, crs.String(), "note"
		}
		return
	}
	if crs, ok := crsInWords(d.Words); ok {
		d.CRS = &crs
	}
}

// sample reads the places of the file, and decides where they lie.
func (m *Meaning) sample(ctx context.Context) error {
	s := NewSample()
	srids := map[int]bool{}
	codeAt, degrees := m.knownBy(), m.places != nil && m.places.way[0] == ToWKT
	if m.hasShapes || m.places != nil {
		err := m.table.Read(ctx, func(row *tables.Row) error {
			g := row.Geometry
			if m.places != nil && len(row.Cells) == len(m.columns) {
				var srid int
				if g, srid, _ = m.places.read(row.Cells); g != nil { // faults are told when the row is read
					srids[srid] = true
				}
			}
			if g == nil {
				return nil
			}
			code := ""
			if codeAt >= 0 && codeAt < len(row.Cells) {
				code = plainText(tables.CellText(row.Cells[codeAt]))
			}
			flat, stride := g.FlatCoords(), g.Stride()
			for i := 0; i+1 < len(flat); i += stride {
				degrees = degrees && math.Abs(flat[i]) <= 180 && math.Abs(flat[i+1]) <= 90
				s.Add(orb.Point{flat[i], flat[i+1]}, code)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	m.textSRID(srids)
	d := &m.declared
	d.Degrees = d.Degrees || degrees // well-known text has longitude first, as our own files have it
	m.report.Placement = d.Place(s, s.Readings(m.options.territory(), d.CRS, m.options.Known), m.options.AllowOutside)
	if p := &m.report.Placement; p.Outcome == Asks || p.Outcome == Refused {
		m.head = append(m.head, Fault{Rule: RuleCRS, Value: p.Declared, Detail: p.Why, Readings: p.names()})
	}
	return nil
}

// knownBy is the column by whose values places may be known: the code, or else that of the
// site or the unit that the row belongs to; -1 for none.
func (m *Meaning) knownBy() int {
	for _, field := range []string{"code", "site_code", "commune_code"} {
		if i := m.columns.Index(field); i >= 0 {
			return i
		}
	}
	return -1
}

// textSRID takes the system that well-known text names, where nobody has said another.
func (m *Meaning) textSRID(srids map[int]bool) {
	delete(srids, 0)
	if len(srids) == 0 {
		return
	}
	if len(srids) > 1 {
		m.head = append(m.head, *fault(RuleCRS, "", "tệp có hình ở nhiều hệ toạ độ", "the file has geometries in several reference systems"))
		return
	}
	for srid := range srids {
		crs, ok := geo.LookupCRS(srid)
		if ok && m.declared.CRS == nil {
			m.declared.CRS, m.declared.Words, m.declared.By = &crs, crs.String(), "file"
		}
	}
}

// names are the readings that fit, for a fault.
func (p *Placement) names() []string {
	var names []string
	for _, r := range p.fitting() {
		names = append(names, r.CRS+" "+string(r.Axis))
	}
	return names
}
