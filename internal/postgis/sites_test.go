package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// masted is a register of three operators, each with a list of positions, each of these on a
// site of its own: A0, B0 and C0 lie beside each other, as A1, B1 and C1 do, and so on.
type masted struct {
	*postgis.Store
	t    *testing.T
	conn *pgx.Conn
}

const mastedSites = 6

func newMasted(t *testing.T) *masted {
	t.Helper()
	s, layers, url := open(t)
	m := &masted{s, t, connect(t, url)}
	f := sample(t, get(t, layers, "districts"), "094")
	f.Geometry = box(103, 21, 0.025)
	create(t, s, get(t, layers, "districts"), f)
	for i := range mastedSites {
		for j, operator := range []string{"VNPT", "VIETTEL", "MOBIFONE"} {
			code, at := fmt.Sprintf("%c%d", 'A'+j, i), fmt.Sprintf("SRID=4326;POINT(%.5f 21)", 103+float64(i)*0.01+float64(j)*0.0002)
			run(t, m.conn, `INSERT INTO bts_sites (code, valid_from, jurisdiction, status, mast_type, height_m, geom) VALUES ($1, '2015-01-01', '11', 'existing', 'A2b', $2, $3)`, code, 30+j, at)
			run(t, m.conn, `INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom) VALUES ('P' || $1, '2015-01-01', '11', 'existing', $1, $2, $3)`, code, operator, at)
		}
	}
	return m
}

// now is everything of the sites and positions but how often they have changed.
func (m *masted) now() string {
	return scalar[string](m.t, m.conn, `SELECT (SELECT string_agg((to_jsonb(s) - '{revision,updated_at}'::text[])::text, E'\n' ORDER BY id) FROM bts_sites s) || E'\n' ||
		(SELECT string_agg((to_jsonb(p) - '{revision,updated_at}'::text[])::text, E'\n' ORDER BY id) FROM operator_positions p)`)
}

// shared says which operators are on which site, in words that no code is in.
func (m *masted) shared() string {
	return scalar[string](m.t, m.conn, `SELECT string_agg(positions, E'\n' ORDER BY positions) FROM (SELECT string_agg(code || ' ' || operator, ', ' ORDER BY code) AS positions FROM operator_positions GROUP BY site_code) s`)
}

func (m *masted) counts() string {
	n, err := m.SiteCounts(context.Background(), day(m.t, "2020-12-31"))
	if err != nil {
		m.t.Fatal(err)
	}
	return fmt.Sprint(n.Sites, " ", n.Positions, " ", n.SharedSites)
}

