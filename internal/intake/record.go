package intake

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// Record is a row of a file as a feature of the layer. It is valid until the next.
type Record struct {
	Row      int64 // as tables.Row counts
	Feature  layer.Feature
	Faults   []Fault // empty: the row can be stored
	Cells    []any   // as they stand in the file
	Geometry geom.T  // as it stands in the file; nil for none
}

// text is a cell as a person would write it; "" for no column.
func (r *Record) text(column int) string {
	if column < 0 || column >= len(r.Cells) {
		return ""
	}
	return plainText(tables.CellText(r.Cells[column]))
}

// Read hands on each row as a feature, faults and all, and completes the report: its counts,
// faults and duplicates are those of the last reading that came to its end. Where the report is not Ready,
// rows are read all the same, for what is wrong with them, without places if these are
// not understood; nothing of them should be stored. An error of each, of the file or of ctx ends it.
// Cost: some µs for each cell and position; memory does not grow with the file.
func (m *Meaning) Read(ctx context.Context, each func(*Record) error) error {
	report := newReport(m.layer.Name, m.options.MaxFaults)
	report.Add(m.head...)
	var duplicates Duplicates
	for _, c := range m.cells {
		if c != nil {
			c.partDates = 0
		}
	}
	err := m.table.Read(ctx, func(row *tables.Row) error {
		r := m.record(row, report)
		report.Rows++
		if len(r.Faults) == 0 {
			report.Sound++
			if r.Geometry == nil && m.report.Placement.Outcome == Taken {
				report.addUnplaced(r.Row)
			}
		}
		report.Add(r.Faults...)
		m.compare(&r, &duplicates)
		return each(&r)
	})
	if err != nil {
		return err
	}
	m.report.Rows, m.report.Sound = report.Rows, report.Sound
	m.report.Faults, m.report.FaultCount, m.report.FaultsByRule = report.Faults, report.FaultCount, report.FaultsByRule
	m.report.Units, m.report.UnitGuesses = report.Units, report.UnitGuesses
	m.report.Unplaced, m.report.UnplacedRows = report.Unplaced, report.UnplacedRows
	m.report.addDuplicates(&duplicates)
	m.tellPartDates()
	return nil
}

// tellPartDates puts into the report which columns have dates that are not told to the day.
func (m *Meaning) tellPartDates() {
	const what = "part_date"
	m.report.Guesses = slices.DeleteFunc(m.report.Guesses, func(g Guess) bool { return g.What == what }) // of a reading before
	for i, c := range m.cells {
		if c != nil && c.partDates > 0 {
			m.report.guess(what, m.columns[i].Name, "cột %q có %d ngày chỉ ghi năm hoặc tháng: được hiểu là ngày đầu của năm hoặc tháng đó", "the column %q has %d dates that give a year or a month alone: they are taken for its first day", m.columns[i].Name, c.partDates)
		}
	}
}

// compare puts a row among those that are searched for duplicates.
func (m *Meaning) compare(r *Record, d *Duplicates) {
	code, _ := r.Feature.Properties["code"].(string)
	name, _ := r.Feature.Properties["name"].(string)
	since := ""
	if from, ok := r.Feature.Properties["valid_from"].(geo.Date); ok {
		since = from.String()
	}
	var at *orb.Point
	if p, ok := r.Feature.Geometry.(orb.Point); ok && r.Feature.SRID == 0 {
		at = &p
	}
	d.Add(r.Row, code, name, since, at)
}

// record makes a feature of a row.
func (m *Meaning) record(row *tables.Row, report *Report) Record {
	r := Record{Row: row.Number, Cells: row.Cells, Geometry: row.Geometry, Feature: layer.Feature{Properties: map[string]any{}}}
	r.Faults = unreadable(row)
	if len(row.Cells) != len(m.columns) {
		if len(row.Faults) == 0 {
			f := fault(RuleUnreadable, "", "có %d ô, không phải %d", "has %d cells, not %d", len(row.Cells), len(m.columns))
			r.Faults = append(r.Faults, f.in(row.Number, ""))
		}
		return r
	}
	for i, c := range m.cells {
		if c == nil {
			continue
		}
		value, f := c.value(row.Cells[i])
		if f != nil {
			r.Faults = append(r.Faults, f.in(row.Number, m.columns[i].Name))
			continue
		}
		r.Feature.Properties[c.field.Name] = value
	}
	if m.columns.codesAreNumbers(m.layer) {
		r.Feature.Properties["code"] = strconv.FormatInt(report.Rows+1, 10)
	}
	if m.units != nil {
		m.units.read(&r, m.columns, report)
	}
	m.place(&r)
	for _, f := range m.layer.CheckPeriod(r.Feature) {
		r.Faults = append(r.Faults, Fault{Row: row.Number, Column: m.columnOf(strings.TrimPrefix(f.At, "/properties/")), Rule: RulePeriod, Detail: f.Detail})
	}
	return r
}

// unreadable are the faults that the reader of the file found in a row.
func unreadable(row *tables.Row) (faults []Fault) {
	for _, f := range row.Faults {
		faults = append(faults, Fault{Row: row.Number, Column: strings.TrimPrefix(strings.TrimPrefix(f.At, "/properties"), "/"), Rule: RuleUnreadable, Detail: f.Detail})
	}
	return faults
}

// columnOf is the column that feeds a field, or the field where none does.
func (m *Meaning) columnOf(field string) string {
	if i := m.columns.Index(field); i >= 0 {
		return m.columns[i].Name
	}
	return field
}

// place puts a row where it lies, if that is understood.
func (m *Meaning) place(r *Record) {
	g, column := r.Geometry, layer.GeometryName
	if m.places != nil {
		var faults []Fault
		g, _, faults = m.places.read(r.Cells)
		for _, f := range faults {
			r.Faults = append(r.Faults, f.in(r.Row, f.Column))
		}
		r.Geometry = g
		column = m.places.names[0]
	}
	if g == nil || m.report.Placement.Outcome != Taken {
		return
	}
	s := shaper{layer: m.layer, placement: &m.report.Placement, territory: m.options.Territory}
	if m.options.AllowOutside {
		s.territory = nil
	}
	if f := s.shape(&r.Feature, g); f != nil {
		if f.Value == "" && m.places != nil {
			f.Value = cut(strings.Join(m.placeTexts(r), " "))
		}
		r.Faults = append(r.Faults, f.in(r.Row, column))
	}
}

// placeTexts are the cells that tell the place of a row.
func (m *Meaning) placeTexts(r *Record) []string {
	var texts []string
	for _, at := range m.places.at {
		texts = append(texts, r.text(at))
	}
	return texts
}
