package intake

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
)

func TestDuplicates(t *testing.T) {
	var d Duplicates
	at := orb.Point{103.0165, 21.3826}
	near, far := geo.Destination(at, 45, 0.9), geo.Destination(at, 45, 1.1)
	d.Add(2, "A", "Trạm Him Lam", "", &at)
	d.Add(3, "B", "TRAM HIM  LAM", "", &near)
	d.Add(4, "A", "Trạm Mường Phăng 1", "", &far)
	d.Add(5, "C", "Trạm Mường Phăng 2", "", nil)
	d.Add(6, "D", "Trạm Mường Phằngg 1", "", nil)
	d.Add(7, "E", "", "2020-01-01", nil)
	d.Add(8, "E", "", "2021-01-01", nil)
	d.Add(9, "", "", "", nil)
	d.Add(10, "", "", "", nil)
	got := d.Find()
	want := []Duplicate{
		{By: "code", Rows: []int64{2, 4}, Values: []string{"A"}},
		{By: "place", Rows: []int64{2, 3}, Values: []string{"A", "B"}, ApartM: got[1].ApartM},
		{By: "name", Rows: []int64{2, 3}, Values: []string{"Trạm Him Lam", "TRAM HIM  LAM"}},
		{By: "name", Rows: []int64{4, 6}, Values: []string{"Trạm Mường Phăng 1", "Trạm Mường Phằngg 1"}},
	}
	if !reflect.DeepEqual(got, want) || got[1].ApartM < 0.89 || got[1].ApartM > 0.91 {
		t.Errorf("%+v", got)
	}
}

// TestDuplicatesOfManyRows: places and names that are all alike do not take the square of their number.
func TestDuplicatesOfManyRows(t *testing.T) {
	var same, line, names Duplicates
	for i := range 50_000 {
		same.Add(int64(i), "", "", "", &orb.Point{103, 21})
		line.Add(int64(i), "", "", "", &orb.Point{102 + float64(i)*1e-4, 21}) // 10 m apart, of one latitude
	}
	for i := range 10_000 {
		names.Add(int64(i), "", fmt.Sprintf("Trạm viễn thông số %06d", i), "", nil)
	}
	if got := same.Find(); len(got) != 1 || len(got[0].Rows) != 50_000 {
		t.Errorf("%d groups of one place", len(got))
	}
	if got := line.Find(); len(got) != 0 {
		t.Errorf("%d groups on a line", len(got))
	}
	if got := names.Find(); len(got) != 0 {
		t.Errorf("%d groups of numbered names", len(got))
	}
}

// around are positions of some operators around some masts, at random.
func around(r *rapid.T) []Position {
	n := rapid.IntRange(0, 40).Draw(r, "positions")
	positions := make([]Position, n)
	for i := range positions {
		mast := orb.Point{103 + 0.0004*float64(rapid.IntRange(0, 6).Draw(r, "mast")), 21.4}
		positions[i] = Position{
			Operator: rapid.SampledFrom([]string{"VNPT", "VIETTEL", "MOBIFONE", "SFONE"}).Draw(r, "operator"),
			Code:     fmt.Sprint("P", rapid.IntRange(0, 60).Draw(r, "code")), Row: int64(i),
			At: geo.Destination(mast, rapid.Float64Range(0, 360).Draw(r, "azimuth"), rapid.SampledFrom([]float64{0, 1, 10, 20, 40}).Draw(r, "away")),
		}
	}
	return positions
}

// TestProposedSites: whatever the lists, no site has two positions of an operator, or two
// farther apart than the distance; each position is somewhere once; what is near and not
// together has a reason; and the order of the lists does not matter.
func TestProposedSites(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		positions := around(r)
		distance := rapid.SampledFrom([]float64{5, 30, 50}).Draw(r, "distance")
		out, err := ProposeSites(positions, distance, nil)
		if err != nil {
			r.Fatal(err)
		}
		group := map[int64]int{}
		for i, s := range out.Sites {
			operators := map[string]bool{}
			for _, p := range s.Positions {
				if operators[p.Operator] {
					r.Fatalf("two positions of %s in %+v", p.Operator, s)
				}
				operators[p.Operator], group[p.Row] = true, i+1
			}
			if s.SpreadM > distance || len(s.Positions) < 2 || len(s.Links) != len(s.Positions)*(len(s.Positions)-1)/2 {
				r.Fatalf("%+v", s)
			}
		}
		for _, p := range append(slices.Clone(out.Alone), out.Crowded...) {
			if group[p.Row] != 0 {
				r.Fatalf("%+v is there twice", p)
			}
			group[p.Row] = -1 - int(p.Row)
		}
		if len(group) != len(positions) {
			r.Fatalf("%d of %d positions", len(group), len(positions))
		}
		told := map[[2]int64]bool{}
		for _, l := range out.Apart {
			told[[2]int64{l.A.Row, l.B.Row}], told[[2]int64{l.B.Row, l.A.Row}] = true, true
			if l.Why == nil || l.A.Operator == l.B.Operator {
				r.Fatalf("%+v", l)
			}
		}
		for _, a := range positions {
			for _, b := range positions {
				if a.Operator != b.Operator && geo.DistanceM(a.At, b.At) <= distance && group[a.Row] != group[b.Row] && !told[[2]int64{a.Row, b.Row}] && len(out.Crowded) == 0 {
					r.Fatalf("%+v and %+v are near, and nothing is said", a, b)
				}
			}
		}
		shuffled := slices.Clone(positions)
		rand.New(rand.NewPCG(1, uint64(len(positions)))).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, err := ProposeSites(shuffled, distance, nil)
		if err != nil || !reflect.DeepEqual(out, again) {
			r.Fatalf("another order makes other sites: %+v, %+v", out, again)
		}
	})
}