func TestMergedSitesAreOne(t *testing.T) {
	m := newMasted(t)
	ctx, date := asking("merge"), day(t, "2020-12-31")
	before := m.now()
	if done, err := m.MergeSites(ctx, officer(), []string{"A0", "B0", "C0"}, date, true); err != nil || done.Applied || done.After.Sites != 16 || m.now() != before {
		t.Errorf("a dry run: %+v, %v", done, err)
	}
	done, err := m.MergeSites(ctx, officer(), []string{"A0", "B0", "C0"}, date, false)
	if err != nil || !slices.Equal(done.Positions, []string{"PB0", "PC0"}) || done.Before.Sites != 18 || done.Before.SharedSites != 0 || done.After.Sites != 16 || done.After.SharedSites != 1 || done.After.Positions != 18 || *done.After.SharedSiteRatio != 1.0/16 {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := m.shared(); !strings.HasPrefix(got, "PA0 VNPT, PB0 VIETTEL, PC0 MOBIFONE\nPA1 VNPT\n") {
		t.Error(got)
	}
	done, err = m.SplitSite(asking("split"), officer(), layer.SiteSplit{Position: "PB0"}, date, false)
	if err != nil || done.Site != "PB0" || done.After.Sites != 17 || done.After.SharedSites != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if got := scalar[string](t, m.conn, "SELECT mast_type || ' ' || height_m || ' ' || ST_AsText(geom) FROM bts_sites WHERE code = 'PB0'"); got != "A2b 30 POINT(103.0002 21)" {
		t.Errorf("the new site is %s", got)
	}
	for _, request := range []string{"split", "merge"} {
		if _, err := m.Revert(context.Background(), officer(), layer.HistoryQuery{Layers: m.Layers().Whole().All(), Request: request}, false); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, m.now()); diff != "" {
		t.Errorf("reverted (-before +after)\n%s", diff)
	}
}

func TestWhatIsNotMerged(t *testing.T) {
	m := newMasted(t)
	ctx, date := context.Background(), day(t, "2020-12-31")
	here := account.Viewer{Name: "key:here", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	if _, err := m.MergeSites(ctx, officer(), []string{"A0", "B0"}, date, false); err != nil {
		t.Fatal(err)
	}
	run(t, m.conn, "UPDATE bts_sites SET status = 'draft', owner_organisation = 'VNPT' WHERE code = 'A5'")
	before := m.now()
	for name, c := range map[string]struct {
		v     account.Viewer
		sites []string
		want  string
	}{
		"not there":            {officer(), []string{"A1", "X", "A5", "A1"}, "/sites/1 /sites/2 /sites/3 "},
		"an operator twice":    {officer(), []string{"A0", "A1", "B1"}, "/sites /sites "},
		"of another territory": {here, []string{"A3", "B3"}, layer.ErrForbidden.Error()},
		"half of it":           {here, []string{"A0", "C4"}, layer.ErrForbidden.Error()},
		"by an operator":       {operatorOf("VNPT"), []string{"A1", "B1"}, layer.ErrForbidden.Error()},
		"by nobody":            {account.Anonymous(), []string{"A1", "B1"}, layer.ErrForbidden.Error()},
	} {
		_, err := m.MergeSites(ctx, c.v, c.sites, date, false)
		var invalid *layer.InvalidError
		if got := ""; errors.As(err, &invalid) {
			for _, f := range invalid.Faults {
				got += f.At + " "
			}
			if got != c.want {
				t.Errorf("%s: faults at %s", name, got)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for position, want := range map[string]string{"PA1": "nobody else", "X": "there is no X"} {
		if _, err := m.SplitSite(ctx, officer(), layer.SiteSplit{Position: position}, date, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", position, err)
		}
	}
	if _, err := m.SplitSite(ctx, officer(), layer.SiteSplit{Position: "PB0", Site: "C1"}, date, false); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("a code that is taken: %v", err)
	}
	if diff := cmp.Diff(before, m.now()); diff != "" {
		t.Errorf("something was changed (-before +after)\n%s", diff)
	}
	if _, err := m.MergeSites(ctx, here, []string{"A0", "C0"}, date, false); err != nil {
		t.Errorf("an officer of the territory: %v", err)
	}
}

// Whatever is merged and split, and taken back from the last to the first: all is as it was.
func TestMergingAndSplittingIsTakenBack(t *testing.T) {
	m := newMasted(t)
	date := day(t, "2020-12-31")
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	states, requests := []string{m.now()}, []string{}
	merged, split := 0, 0
	for i := range 60 {
		ctx := asking(fmt.Sprint("step", i))
		n := random.IntN(mastedSites)
		shared, counts := m.shared(), m.counts()
		if random.IntN(2) == 0 {
			sites := []string{fmt.Sprint("A", n), fmt.Sprint("B", n), fmt.Sprint("C", n)}
			random.Shuffle(3, func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })
			sites = sites[:2+random.IntN(2)]
			if _, err := m.MergeSites(ctx, officer(), sites, date, false); err != nil {
				continue // one is merged already
			}
			merged++
		} else {
			position := fmt.Sprintf("P%c%d", 'A'+random.IntN(3), n)
			site := position[1:] // where it was in the beginning
			if _, err := m.SplitSite(ctx, officer(), layer.SiteSplit{Position: position, Site: site}, date, false); err != nil {
				continue
			}
			split++
			// A split undoes a merger: together they change nothing of who shares with whom.
			back := scalar[string](t, m.conn, "SELECT site_code FROM operator_positions WHERE code <> $1 AND site_code IN (SELECT before->>'site_code' FROM history WHERE layer = 'operator_positions' AND request = $2)", position, fmt.Sprint("step", i))
			if _, err := m.MergeSites(asking(fmt.Sprint("back", i)), officer(), []string{back, site}, date, false); err != nil || m.shared() != shared || m.counts() != counts {
				t.Fatalf("seed %d: split and merged: %v, %s, before %s", seed, err, m.counts(), counts)
			}
			if _, err := m.Revert(context.Background(), officer(), layer.HistoryQuery{Layers: m.Layers().Whole().All(), Request: fmt.Sprint("back", i)}, false); err != nil {
				t.Fatal(err)
			}
		}
		states, requests = append(states, m.now()), append(requests, fmt.Sprint("step", i))
	}
	if merged < 5 || split < 3 {
		t.Errorf("%d mergers, %d splits: the test proves little", merged, split)
	}
	for i, request := range slices.Backward(requests) {
		if _, err := m.Revert(context.Background(), officer(), layer.HistoryQuery{Layers: m.Layers().Whole().All(), Request: request}, false); err != nil {
			t.Fatalf("seed %d: %s: %v", seed, request, err)
		}
		if diff := cmp.Diff(states[i], m.now()); diff != "" {
			t.Fatalf("seed %d: after %s was taken back (-then +now)\n%s", seed, request, diff)
		}
	}
}

// Officers who merge the same sites at once do it once.
func TestMergedOnce(t *testing.T) {
	m := newMasted(t)
	for i := range mastedSites {
		sites := [][]string{{fmt.Sprint("A", i), fmt.Sprint("B", i)}, {fmt.Sprint("B", i), fmt.Sprint("A", i)}}
		var done [8]error
		var merging sync.WaitGroup
		for j := range done {
			merging.Go(func() {
				_, done[j] = m.MergeSites(context.Background(), officer(), sites[j%2], day(t, "2020-12-31"), false)
			})
		}
		merging.Wait()
		ok := 0
		for _, err := range done {
			var invalid *layer.InvalidError
			switch {
			case err == nil:
				ok++
			case !errors.As(err, &invalid):
				t.Error(err)
			}
		}
		if ok != 1 {
			t.Errorf("merged %d times", ok)
		}
	}
	if got := m.counts(); got != "12 18 6" {
		t.Error(got)
	}
}

func TestMastsFoundApart(t *testing.T) {
	m := newMasted(t)
	ctx, date := context.Background(), day(t, "2020-12-31")
	for range 2 {
		if err := m.KeepApart(ctx, officer(), []string{"B0", "A0"}, "hai cột cạnh nhau", date); err != nil {
			t.Fatal(err)
		}
	}
	want := []layer.MastsApart{{Codes: [2]string{"PA0", "PB0"}, Places: [2]orb.Point{{103, 21}, {103.0002, 21}}}}
	if got, err := m.KeptApart(ctx); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if n := scalar[int](t, m.conn, "SELECT count(*) FROM audit WHERE action = 'masts.apart' AND who = $1", officer().Name); n != 2 {
		t.Errorf("%d entries of the audit", n)
	}
	if err := m.KeepApart(ctx, operatorOf("VNPT"), []string{"B1", "A1"}, "", date); !errors.Is(err, layer.ErrForbidden) {
		t.Error(err)
	}
	if _, err := m.MergeSites(ctx, officer(), []string{"A0", "B0"}, date, false); err != nil {
		t.Error(err)
	}
	if got, err := m.KeptApart(ctx); err != nil || len(got) != 0 {
		t.Errorf("merged after all: %+v, %v", got, err)
	}
}
