package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// seen is what a viewer gets to see of a layer, by every read of the store.
type seen struct {
	features, count int64
	bound           orb.Bound
	row, versions   bool
}

func look(t *testing.T, s *postgis.Store, v account.Viewer, l *layer.Layer, id int64, code string) seen {
	t.Helper()
	ctx := context.Background()
	var got seen
	if err := s.Features(ctx, v, l, layer.Query{}, func(*layer.Row) error { got.features++; return nil }); err != nil {
		t.Fatal(err)
	}
	var err error
	if got.count, err = s.CountFeatures(ctx, v, l, layer.Query{}); err != nil {
		t.Fatal(err)
	}
	if got.bound, _, _, err = s.Extent(ctx, v, l, day(t, "2020-12-31")); err != nil {
		t.Fatal(err)
	}
	_, err = s.Feature(ctx, v, l, id)
	if got.row = err == nil; err != nil && !errors.Is(err, layer.ErrNotFound) {
		t.Fatal(err)
	}
	_, versions, err := s.FeatureAmongVersions(ctx, v, l, id)
	if err != nil && !errors.Is(err, layer.ErrNotFound) {
		t.Fatal(err)
	}
	if got.versions = len(versions) > 0; got.versions != slices.Contains(versions, id) {
		t.Errorf("%d is not among its own versions %v", id, versions)
	}
	return got
}

func TestWhoSeesWhat(t *testing.T) {
	s, layers, _ := open(t)
	areas := get(t, layers, "special_areas")
	ids := map[string]int64{}
	for i, kind := range []string{"aviation_surface", "support_area", "border_belt", "military"} {
		f := sample(t, areas, kind)
		f.Properties["kind"], f.Geometry = kind, square(float64(10*i), 0)
		ids[kind] = create(t, s, areas, f)
	}
	public, firm := account.Anonymous(), account.Viewer{Organisation: "VIETTEL", Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}}
	other := account.Viewer{Organisation: "VNPT", Name: "key:o", Grants: []account.Grant{{Role: account.Operator}}}
	listed := orb.Bound{Max: orb.Point{10.01, 0.01}}
	for _, v := range []account.Viewer{public, firm, account.Holder("key:c", account.Consulted), {}} {
		for _, kind := range []string{"border_belt", "military"} {
			if got := look(t, s, v, areas, ids[kind], kind); got != (seen{2, 2, listed, false, false}) {
				t.Errorf("%s sees of %s: %+v", v.Name, kind, got)
			}
			if _, err := s.UpdateFeature(context.Background(), v, areas, ids[kind], layer.Feature{Properties: map[string]any{"name": "x"}}, 0, false); !errors.Is(err, layer.ErrNotFound) {
				t.Errorf("%s changes %s: %v", v.Name, kind, err)
			}
			if err := s.DeleteFeature(context.Background(), v, areas, ids[kind], 0); !errors.Is(err, layer.ErrNotFound) {
				t.Errorf("%s deletes %s: %v", v.Name, kind, err)
			}
		}
	}
	all := orb.Bound{Max: orb.Point{30.01, 0.01}}
	for _, role := range []account.Role{account.Officer, account.Approver, account.Administrator} {
		if got := look(t, s, account.Holder("key:s", role), areas, ids["military"], "military"); got != (seen{4, 4, all, true, true}) {
			t.Errorf("%s sees %+v", role, got)
		}
	}
	sites := get(t, layers, "bts_sites")
	f := sample(t, sites, "draft")
	f.Properties["status"], f.Properties["owner_organisation"] = "draft", "VIETTEL"
	id := create(t, s, sites, f)
	for _, tt := range []struct {
		viewer account.Viewer
		sees   bool
	}{{public, false}, {other, false}, {firm, true}, {officer(), true}} {
		got := look(t, s, tt.viewer, sites, id, "draft")
		if got.row != tt.sees || got.versions != tt.sees || (got.count == 1) != tt.sees || (got.features == 1) != tt.sees || (got.bound != orb.Bound{}) != tt.sees {
			t.Errorf("%s of %q sees of the draft %+v", tt.viewer.Name, tt.viewer.Organisation, got)
		}
	}
}

