package formats

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// Survey implements Source.
func (g *geoPackageTable) Survey(ctx context.Context, key string) (Survey, error) {
	s := Survey{Title: g.title, NotTaken: slices.Clone(g.notTaken), CRS: g.crs, GeometryColumn: g.geometry}
	tallies := make([]*tally, len(g.columns))
	for i, c := range g.columns {
		tallies[i] = &tally{name: c.name}
		if c.name == key || key == "" && layer.NormaliseName(c.name) == "code" {
			tallies[i].keys = newKeys()
		}
	}
	shapes, ids := shapeCounts{}, newKeys()
	err := g.rows(ctx, func(id any, geometry []byte, values []any) error {
		s.Features++
		if id, ok := id.(int64); ok {
			ids.add(strconv.FormatInt(id, 10))
		}
		for i, v := range values {
			tallies[i].add(ofSQLite(v))
		}
		if kind, heights, err := geoPackageShape(geometry, g.srid); err == nil && kind != "" {
			shapes[kind]++
			s.Heights = s.Heights || heights
		}
		return nil
	})
	if err != nil {
		return Survey{}, err
	}
	if s.Features == 0 {
		return Survey{}, ErrEmpty
	}
	s.Geometry, s.IDs = shapes.common(), ids.all(s.Features)
	for i, t := range tallies {
		c := t.column(s.Features)
		declared := g.columns[i].kind
		// SQLite keeps fractions in a column declared for whole numbers: they are not cut off.
		if declared != "" && (declared != layer.Integer || t.seen[isNumber] == 0) {
			c.Kind = declared
		}
		s.Columns = append(s.Columns, c)
	}
	return s, nil
}

// ofSQLite says what a value is, and how it is told from others.
func ofSQLite(v any) (int, string) {
	switch v := v.(type) {
	case nil:
		return isNull, ""
	case int64:
		return isInteger, strconv.FormatInt(v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return isInteger, strconv.FormatInt(int64(v), 10)
		}
		return isNumber, strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return isText, v
	}
	return isOther, ""
}

// Read implements Source.
func (g *geoPackageTable) Read(ctx context.Context, l *layer.Layer, resolve func(crs string) (System, error), each func(Record) error) error {
	from, err := resolve(g.crs)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, c := range g.columns {
		at[c.name] = i
	}
	source, notTaken := matchFields(l, at)
	notTaken = append(notTaken, g.notTaken...)
	row := 0
	err = g.rows(ctx, func(id any, geometry []byte, values []any) error {
		row++
		r := Record{Row: row, NotTaken: notTaken, Feature: layer.Feature{Properties: map[string]any{}}}
		if id, ok := id.(int64); ok {
			r.id = strconv.FormatInt(id, 10)
		}
		for i := range l.Fields {
			f := &l.Fields[i]
			if name, ok := source[f.Name]; ok && !f.ReadOnly {
				takeValue(&r, f, name, values[at[name]])
			}
		}
		readGeoPackageGeometry(&r, geometry, g.srid, l, from)
		takeCode(&r, l)
		return each(r)
	})
	if err == nil && row == 0 {
		return ErrEmpty
	}
	return err
}

// takeValue reads a value of SQLite, whose columns hold any type, as one of the field.
func takeValue(r *Record, f *layer.Field, name string, v any) {
	_, text := ofSQLite(v)
	if _, bytes := v.([]byte); bytes {
		r.Faults.Add("/properties/"+name, "là dữ liệu nhị phân, không phải giá trị", "is bytes, no value")
		return
	}
	if x, ok := v.(float64); ok && math.IsInf(x, 0) {
		r.Faults.Add("/properties/"+name, "%v không phải là số hữu hạn", "%v is no finite number", x)
		return
	}
	if v == nil || text == "" && f.Kind != layer.Text {
		r.Feature.Properties[f.Name] = nil
		return
	}
	if f.Kind == layer.Timestamp && !strings.ContainsAny(text, "Zz+") && len(text) >= len("2006-01-02 15:04:05") {
		text = text[:10] + "T" + text[11:] + "Z" // written without the Z that GeoPackage asks for
	}
	value, err := f.ParseText(text)
	if err != nil {
		r.Faults.AddError("/properties/"+name, err)
		return
	}
	r.Feature.Properties[f.Name] = value
}

// geoPackageShape is the type of a geometry, "" for none, and whether it has heights.
func geoPackageShape(blob []byte, srid int64) (kind string, heights bool, err error) {
	wkb, err := geoPackageWKB(blob, srid)
	if err != nil || wkb == nil {
		return "", false, err
	}
	w := wkbReader{in: wkb}
	of, err := w.header()
	if err != nil {
		return "", false, err
	}
	return wkbKinds[of], w.hasZ, nil
}

func readGeoPackageGeometry(r *Record, blob []byte, srid int64, l *layer.Layer, from System) {
	wkb, err := geoPackageWKB(blob, srid)
	if err != nil {
		r.Faults.AddError("/geometry", err)
		return
	}
	if wkb == nil {
		return
	}
	w := wkbReader{in: wkb, p: positionsFrom(r, l, from)}
	kind, tree, err := w.geometry()
	switch {
	case err != nil:
		r.Faults.AddError("/geometry", err)
	case kind == "": // an empty one is none
	case !takes(l, kind):
		r.Faults.Add("/geometry/type", "lớp %s chứa %s, không phải %q", "the layer %s holds %s, not %q", l.Name, l.Geometry, kind)
	default:
		shape(r, l, kind, tree)
	}
}

// geoPackageWKB takes the header off a geometry of a table in the reference system: the rest is
// well-known binary, nil for none. A geometry may say no system (0, -1), but not another.
func geoPackageWKB(blob []byte, srid int64) ([]byte, error) {
	if blob == nil {
		return nil, nil
	}
	const header = 8
	if len(blob) < header || blob[0] != 'G' || blob[1] != 'P' || blob[2] != 0 {
		return nil, errBrokenWKB
	}
	flags := blob[3]
	if flags&0x20 != 0 {
		return nil, errNotTaken
	}
	envelopes := [...]int{0, 32, 48, 48, 64}
	envelope := int(flags >> 1 & 7)
	if envelope >= len(envelopes) || len(blob) < header+envelopes[envelope] {
		return nil, errBrokenWKB
	}
	if flags&0x10 != 0 {
		return nil, nil
	}
	if own := geoPackageSRID(blob); own > 0 && own != srid {
		return nil, layer.Wrong("hình nêu hệ toạ độ %d của tệp, còn bảng nêu %d (srs_id)", "the geometry says that it is in the file's reference system %d, and the table says %d (srs_id)", own, srid)
	}
	return blob[header+envelopes[envelope]:], nil
}

// geoPackageSRID is the reference system that the header of a geometry names.
func geoPackageSRID(blob []byte) int64 {
	var order binary.ByteOrder = binary.BigEndian
	if blob[3]&1 != 0 {
		order = binary.LittleEndian
	}
	return int64(int32(order.Uint32(blob[4:])))
}
