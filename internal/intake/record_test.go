package intake

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

func TestGeometriesOfLayers(t *testing.T) {
	line := geom.NewLineStringFlat(geom.XYZ, []float64{103, 21.4, -1, 103.1, 21.5, -2})
	report, records := understood(t, &table{columns: []string{"code"}, rows: []tables.Row{{Number: 1, Cells: []any{"L"}, Geometry: line}}}, "ducts", Options{LonLat: true, Territory: province()})
	sound(t, "a duct", report)
	g, err := ewkb.Unmarshal(records[0].Feature.GeometryZ)
	if m, ok := g.(*geom.MultiLineString); err != nil || !ok || m.SRID() != 4326 || fmt.Sprint(m.FlatCoords()) != "[103 21.4 -1 103.1 21.5 -2]" {
		t.Errorf("%v, %v", g, err)
	}
	for name, g := range map[string]geom.T{
		"a point":      geom.NewPointFlat(geom.XY, []float64{103, 21.4}),
		"an open ring": geom.NewPolygonFlat(geom.XY, []float64{103, 21.4, 103.1, 21.4, 103.1, 21.5, 103, 21.5}, []int{8}),
		"a short ring": geom.NewPolygonFlat(geom.XY, []float64{103, 21.4, 103.1, 21.4, 103, 21.4}, []int{6}),
		"a collection": geom.NewGeometryCollection().MustPush(geom.NewPointFlat(geom.XY, []float64{103, 21.4})),
	} {
		meaning := &shaper{layer: layerNamed(t, "communes"), placement: &Placement{Outcome: Taken, Axis: EastFirst}}
		var f layer.Feature
		if wrong := meaning.shape(&f, g); wrong == nil || wrong.Rule != RuleGeometry || f.Geometry != nil {
			t.Errorf("%s was taken as a commune: %+v", name, f)
		}
	}
	// Rings that run clockwise, as in Shapefiles, and a hole that does not.
	wound := geom.NewPolygonFlat(geom.XY, []float64{103, 21.4, 103, 21.5, 103.1, 21.5, 103, 21.4, 103.02, 21.48, 103.01, 21.47, 103.02, 21.47, 103.02, 21.48}, []int{8, 16})
	_, records = understood(t, &table{columns: []string{"code"}, rows: []tables.Row{{Number: 1, Cells: []any{"P"}, Geometry: wound}}}, "communes", Options{LonLat: true, Territory: province()})
	if got, ok := records[0].Feature.Geometry.(orb.MultiPolygon); !ok || got[0][0].Orientation() != orb.CCW || got[0][1].Orientation() != orb.CW || got[0][0][1] != (orb.Point{103.1, 21.5}) {
		t.Errorf("%+v", records[0].Feature)
	}
	// What is kept in the system of its file keeps its numbers.
	l := layer.Reference{Definition: layer.Definition{Name: "plots", Geometry: layer.AnyGeometry, StorageSRID: 9205}}.Layer()
	square := geom.NewPolygonFlat(geom.XY, []float64{500000, 2365000, 500100, 2365000, 500100, 2365100, 500000, 2365000}, []int{8})
	report, records = understoodAs(t, &table{columns: []string{"code"}, crs: "EPSG:9205", rows: []tables.Row{{Number: 1, Cells: []any{"P"}, Geometry: square}}}, &l, Options{Territory: province()})
	sound(t, "a plot", report)
	if p, ok := records[0].Feature.Geometry.(orb.Polygon); !ok || records[0].Feature.SRID != 9205 || p[0][2] != (orb.Point{500100, 2365100}) {
		t.Errorf("%+v", records[0].Feature)
	}
	// Well-known text, of which each row names the system.
	text := &table{columns: []string{"code", "wkt"}, rows: []tables.Row{{Number: 2, Cells: []any{"A", "SRID=9205;POINT(500000 2365000)"}}, {Number: 3, Cells: []any{"B", "POINT(500000"}}, {Number: 4, Cells: []any{"C", nil}}}}
	report, records = understood(t, text, "commune_centres", Options{Territory: province()})
	if degrees, _ := understood(t, &table{columns: []string{"code", "wkt"}, rows: []tables.Row{{Number: 2, Cells: []any{"A", "POINT(103 21.4)"}}}}, "commune_centres", Options{Territory: province()}); degrees.Placement.CRS != "EPSG:4326" || !degrees.Ready {
		t.Errorf("degrees: %+v", degrees.Placement)
	}
	if metres, _ := understood(t, &table{columns: []string{"code", "wkt"}, rows: []tables.Row{{Number: 2, Cells: []any{"A", "POINT(500000 2365000)"}}}}, "commune_centres", Options{Territory: province()}); metres.Placement.Outcome != Asks {
		t.Errorf("metres that say nothing: %+v", metres.Placement)
	}
	if p, ok := records[0].Feature.Geometry.(orb.Point); !ok || !province().Bound.Contains(p) || report.FaultCount != 1 || report.Faults[0].Rule != RulePosition {
		t.Errorf("%+v, %+v", records[0].Feature, report.Faults)
	}
}

