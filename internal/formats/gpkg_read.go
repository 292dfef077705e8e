package formats

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hatang/internal/layer"
)

// ErrNotGeoPackage is returned for a file that is no GeoPackage, or a broken one.
var ErrNotGeoPackage = errors.New("the file is not a GeoPackage")

// WhichTableError is returned for a GeoPackage of which it must be said which of its tables
// is meant.
type WhichTableError struct{ Tables []string }

// Error lists the tables.
func (e *WhichTableError) Error() string {
	return "which table of the GeoPackage is meant must be said: it has " + strings.Join(e.Tables, ", ")
}

// geoPackageTable is a table of a GeoPackage being read. The file is somebody else's: it is
// only read, its views may call nothing that SQLite does not hold for harmless, and no
// value of it may be longer than the longest feature.
type geoPackageTable struct {
	db       *sql.DB
	conn     *sql.Conn
	table    string
	title    string
	id       string // its integer primary key, or what a view has first instead; "" for none
	geometry string // its geometry column; "" for none
	crs      string
	srid     int64 // the file's own number of it
	columns  []geoPackageColumn
	notTaken []string
}

type geoPackageColumn struct {
	name string
	kind layer.Kind // "" where the declaration does not say
}

// maxValueBytes bounds a row of a GeoPackage.
const maxValueBytes = 20<<20 + 1<<10

// openGeoPackage opens a table of a GeoPackage; name may be "" where it has but one. A row of
// it may take so many bytes at most.
func openGeoPackage(ctx context.Context, path, name string, most int) (_ *geoPackageTable, err error) {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return nil, layer.Wrong("%s đang mở trong một chương trình khác, chưa được ghi hết: hãy đóng nó ở đó trước", "%s is open in another program, which has not written all of it yet: close it there first", filepath.Base(path))
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	connector, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: absolute, RawQuery: "mode=ro&immutable=1&_pragma=query_only(1)&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=mmap_size(0)"}).String())
	if err != nil {
		return nil, err
	}
	g := &geoPackageTable{db: sql.OpenDB(connector)}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	if g.conn, err = g.db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	if _, err := sqlite.Limit(g.conn, sqlite3.SQLITE_LIMIT_LENGTH, most); err != nil {
		return nil, err
	}
	features, err := g.choose(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := g.describe(ctx, features); err != nil {
		return nil, err
	}
	return g, g.boundView(ctx, most)
}

// boundView bounds the values of a view by their number: a row of a table is bounded as a
// whole, but a view makes as many values as it has columns out of nothing.
func (g *geoPackageTable) boundView(ctx context.Context, most int) error {
	var kind string
	err := g.conn.QueryRowContext(ctx, `SELECT type FROM sqlite_schema WHERE lower(name) = lower(?) AND type IN ('table', 'view')`, g.table).Scan(&kind)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	if kind != "view" {
		return nil
	}
	const least = 16 << 10 // bytes of a value that any view may have
	columns := len(g.columns) + 2
	_, err = sqlite.Limit(g.conn, sqlite3.SQLITE_LIMIT_LENGTH, max(least, min(most, 4*most/columns)))
	return err
}

// Close closes the file.
func (g *geoPackageTable) Close() error {
	var err error
	if g.conn != nil {
		err = g.conn.Close()
	}
	return errors.Join(err, g.db.Close())
}

// choose finds the table in the GeoPackage's contents, and whether it is said to have geometries.
func (g *geoPackageTable) choose(ctx context.Context, name string) (features bool, err error) {
	rows, err := g.conn.QueryContext(ctx, `SELECT table_name, coalesce(identifier, table_name), data_type = 'features' FROM gpkg_contents WHERE data_type IN ('features', 'attributes') ORDER BY table_name`)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var table, title string
		var of bool
		if err := rows.Scan(&table, &title, &of); err != nil {
			return false, fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
		}
		if name == "" || strings.EqualFold(table, name) {
			g.table, g.title, features = table, title, of
		}
		names = append(names, table)
	}
	if err := rows.Err(); err != nil {
		return false, fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	switch {
	case len(names) == 0:
		return false, ErrEmpty
	case name == "" && len(names) > 1, g.table == "":
		return false, &WhichTableError{names}
	}
	return features, nil
}

