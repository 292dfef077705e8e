package sharing_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/geo/sharing"
)

var here = orb.Point{103.02, 21.38}

func at(id int64, azimuthDeg, distanceM, heightM float64, status string, operators ...string) sharing.Mast {
	return sharing.Mast{ID: id, Code: fmt.Sprint("M", id), Point: geo.Destination(here, azimuthDeg, distanceM),
		HeightM: &heightM, Status: status, Operators: operators}
}

var rule = sharing.Rule{WithinM: 500, MaxOperators: 3, Statuses: []string{"existing", "planned"}}

func TestCandidatesRanking(t *testing.T) {
	high := 45.0
	noHeight := at(4, 10, 50, 0, "existing", "VNPT")
	noHeight.HeightM = nil
	masts := []sharing.Mast{
		at(1, 0, 300, 50, "existing", "VNPT"),
		at(2, 90, 100, 30, "existing", "VNPT"),               // nearer, too low
		at(3, 45, 10, 60, "planned", "VNPT"),                 // nearest, not there yet
		noHeight,                                             // between 1 and 2
		at(5, 0, 300, 45, "existing", "VNPT", "MOBIFONE"),    // as 1, less room
		at(6, 0, 20, 60, "existing", "VIETTEL"),              // the proposer's own
		at(7, 0, 20, 60, "existing", "A", "B", "C"),          // full
		at(8, 0, 20, 60, "dismantled", "VNPT"),               // does not count
		at(9, 0, 501, 60, "existing", "VNPT"),                // too far
		at(10, 180, 300.5, 60, "existing", "A", "A", "VNPT"), // one operator twice is one
	}
	want := []int64{1, 5, 10, 4, 2, 3}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		r.Shuffle(len(masts), func(i, j int) { masts[i], masts[j] = masts[j], masts[i] })
		got, err := sharing.Candidates(sharing.Proposal{Point: here, Operator: "VIETTEL", HeightM: &high}, masts, rule)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int64
		for _, c := range got {
			ids = append(ids, c.Mast.ID)
		}
		// 1 and 5 stand on the same spot: room decides.
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Fatal(diff)
		}
		if c := got[2]; c.Room != 1 || math.Abs(c.DistanceM-300.5) > 1e-6 || c.HighEnough != sharing.AsHigh {
			t.Errorf("candidate %+v", c)
		}
	}
}

func TestCandidatesReasons(t *testing.T) {
	got, err := sharing.Candidates(sharing.Proposal{Point: here, HeightM: new(45.5)},
		[]sharing.Mast{at(1, 0, 120.31, 42, "existing", "VNPT")}, rule)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	want := []geo.Text{
		{VI: "cách 120,3 m, trong phạm vi 500 m", EN: "120.3 m away, within 500 m"},
		{VI: "đang có VNPT; còn chỗ cho 2 doanh nghiệp", EN: "carries VNPT; room for 2 more"},
		{VI: "cao 42 m, thấp hơn 45,5 m đề xuất", EN: "42 m high, lower than the 45.5 m proposed"},
		{VI: "trạng thái: hiện có", EN: "status: existing"},
	}
	if diff := cmp.Diff(want, got[0].Reasons); diff != "" {
		t.Error(diff)
	}
	for _, r := range got[0].Reasons {
		if !norm.NFC.IsNormalString(r.VI) {
			t.Errorf("%q is not in NFC", r.VI)
		}
	}
}

func TestCandidatesAtTheLimit(t *testing.T) {
	m := at(1, 0, 400, 42, "existing", "VNPT")
	r := rule
	r.WithinM = geo.DistanceM(here, m.Point)
	for _, withinM := range []float64{r.WithinM, math.Nextafter(r.WithinM, 0)} {
		r.WithinM = withinM
		got, err := sharing.Candidates(sharing.Proposal{Point: here}, []sharing.Mast{m}, r)
		if want := withinM == geo.DistanceM(here, m.Point); err != nil || (len(got) == 1) != want {
			t.Errorf("within %v m: %v, %v", withinM, got, err)
		}
	}
}

func TestClusters(t *testing.T) {
	masts := []sharing.Mast{
		at(1, 0, 0, 1, "", "VNPT"), at(2, 90, 60, 1, "", "VIETTEL"), at(3, 90, 150, 1, "", "VNPT"), // a chain
		at(4, 180, 50, 1, ""),                                        // nobody's
		at(5, 0, 5000, 1, "", "VNPT"), at(6, 0, 5010, 1, "", "VNPT"), // one operator's
		at(7, 0, 9000, 1, "", "A", "B"), at(8, 0, 9030, 1, "", "B", "A"), // the same two on both
		at(9, 45, 7000, 1, "", "A"), at(10, 45, 7020, 1, "", "A", "B"), // one more on one
	}
	got, err := sharing.Clusters(masts, 100)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	for i, want := range []struct {
		ids       []int64
		operators []string
		closestM  float64
	}{{[]int64{1, 2, 3}, []string{"VIETTEL", "VNPT"}, 60}, {[]int64{9, 10}, []string{"A", "B"}, 20}} {
		var ids []int64
		for _, m := range got[i].Masts {
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, want.ids) || !slices.Equal(got[i].Operators, want.operators) || math.Abs(got[i].ClosestM-want.closestM) > 1e-3 {
			t.Errorf("cluster %d: %+v, want %+v", i, got[i], want)
		}
	}
	exactly := geo.DistanceM(masts[0].Point, masts[1].Point)
	if none, err := sharing.Clusters(masts[:2], exactly); err != nil || none != nil {
		t.Errorf("exactly the distance apart: %v, %v", none, err)
	}
}