// broken is a table whose reading fails.
type broken struct {
	table
	err error
}

func (b *broken) Read(ctx context.Context, each func(*tables.Row) error) error {
	if err := b.table.Read(ctx, each); err != nil {
		return err
	}
	return b.err
}

func TestReadingThatFails(t *testing.T) {
	l := layerNamed(t, "bts_sites")
	lost := errors.New("the file is gone")
	if _, err := Understand(context.Background(), &broken{*badSites(), lost}, l, Options{}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	meaning, err := Understand(ctx, badSites(), l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := meaning.Read(ctx, func(*Record) error { return lost }); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	cancel()
	if err := meaning.Read(ctx, func(*Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	unreadable := &table{columns: []string{"code"}, rows: []tables.Row{{Number: 1, Cells: []any{"a", "b"}}, {Number: 2, Faults: layer.Faults{{At: "/properties/x", Detail: geo.Text{VI: "hỏng", EN: "broken"}}}}}}
	report, _ := understoodAs(t, unreadable, l, Options{})
	if report.FaultsByRule[RuleUnreadable] != 2 || report.Faults[1].Column != "x" {
		t.Errorf("%+v", report.Faults)
	}
}

func TestFaultsOfLayers(t *testing.T) {
	for column, at := range map[string]string{"": "", "Mã": "/properties/Mã", "geometry": "/geometry"} {
		f := fault(RuleNumber, "x", "hỏng", "broken").likely("y").in(3, column)
		if got := f.Layer(); got.At != at || got.Detail != (geo.Text{VI: `hỏng; có lẽ là "y"`, EN: `broken; likely meant: "y"`}) {
			t.Errorf("%q: %+v", column, got)
		}
	}
}

// FuzzRows: whatever stands in the cells, the file is understood or refused with sentences in both languages.
func FuzzRows(f *testing.F) {
	f.Add("S1", "A2b", "45,5", "5/3/2020", "103,03", "21,38", "Him Lam")
	f.Add("=", "cột", "1.234", "2020", "103°02'01\"Đ", "21°23'N", "P.")
	f.Fuzz(func(t *testing.T, code, mast, height, from, lon, lat, commune string) {
		row := []any{code, mast, height, from, lon, lat, commune}
		m := &table{columns: []string{"code", "mast_type", "height_m", "valid_from", "lon", "lat", "xã"}, rows: []tables.Row{{Number: 1, Cells: row}, {Number: 2, Cells: row}}}
		g := NewGazetteer([]Unit{{Code: "03127", Name: "Phường Him Lam", Level: Commune}})
		report, records := understood(t, m, "bts_sites", Options{Territory: province(), Gazetteer: g})
		for _, fault := range report.Faults {
			if fault.Detail.VI == "" || fault.Detail.EN == "" || fault.Rule == "" {
				t.Fatalf("%+v", fault)
			}
		}
		if report.Rows != 2 || len(records[0].Faults) != len(records[1].Faults) {
			t.Fatalf("%+v", report)
		}
	})
}
