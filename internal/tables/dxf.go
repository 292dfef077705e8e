package tables

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"
	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
)

// dxf is the entities of an AutoCAD drawing, written as text: points and blocks as points,
// lines, polylines, those that are closed as areas. A text that stands near a point, or as
// the only one in an area, is its attribute; others are points of their own, which come last.
type dxf struct {
	file    file
	layer   string // "" for all
	utf8    bool
	page    string // the encoding that the drawing names
	codec   codec
	tags    []string       // attributes of blocks
	tagAt   map[string]int // where each is among them
	columns []string
	labels  *labels
	guesses []Guess
}

// Columns that every drawing has come first; where they are in a row.
const (
	dxfLayer = iota
	dxfText
	dxfBlock
	dxfColumns
)

// openDXF reads a drawing once, for its texts, layers and blocks. Cost: 1 s for 100 MB.
func openDXF(ctx context.Context, f file, o Options) (Table, error) {
	d := &dxf{file: f, labels: &labels{}, tagAt: map[string]int{}}
	var texts specimen
	layers := map[string]bool{}
	some := false
	err := d.entities(ctx, func(e *entity) error {
		some = true
		for _, s := range append([]string{e.layer, e.text}, e.values...) {
			texts.add([]byte(s))
		}
		if len(layers) < MaxColumns {
			layers[e.layer] = true
		}
		d.labels.note(e)
		return d.noteTags(e)
	})
	if err != nil {
		return nil, err
	}
	if !some {
		return nil, layer.Wrong("bản vẽ không có đối tượng nào", "the drawing holds no entities")
	}
	if d.utf8 {
		d.page = "utf-8"
	}
	var guesses []Guess
	if d.codec, guesses, err = declaredEncoding(&texts, o.Encoding, d.page, "the drawing"); err != nil {
		return nil, err
	}
	d.guesses = append(d.guesses, guesses...)
	names := []string{"layer", "text", "block"}
	for _, tag := range d.tags {
		names = append(names, d.text(tag))
	}
	d.columns = uniqueNames(names)
	if o.Table != "" {
		if err := d.choose(o.Table, layers); err != nil {
			return nil, err
		}
	}
	d.guesses = append(d.guesses, d.labels.match())
	return d, nil
}

// noteTags notes the attributes that blocks have.
func (d *dxf) noteTags(e *entity) error {
	for _, tag := range e.tags {
		if _, known := d.tagAt[tag]; known {
			continue
		}
		if len(d.tags) >= MaxColumns-dxfColumns {
			return tooManyColumns()
		}
		d.tagAt[tag] = len(d.tags)
		d.tags = append(d.tags, tag)
	}
	return nil
}

// choose settles which layer is read.
func (d *dxf) choose(name string, layers map[string]bool) error {
	var names []string
	for raw := range layers {
		if strings.EqualFold(d.text(raw), norm.NFC.String(name)) {
			d.layer = raw
			return nil
		}
		names = append(names, d.text(raw))
	}
	slices.Sort(names)
	return &WhichError{names}
}

// text is a text of the drawing as it is read.
func (d *dxf) text(raw string) string {
	text, _ := d.codec.text(raw)
	return norm.NFC.String(unescapedDXF(text))
}

// Columns implements Table.
func (d *dxf) Columns() []string { return d.columns }

// CRS implements Table: drawings say none.
func (d *dxf) CRS() string { return "" }

// Guesses implements Table.
func (d *dxf) Guesses() []Guess { return d.guesses }

// Close implements Table.
func (d *dxf) Close() error { return nil }