// Clusters against every pair, at places where the boxes are special.
func TestClustersAgainstAllPairs(t *testing.T) {
	for seed, centre := range []orb.Point{here, {180, 0}, {-179.999, 60}, {0, 89.999}, {50, -90}, {0, 0}} {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		var masts []sharing.Mast
		for i := range 120 {
			masts = append(masts, sharing.Mast{ID: int64(i), Point: geo.Destination(centre, 360*r.Float64(), 3000*r.Float64()),
				Operators: []string{string(rune('A' + r.IntN(3)))}})
		}
		const limitM = 200
		label, closest := make([]int, len(masts)), map[int]float64{}
		for i := range label {
			label[i] = i
		}
		for i := range masts {
			for j := range i {
				if geo.DistanceM(masts[i].Point, masts[j].Point) < limitM && masts[i].Operators[0] != masts[j].Operators[0] {
					from, to := label[i], label[j]
					for k := range label {
						if label[k] == from {
							label[k] = to
						}
					}
				}
			}
		}
		sizes := map[int]int{}
		for _, l := range label {
			sizes[l]++
		}
		for i := range masts {
			for j := range i {
				if d := geo.DistanceM(masts[i].Point, masts[j].Point); d < limitM && masts[i].Operators[0] != masts[j].Operators[0] {
					if least, known := closest[label[i]]; !known || d < least {
						closest[label[i]] = d
					}
				}
			}
		}
		got, err := sharing.Clusters(masts, limitM)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, c := range got {
			found++
			if l := label[c.Masts[0].ID]; sizes[l] != len(c.Masts) || math.Abs(c.ClosestM-closest[l]) > 1e-8 {
				t.Errorf("seed %d: a cluster of %d, %v m, want %d, %v m", seed, len(c.Masts), c.ClosestM, sizes[l], closest[l])
			}
		}
		for _, n := range sizes {
			if n > 1 {
				found--
			}
		}
		if found != 0 || len(got) < 3 {
			t.Errorf("seed %d: %d clusters, %d too many", seed, len(got), found)
		}
	}
}

func TestSharingRefuses(t *testing.T) {
	bad := []sharing.Mast{{Point: orb.Point{math.NaN(), 0}}}
	for _, tt := range []struct {
		point    orb.Point
		masts    []sharing.Mast
		distance float64
		want     error
	}{{here, bad, 1, sharing.ErrNotOnEarth}, {orb.Point{0, 91}, nil, 1, sharing.ErrNotOnEarth},
		{here, nil, math.NaN(), sharing.ErrDistance}, {here, nil, -1, sharing.ErrDistance}, {here, nil, math.Inf(1), sharing.ErrDistance}} {
		if _, err := sharing.Candidates(sharing.Proposal{Point: tt.point}, tt.masts, sharing.Rule{WithinM: tt.distance}); !errors.Is(err, tt.want) {
			t.Errorf("%+v: error %v", tt, err)
		}
		if tt.point != here {
			continue
		}
		if _, err := sharing.Clusters(tt.masts, tt.distance); !errors.Is(err, tt.want) {
			t.Errorf("%+v: error %v", tt, err)
		}
	}
}

func ExampleCandidates() {
	got, err := sharing.Candidates(
		sharing.Proposal{Point: orb.Point{103.0165, 21.3826}, Operator: "VIETTEL"},
		[]sharing.Mast{{ID: 7, Code: "DB-007", Point: orb.Point{103.0180, 21.3830}, Status: "existing", Operators: []string{"VNPT"}}},
		sharing.Rule{WithinM: 300, MaxOperators: 3, Statuses: []string{"existing"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range got {
		fmt.Printf("%s: %s, %s\n", c.Mast.Code, c.Reasons[0].EN, c.Reasons[1].EN)
	}
	// Output: DB-007: 161.7 m away, within 300 m, carries VNPT; room for 2 more
}

func BenchmarkClusters(b *testing.B) {
	for _, n := range []int{12500, 50000, 200000} {
		r := rand.New(rand.NewPCG(1, 1))
		masts := make([]sharing.Mast, n)
		side := math.Sqrt(float64(n) / 200000) // the same density at every size
		for i := range masts {
			masts[i] = sharing.Mast{ID: int64(i), Operators: []string{string(rune('A' + r.IntN(5)))},
				Point: orb.Point{102 + 7*side*r.Float64(), 9 + 14*side*r.Float64()}}
		}
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := sharing.Clusters(masts, 500); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
