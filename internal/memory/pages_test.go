package memory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
)

// pager is what pages, counts and single features come from.
type pager interface {
	Features(context.Context, account.Viewer, *layer.Layer, layer.Query, func(*layer.Row) error) error
	CountFeatures(context.Context, account.Viewer, *layer.Layer, layer.Query) (int64, error)
	CountWithin(context.Context, account.Viewer, *layer.Layer, layer.Query, time.Duration) (int64, bool, error)
	FeatureAmongVersions(context.Context, account.Viewer, *layer.Layer, int64) (*layer.Row, []int64, error)
}

// paged is one page with its counts, and each of its rows with its versions.
type paged struct {
	Rows     []*layer.Row
	Matched  int64
	Within   int64
	Told     bool
	Versions [][]int64
	Alone    []*layer.Row
}

func pageFrom(t testing.TB, from pager, v account.Viewer, l *layer.Layer, q layer.Query) (p paged) {
	t.Helper()
	ctx := context.Background()
	err := from.Features(ctx, v, l, q, func(r *layer.Row) error {
		own := r.Clone()
		own.Keys = nil
		p.Rows = append(p.Rows, own)
		return nil
	})
	if err == nil {
		p.Matched, err = from.CountFeatures(ctx, v, l, q)
	}
	if err == nil {
		p.Within, p.Told, err = from.CountWithin(ctx, v, l, q, time.Minute)
	}
	for _, r := range p.Rows[:min(3, len(p.Rows))] {
		if err != nil {
			break
		}
		var alone *layer.Row
		var versions []int64
		alone, versions, err = from.FeatureAmongVersions(ctx, v, l, r.ID)
		if err == nil {
			alone = alone.Clone()
			alone.Keys = nil
		}
		p.Alone, p.Versions = append(p.Alone, alone), append(p.Versions, versions)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever is edited, however, pages, counts and single features from memory are the
// database's, for every class of viewers, and none of them asks the database.
func TestPagesFromMemoryAreTheDatabases(t *testing.T) {
	register, layers, conn := strewn(t)
	ctx := context.Background()
	m := memory.New(register, plenty, quiet())
	for _, v := range classes() {
		for _, name := range shown {
			l, _ := layers.Get(name)
			m.Has(v, l, 0) // has it kept
		}
	}
	if _, err := conn.Exec(ctx, `INSERT INTO bts_sites (code, valid_from, valid_to, jurisdiction, mast_type, status, geom)
		SELECT code, '2012-01-01', '2014-01-01', '11', 'A1a', 'existing', geom FROM bts_sites WHERE id % 3 = 0`); err != nil { // earlier versions
		t.Fatal(err)
	}
	if err := register.SetPublication(ctx, account.Terminal("test"), account.Publication{Jurisdiction: "11", Exactness: account.Rounded, CellDegrees: new(0.05)}); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	full, several := 0, 0
	for i, edit := range append([]string{""}, edits...) {
		if edit != "" {
			edit = fmt.Sprintf(edit+" -- %[1]d", i)
			if _, err := conn.Exec(ctx, edit); err != nil {
				t.Fatal(edit, err)
			}
		}
		for _, v := range classes() {
			for _, name := range shown {
				l, _ := layers.Get(name)
				for range 2 {
					q := asked(random, l)
					if err := m.Catch(ctx); err != nil { // a proof lasts a second
						t.Fatal(err)
					}
					before := register.pages.Load()
					got := pageFrom(t, m, v, l, q)
					if register.pages.Load() != before {
						t.Fatalf("%s, %s: the database was asked after %s", v.Class(), name, edit)
					}
					if diff := cmp.Diff(pageFrom(t, register.Store, v, l, q), got); diff != "" {
						t.Fatalf("seed %d: %s, %s, %+v after %s (-database +memory)\n%s", seed, v.Class(), name, q, edit, diff)
					}
					if len(got.Rows) == q.Limit {
						full++
					}
					for _, versions := range got.Versions {
						several += len(versions) / 2
					}
				}
			}
		}
	}
	if full < 60 || several < 10 {
		t.Errorf("%d full pages, %d features of several versions: the test proves little", full, several)
	}
}

// asked is a query for a page that memory answers.
func asked(random *rand.Rand, l *layer.Layer) layer.Query {
	q := queries()[random.IntN(len(queries()))]
	if q.Limit = 1 + random.IntN(40); random.IntN(5) == 0 {
		q.Limit = 0 // all of them
	}
	q.NoGeometry = random.IntN(5) == 0
	if random.IntN(3) == 0 {
		q.After = 1 + random.Int64N(300)
	}
	if random.IntN(3) == 0 {
		for _, at := range random.Perm(len(l.Fields))[:5] {
			q.Fields = append(q.Fields, &l.Fields[at])
		}
	}
	if l.Geometry == layer.Point {
		for range random.IntN(3) {
			at := orb.Point{102 + 1.5*random.Float64(), 20 + 1.5*random.Float64()}
			box := at.Bound()
			switch random.IntN(4) {
			case 0: // of the places that are drawn: its edges and corners are on points
				box = orb.Bound{Min: orb.Point{102.1 + 0.015*float64(random.IntN(90)), 20.1 + 0.015*float64(random.IntN(90))}}
				box.Max = orb.Point{box.Min[0] + 0.015*float64(random.IntN(20)), box.Min[1] + 0.015*float64(random.IntN(20))}
			default:
				box = box.Extend(orb.Point{at[0] + random.Float64(), at[1] + random.Float64()})
			}
			q.Boxes = append(q.Boxes, box)
		}
	}
	return q
}

// What memory does not know the answer to, the database is asked.
func TestTheDatabaseAnswersTheRest(t *testing.T) {
	register, layers, _ := strewn(t)
	ctx := context.Background()
	m := memory.New(register, plenty, quiet())
	sites, _ := layers.Get("bts_sites")
	communes, _ := layers.Get("communes")
	public := account.Anonymous()
	m.Has(public, sites, 0)
	m.Has(public, communes, 0)
	if err := m.Catch(ctx); err != nil {
		t.Fatal(err)
	}
	box := []orb.Bound{{Min: orb.Point{102, 20}, Max: orb.Point{103, 21}}}
	limited := account.Viewer{Name: "key:d", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	for name, c := range map[string]struct {
		v    account.Viewer
		l    *layer.Layer
		q    layer.Query
		asks bool
	}{
		"a page":                    {public, sites, layer.Query{Limit: 10}, false},
		"points in a box":           {public, sites, layer.Query{Limit: 10, Boxes: box}, false},
		"areas in a box":            {public, communes, layer.Query{Limit: 10, Boxes: box}, true},
		"all":                       {public, sites, layer.Query{}, false},
		"all in a box":              {public, sites, layer.Query{Boxes: box}, false},
		"all of a class not in use": {account.Holder("key:p", account.Officer), sites, layer.Query{}, true},
		"sorted":                    {public, sites, layer.Query{Limit: 10, Sort: []layer.SortKey{{Field: &sites.Fields[0]}}}, true},
		"of a time past":            {public, sites, layer.Query{Limit: 10, KnownAt: time.Now()}, true},
		"equal":                     {public, sites, layer.Query{Limit: 10, Equal: []layer.Equality{{Field: sites.Fields[0].Name, Value: "S1"}}}, true},
		"of a later version":        {public, sites, layer.Query{Limit: 10, NoOlder: 1 << 40}, true},
		"of limited rights":         {limited, sites, layer.Query{Limit: 10}, true},
		"of a class not in use":     {account.Holder("key:o", account.Officer), sites, layer.Query{Limit: 10}, true},
	} {
		before := register.pages.Load()
		if err := m.Features(ctx, c.v, c.l, c.q, func(*layer.Row) error { return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if asked := register.pages.Load() != before; asked != c.asks {
			t.Errorf("%s: the database was asked: %t", name, asked)
		}
	}
	read := register.all.Load()
	unused, _ := layers.Get("fibre_routes")
	if err := m.Features(ctx, public, unused, layer.Query{}, func(*layer.Row) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := m.Catch(ctx); err != nil {
		t.Fatal(err)
	}
	if register.all.Load() != read+1 { // of the class that a page above was asked for, and no more
		t.Errorf("%d layers were read into memory, want 1", register.all.Load()-read)
	}
	if _, _, err := m.FeatureAmongVersions(ctx, public, sites, 12345678); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("a row that is not there: %v", err)
	}
	stop := errors.New("stop")
	if err := m.Features(ctx, public, sites, layer.Query{Limit: 10}, func(*layer.Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of the reader came back as %v", err)
	}
}
