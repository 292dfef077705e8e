package postgis_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// given hands on rows that the file does not have.
type given struct {
	lines
	options postgis.ImportOptions
	rows    []postgis.Incoming
}

// Options implements postgis.ImportReader.
func (r given) Options(context.Context, layer.Import) (postgis.ImportOptions, error) {
	return r.options, nil
}

// Read implements postgis.ImportReader.
func (r given) Read(_ context.Context, _ account.Viewer, _ layer.Import, _ *layer.Layer, _ string, _ *atomic.Int64, add func(postgis.Incoming) error) (none postgis.ReadFile, err error) {
	for _, row := range r.rows {
		if err := add(row); err != nil {
			return none, err
		}
	}
	return none, nil
}

// bring brings rows in as an import that nobody waits for, and returns what came of it.
func bring(t *testing.T, s *postgis.Store, v account.Viewer, l *layer.Layer, o postgis.ImportOptions, wishes layer.ImportWishes, rows ...postgis.Incoming) layer.Import {
	t.Helper()
	id := addLines(t, s, v, l, wishes, "")
	if ran, err := s.RunImport(context.Background(), given{lines{t: t}, o, rows}); !ran || err != nil {
		t.Fatalf("ran: %t, %v", ran, err)
	}
	return importOf(t, s, v, id)
}

// communeAt is a commune whose south-western corner is there.
func communeAt(row int, code string, lon float64) postgis.Incoming {
	ring := orb.Ring{{lon, 21}, {lon + 0.1, 21}, {lon + 0.1, 21.1}, {lon, 21.1}, {lon, 21}}
	return postgis.Incoming{Row: row, Feature: layer.Feature{Properties: map[string]any{"code": code, "name": code}, Geometry: orb.MultiPolygon{{ring}}}}
}

// Imports of units tell how these lie beside each other, and refuse a structure that leaves
// gaps until that is accepted; who sees a part of a layer is told nothing of the rest.
func TestReportsOfImportsTellOfGaps(t *testing.T) {
	s, layers, url := open(t)
	conn, communes := connect(t, url), get(t, layers, "communes")
	run(t, conn, "INSERT INTO provinces (code, name, valid_from, jurisdiction, geom) VALUES ('11', 'x', '2013-01-01', '11', ST_Multi(ST_MakeEnvelope(103, 21, 103.3, 21.1, 4326)))")
	lan := newKey(t, s, "", account.Grant{Role: account.Officer})
	o := correction(t)
	o.Defaults["valid_from"] = day(t, "2013-01-01")
	i := bring(t, s, lan, communes, o, layer.ImportWishes{}, communeAt(1, "1", 103), communeAt(2, "2", 103.1))
	if a := i.Report.Areas; i.State != layer.ImportDone || !i.Report.Applied || a == nil || a.Coverage.Gaps.Count != 1 || a.Coverage.Overlaps.Count != 0 || len(a.Structure) != 0 || a.Coverage.Gaps.Largest[0].At[0] < 103.2 {
		t.Errorf("two of three: %+v, %+v", i.Report, a)
	}
	bad := communeAt(3, "3", 103.2)
	bad.Faults.Add("/properties/code", "sai", "wrong")
	if i := bring(t, s, lan, communes, o, layer.ImportWishes{}, bad); i.State != layer.ImportRefused || i.Report.Areas == nil || i.Report.Areas.Coverage != nil {
		t.Errorf("refused: %+v", i.Report)
	}
	o = structure(t, "2021-01-01")
	run(t, conn, "INSERT INTO unit_lineage (level, predecessor_code, successor_code, changed_on, part, source) SELECT 'commune', c, c, '2021-01-01', 'whole', 'x' FROM unnest('{1,2}'::text[]) c")
	wide := []postgis.Incoming{communeAt(1, "1", 103), communeAt(2, "2", 103.15)}
	for _, tt := range []struct {
		name      string
		wishes    layer.ImportWishes
		state     layer.ImportState
		structure int
		rows      int64
	}{
		{"not accepted", layer.ImportWishes{Complete: true}, layer.ImportRefused, 1, 2},
		{"overlaps accepted, of which there are none", layer.ImportWishes{Complete: true, AcceptOverlaps: true}, layer.ImportRefused, 1, 2},
		{"a dry run", layer.ImportWishes{Complete: true, AcceptGaps: true, DryRun: true}, layer.ImportDone, 0, 2},
		{"accepted", layer.ImportWishes{Complete: true, AcceptGaps: true}, layer.ImportDone, 0, 4},
	} {
		o.DryRun = tt.wishes.DryRun
		i := bring(t, s, lan, communes, o, tt.wishes, wide...)
		if i.State != tt.state || i.Report.Applied != (tt.rows == 4) || len(i.Report.Areas.Structure) != tt.structure || i.Report.Areas.Coverage.Gaps.Count != 2 || total(t, s, communes) != tt.rows {
			t.Errorf("%s: %s, %+v, %+v, %d rows", tt.name, i.State, i.Report, i.Report.Areas, total(t, s, communes))
		}
	}
	part := newKey(t, s, "", account.Grant{Role: account.Officer, Territory: "1"})
	if i := bring(t, s, part, communes, o, layer.ImportWishes{Complete: true}, wide...); i.State != layer.ImportRefused || i.Report.Areas != nil || len(i.Report.Problems) != 1 {
		t.Errorf("a structure of who writes one unit: %+v", i.Report)
	}
	if i := bring(t, s, part, get(t, layers, "special_areas"), correction(t), layer.ImportWishes{}); i.Report.Areas.Coverage != nil {
		t.Errorf("who does not see all areas is told how they lie: %+v", i.Report.Areas)
	}
}

