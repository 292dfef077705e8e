package intake

import (
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"

	"hatang/geo"
	"hatang/internal/tables"
)

// placeReader reads where rows lie from their columns, in the file's own numbers.
type placeReader struct {
	way     []string // as Columns.Place
	at      []int    // the columns, in the same order
	names   []string // of these
	factors []float64
	commas  []Comma
	letters Letters
}

// newPlaceReader is nil where no columns tell a place.
func newPlaceReader(c Columns, o *Options, e []evidence, file Comma) *placeReader {
	way := c.Place()
	if way == nil {
		return nil
	}
	p := &placeReader{way: way}
	for _, to := range way {
		i := c.Index(to)
		comma := o.DecimalComma
		if comma == CommaUnknown {
			comma = e[i].decides()
		}
		if comma == CommaUnknown && e[i].comma == 0 {
			comma = file
		}
		p.at, p.names = append(p.at, i), append(p.names, c[i].Name)
		p.factors, p.commas = append(p.factors, c[i].Factor), append(p.commas, comma)
	}
	return p
}

// open reports whether the columns do not tell which number is east.
func (p *placeReader) open() bool { return p.way[0] == ToX }

// degrees reports whether the columns are called longitude and latitude.
func (p *placeReader) degrees() bool {
	return slices.Contains([]string{ToLon, ToPosition, ToPositionLonLat}, p.way[0])
}

// observe counts the letters of hemispheres in a row.
func (p *placeReader) observe(cells []any, h *hemispheres) {
	for _, i := range p.at {
		s, ok := cells[i].(string)
		if !ok || p.way[0] == ToWKT {
			continue
		}
		if pair, wrong := readPair(s); wrong == nil {
			h.observe(pair[0])
			h.observe(pair[1])
			continue
		}
		text := newScanner(s)
		if a, wrong := text.angle(); wrong == nil {
			h.observe(a)
		}
	}
}

// read is the place of a row: a geometry in the file's own numbers, the first of which is that
// of the first column; nil where the row has none. srid is that of well-known text that has
// one. Faults are at their columns.
func (p *placeReader) read(cells []any) (g geom.T, srid int, faults []Fault) {
	text := make([]string, len(p.at))
	blank := 0
	for i, at := range p.at {
		if s, ok := cells[at].(string); ok {
			text[i] = plainText(s)
		}
		if cells[at] == nil || isBlank(text[i]) && text[i] == tables.CellText(cells[at]) {
			blank++
		}
	}
	switch {
	case blank == len(p.at):
		return nil, 0, nil
	case blank > 0:
		return nil, 0, p.half(cells)
	case p.way[0] == ToWKT:
		g, srid, wrong := readWKT(text[0])
		return g, srid, p.faults(text[0], wrong)
	case len(p.way) == 1:
		return p.pair(text[0])
	}
	var xy [2]float64
	for i := range xy {
		x, f := p.number(i, cells[p.at[i]])
		if f != nil {
			faults = append(faults, f.in(0, p.names[i]))
		}
		xy[i] = x
	}
	if len(faults) > 0 {
		return nil, 0, faults
	}
	return geom.NewPointFlat(geom.XY, xy[:]), 0, nil
}

// half is the fault of a row that has one of two numbers.
func (p *placeReader) half(cells []any) []Fault {
	var faults []Fault
	for i, at := range p.at {
		if cells[at] == nil || isBlank(plainText(tables.CellText(cells[at]))) {
			f := fault(RulePosition, "", "thiếu một trong hai toạ độ", "one of two coordinates is missing")
			faults = append(faults, f.in(0, p.names[i]))
		}
	}
	return faults
}

// faults are what is wrong with the text of the one column.
func (p *placeReader) faults(text string, wrong *textFault) []Fault {
	if wrong == nil {
		return nil
	}
	return []Fault{p.fault(text, wrong).in(0, p.names[0])}
}

func (p *placeReader) fault(text string, wrong *textFault) *Fault {
	return fault(RulePosition, text, "%q: ở ký tự thứ %d: %s", "%q: at character %d: %s", cut(text), wrong.at, wrong.why)
}

// pair reads two numbers in one cell: longitude first in the end.
func (p *placeReader) pair(text string) (geom.T, int, []Fault) {
	two, wrong := readPair(text)
	if wrong != nil {
		return nil, 0, p.faults(text, wrong)
	}
	lonLat, _ := two.ordered(p.way[0] == ToPositionLonLat)
	lon, wrong := lonLat[0].value(0, p.letters)
	if wrong != nil {
		return nil, 0, p.faults(text, wrong)
	}
	lat, wrong := lonLat[1].value(1, p.letters)
	if wrong != nil {
		return nil, 0, p.faults(text, wrong)
	}
	return geom.NewPointFlat(geom.XY, []float64{lon, lat}), 0, nil
}

// number reads one of two columns: degrees in any form, or metres.
func (p *placeReader) number(i int, cell any) (float64, *Fault) {
	if x, ok := numberOf(cell); ok {
		return x * p.factors[i], nil
	}
	s, ok := cell.(string)
	if !ok {
		return 0, fault(RulePosition, tables.CellText(cell), "%q không phải toạ độ", "%q is no coordinate", tables.CellText(cell))
	}
	s = plainText(s)
	bare, unit := valueWithoutMeasure(s)
	_, isNumber := readNumeral(bare)
	// 21.383 in a column of latitudes is no twenty-one thousand.
	if axis := slices.Index([]string{ToLon, ToLat}, p.way[i]); axis >= 0 || !isNumber {
		x, wrong := p.angle(s, axis)
		if wrong == nil && (axis < 0 || onAxis(x, axis, 0) == nil) {
			return x, nil
		}
		if !isNumber {
			return 0, p.fault(s, wrong)
		}
	}
	x, f := ReadNumber(bare, p.commas[i])
	if factor, ok := factorTo(unit, "m"); ok && unit != "" {
		return x * factor, f
	}
	return x * p.factors[i], f
}

// angle reads degrees, on an axis or, below 0, on that which a letter says.
func (p *placeReader) angle(s string, axis int) (float64, *textFault) {
	text := newScanner(s)
	a, wrong := text.angle()
	if wrong == nil {
		wrong = text.finished()
	}
	if wrong != nil {
		return 0, wrong
	}
	if axis < 0 {
		axis = a.side.axis
	}
	x, wrong := a.value(axis, p.letters)
	if wrong == nil && a.side.known {
		wrong = onAxis(x, axis, a.at)
	}
	return x, wrong
}

// noteCRS finds a system in a note: a grid's meridian, or a code or name that stands there as such,
// not a bare number.
func noteCRS(s string) (geo.CRS, bool) {
	if !centralMeridian.MatchString(s) && !strings.Contains(strings.ToUpper(s), "EPSG") && !strings.Contains(key(s), "vn2000") {
		return geo.CRS{}, false
	}
	return crsInWords(s)
}

// outside is the fault of a geometry beyond the territory; nil where it is inside.
func outside(t *Territory, flat []float64, stride int) *Fault {
	reach := t.reach()
	for i := 0; i+1 < len(flat); i += stride {
		p := orb.Point{flat[i], flat[i+1]}
		if !reach.Contains(p) {
			return fault(RuleOutside, "", "nằm ngoài lãnh thổ: %.6f, %.6f (kinh độ, vĩ độ)", "is outside the territory: %.6f, %.6f (longitude, latitude)", p[0], p[1])
		}
	}
	return nil
}
