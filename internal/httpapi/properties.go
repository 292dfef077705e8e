package httpapi

import (
	"net/url"
	"slices"
	"strings"

	"hatang/internal/layer"
)

// readProperties reads which properties are asked for.
func (p *listing) readProperties(l *layer.Layer, faults *layer.Faults) {
	p.query.Fields, p.query.NoGeometry = parseProperties(p.values, l, faults)
}

// parseProperties reads properties and skipGeometry and returns the fields asked for, nil
// for all, and whether the geometry is not. The geometry is a property like any other,
// and has to be named beside them; the id is always there.
func parseProperties(values url.Values, l *layer.Layer, faults *layer.Faults) (fields []*layer.Field, noGeometry bool) {
	switch skip := values.Get("skipGeometry"); {
	case skip == "true":
		noGeometry = true
	case values.Has("skipGeometry") && skip != "false":
		faults.Add("skipGeometry", "skipGeometry phải là true hoặc false", "skipGeometry must be true or false")
	}
	if !values.Has("properties") {
		return nil, noGeometry
	}
	names := strings.Split(values.Get("properties"), ",")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		if names[i] != layer.GeometryName && names[i] != layer.IDName && !l.Has(names[i]) {
			faults.Add("properties", "không có thuộc tính %q; mục schema của lớp liệt kê các thuộc tính", "there is no property %q; the collection's schema lists them", clip(names[i]))
		}
	}
	fields = []*layer.Field{}
	for i := range l.Fields {
		if slices.Contains(names, l.Fields[i].Name) {
			fields = append(fields, &l.Fields[i])
		}
	}
	return fields, noGeometry || !slices.Contains(names, layer.GeometryName)
}

// narrow takes out of a row what is not asked for.
func narrow(row *layer.Row, l *layer.Layer, fields []*layer.Field, noGeometry bool) {
	if noGeometry {
		row.Geometry = nil
	}
	if fields == nil {
		return
	}
	values := make([][]byte, len(fields))
	for i, f := range fields {
		values[i] = row.Values[slices.IndexFunc(l.Fields, func(of layer.Field) bool { return of.Name == f.Name })]
	}
	row.Values = values
}
