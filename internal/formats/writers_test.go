package formats

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paulmach/orb"
	geom "github.com/twpayne/go-geom"
	goewkb "github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/geo"
	"hatang/internal/layer"
)

// wire is a value as the database sends it.
func wire(t testing.TB, f *layer.Field, value any) []byte {
	t.Helper()
	big := binary.BigEndian
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	case int:
		return big.AppendUint64(nil, uint64(v))
	case float64:
		return big.AppendUint64(nil, math.Float64bits(v))
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	case geo.Date:
		return big.AppendUint32(nil, uint32(v.Time().Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))/(24*time.Hour)))
	case time.Time:
		return big.AppendUint64(nil, uint64(v.UnixMicro()-time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()))
	case []string:
		b := big.AppendUint32(nil, 1)
		b = big.AppendUint32(big.AppendUint32(b, 0), 25)
		b = big.AppendUint32(big.AppendUint32(b, uint32(len(v))), 1)
		for _, item := range v {
			b = append(big.AppendUint32(b, uint32(len(item))), item...)
		}
		return b
	}
	t.Fatalf("%s: a %T has no wire form here", f.Name, value)
	return nil
}

// rowOf is a row with some values; what is required and not given is of its kind.
func rowOf(t testing.TB, l *layer.Layer, id int64, geometry []byte, given map[string]any) *layer.Row {
	t.Helper()
	row := &layer.Row{ID: id, Revision: 1, Geometry: geometry}
	for i := range l.Fields {
		f := &l.Fields[i]
		value, ok := given[f.Name]
		if !ok && f.Required {
			value = map[layer.Kind]any{
				layer.Text: "x", layer.Integer: 1, layer.Number: 1.5, layer.Boolean: false,
				layer.Date: geo.NewDate(2016, 1, 2), layer.Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC), layer.TextList: []string{"a"},
			}[f.Kind]
		}
		row.Values = append(row.Values, wire(t, f, value))
	}
	return row
}

