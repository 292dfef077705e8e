package httpapi

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/filter"
	"hatang/internal/layer"
)

// The languages of filters. langDraft is for GDAL, which knows no other: what it cannot ask
// for in it, it takes from datetime, whatever the field that a date is compared with, and
// holds the answer against nothing.
const (
	langText  = "cql2-text"
	langJSON  = "cql2-json"
	langDraft = "cql-text"
)

// filterKinds are the kinds of the fields in filters.
var filterKinds = map[layer.Kind]filter.Kind{
	layer.Text: filter.KindText, layer.Integer: filter.KindInteger, layer.Number: filter.KindNumber, layer.Boolean: filter.KindBoolean,
	layer.Date: filter.KindDate, layer.Timestamp: filter.KindTimestamp, layer.TextList: filter.KindTextList,
}

// filterSchema is what the features of a layer can be filtered by: its queryables, of a
// reference layer also by the names that they had in the file.
func filterSchema(l *layer.Layer) filter.Schema {
	s := filter.Schema{layer.GeometryName: filter.KindGeometry}
	for _, f := range l.Queryables() {
		s[f.Name] = filterKinds[f.Kind]
	}
	if l.Reference == nil {
		return s
	}
	if l.IsGeometry(l.Reference.GeometryColumn) && s[l.Reference.GeometryColumn] == 0 {
		s[l.Reference.GeometryColumn] = filter.KindGeometry
	}
	for _, f := range l.Properties() {
		for _, name := range f.ImportNames() {
			if s[name] == 0 {
				s[name] = filterKinds[f.Kind]
			}
		}
	}
	return s
}

// parseFilter reads filter, in filter-lang, with its geometries in filter-crs, and adds
// every fault that it has. It returns nil where there is no filter, or a fault.
func parseFilter(values url.Values, l *layer.Layer, faults *layer.Faults) layer.Filter {
	crs := parseCRS(values, "filter-crs", faults)
	lang := langText
	if values.Has("filter-lang") {
		lang = values.Get("filter-lang")
	}
	if lang != langText && lang != langJSON && lang != langDraft {
		faults.Add("filter-lang", "filter-lang phải là %s, %s hoặc %s", "filter-lang must be %s, %s or %s", langText, langJSON, langDraft)
		return nil
	}
	if !values.Has("filter") {
		for _, name := range []string{"filter-lang", "filter-crs"} {
			if values.Has(name) {
				faults.Add(name, "%s chỉ đi cùng filter", "%s goes with filter only", name)
			}
		}
		return nil
	}
	f, err := readFilter(values.Get("filter"), lang, crs, l)
	var wrong *filter.Error
	switch {
	case err == nil:
		return f
	case errors.As(err, &wrong):
		for _, fault := range wrong.Faults {
			vi, en := placeOf(fault.At)
			faults.Add("filter", "%[1]s: %[2]s", "%[3]s: %[4]s", vi, fault.VI, en, fault.EN)
		}
	default:
		faults.AddError("filter", err)
	}
	return nil
}

// readFilter returns an *filter.Error for whatever is wrong.
func readFilter(raw, lang string, crs geo.CRS, l *layer.Layer) (*filter.Filter, error) {
	var tree filter.Expr
	var err error
	switch lang {
	case langJSON:
		tree, err = filter.ParseJSON([]byte(raw))
	case langDraft:
		tree, err = filter.ParseDraftText(raw)
	default:
		tree, err = filter.ParseText(raw)
	}
	if err != nil {
		return nil, err
	}
	if crs.Code() != 0 {
		tree, err = filter.Transform(tree, filter.System{
			LatFirst: crs.LatFirst(), Straight: crs.Code() == layer.SRID,
			Inverse: func(x, y float64) (float64, float64, error) {
				p, err := placeShownAt(orb.Point{x, y}, crs)
				return p[0], p[1], err
			},
		})
		if err != nil {
			return nil, err
		}
	}
	schema := filterSchema(l)
	if lang == langDraft {
		tree = filter.Typed(tree, schema)
	}
	return filter.Check(tree, schema)
}

// placeOf names a place in a filter.
func placeOf(p filter.Place) (vi, en string) {
	if p.JSON {
		return fmt.Sprintf("ở %q", p.Pointer), fmt.Sprintf("at %q", p.Pointer)
	}
	return fmt.Sprintf("ở byte %d", p.Offset), fmt.Sprintf("at byte %d", p.Offset)
}
