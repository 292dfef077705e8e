package formats

import (
	"fmt"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
)

// packageTables are the tables of every GeoPackage and of the extensions used here, by
// the letter of OGC 12-128r18.
func packageTables() []string {
	return []string{
		`CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
			organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT)`,
		`CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
			last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
			CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id))`,
		`CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
			z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
			CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
			CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id))`,
		`CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
			CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))`,
		`CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
			constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name))`,
		`CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
			min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
			CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value))`,
	}
}

// identifier quotes a name for SQLite.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// columnTypes are GeoPackage's types of the kinds of field.
var columnTypes = map[layer.Kind]string{
	layer.Text: "TEXT", layer.TextList: "TEXT", layer.Integer: "INTEGER", layer.Number: "DOUBLE",
	layer.Boolean: "BOOLEAN", layer.Date: "DATE", layer.Timestamp: "DATETIME",
}

// table is the statement that makes the feature table.
func (g *geoPackage) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (%s INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, %s %s", identifier(g.sheet.Layer.Name),
		identifier(g.id), identifier(g.geom), g.geometryType())
	for _, f := range g.sheet.Layer.Properties() {
		fmt.Fprintf(&b, ", %s %s", identifier(f.Name), columnTypes[f.Kind])
	}
	b.WriteString(")")
	return b.String()
}

func (g *geoPackage) geometryType() string { return strings.ToUpper(string(g.sheet.Layer.Geometry)) }

// describe fills the tables about tables, but for what is known at the end.
func (g *geoPackage) describe() error {
	l, language := g.sheet.Layer, g.sheet.Language
	type row struct {
		statement string
		args      []any
	}
	rows := []row{
		{`INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'),
			('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system')`, nil},
		{"INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, ?, NULL)", []any{geo.CRS{}.WKT()}},
	}
	srid := g.sheet.CRS.SRID()
	if srid != layer.SRID {
		rows = append(rows, row{"INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, NULL)", []any{g.sheet.CRS.Name(), srid, srid, g.sheet.CRS.WKT()}})
	}
	z := 0
	if l.HasZ && g.sheet.WithZ {
		z = 1
	}
	const spec, schema = "http://www.geopackage.org/spec120/#extension_rtree", "http://www.geopackage.org/spec121/#extension_schema"
	rows = append(rows,
		row{"INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) VALUES (?, 'features', ?, ?, '1970-01-01T00:00:00.000Z', ?)",
			[]any{l.Name, l.Title.In(language), l.Doc.In(language), srid}},
		row{"INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, 0)", []any{l.Name, g.geom, g.geometryType(), srid, z}},
		row{"INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', ?, 'write-only')", []any{l.Name, g.geom, spec}},
		row{"INSERT INTO gpkg_extensions VALUES ('gpkg_data_columns', NULL, 'gpkg_schema', ?, 'read-write')", []any{schema}},
		row{"INSERT INTO gpkg_extensions VALUES ('gpkg_data_column_constraints', NULL, 'gpkg_schema', ?, 'read-write')", []any{schema}},
	)
	for _, f := range l.Properties() {
		var mime, constraint any
		if f.Kind == layer.TextList {
			mime = "application/json"
		}
		if len(f.Values) > 0 {
			constraint = l.Name + "_" + f.Name
		}
		rows = append(rows, row{"INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, ?, ?)",
			[]any{l.Name, f.Name, f.Name, f.Title.In(language), f.Doc.In(language), mime, constraint}})
		for _, v := range f.Values {
			rows = append(rows, row{"INSERT INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)", []any{constraint, v.Code, v.Title.In(language)}})
		}
	}
	for _, r := range rows {
		if err := g.exec(r.statement, r.args...); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is known once all rows are: when and where they are; and the
// triggers that keep the index of whoever edits the file. They stand last because they
// call functions that the editor's SQLite has and ours has not.
func (g *geoPackage) finish() error {
	args := []any{nil, nil, nil, nil}
	if g.placed {
		args = []any{g.bounds.minX, g.bounds.minY, g.bounds.maxX, g.bounds.maxY}
	}
	args = append(args, g.changed.UTC().Format(instant))
	if err := g.exec("UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?, last_change = ?", args...); err != nil {
		return err
	}
	for _, trigger := range g.triggers() {
		if err := g.exec(trigger); err != nil {
			return err
		}
	}
	return nil
}

// triggers are those of the R-tree extension, by the letter of the standard's annex.
func (g *geoPackage) triggers() []string {
	r := strings.NewReplacer("<t>", identifier(g.sheet.Layer.Name), "<c>", identifier(g.geom), "<i>", identifier(g.id), "<r>", identifier(g.indexName()),
		"<box>", "(NEW.<i>, ST_MinX(NEW.<c>), ST_MaxX(NEW.<c>), ST_MinY(NEW.<c>), ST_MaxY(NEW.<c>))")
	var all []string
	for _, trigger := range [][2]string{
		{"insert", "AFTER INSERT ON <t> WHEN (NEW.<c> NOT NULL AND NOT ST_IsEmpty(NEW.<c>)) BEGIN INSERT OR REPLACE INTO <r> VALUES <box>; END"},
		{"update1", "AFTER UPDATE OF <c> ON <t> WHEN OLD.<i> = NEW.<i> AND (NEW.<c> NOTNULL AND NOT ST_IsEmpty(NEW.<c>)) BEGIN INSERT OR REPLACE INTO <r> VALUES <box>; END"},
		{"update2", "AFTER UPDATE OF <c> ON <t> WHEN OLD.<i> = NEW.<i> AND (NEW.<c> ISNULL OR ST_IsEmpty(NEW.<c>)) BEGIN DELETE FROM <r> WHERE id = OLD.<i>; END"},
		{"update3", "AFTER UPDATE ON <t> WHEN OLD.<i> != NEW.<i> AND (NEW.<c> NOTNULL AND NOT ST_IsEmpty(NEW.<c>)) BEGIN DELETE FROM <r> WHERE id = OLD.<i>; INSERT OR REPLACE INTO <r> VALUES <box>; END"},
		{"update4", "AFTER UPDATE ON <t> WHEN OLD.<i> != NEW.<i> AND (NEW.<c> ISNULL OR ST_IsEmpty(NEW.<c>)) BEGIN DELETE FROM <r> WHERE id IN (OLD.<i>, NEW.<i>); END"},
		{"delete", "AFTER DELETE ON <t> WHEN OLD.<c> NOT NULL BEGIN DELETE FROM <r> WHERE id = OLD.<i>; END"},
	} {
		body := r.Replace(r.Replace(trigger[1])) // twice: <box> has names in it
		all = append(all, "CREATE TRIGGER "+identifier(g.indexName()+"_"+trigger[0])+" "+body)
	}
	return all
}