// writtenAs makes a whole file of rows.
func writtenAs(t testing.TB, f Format, s Sheet, rows ...*layer.Row) []byte {
	t.Helper()
	w, err := f.New(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	out, err := writeAll(w, rows)
	if err != nil {
		t.Fatalf("%s: %v", f.Name(), err)
	}
	file := w.File()
	if (file != nil) != f.InFile || f.InFile && len(out) > 0 {
		t.Fatalf("%s: a file %t, %d bytes besides", f.Name(), file != nil, len(out))
	}
	if f.InFile {
		out, err = io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func writeAll(w Writer, rows []*layer.Row) ([]byte, error) {
	out, err := w.Begin(nil)
	for _, row := range rows {
		if err != nil {
			return nil, err
		}
		out, err = w.Append(out, row)
	}
	if err != nil {
		return nil, err
	}
	return w.End(out)
}

// linesZOf are lines with heights.
func linesZOf(t testing.TB, lines ...[]float64) []byte {
	t.Helper()
	m := geom.NewMultiLineString(geom.XYZ).SetSRID(layer.SRID)
	for _, flat := range lines {
		if err := m.Push(geom.NewLineStringFlat(geom.XYZ, flat)); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := goewkb.Marshal(m, goewkb.NDR)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sheets are a few rows of layers of each geometry, one row without any.
func sheets(t testing.TB) map[string][]*layer.Row {
	t.Helper()
	at := func(x, y float64) []byte { return marshal(t, orb.Point{x, y}, binary.LittleEndian) }
	sites, ducts, communes := layerOf(t, "bts_sites"), layerOf(t, "ducts"), layerOf(t, "communes")
	return map[string][]*layer.Row{
		"bts_sites": {
			rowOf(t, sites, 3, at(103.0165, 21.3826), map[string]any{"code": "A,1", "name": "Mường Ảng \"<&>\"\n", "technologies": []string{"2G", "3G"},
				"concealed": true, "height_m": 45.25, "contact": "=1+1", "source": "", "mast_type": "A2b", "valid_to": geo.NewDate(1999, 12, 31)}),
			rowOf(t, sites, 1<<48+5, at(103.1, 21.5), map[string]any{"technologies": []string{"2G, 3G", "'"}, "name": " \x01 "}),
		},
		"ducts":        {rowOf(t, ducts, 1, linesZOf(t, []float64{103, 21, -1.25, 103.1, 21.1, -2}, []float64{104, 22, 0, 104.5, 22, 1}), nil)},
		"fibre_routes": {rowOf(t, layerOf(t, "fibre_routes"), 1, linesZOf(t, []float64{103, 21, 0, 103.1, 21.1, -1.5, 103.2, 21, 0}), map[string]any{"status": "existing"})},
		"communes":     {rowOf(t, communes, 1, marshal(t, shapes()[7], binary.LittleEndian), nil), rowOf(t, communes, 2, nil, map[string]any{"urban": false})},
		"roads":        {},
	}
}

// The same rows make the same bytes, whenever they are written.
func TestWritersAreDeterministic(t *testing.T) {
	for name, rows := range sheets(t) {
		for _, f := range Of(layerOf(t, name)) {
			s := Sheet{Layer: layerOf(t, name), WithZ: true}
			if a, b := writtenAs(t, f, s, rows...), writtenAs(t, f, s, rows...); !bytes.Equal(a, b) {
				t.Errorf("%s as %s: two files of %d and %d bytes differ", name, f.Name(), len(a), len(b))
			}
		}
	}
}

func TestFormatsAreFound(t *testing.T) {
	for _, f := range All() {
		for _, name := range f.Names {
			if got, ok := Named(name); !ok || got.Name() != f.Name() {
				t.Errorf("f=%s is %v, %t", name, got.Names, ok)
			}
		}
		for _, extension := range f.Extensions {
			if got, ok := OfFile("/tmp/a.b" + strings.ToUpper(extension)); !ok || got.Name() != f.Name() {
				t.Errorf("%s is %v, %t", extension, got.Names, ok)
			}
		}
	}
	for _, name := range []string{"", "html", "GeoJSON", "dxf"} {
		if f, ok := Named(name); ok {
			t.Errorf("f=%s is %v", name, f.Names)
		}
	}
	if f, ok := OfFile("/tmp/geojson"); ok {
		t.Errorf("a file without extension is %v", f.Names)
	}
}

// Nothing is shorter than what is said to be the least.
func TestLeastBytes(t *testing.T) {
	for name, rows := range sheets(t) {
		l := layerOf(t, name)
		bare := &layer.Row{Values: make([][]byte, len(l.Fields))}
		for i, f := range l.Fields { // the shortest values there are
			bare.Values[i] = map[layer.Kind][]byte{layer.Text: {}, layer.TextList: make([]byte, 12), layer.Integer: make([]byte, 8), layer.Number: make([]byte, 8)}[f.Kind]
		}
		for _, f := range Of(l) {
			if f.InFile {
				continue
			}
			s := Sheet{Layer: l}
			least, err := f.LeastBytes(s)
			if err != nil || least < 0 {
				t.Fatalf("%s as %s: at least %d bytes, %v", name, f.Name(), least, err)
			}
			for _, row := range append(rows, bare) {
				if n := len(writtenAs(t, f, s, row, row)) - len(writtenAs(t, f, s, row)); n < least {
					t.Errorf("%s as %s: a row of %d bytes, at least %d is promised", name, f.Name(), n, least)
				}
			}
			if f.Name() == "geojson" && least < 100 {
				t.Errorf("%s: %d bytes at least, of which names alone are more", name, least)
			}
		}
	}
}

// A row that is not of the layer, or whose geometry is none, is an error of every format.
func TestRowsThatCannotBeWritten(t *testing.T) {
	for _, name := range []string{"bts_sites", "fibre_routes"} {
		l := layerOf(t, name)
		good := sheets(t)[name][0]
		good.ID = 3
		short, broken, long := *good, *good, *good
		short.Values = short.Values[1:]
		broken.Geometry = []byte{1, 2, 3}
		long.Values = slices.Clone(long.Values)
		long.Values[slices.IndexFunc(l.Fields, func(f layer.Field) bool { return f.Name == "height_m" || f.Name == "declared_length_m" })] = []byte{1}
		for what, row := range map[string]*layer.Row{"a value too few": &short, "no geometry": &broken, "a number of one byte": &long} {
			for _, f := range Of(l) {
				w, err := f.New(Sheet{Layer: l})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := writeAll(w, []*layer.Row{row}); err == nil || !strings.Contains(err.Error(), "row 3 of "+name) {
					t.Errorf("%s as %s: %v", what, f.Name(), err)
				}
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// temporary counts the files that writers have left in the folder for them.
func temporary(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Files made on disk have no name while they are written, and end at their limit.
func TestFilesOnDisk(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	l := layerOf(t, "bts_sites")
	row := sheets(t)["bts_sites"][0]
	for _, f := range All() {
		if !f.InFile {
			continue
		}
		whole := int64(len(writtenAs(t, f, Sheet{Layer: l}, row)))
		for limit, want := range map[int64]error{whole: nil, whole - 1: ErrTooLarge, 1: ErrTooLarge, whole / 2: ErrTooLarge} {
			w, err := f.New(Sheet{Layer: l, MaxBytes: limit})
			if err == nil {
				_, err = writeAll(w, []*layer.Row{row})
				if n := temporary(t, dir); n > 0 {
					t.Errorf("%s: %d files have names", f.Name(), n)
				}
				err = errors.Join(err, w.Close())
			}
			if !errors.Is(err, want) {
				t.Errorf("%s of %d bytes with room for %d: %v", f.Name(), whole, limit, err)
			}
		}
		t.Setenv("TMPDIR", filepath.Join(dir, "none"))
		if _, err := f.New(Sheet{Layer: l}); err == nil {
			t.Errorf("%s was begun where no file can be", f.Name())
		}
		t.Setenv("TMPDIR", dir)
	}
}

// A disk that gets full is told as one.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	left := int64(10)
	if _, err := (&limited{full, &left}).Write([]byte("x")); !errors.Is(err, layer.ErrNoSpace) {
		t.Errorf("a full disk is %v", err)
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("no small disk can be mounted here: %v", err)
		return
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	t.Setenv("TMPDIR", dir)
	l := layerOf(t, "bts_sites")
	for _, f := range All() {
		if !f.InFile {
			continue
		}
		w, err := f.New(Sheet{Layer: l})
		if err == nil {
			_, err = writeAll(w, many(t, 5000))
			err = errors.Join(err, w.Close())
		}
		if !errors.Is(err, layer.ErrNoSpace) {
			t.Errorf("%s on a full disk: %v", f.Name(), err)
		}
	}
}