// describe reads what the GeoPackage says of the table.
func (g *geoPackageTable) describe(ctx context.Context, features bool) error {
	var srid sql.NullInt64
	err := g.conn.QueryRowContext(ctx, `SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)`, g.table).Scan(&g.geometry, &srid)
	none := errors.Is(err, sql.ErrNoRows) || err != nil && strings.Contains(err.Error(), "no such table")
	switch {
	case none && features:
		return fmt.Errorf("%w: it says that the table %s has geometries, but not in which column (gpkg_geometry_columns)", ErrNotGeoPackage, g.table)
	case none: // a table of attributes
		return g.readColumns(ctx)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	g.srid = srid.Int64
	if err := g.readCRS(ctx, g.srid); err != nil {
		return err
	}
	return g.readColumns(ctx)
}

// readCRS reads the reference system of the number; one that the file does not describe is
// undefined.
func (g *geoPackageTable) readCRS(ctx context.Context, srid int64) error {
	var organisation sql.NullString
	var code sql.NullInt64
	err := g.conn.QueryRowContext(ctx, `SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?`, srid).Scan(&organisation, &code)
	if err != nil && !errors.Is(err, sql.ErrNoRows) && !strings.Contains(err.Error(), "no such table") {
		return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	if g.crs = UndefinedCRS; code.Int64 > 0 && organisation.String != "" {
		g.crs = strings.ToUpper(organisation.String) + ":" + strconv.FormatInt(code.Int64, 10)
	}
	return nil
}

// UndefinedCRS is the name of a reference system that the file says it does not know.
const UndefinedCRS = "undefined"

func (g *geoPackageTable) readColumns(ctx context.Context) error {
	rows, err := g.conn.QueryContext(ctx, `SELECT name, type, pk FROM pragma_table_info(?)`, g.table)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	defer rows.Close()
	keys, placed := 0, g.geometry == ""
	for rows.Next() {
		var name, declared string
		var pk int
		if err := rows.Scan(&name, &declared, &pk); err != nil {
			return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
		}
		kind, taken := declaredKind(declared)
		switch {
		case strings.EqualFold(name, g.geometry):
			g.geometry, placed = name, true
		case pk > 0 && kind == layer.Integer && keys == 0:
			g.id = name
			keys++
		case !taken, !columnName(name), len(g.columns) >= mostColumns:
			g.notTaken = append(g.notTaken, name)
		default:
			g.columns = append(g.columns, geoPackageColumn{name, kind})
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
	}
	if g.id == "" && len(g.columns) > 0 && g.columns[0].kind == layer.Integer && strings.EqualFold(g.columns[0].name, "fid") {
		g.id, g.columns = g.columns[0].name, g.columns[1:]
	}
	switch nothing := len(g.columns)+len(g.notTaken) == 0 && g.id == ""; {
	case nothing && (g.geometry == "" || !placed):
		return fmt.Errorf("%w: it has no table %s", ErrNotGeoPackage, g.table)
	case !placed:
		return fmt.Errorf("%w: the table %s has no column %s, in which its geometries are said to be", ErrNotGeoPackage, g.table, g.geometry)
	}
	return nil
}

// declaredKind is the kind of the values of a column of a type that GeoPackages have; false
// for bytes, which no field holds.
func declaredKind(declared string) (layer.Kind, bool) {
	name, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(declared)), "(")
	switch name {
	case "BOOLEAN":
		return layer.Boolean, true
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER":
		return layer.Integer, true
	case "FLOAT", "DOUBLE", "REAL":
		return layer.Number, true
	case "DATE":
		return layer.Date, true
	case "DATETIME":
		return layer.Timestamp, true
	case "TEXT":
		return layer.Text, true
	case "BLOB":
		return "", false
	}
	return "", true
}

// rows runs over the table and hands each row on: its id, its geometry and its values. A
// column that is selected as an expression comes without its type, and so as it is.
func (g *geoPackageTable) rows(ctx context.Context, each func(id any, geometry []byte, values []any) error) error {
	selected := []string{"NULL", "NULL"}
	for i, name := range []string{g.id, g.geometry} {
		if name != "" {
			selected[i] = "+" + quoted(name)
		}
	}
	for _, c := range g.columns {
		selected = append(selected, "+"+quoted(c.name))
	}
	rows, err := g.conn.QueryContext(ctx, "SELECT "+strings.Join(selected, ", ")+" FROM "+quoted(g.table))
	if err != nil {
		return brokenRows(ctx, err)
	}
	defer rows.Close()
	values := make([]any, len(selected))
	targets := make([]any, len(selected))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
		}
		geometry, _ := values[1].([]byte)
		if geometry == nil && values[1] != nil {
			geometry = []byte{} // no geometry at all: it is refused as a broken one
		}
		if err := each(values[0], geometry, values[2:]); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return brokenRows(ctx, err)
	}
	return nil
}

// brokenRows says why no more rows come.
func brokenRows(ctx context.Context, err error) error {
	var said *sqlite.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &said) && said.Code() == sqlite3.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", ErrTooLong, err)
	}
	return fmt.Errorf("%w: %w", ErrNotGeoPackage, err)
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