func TestFiveListsOfAMast(t *testing.T) {
	at := orb.Point{103.0165, 21.3826}
	lists := []Position{
		{"VIETTEL", "DBN0001", "Him Lam", at, 1, ""}, {"VNPT", "HLM", "TRẠM HIM LAM", geo.Destination(at, 10, 12), 1, ""}, {"MOBIFONE", "dbn-0001", "Him Lam", geo.Destination(at, 100, 20), 1, ""},
		{"VIETTEL", "DBN0002", "Him Lam 2", geo.Destination(at, 200, 30), 2, ""}, {"SFONE", "S1", "", geo.Destination(at, 0, 500), 1, ""},
	}
	out, err := ProposeSites(lists, SameMastM, nil)
	if err != nil || len(out.Sites) != 1 || len(out.Sites[0].Positions) != 3 || len(out.Alone) != 2 || len(out.Apart) == 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	var codes, names int
	for _, l := range out.Sites[0].Links {
		if l.SameCode {
			codes++
		}
		if l.SameName {
			names++
		}
	}
	if codes != 1 || names != 1 || out.Sites[0].Positions[1].Code != "DBN0001" {
		t.Errorf("%+v", out.Sites[0])
	}
	for _, bad := range []float64{0, -1, 1e9} {
		if _, err := ProposeSites(lists, bad, nil); err == nil {
			t.Errorf("a distance of %v m was taken", bad)
		}
	}
	if _, err := ProposeSites([]Position{{At: orb.Point{0, 91}}}, 50, nil); err == nil {
		t.Error("a position beyond the pole was taken")
	}
}

// TestProposedSitesOfManyRows: all of a list at one place is told, and takes no square of time.
func TestProposedSitesOfManyRows(t *testing.T) {
	var positions []Position
	for i := range 40_000 {
		operator := []string{"VNPT", "VIETTEL"}[i%2]
		p := Position{Operator: operator, Code: fmt.Sprint(i), At: orb.Point{103, 21}}
		if i >= 20_000 {
			p.At = orb.Point{102 + float64(i/2)*1e-3, 21}
		}
		positions = append(positions, p)
	}
	out, err := ProposeSites(positions, SameMastM, nil)
	if err != nil || len(out.Crowded) != 20_000 || len(out.Sites) != 10_000 || len(out.Alone)+len(out.Apart) != 0 {
		t.Errorf("%d crowded, %d sites, %d alone, %v", len(out.Crowded), len(out.Sites), len(out.Alone), err)
	}
	// What bears a site already is in one of the lists all the same.
	for i := range positions[:20_000] {
		positions[i].Site = "S"
	}
	positions[30_000].Site = "S"
	out, err = ProposeSites(positions, SameMastM, nil)
	told := len(out.Crowded) + len(out.Alone)
	for _, s := range out.Sites {
		told += len(s.Positions)
	}
	if err != nil || len(out.Crowded) != 20_000 || told != len(positions) {
		t.Errorf("%d crowded, %d of %d positions told, %v", len(out.Crowded), told, len(positions), err)
	}
}

// However many rows there are, the first are compared, and no more is kept of the others.
func TestDuplicatesAtTheirLimit(t *testing.T) {
	for _, rows := range []int{mostCompared - 1, mostCompared, mostCompared + 1} {
		var d Duplicates
		for i := range rows {
			code := fmt.Sprint(i)
			if i == rows-1 {
				code = "0"
			}
			d.Add(int64(i), code, fmt.Sprintf("Trạm viễn thông xã Mường Phăng số %d", i), "", nil)
		}
		if found := d.Find(); len(d.entries) != min(rows, mostCompared) || len(found) != map[bool]int{true: 1}[rows <= mostCompared] {
			t.Errorf("of %d rows %d are compared, and %d are there twice", rows, len(d.entries), len(found))
		}
	}
}

// What is on one site is together already; what was found to be two masts stays apart.
func TestProposedSitesOfARegister(t *testing.T) {
	at := orb.Point{103, 21.4}
	on := func(operator, code, site string, metres float64) Position {
		return Position{Operator: operator, Code: code, Site: site, At: geo.Destination(at, 90, metres)}
	}
	positions := []Position{on("VNPT", "A", "S1", 0), on("VIETTEL", "B", "S1", 400), on("MOBIFONE", "C", "S2", 10), on("SFONE", "D", "S3", 5000), on("VNPT", "E", "S3", 5000)}
	out, err := ProposeSites(positions, SameMastM, nil)
	if err != nil || len(out.Sites) != 0 || len(out.Alone) != 5 || len(out.Apart) != 1 { // B is too far from C
		t.Errorf("%+v, %v", out, err)
	}
	positions[1].At = geo.Destination(at, 90, 20)
	if out, err = ProposeSites(positions, SameMastM, nil); err != nil || len(out.Sites) != 1 || len(out.Sites[0].Positions) != 3 || len(out.Sites[0].Links) != 2 || len(out.Alone) != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	found := func(a, b Position) bool { return a.Code+b.Code == "AC" || a.Code+b.Code == "CA" }
	if out, err = ProposeSites(positions, SameMastM, found); err != nil || len(out.Sites) != 0 || len(out.Apart) == 0 || !strings.Contains(out.Apart[0].Why.EN, "two masts") {
		t.Errorf("%+v, %v", out, err)
	}
}
