package permit

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
)

// sameAsStrict fails when the fast way takes a text and gives anything else than
// the definition does. It reports whether the fast way took it.
func sameAsStrict(t *testing.T, d *draft, raw []byte, onDate geo.Date) bool {
	t.Helper()
	if !d.readJSON(raw, onDate) {
		return false
	}
	want, err := parseStrictly(raw, onDate)
	if err != nil {
		t.Fatalf("%s was taken, but: %v", raw, err)
	}
	if diff := cmp.Diff(want, d.Proposal, cmp.Comparer(func(a, b geo.Date) bool { return a == b })); diff != "" {
		t.Fatalf("%s (-definition +fast)\n%s", raw, diff)
	}
	return true
}

func TestFastReadingIsTheDefinition(t *testing.T) {
	onDate := geo.NewDate(2020, 6, 30)
	for raw, fast := range map[string]bool{
		`{"lon":103.0165,"lat":21.3826,"mast_type":"A2b","height_m":45,"structure":"self_supporting","half_width_m":null,"host_building_height_m":12.5,"concealed":false,"operator":"VIETTEL","date":"2020-06-30"}`: true,
		` { "lon" : -0 , "lat" : 1e1 , "mast_type" : "A1a" } `:                                    true,
		`{"crs":"EPSG:9205","x":502943.1,"y":2367722.634,"mast_type":"A1a","accuracy_m":0}`:       true,
		`{"lon":103,"lat":21,"mast_type":"A1b","structure":"camouflaged"}`:                        true,
		`{"lon":103,"lat":21,"mast_type":"A1b","structure":"camouflaged","concealed":true}`:       true,
		`{"lon":103.12345678901234567890,"lat":2.1e1,"mast_type":"A1b","operator":""}`:            true,
		`{"lon":103,"lat":21,"mast_type":"A2b","crs":null,"x":null,"date":null,"structure":null}`: true,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":7}`:                                      true,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":7.0}`:                                    true,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":null}`:                                   true,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":7.5}`:                                    false,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":0}`:                                      false,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":9007199254740992}`:                       false,
		`{"lon":103,"lat":21,"mast_type":"A2b","feature":"7"}`:                                    false,
		`{"lon":103,"lat":21,"mast_type":"A2b","operator":"Viễn thông"}`:                          false,
		`{"lon":103,"lat":21,"mast_type":"A2b","lon":104}`:                                        false,
		`{"lon":103,"lat":21,"mast_type":"A2b","accuracy_m":1000.5}`:                              false,
		`{"lon":103,"lat":21,"mast_type":"A1b","structure":"camouflaged","concealed":false}`:      false,
		`{"lon":01,"lat":21,"mast_type":"A2b"}`:                                                   false,
		`{"lon":1.,"lat":21,"mast_type":"A2b"}`:                                                   false,
		`{"lon":1,"lat":21,"mast_type":"A2b"}x`:                                                   false,
		`{"lon":1,"lat":21,"mast_type":"A2b",}`:                                                   false,
		`{"lon":1,"lat":21,"mast_type":"A2b","height_m":truex}`:                                   false,
	} {
		var d draft
		if got := sameAsStrict(t, &d, []byte(raw), onDate); got != fast {
			t.Errorf("%s: fast %v, want %v", raw, got, fast)
		}
	}
}

// A draft that is used again remembers nothing of the row before.
func TestADraftForgets(t *testing.T) {
	var d draft
	full := `{"crs":"EPSG:9205","x":502943.1,"y":2367722.634,"mast_type":"A1a","height_m":3,"half_width_m":1,"host_building_height_m":9,"accuracy_m":5,"feature":3,"structure":"camouflaged","operator":"VNPT","date":"2019-01-01"}`
	for _, raw := range []string{full, `{"lon":1,"lat":2,"mast_type":"A2b"}`, full, `{"lon":1,"lat":2,"mast_type":"A2b","date":"2019-01-02","operator":"VIETTEL"}`} {
		if !sameAsStrict(t, &d, []byte(raw), geo.NewDate(2020, 6, 30)) {
			t.Errorf("%s was not taken", raw)
		}
	}
}

func TestNumbersAreReadAsStrconvReadsThem(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 20000 {
		value := math.Float64frombits(random.Uint64())
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		for _, text := range []string{
			strconv.FormatFloat(value, 'g', -1, 64), strconv.FormatFloat(math.Remainder(value, 1000), 'f', random.IntN(20), 64),
			strconv.FormatInt(random.Int64N(1<<53), 10),
		} {
			got, n := numberAt([]byte(text), '.')
			want, err := strconv.ParseFloat(text, 64)
			if json.Valid([]byte(text)) && (err != nil || n != len(text) || math.Float64bits(got) != math.Float64bits(want)) {
				t.Fatalf("%s: %v of %d characters, want %v, %v", text, got, n, want, err)
			}
		}
	}
	for _, text := range []string{"", "-", "1e", "1e+", ".5", "1.", "01", "1e999", "+1", "NaN", "0x1"} {
		if _, n := numberAt([]byte(text), '.'); n == len(text) && n > 0 {
			t.Errorf("%q was taken", text)
		}
	}
}

// FuzzFastProposal: whatever the fast way takes, it reads as the definition does.
func FuzzFastProposal(f *testing.F) {
	f.Add([]byte(`{"lon":103,"lat":21,"mast_type":"A2b","height_m":45.5,"structure":"camouflaged","concealed":true,"operator":"VNPT","date":"2020-01-31"}`))
	f.Add([]byte(`{"crs":"EPSG:9205","x":502943.1,"y":2.36772e6,"mast_type":"A1a","accuracy_m":10,"half_width_m":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d draft
		sameAsStrict(t, &d, raw, geo.NewDate(2020, 6, 30))
	})
}
