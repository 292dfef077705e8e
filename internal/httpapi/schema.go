package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"

	"hatang/internal/layer"
)

// schema is the JSON Schema of what a layer's features hold (OGC API – Features Part 5).
func (a *api) schema(w http.ResponseWriter, r *request) error {
	doc := a.schemaOf(r, "/schema", r.layer.Queryables(), true)
	var required []string
	if !r.layer.MayLackGeometry() {
		required = append(required, layer.GeometryName)
	}
	for _, f := range r.layer.Properties() {
		if f.Required && !f.ReadOnly && f.Kind != layer.Boolean { // which is false where it is not given
			required = append(required, f.Name)
		}
	}
	doc["required"] = required
	return a.answer(w, r, typeSchema, doc)
}

// featureSchema is the JSON Schema of a layer's features as GeoJSON has them. GDAL reads the types
// of its fields there, in this order, and without it takes them for what the first page holds:
// 12.0 and 15.0 for integers, a column of nulls for text. It knows every integer for one of 32
// bits, so that those of a published file, which may be longer, are left to what is in the page.
func (a *api) featureSchema(w http.ResponseWriter, r *request) error {
	l, language := r.layer, r.language()
	properties := []byte("{")
	for _, f := range l.Properties() {
		if l.Reference != nil && f.Kind == layer.Integer {
			continue
		}
		one, err := json.Marshal(map[string]any{f.Name: fieldSchema(f, language)})
		if err != nil {
			return err
		}
		if len(properties) > 1 {
			properties = append(properties, ',')
		}
		properties = append(properties, one[1:len(one)-1]...)
	}
	return a.answer(w, r, typeSchema, map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     a.href(r, "/collections/"+l.Name+"/schema/feature", nil),
		"type":    "object", "title": l.Title.In(language), "description": l.Doc.In(language),
		"required": []string{"type", "id", "geometry", "properties"},
		"properties": map[string]any{
			"type":       map[string]any{"type": "string", "enum": []string{"Feature"}},
			layer.IDName: map[string]any{"type": "integer"},
			"geometry":   map[string]any{"oneOf": []any{map[string]any{"type": "null"}, map[string]any{"$ref": "https://geojson.org/schema/Geometry.json"}}},
			"properties": map[string]any{"type": "object", "properties": json.RawMessage(append(properties, '}'))},
		},
	})
}

// queryables is the JSON Schema of what items can be selected by.
func (a *api) queryables(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeSchema, a.schemaOf(r, "/queryables", r.layer.Queryables(), true))
}

// sortables is the JSON Schema of what items can be sorted by.
func (a *api) sortables(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeSchema, a.schemaOf(r, "/sortables", r.layer.Sortables(), false))
}

// schemaOf is a JSON Schema of fields, with or without the geometry.
func (a *api) schemaOf(r *request, path string, fields []layer.Field, geometry bool) map[string]any {
	l, language := r.layer, r.language()
	properties := map[string]any{}
	if geometry {
		properties[layer.GeometryName] = map[string]any{"format": geometryFormat(l.Geometry), "x-ogc-role": "primary-geometry", "x-ogc-propertySeq": len(fields) + 1}
	}
	for i, f := range fields {
		s := fieldSchema(f, language)
		s["x-ogc-propertySeq"] = i + 1
		if role := roles[f.Name]; role != "" {
			s["x-ogc-role"] = role
		}
		properties[f.Name] = s
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     a.href(r, "/collections/"+l.Name+path, nil),
		"type":    "object", "title": l.Title.In(language), "description": l.Doc.In(language),
		"properties": properties, "additionalProperties": false,
	}
}

// roles are those that properties of every layer have in its features.
var roles = map[string]string{layer.IDName: "id", "valid_from": "primary-interval-start", "valid_to": "primary-interval-end"}

func geometryFormat(t layer.GeometryType) string {
	switch t {
	case layer.Point:
		return "geometry-point"
	case layer.MultiLineString:
		return "geometry-multilinestring"
	case layer.MultiPoint:
		return "geometry-multipoint"
	case layer.AnyGeometry:
		return "geometry-any"
	default:
		return "geometry-multipolygon"
	}
}

// fieldSchema is the JSON Schema of one field's values.
func fieldSchema(f layer.Field, language string) map[string]any {
	s := valueType(f.Kind)
	s["title"], s["description"] = f.Title.In(language), f.Doc.In(language)
	if f.Unit != "" {
		s["x-ogc-unit"], s["x-ogc-unitLang"] = f.Unit, "UCUM"
	}
	if f.Min != nil {
		s["minimum"] = *f.Min
	}
	if f.Max != nil {
		s["maximum"] = *f.Max
	}
	if f.ReadOnly {
		s["readOnly"] = true
	}
	var codes []any
	names := map[string]string{}
	for _, v := range f.Values {
		names[v.Code] = v.Title.In(language)
		codes = append(codes, enumValue(f.Kind, v.Code))
	}
	if codes != nil {
		s["enum"], s["x-ogc-codelist"] = codes, names
	}
	return s
}

// enumValue is an allowed value in the type its field has.
func enumValue(kind layer.Kind, code string) any {
	if kind == layer.Integer {
		if n, err := strconv.ParseInt(code, 10, 64); err == nil {
			return n
		}
	}
	return code
}

// valueType is type and format of a kind's JSON values.
func valueType(kind layer.Kind) map[string]any {
	switch kind {
	case layer.Integer, layer.Number, layer.Boolean:
		return map[string]any{"type": string(kind)}
	case layer.Date:
		return map[string]any{"type": "string", "format": "date"}
	case layer.Timestamp:
		return map[string]any{"type": "string", "format": "date-time"}
	case layer.TextList:
		return map[string]any{"type": "array", "items": map[string]any{"type": "string"}}
	default:
		return map[string]any{"type": "string"}
	}
}
