package postgis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// becoming is what an import tells of each row, in short.
func becoming(t *testing.T, s *postgis.Store, l *layer.Layer, o postgis.ImportOptions, rows ...postgis.Incoming) string {
	t.Helper()
	var all []string
	o.Preview = func(r layer.ImportedRow) error {
		all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%d %s %s moved=%t %s %s %s %d", r.Row, r.Code, r.Becomes, r.Moved, r.Place, r.Before, r.After, len(r.Faults))), " "))
		_, err := r.GeoJSON()
		return err
	}
	importAll(t, s, l, o, rows...)
	return strings.Join(all, "\n")
}

// TestWhatBecomesOfEachRow: a dry run tells it of every row, and what is done then is that.
func TestWhatBecomesOfEachRow(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	importAll(t, s, l, correction(t), site(t, 1, "A"), site(t, 2, "B"), site(t, 3, "C"))
	moved, unread := site(t, 3, "C"), site(t, 5, "E")
	moved.Feature.Geometry = orb.Point{103.5, 21.5}
	unread.Faults.Add("/properties/height_m", "sai", "wrong")
	rows := []postgis.Incoming{site(t, 1, "A"), incoming(2, l, map[string]any{"code": "B", "height_m": 50.0}), moved, incoming(4, l, map[string]any{"code": "D", "status": "existing", "mast_type": "A2b"}), unread, site(t, 6, "F")}
	dry := correction(t)
	dry.DryRun, dry.GoodRows = true, true
	want := `5 E refused moved=false {"type":"Point","coordinates":[103,21]} 1
4 D refused moved=false 1
1 A unchanged moved=false {"type": "Point", "coordinates": [103, 21]} 0
2 B update moved=false {"type": "Point", "coordinates": [103, 21]} {"height_m": 40} {"height_m": 50} 0
3 C update moved=true {"type": "Point", "coordinates": [103.5, 21.5]} 0
6 F insert moved=false {"type": "Point", "coordinates": [103, 21]} {"code": "F", "status": "existing", "height_m": 40, "mast_type": "A2b", "valid_from": "2020-12-31", "jurisdiction": "11"} 0`
	if got := becoming(t, s, l, dry, rows...); got != want {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	if n := total(t, s, l); n != 3 {
		t.Errorf("the dry run left %d rows", n)
	}
	skip := dry
	skip.OnConflict = postgis.SkipExisting
	if got := becoming(t, s, l, skip, rows[:3]...); strings.Count(got, " skipped ") != 3 {
		t.Error(got)
	}
	later := dry
	later.InForce = day(t, "2021-03-01")
	if got := becoming(t, s, l, later, rows[:2]...); !strings.Contains(got, "1 A unchanged") || !strings.Contains(got, `{"height_m": 40, "valid_from": "2020-12-31"} {"height_m": 50, "valid_from": "2021-03-01"}`) {
		t.Error(got)
	}
	real := dry
	real.DryRun = false
	if summary := importAll(t, s, l, real, rows...); counts(summary) != [6]int{6, 1, 2, 1, 0, 2} {
		t.Errorf("%+v", summary)
	}
}