// Areas that a file makes overlap, each other or what is there on the same dates, are refused
// until that is accepted; what was accepted once is asked about no more, and rounding never.
func TestImportsOfAreasThatOverlap(t *testing.T) {
	s, layers, url := open(t)
	conn, communes := connect(t, url), get(t, layers, "communes")
	since := func(on string) postgis.ImportOptions {
		o := correction(t)
		o.Defaults["valid_from"] = day(t, on)
		return o
	}
	named := func(code, name string) postgis.Incoming {
		in := communeAt(1, code, 103)
		in.Feature.Geometry, in.Feature.Properties["name"] = nil, name
		return in
	}
	until := communeAt(1, "4", 103.25)
	until.Feature.Properties["valid_from"], until.Feature.Properties["valid_to"] = "2010-01-01", "2013-01-01"
	inForce := structure(t, "2021-01-01")
	for _, tt := range []struct {
		name     string
		o        postgis.ImportOptions
		accept   bool
		rows     []postgis.Incoming
		overlaps int
		applied  bool
	}{
		{"two that touch", since("2013-01-01"), false, []postgis.Incoming{communeAt(1, "1", 103), communeAt(2, "2", 103.1)}, 0, true},
		{"a sliver of rounding", since("2013-01-01"), false, []postgis.Incoming{communeAt(1, "3", 103.2-1e-7)}, 0, true},
		{"each other", since("2013-01-01"), false, []postgis.Incoming{communeAt(1, "5", 104), communeAt(2, "6", 104.05)}, 1, false},
		{"what is there", since("2013-01-01"), false, []postgis.Incoming{communeAt(1, "5", 103.05)}, 2, false},
		{"on no common date", since("2013-01-01"), false, []postgis.Incoming{until}, 0, true},
		{"on dates that are over", since("2012-12-31"), false, []postgis.Incoming{communeAt(1, "5", 103.3)}, 1, false},
		{"accepted", since("2013-01-01"), true, []postgis.Incoming{communeAt(1, "2", 103.05)}, 1, true},
		{"the same again", since("2013-01-01"), false, []postgis.Incoming{communeAt(1, "2", 103.05)}, 0, true},
		{"another name", since("2013-01-01"), false, []postgis.Incoming{named("2", "x")}, 0, true},
		{"another name from a day on", inForce, false, []postgis.Incoming{named("2", "y")}, 0, true},
		{"another overlap", since("2013-01-01"), false, []postgis.Incoming{communeAt(1, "2", 103.02)}, 1, false},
	} {
		before := scalar[string](t, conn, "SELECT coalesce(md5(string_agg(c::text, '' ORDER BY id)), '') FROM communes c")
		summary, report := areas(t, s, communes, tt.o, postgis.AreasOptions{AcceptOverlaps: tt.accept}, tt.rows...)
		if summary.Applied != tt.applied || report.NewOverlaps.Count != tt.overlaps || len(report.Structure) > 0 != !tt.applied || len(report.NewOverlaps.Largest) != tt.overlaps {
			t.Errorf("%s: %+v, %+v", tt.name, summary, report)
		}
		if after := scalar[string](t, conn, "SELECT coalesce(md5(string_agg(c::text, '' ORDER BY id)), '') FROM communes c"); !tt.applied && after != before {
			t.Errorf("%s: refused, and stored", tt.name)
		}
	}
	// Who sees a part of the zones is refused, too, and told of his own file alone.
	part := newKey(t, s, "", account.Grant{Role: account.Officer, Territory: "1"})
	zone := func(row int, code, class string) postgis.Incoming {
		in := communeAt(row, code, 103)
		in.Feature.Properties["kind"] = class
		return in
	}
	special := get(t, layers, "special_areas")
	if i := bring(t, s, part, special, since("2013-01-01"), layer.ImportWishes{}, zone(1, "A", "military"), zone(2, "B", "border_belt")); i.State != layer.ImportDone || i.Report.Areas.NewOverlaps.Count != 0 {
		t.Errorf("of two classes: %+v %+v", i.Report, i.Report.Areas)
	}
	if i := bring(t, s, part, special, since("2013-01-01"), layer.ImportWishes{}, zone(1, "C", "military")); i.State != layer.ImportRefused || i.Report.Areas.NewOverlaps.Count != 1 || i.Report.Areas.Coverage != nil {
		t.Errorf("of one class: %+v %+v", i.Report, i.Report.Areas)
	}
	if i := bring(t, s, part, special, since("2013-01-01"), layer.ImportWishes{AcceptOverlaps: true}, zone(1, "C", "military")); i.State != layer.ImportDone || !i.Report.Applied {
		t.Errorf("accepted: %+v %+v", i.Report, i.Report.Areas)
	}
}
