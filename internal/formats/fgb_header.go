package formats

import (
	"github.com/gogama/flatgeobuf/flatgeobuf/flat"
	flatbuffers "github.com/google/flatbuffers/go"

	"hatang/internal/layer"
)

// flatTypes are FlatGeobuf's types of the kinds of field.
var flatTypes = map[layer.Kind]flat.ColumnType{
	layer.Text: flat.ColumnTypeString, layer.TextList: flat.ColumnTypeJson, layer.Integer: flat.ColumnTypeLong, layer.Number: flat.ColumnTypeDouble,
	layer.Boolean: flat.ColumnTypeBool, layer.Date: flat.ColumnTypeDateTime, layer.Timestamp: flat.ColumnTypeDateTime,
}

// header is the table that a file begins with.
func (f *flatGeobuf) header(indexed bool) *flat.Header {
	l, language := f.sheet.Layer, f.sheet.Language
	b := flatbuffers.NewBuilder(1 << 12)
	name, title, doc := b.CreateString(l.Name), b.CreateString(l.Title.In(language)), b.CreateString(l.Doc.In(language))
	columns := []flatbuffers.UOffsetT{column(b, f.sheet.free("id"), "Id", "", flat.ColumnTypeLong, false)}
	for _, field := range l.Properties() {
		columns = append(columns, column(b, field.Name, field.Title.In(language), field.Doc.In(language), flatTypes[field.Kind], !field.Required))
	}
	list := b.CreateVectorOfTables(columns)
	crs := f.crs(b)
	var envelope flatbuffers.UOffsetT
	if f.bounds.XMin <= f.bounds.XMax {
		flat.HeaderStartEnvelopeVector(b, 4)
		for _, x := range []float64{f.bounds.YMax, f.bounds.XMax, f.bounds.YMin, f.bounds.XMin} { // from the last to the first
			b.PrependFloat64(x)
		}
		envelope = b.EndVector(4)
	}
	flat.HeaderStart(b)
	flat.HeaderAddName(b, name)
	if envelope != 0 {
		flat.HeaderAddEnvelope(b, envelope)
	}
	flat.HeaderAddGeometryType(b, geometryTypes[l.Geometry])
	flat.HeaderAddHasZ(b, l.HasZ && f.sheet.WithZ)
	flat.HeaderAddColumns(b, list)
	flat.HeaderAddFeaturesCount(b, uint64(len(f.refs)))
	if indexed {
		flat.HeaderAddIndexNodeSize(b, nodeSize)
	} else {
		flat.HeaderAddIndexNodeSize(b, 0)
	}
	flat.HeaderAddCrs(b, crs)
	flat.HeaderAddTitle(b, title)
	flat.HeaderAddDescription(b, doc)
	flat.FinishSizePrefixedHeaderBuffer(b, flat.HeaderEnd(b))
	return flat.GetSizePrefixedRootAsHeader(b.FinishedBytes(), 0)
}

// geometryTypes are FlatGeobuf's types of the geometries that layers have. Where it is
// unknown each feature tells its own.
var geometryTypes = map[layer.GeometryType]flat.GeometryType{
	layer.Point: flat.GeometryTypePoint, layer.MultiPoint: flat.GeometryTypeMultiPoint, layer.MultiLineString: flat.GeometryTypeMultiLineString,
	layer.MultiPolygon: flat.GeometryTypeMultiPolygon, layer.AnyGeometry: flat.GeometryTypeUnknown,
}

func column(b *flatbuffers.Builder, name, title, doc string, kind flat.ColumnType, nullable bool) flatbuffers.UOffsetT {
	n, t, d := b.CreateString(name), b.CreateString(title), b.CreateString(doc)
	flat.ColumnStart(b)
	flat.ColumnAddName(b, n)
	flat.ColumnAddType(b, kind)
	flat.ColumnAddTitle(b, t)
	flat.ColumnAddDescription(b, d)
	flat.ColumnAddNullable(b, nullable)
	return flat.ColumnEnd(b)
}

func (f *flatGeobuf) crs(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	c := f.sheet.CRS
	name := c.Name()
	if c.SRID() == layer.SRID {
		name = "WGS 84"
	}
	org, n, wkt := b.CreateString("EPSG"), b.CreateString(name), b.CreateString(c.WKT())
	flat.CrsStart(b)
	flat.CrsAddOrg(b, org)
	flat.CrsAddCode(b, int32(c.SRID()))
	flat.CrsAddName(b, n)
	flat.CrsAddWkt(b, wkt)
	return flat.CrsEnd(b)
}
