package httpapi

import (
	"net/http"
	"strconv"

	"hatang/internal/layer"
)

// schema is the JSON Schema of what a layer's features hold (OGC API – Features Part 5).
func (a *api) schema(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeSchema, a.layerSchema(r, "/schema", true))
}

// queryables is the JSON Schema of what items can be selected by.
func (a *api) queryables(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeSchema, a.layerSchema(r, "/queryables", false))
}

func (a *api) layerSchema(r *request, path string, whole bool) map[string]any {
	l, language := r.layer, r.language()
	properties := map[string]any{
		layer.GeometryName: map[string]any{"format": geometryFormat(l.Geometry), "x-ogc-role": "primary-geometry"},
	}
	var required []string
	if whole {
		properties["id"] = map[string]any{"type": "integer", "x-ogc-role": "id", "readOnly": true}
		required = append(required, "geometry")
	}
	for i, f := range l.Properties() {
		s := fieldSchema(f, language)
		s["x-ogc-propertySeq"] = i + 1
		properties[f.Name] = s
		if whole && f.Required && !f.ReadOnly {
			required = append(required, f.Name)
		}
	}
	s := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"$id":     a.href(r, "/collections/"+l.Name+path, nil),
		"type":    "object", "title": l.Title.In(language), "description": l.Doc.In(language),
		"properties": properties, "additionalProperties": false,
	}
	if required != nil {
		s["required"] = required
	}
	return s
}

func geometryFormat(t layer.GeometryType) string {
	switch t {
	case layer.Point:
		return "geometry-point"
	case layer.MultiLineString:
		return "geometry-multilinestring"
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
