package formats

import (
	"context"
	"io"
	"slices"

	geom "github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// EachFeature hands on the text of each feature of a GeoJSON file, a FeatureCollection or a
// single Feature, until the next; before the first the name of the reference system that its
// crs member gives, "" for none. An error of either ends it and is returned. Errors of the file
// wrap ErrNotGeoJSON, ErrEmpty or ErrTooLong, this where a feature, or another member, is more
// than a little longer than most, bytes. Memory is bounded by the largest feature.
func EachFeature(in io.Reader, most int, crs func(name string) error, each func(raw []byte) error) error {
	_, err := readGeoJSON(in, most, crs, each)
	return err
}

// GeoPackage is a table of a GeoPackage as it stands there.
type GeoPackage struct{ table *geoPackageTable }

// GeoPackageColumn is a column of a GeoPackage's table that is neither its key nor its geometry.
type GeoPackageColumn struct {
	Name string
	Kind layer.Kind // that it is declared to hold, "" where that says nothing
}

// OpenGeoPackage opens a table of the file; name may be "" where it has but one. A row that
// takes more than so many bytes is an error of the file's. Those wrap ErrNotGeoPackage or
// ErrEmpty, or are *WhichTableError or *layer.ValueError.
func OpenGeoPackage(ctx context.Context, path, name string, most int) (*GeoPackage, error) {
	t, err := openGeoPackage(ctx, path, name, most)
	if err != nil {
		return nil, err
	}
	return &GeoPackage{t}, nil
}

// Close closes the file.
func (g *GeoPackage) Close() error { return g.table.Close() }

// CRS names the reference system, UndefinedCRS where the file says it is not known, "" for a
// table without geometries.
func (g *GeoPackage) CRS() string { return g.table.crs }

// Key is the column of the table's integer key, "" for none.
func (g *GeoPackage) Key() string { return g.table.id }

// Columns are the columns that can be read, and the names of those that cannot.
func (g *GeoPackage) Columns() (columns []GeoPackageColumn, notTaken []string) {
	for _, c := range g.table.columns {
		columns = append(columns, GeoPackageColumn{c.name, c.kind})
	}
	return columns, slices.Clone(g.table.notTaken)
}

// Rows hands on each row, until the next: its key, nil for none; its geometry, which
// Shape reads; and the values of Columns as SQLite has them (int64, float64, string,
// []byte, nil).
func (g *GeoPackage) Rows(ctx context.Context, each func(key any, geometry []byte, values []any) error) error {
	return g.table.rows(ctx, each)
}

// Shape reads a geometry of the table: nil for none and for an empty one, with heights where
// it has them, without measures. Curves and collections, more than MaxVertices positions, one
// that says another reference system than the table and what is broken give a *layer.ValueError.
func (g *GeoPackage) Shape(blob []byte) (geom.T, error) {
	wkb, err := geoPackageWKB(blob, g.table.srid)
	if err != nil || wkb == nil {
		return nil, err
	}
	w := wkbReader{in: wkb}
	kind, tree, err := w.geometry()
	if err != nil || kind == "" {
		return nil, err
	}
	layout := geom.XY
	if w.hasZ {
		layout = geom.XYZ
	}
	return tree.flat(kind, layout), nil
}

// flat is a tree of positions as a geometry of the type.
func (c coordinates) flat(kind string, layout geom.Layout) geom.T {
	var ordinates []float64
	var ends []int
	var groups [][]int
	var walk func(c coordinates, depth int)
	walk = func(c coordinates, depth int) {
		if depth == 0 {
			ordinates = append(ordinates, c.position[:layout.Stride()]...)
			return
		}
		from := len(ends)
		for _, part := range c.parts {
			walk(part, depth-1)
		}
		switch depth {
		case 1:
			ends = append(ends, len(ordinates))
		case 2:
			groups = append(groups, ends[from:])
		}
	}
	walk(c, depths[kind])
	switch kind {
	case "Point":
		return geom.NewPointFlat(layout, ordinates)
	case "MultiPoint":
		return geom.NewMultiPointFlat(layout, ordinates)
	case "LineString":
		return geom.NewLineStringFlat(layout, ordinates)
	case "MultiLineString":
		return geom.NewMultiLineStringFlat(layout, ordinates, ends)
	case "Polygon":
		return geom.NewPolygonFlat(layout, ordinates, ends)
	}
	return geom.NewMultiPolygonFlat(layout, ordinates, groups)
}