// Read implements Table.
func (d *dxf) Read(ctx context.Context, each func(*Row) error) error {
	row := &Row{Cells: make([]any, len(d.columns))}
	used := d.labels.used()
	err := d.entities(ctx, func(e *entity) error {
		if e.isText() && !d.labels.many || d.layer != "" && e.layer != d.layer {
			return nil
		}
		shape, faults := e.shape()
		d.fill(row, e)
		row.Geometry, row.Faults = shape, append(row.Faults, faults...)
		label := d.labels.of(e.number)
		if label < 0 {
			label = d.labels.in(row.Geometry, used)
		}
		if label >= 0 {
			used[label] = true
			d.set(row, dxfText, d.labels.texts[label].text)
		}
		return each(row)
	})
	if err != nil {
		return err
	}
	for i, t := range d.labels.texts {
		if used[i] || d.layer != "" && t.layer != d.layer {
			continue
		}
		d.fill(row, &entity{layer: t.layer, text: t.text, number: t.number})
		var b builder
		err := b.of(points)
		if err == nil {
			err = b.position(t.at[0], t.at[1])
		}
		if err != nil {
			row.Faults.AddError("/geometry", err)
		}
		row.Geometry = b.geometry()
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

// fill sets what is no geometry.
func (d *dxf) fill(row *Row, e *entity) {
	row.Number, row.Faults = e.number, nil
	clear(row.Cells)
	d.set(row, dxfLayer, e.layer)
	d.set(row, dxfText, e.text)
	d.set(row, dxfBlock, e.block)
	for i, tag := range e.tags {
		d.set(row, dxfColumns+d.tagAt[tag], e.values[i])
	}
}

// set sets a cell to a text, nil for an empty one.
func (d *dxf) set(row *Row, at int, raw string) {
	text := strings.TrimSpace(d.text(raw))
	if row.Cells[at] = nil; text != "" {
		row.Cells[at] = text
	}
	if strings.ContainsAny(text, "\x00\ufffd") {
		badText(row, d.columns[at], d.codec, text+raw)
	}
}

// entities runs over the entities of a drawing, those of paper space left aside.
func (d *dxf) entities(ctx context.Context, each func(*entity) error) (err error) {
	lines, err := d.file.lines(ctx)
	if err != nil {
		return err
	}
	defer closing(lines, &err)
	r := &dxfReader{lineReader: lines, of: d}
	if err := r.find(); err != nil {
		return ended(err)
	}
	number := int64(0)
	for {
		e, err := r.entity()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		number++
		if e.number = number; e.paper {
			continue
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// dxfReader reads pairs of lines: a number that says what follows, and that.
type dxfReader struct {
	*lineReader
	of    *dxf
	code  int
	value string
}

// pair reads the next pair.
func (r *dxfReader) pair() error {
	code, err := r.next()
	if err != nil {
		return err
	}
	if r.code, err = strconv.Atoi(strings.TrimSpace(code)); err != nil {
		return r.broken("DXF")
	}
	if r.value, err = r.next(); errors.Is(err, io.EOF) {
		return r.broken("DXF")
	}
	return err
}

// find passes over what stands before the entities, and notes how texts are written.
func (r *dxfReader) find() error {
	section, variable := false, ""
	for {
		if err := r.pair(); err != nil {
			return err
		}
		value := strings.TrimSpace(r.value)
		switch {
		case r.code == 9:
			variable = value
		case r.code == 1 && variable == "$ACADVER":
			r.of.utf8 = value >= "AC1021"
		case r.code == 3 && variable == "$DWGCODEPAGE":
			r.of.page = strings.Replace(strings.ToLower(value), "ansi_", "", 1)
		case r.code == 2 && section && value == "ENTITIES":
			return r.pair()
		}
		section = r.code == 0 && value == "SECTION"
	}
}

// float is the pair's value as a number; one that is none breaks the file.
func (r *dxfReader) float() (float64, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(r.value), 64)
	if err != nil {
		return 0, r.broken("DXF")
	}
	return f, nil
}

// shape is the entity's geometry, and what is wrong with it.
func (e *entity) shape() (g geom.T, faults layer.Faults) {
	if e.fault == nil {
		e.fault = e.finish()
	}
	if e.fault != nil {
		faults.AddError("/geometry", e.fault)
		return nil, faults
	}
	if e.bulge {
		faults.Add("/geometry", "cung tròn được thay bằng đoạn thẳng", "an arc of it was made straight")
	}
	return e.b.geometry(), faults
}