// Every row that stays is read exactly once, page by page, while others come and go.
func TestPagesByKeyMissNothing(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	l := get(t, layers, "kiosks")
	conn, other := connect(t, url), connect(t, url)
	const insert = `INSERT INTO kiosks (code, valid_from, jurisdiction, status, geom) SELECT $1 || i, '2015-01-01', '11', 'existing', 'SRID=4326;POINT(103 21)' FROM generate_series(1, $2::int) i`
	for i := range 40 {
		run(t, conn, insert, fmt.Sprintf("stay-%d-", i), 10)
		run(t, conn, insert, fmt.Sprintf("go-%d-", i), 3)
	}
	stop, done := make(chan struct{}), sync.WaitGroup{}
	done.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := other.Exec(ctx, "DELETE FROM kiosks WHERE id = (SELECT id FROM kiosks WHERE code LIKE 'go-%' ORDER BY random() LIMIT 1)"); err != nil {
				t.Error(err)
				return
			}
			if _, err := other.Exec(ctx, insert, fmt.Sprintf("come-%d-", i), 2); err != nil {
				t.Error(err)
				return
			}
		}
	})
	read, last := map[string]int{}, int64(0)
	for page := 0; page < 10000; page++ {
		n := 0
		err := s.Features(ctx, officer(), l, layer.Query{After: last, Limit: 7}, func(r *layer.Row) error {
			if r.ID <= last {
				return fmt.Errorf("id %d after %d", r.ID, last)
			}
			last = r.ID
			n++
			read[string(r.Values[0])]++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if page == 60 { // the newcomers would have no end
			close(stop)
			done.Wait()
		}
		if n == 0 {
			break
		}
	}
	for code, n := range read {
		if n != 1 {
			t.Errorf("%s was read %d times", code, n)
		}
	}
	for i := range 400 {
		if code := fmt.Sprintf("stay-%d-%d", i/10, i%10+1); read[code] != 1 {
			t.Errorf("%s was read %d times", code, read[code])
		}
	}
}

func TestFeaturesStopsWithItsReader(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "kiosks")
	create(t, s, l, sample(t, l, "1"))
	create(t, s, l, sample(t, l, "2"))
	enough, n := errors.New("enough"), 0
	err := s.Features(context.Background(), officer(), l, layer.Query{}, func(*layer.Row) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
}

func BenchmarkFeaturesPageOf1000(b *testing.B) {
	s, layers, _ := open(b)
	l := get(b, layers, "bts_sites")
	rows := make([]postgis.Incoming, 5000)
	for i := range rows {
		rows[i] = site(b, i+1, fmt.Sprint(i))
	}
	importAll(b, s, l, correction(b), rows...)
	q := layer.Query{Date: day(b, "2020-12-31"), After: 1000, Limit: 1000}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := s.Features(context.Background(), officer(), l, q, func(*layer.Row) error { n++; return nil }); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

// Who is given a territory again is not told the version of before, when drafts have
// changed or its border has meanwhile: what is kept under that version is not true.
func TestVersionsMoveWhileNobodyHasTheTerritory(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	sites, districts := get(t, layers, "bts_sites"), get(t, layers, "districts")
	unit := sample(t, districts, "094")
	unit.Geometry = box(103, 21, 1)
	district := create(t, s, districts, unit)
	f := sample(t, sites, "draft")
	f.Properties["status"], f.Geometry = layer.Draft, orb.Point{103.5, 21.5}
	id := create(t, s, sites, f)
	officerOf094 := account.Viewer{Name: "key:district", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	give := func() {
		run(t, conn, "INSERT INTO grants (key, role, territory) SELECT id, 'officer', '094' FROM api_keys")
	}
	run(t, conn, "INSERT INTO api_keys (id, hash, name, created_by) VALUES ('district', 'x', 'district', 'test')")
	for _, meanwhile := range []func(){
		func() {
			if _, err := s.UpdateFeature(ctx, officer(), sites, id, layer.Feature{Properties: map[string]any{"name": "x"}}, 0, false); err != nil {
				t.Fatal(err)
			}
		},
		func() {
			if _, err := s.UpdateFeature(ctx, officer(), districts, district, layer.Feature{Geometry: box(103, 21, 0.2)}, 0, false); err != nil {
				t.Fatal(err)
			}
		},
	} {
		give()
		before, err := s.LayerVersions(ctx, officerOf094)
		if err != nil {
			t.Fatal(err)
		}
		run(t, conn, "UPDATE grants SET withdrawn_at = now() WHERE withdrawn_at IS NULL")
		meanwhile()
		give()
		after, err := s.LayerVersions(ctx, officerOf094)
		if err != nil || after["bts_sites"] == before["bts_sites"] {
			t.Errorf("version %d before and %d after, %v", before["bts_sites"], after["bts_sites"], err)
		}
	}
}
