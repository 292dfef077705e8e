package tables

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hatang/internal/formats"
	"hatang/internal/layer"
)

// geoPackage is a table of a GeoPackage.
type geoPackage struct {
	table   *formats.GeoPackage
	key     int // 1 where the table's key is the first column
	kinds   []layer.Kind
	columns []string
	codec   codec
	guesses []Guess
	remove  string // a copy that is removed in the end; "" for none
}

const sqliteMagic = "SQLite format 3\x00"

// openGeoPackage opens the table that is meant; of one in an archive a copy is made on disk.
func openGeoPackage(ctx context.Context, f file, o Options) (_ Table, err error) {
	g := &geoPackage{}
	path := f.path
	if path == "" {
		if path, err = unpacked(ctx, f); err != nil {
			return nil, err
		}
		g.remove = path
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	if g.table, err = formats.OpenGeoPackage(ctx, path, o.Table, MaxRowBytes); err != nil {
		return nil, inWords(err)
	}
	columns, notTaken := g.table.Columns()
	var names []string
	if key := g.table.Key(); key != "" {
		g.key, names = 1, append(names, key)
	}
	for _, c := range columns {
		names, g.kinds = append(names, c.Name), append(g.kinds, c.Kind)
	}
	inUse, err := wasInUse(path)
	if err != nil {
		return nil, err
	}
	if inUse {
		g.guesses = append(g.guesses, Guess{"journal", "wal", "it was copied while a program had it open, or not closed well: changes in a file -wal that lay beside it are not read"})
	}
	if len(notTaken) > 0 {
		g.guesses = append(g.guesses, Guess{"columns", "", "not read, being bytes or too many: " + cut(strings.Join(notTaken, ", "), 400)})
	}
	return g, g.texts(ctx, names, o.Encoding)
}

// wasInUse reports whether a file of SQLite is kept with a log beside it, which a program that closes the
// file puts an end to.
func wasInUse(path string) (_ bool, err error) {
	const version, withLog = 18, 2
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	at := make([]byte, 1)
	_, err = f.ReadAt(at, version)
	return at[0] == withLog, err
}

// unpacked copies a file of an archive to disk.
func unpacked(ctx context.Context, f file) (path string, err error) {
	in, err := f.read(ctx)
	if err != nil {
		return "", err
	}
	defer closing(in, &err)
	out, err := os.CreateTemp("", "hatang-*.gpkg")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	return out.Name(), nil
}

// texts settles whether texts are what they say, by the first thousand rows.
func (g *geoPackage) texts(ctx context.Context, names []string, asked string) error {
	var texts specimen
	const most = 1000
	n := 0
	err := g.table.Rows(ctx, func(_ any, _ []byte, values []any) error {
		for _, v := range values {
			if text, ok := v.(string); ok {
				texts.add([]byte(text))
			}
		}
		if n++; n >= most {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return inWords(err)
	}
	c, guesses, err := texts.fonts(asked)
	if err != nil {
		return err
	}
	g.codec, g.guesses = c, append(g.guesses, guesses...)
	for i := range names {
		names[i], _ = c.text(names[i])
	}
	g.columns = uniqueNames(names)
	return nil
}

// Columns implements Table.
func (g *geoPackage) Columns() []string { return g.columns }

// CRS implements Table.
func (g *geoPackage) CRS() string {
	if crs := g.table.CRS(); crs != formats.UndefinedCRS {
		return crs
	}
	return ""
}

// Guesses implements Table.
func (g *geoPackage) Guesses() []Guess { return g.guesses }

// Close implements Table.
func (g *geoPackage) Close() error {
	var err error
	if g.table != nil {
		err = g.table.Close()
	}
	if g.remove != "" {
		err = errors.Join(err, os.Remove(g.remove))
	}
	return err
}

// Read implements Table.
func (g *geoPackage) Read(ctx context.Context, each func(*Row) error) error {
	row := &Row{Cells: make([]any, len(g.columns))}
	return inWords(g.table.Rows(ctx, func(key any, geometry []byte, values []any) error {
		row.Number++
		row.Faults = nil
		if g.key > 0 {
			row.Cells[0] = key
			if _, ok := key.(int64); !ok {
				row.Cells[0] = nil
			}
		}
		for i, v := range values {
			row.Cells[g.key+i] = g.value(row, g.columns[g.key+i], g.kinds[i], v)
		}
		shape, err := g.table.Shape(geometry)
		if row.Geometry = nil; err == nil && shape != nil {
			row.Geometry, err = sound(shape)
		}
		if err != nil {
			row.Faults.AddError("/geometry", err)
		}
		return each(row)
	}))
}

// value is a value of SQLite, whose columns hold any type, as what its column is declared to
// hold where it is that.
func (g *geoPackage) value(row *Row, column string, kind layer.Kind, v any) any {
	switch v := v.(type) {
	case int64:
		if kind == layer.Boolean && (v == 0 || v == 1) {
			return v == 1
		}
		return v
	case float64:
		return finite(row, column, v)
	case string:
		text, ok := g.codec.text(v)
		if !ok {
			badText(row, column, g.codec, v)
		}
		if kind == layer.Date || kind == layer.Timestamp {
			if t, ok := moment(text); ok {
				return t
			}
		}
		if text == "" {
			return nil
		}
		return text
	case nil:
		return nil
	case []byte:
		row.Faults.Add("/properties/"+column, "là dữ liệu nhị phân, không phải giá trị", "is bytes, no value")
		return nil
	}
	text, _ := g.codec.text(fmt.Sprint(v))
	return text
}
