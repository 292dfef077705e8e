package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/peterstace/simplefeatures/geom"
	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
)

// row is one feature of a pack's file.
type row struct {
	Properties map[string]any `json:"properties"`
	Geometry   struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

func (r row) text(name string) string    { s, _ := r.Properties[name].(string); return s }
func (r row) number(name string) float64 { x, _ := r.Properties[name].(float64); return x }

// positions returns every position of the geometry, however nested.
func (r row) positions(t *testing.T) [][]float64 {
	t.Helper()
	var nested any
	if err := json.Unmarshal(r.Geometry.Coordinates, &nested); err != nil {
		t.Fatal(err)
	}
	var out [][]float64
	var walk func(v []any)
	walk = func(v []any) {
		if _, isNumber := v[0].(float64); isNumber {
			p := make([]float64, len(v))
			for i := range v {
				p[i] = v[i].(float64)
			}
			out = append(out, p)
			return
		}
		for _, inner := range v {
			walk(inner.([]any))
		}
	}
	walk(nested.([]any))
	return out
}

// rows reads every feature of a pack by layer.
func rows(t *testing.T, p *Pack) map[string][]row {
	t.Helper()
	all := map[string][]row{}
	for _, file := range p.Features() {
		f, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(f)
		if closeErr := f.Close(); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
		if !norm.NFC.IsNormal(body) {
			t.Errorf("%s is not NFC", file.Layer)
		}
		var collection struct{ Features []row }
		if err := json.Unmarshal(body, &collection); err != nil {
			t.Fatal(file.Layer, err)
		}
		all[file.Layer] = collection.Features
	}
	return all
}

func TestEveryFeatureFitsItsLayer(t *testing.T) {
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Pack{demoPack(t), inventedPack(t)} {
		for name, features := range rows(t, p) {
			l, _ := registry.Get(name)
			seen := map[string]bool{}
			for _, r := range features {
				if seen[r.text("code")] {
					t.Errorf("%s: code %s twice", name, r.text("code"))
				}
				seen[r.text("code")] = true
				for _, fault := range rowFaults(t, p, l, r) {
					t.Errorf("%s %s %s: %s", p.ID, name, r.text("code"), fault)
				}
			}
		}
	}
}

// rowFaults returns what is wrong with a feature by the registry and its pack.
func rowFaults(t *testing.T, p *Pack, l *layer.Layer, r row) []string {
	t.Helper()
	var faults []string
	for name, value := range r.Properties {
		f, ok := l.Field(name)
		switch {
		case !ok:
			faults = append(faults, "unknown field "+name)
		case f.ReadOnly:
			faults = append(faults, name+" is the server's")
		default:
			if fault := valueFault(f, value); fault != "" {
				faults = append(faults, name+": "+fault)
			}
		}
	}
	for _, f := range l.Fields {
		if _, given := r.Properties[f.Name]; f.Required && !f.ReadOnly && !given {
			faults = append(faults, f.Name+" is missing")
		}
	}
	if r.text("jurisdiction") != p.Jurisdiction || r.text("source") == "" {
		faults = append(faults, "wrong jurisdiction or no source")
	}
	phases := keys(p.Phases, func(x Phase) string { return x.ID })
	if ph := r.text("phase"); ph != "" && !slices.Contains(phases, ph) {
		faults = append(faults, "unknown phase "+ph)
	}
	if planned := r.text("status") == "planned"; l.Has("status") && planned != (r.text("phase") != "") {
		faults = append(faults, "planned rows and no others have a phase")
	}
	return append(faults, geometryFaults(t, l, r)...)
}

func geometryFaults(t *testing.T, l *layer.Layer, r row) []string {
	t.Helper()
	var faults []string
	if r.Geometry.Type != string(l.Geometry) {
		faults = append(faults, "geometry is "+r.Geometry.Type)
	}
	width := 2
	if l.HasZ {
		width = 3
	}
	for _, xy := range r.positions(t) {
		if len(xy) != width {
			faults = append(faults, fmt.Sprintf("a position of %d numbers", len(xy)))
		}
	}
	body, err := json.Marshal(r.Geometry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := geom.UnmarshalGeoJSON(body); err != nil {
		faults = append(faults, err.Error())
	}
	return faults
}

// valueFault returns what is wrong with a JSON value of a field, "" for nothing.
func valueFault(f *layer.Field, value any) string {
	switch v := value.(type) {
	case string:
		if f.Kind == layer.Date {
			if _, err := geo.ParseDate(v); err != nil {
				return err.Error()
			}
		} else if f.Kind != layer.Text || v == "" {
			return "a string where " + string(f.Kind) + " is wanted, or an empty one"
		}
		if !f.Allows(v) {
			return v + " is not allowed"
		}
	case float64:
		if f.Kind != layer.Number && (f.Kind != layer.Integer || v != math.Trunc(v)) {
			return "a number where " + string(f.Kind) + " is wanted"
		}
		if (f.Min != nil && v < *f.Min) || (f.Max != nil && v > *f.Max) || !f.Allows(fmt.Sprint(v)) {
			return fmt.Sprint(v, " is out of range")
		}
	case bool:
		if f.Kind != layer.Boolean {
			return "a boolean where " + string(f.Kind) + " is wanted"
		}
	case []any:
		if f.Kind != layer.TextList || slices.ContainsFunc(v, func(x any) bool { _, ok := x.(string); return !ok }) {
			return "a list where " + string(f.Kind) + " is wanted"
		}
	default:
		return fmt.Sprintf("unexpected %T", value)
	}
	return ""
}

func TestRowFaultsAreFound(t *testing.T) {
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	l, _ := registry.Get("bts_sites")
	var bad row
	body := `{"properties":{"code":"x","height":3,"height_m":-1,"mast_type":"B9","illustrative":"yes"},"geometry":{"type":"LineString","coordinates":[[0,0,1],[1,1,1]]}}`
	if err := json.Unmarshal([]byte(body), &bad); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(rowFaults(t, demoPack(t), l, bad), "\n")
	for _, want := range []string{"unknown field height", "out of range", "B9 is not allowed", "illustrative:", "valid_from is missing", "geometry is LineString", "3 numbers", "jurisdiction"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not among the faults:\n%s", want, got)
		}
	}
}

func TestRowsUseTheirPacksCodes(t *testing.T) {
	for _, p := range []*Pack{demoPack(t), inventedPack(t)} {
		operators := keys(p.Operators, func(x Operator) string { return x.Code })
		agencies := keys(p.Agencies, func(x Agency) string { return x.Code })
		classes := struct {
			ZoneClasses []struct{ Code string } `json:"zone_classes"`
		}{}
		if err := json.Unmarshal(p.Rules(), &classes); err != nil {
			t.Fatal(err)
		}
		zones := keys(classes.ZoneClasses, func(x struct{ Code string }) string { return x.Code })
		for name, list := range rows(t, p) {
			for _, r := range list {
				for field, known := range map[string][]string{"operator": operators, "agency": agencies, "zone_class": zones} {
					if code := r.text(field); code != "" && !slices.Contains(known, code) {
						t.Errorf("%s %s %s: unknown %s %s", p.ID, name, r.text("code"), field, code)
					}
				}
			}
		}
	}
}
