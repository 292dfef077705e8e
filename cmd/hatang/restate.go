package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb/geojson"

	"hatang/geo"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// restate writes the file of another program as GeoJSON, from which a reference layer is made:
// every column a property, typed as its values are, every place where it lies, in the system that the
// layer is kept in where the file has that. The places are held against the territory, and
// what they are is asked for where it cannot be told; *layer.InvalidError then, and where rows have faults
// none of which is taken silently, or more rows than are wanted, 0 for any number. The file is the
// caller's to remove.
func (s stranger) restate(ctx context.Context, path string, storageSRID, mostRows int) (out string, report *intake.Report, err error) {
	t, err := tables.Open(ctx, path, s.table)
	if err != nil {
		return "", nil, refusedFile(err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	m, err := s.understandPlaces(ctx, path, t, storageSRID)
	if m != nil {
		report = m.Report()
	}
	if err != nil {
		return "", report, err
	}
	w := restating{columns: report.Columns, decimalComma: decimalComma(t), mostRows: mostRows}
	if err := w.survey(ctx, t); err != nil {
		return "", report, refusedFile(err)
	}
	file, err := os.CreateTemp("", "hatang-layer-*.geojson")
	if err != nil {
		return "", report, err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	return file.Name(), report, refusedFile(w.write(ctx, m, file, keptSystem(report, storageSRID)))
}

// understandPlaces finds out where the rows of a file lie, which become those of a layer kept in a
// system. *layer.InvalidError where that is not understood; the meaning then has the report.
func (s stranger) understandPlaces(ctx context.Context, path string, t tables.Table, storageSRID int) (m *intake.Meaning, err error) {
	// A layer of nothing but places.
	bare := &layer.Layer{Name: "file", Geometry: layer.AnyGeometry, Reference: &layer.Reference{Definition: layer.Definition{StorageSRID: storageSRID}}}
	if err := s.learn(ctx, bare); err != nil {
		return nil, err
	}
	s.options.Gazetteer = nil // names of units are columns like others
	if s.options.LonLat, err = isGeoJSON(path); err != nil {
		return nil, err
	}
	if m, err = intake.Understand(ctx, t, bare, s.options); err != nil {
		return nil, refusedFile(err)
	}
	if m.Report().Ready {
		return m, nil
	}
	var faults layer.Faults
	for _, f := range m.Report().Faults {
		faults = append(faults, f.Layer())
	}
	return m, faults.Err()
}

// keptSystem is the system of the restated places: that of the file where the layer is kept in it.
func keptSystem(r *intake.Report, storageSRID int) string {
	crs, err := geo.ParseCRS(r.Placement.CRS)
	if err != nil || r.Placement.Unshifted || crs.SRID() != storageSRID || storageSRID == layer.SRID {
		return ""
	}
	return fmt.Sprint("EPSG:", storageSRID)
}

// decimalComma reports whether a file of text was found to write numbers with commas.
func decimalComma(t tables.Table) bool {
	for _, g := range t.Guesses() {
		if g.What == "decimal_comma" {
			return g.Value == "yes"
		}
	}
	return false
}

// restating is what is known of the columns.
type restating struct {
	columns      intake.Columns
	decimalComma bool
	text         []bool // of each column: it holds a text that is no number
	mostRows     int
}

// asNumber is a number as a text writes it, "" for a text that is none, or a code: those
// begin with zeros.
func (w *restating) asNumber(s string) string {
	if w.decimalComma {
		s = strings.Replace(s, ",", ".", 1)
	}
	if !plainNumber.MatchString(s) {
		return ""
	}
	return s
}

var plainNumber = regexp.MustCompile(`^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$`)

// survey finds the columns whose texts are all numbers.
func (w *restating) survey(ctx context.Context, t tables.Table) error {
	w.text = make([]bool, len(w.columns))
	return t.Read(ctx, func(r *tables.Row) error {
		for i, cell := range r.Cells[:min(len(r.Cells), len(w.text))] {
			if s, ok := cell.(string); ok && strings.TrimSpace(s) != "" && w.asNumber(strings.TrimSpace(s)) == "" {
				w.text[i] = true
			}
		}
		return nil
	})
}

// write writes the features; rows with faults are told, so many of them, and then nothing is.
func (w *restating) write(ctx context.Context, m *intake.Meaning, out io.Writer, system string) error {
	b := bufio.NewWriterSize(out, 1<<20)
	const head = `{"type":"FeatureCollection",`
	_, _ = b.WriteString(head) // the buffer keeps its first error, which Flush returns
	if system != "" {
		fmt.Fprintf(b, `"crs":{"type":"name","properties":{"name":%q}},`, system)
	}
	_, _ = b.WriteString(`"features":[`)
	var faults layer.Faults
	rows := 0
	err := m.Read(ctx, func(r *intake.Record) error {
		for _, f := range append(r.Faults, w.lost(r)...) {
			if len(faults) < maxShownRefusals {
				told := f.Layer()
				told.At = fmt.Sprintf("/rows/%d%s", r.Row, told.At)
				faults = append(faults, told)
			}
		}
		if rows++; w.mostRows > 0 && rows > w.mostRows {
			return tooManyFeatures(w.mostRows)
		}
		if len(faults) > 0 {
			return nil
		}
		feature := struct {
			Type       string            `json:"type"`
			Geometry   *geojson.Geometry `json:"geometry"`
			Properties json.RawMessage   `json:"properties"`
		}{Type: "Feature", Properties: w.properties(r.Cells)}
		if r.Feature.Geometry != nil {
			feature.Geometry = geojson.NewGeometry(r.Feature.Geometry)
		}
		text, err := json.Marshal(feature)
		if err != nil {
			return err
		}
		if rows > 1 {
			_ = b.WriteByte(',')
		}
		_, err = b.Write(text)
		return err
	})
	if err == nil && rows == 0 {
		err = errNoRows()
	}
	if err == nil {
		err = faults.Err()
	}
	_, _ = b.WriteString("]}")
	return errors.Join(err, b.Flush())
}

// lost are the faults of texts whose letters were lost.
func (w *restating) lost(r *intake.Record) (faults []intake.Fault) {
	for i, cell := range r.Cells[:min(len(r.Cells), len(w.columns))] {
		s, ok := cell.(string)
		if f := intake.WrongText(s); ok && f != nil {
			f.Row, f.Column = r.Row, w.columns[i].Name
			faults = append(faults, *f)
		}
	}
	return faults
}

// properties are the cells of a row by their columns, but for those that are its place.
func (w *restating) properties(cells []any) json.RawMessage {
	out := []byte{'{'}
	for i, c := range w.columns {
		if strings.HasPrefix(c.To, "@") || i >= len(cells) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(layer.AppendString(out, []byte(c.Name)), ':')
		out = append(out, w.value(i, cells[i])...)
	}
	return append(out, '}')
}

// value is a cell as JSON: a day or a time as text, a text that is a number among numbers as one.
func (w *restating) value(column int, cell any) []byte {
	switch v := cell.(type) {
	case string:
		if number := w.asNumber(strings.TrimSpace(v)); number != "" && !w.text[column] {
			return []byte(number)
		}
		if strings.TrimSpace(v) == "" {
			return []byte("null")
		}
		return layer.AppendString(nil, []byte(v))
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case bool:
		return strconv.AppendBool(nil, v)
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return strconv.AppendQuote(nil, v.Format(time.DateOnly))
		}
		return strconv.AppendQuote(nil, v.UTC().Format(time.RFC3339))
	}
	text, err := json.Marshal(cell) // a number; one that is none is null
	if err != nil {
		return []byte("null")
	}
	return text
}
