package permit_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/permit"
	"hatang/internal/testdb"
)

func day(t testing.TB, s string) geo.Date {
	t.Helper()
	d, err := geo.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// check is one of the plan's own placement questions with its answer.
type check struct {
	ID, Commune, Because string
	Verdict              []string
	Lon, Lat             float64
	raw                  []byte // as a proposal
}

// checks reads the placement points beside the test data.
func checks(t testing.TB) (list []check, date geo.Date) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testdb.TestData(t), "..", "checks", "placement-points.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Date   string `json:"decision_date"`
		Checks []map[string]any
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, members := range file.Checks {
		var c check
		if raw, err = json.Marshal(members); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"id", "place", "commune", "verdict", "because"} {
			delete(members, name)
		}
		if _, projected := members["crs"]; projected {
			delete(members, "lon")
			delete(members, "lat")
		}
		if c.raw, err = json.Marshal(members); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list, day(t, file.Date)
}

func TestParseProposalReadsEveryMember(t *testing.T) {
	p, err := permit.ParseProposal([]byte(`{"lon":103.0165,"lat":21.3826,"mast_type":"A2b","height_m":45,"structure":"self_supporting","half_width_m":null,
		"host_building_height_m":12.5,"concealed":false,"operator":"VIETTEL","feature":41,"date":"2020-06-30"}`), day(t, "2026-01-01"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Point[0] != 103.0165 || p.Point[1] != 21.3826 || p.MastType != "A2b" || *p.HeightM != 45 || *p.Structure != "self_supporting" ||
		p.HalfWidthM != nil || *p.HostBuildingHeightM != 12.5 || *p.Concealed || p.Operator != "VIETTEL" || p.Feature != 41 || p.Date.String() != "2020-06-30" {
		t.Errorf("%+v", p)
	}
	p, err = permit.ParseProposal([]byte(`{"lon":103,"lat":21,"mast_type":"A1b","structure":"camouflaged"}`), day(t, "2026-01-01"))
	if err != nil || *p.Structure != geo.OtherStructure || p.Concealed == nil || !*p.Concealed || p.Date.String() != "2026-01-01" || p.HeightM != nil {
		t.Errorf("camouflaged: %+v, %v", p, err)
	}
}

func TestParseProposalTransformsToWGS84(t *testing.T) {
	list, date := checks(t)
	projected := 0
	for _, c := range list {
		p, err := permit.ParseProposal(c.raw, date)
		if err != nil || math.Abs(p.Point[0]-c.Lon) > 1e-6 || math.Abs(p.Point[1]-c.Lat) > 1e-6 {
			t.Errorf("%s: %v, want %g, %g, %v", c.ID, p.Point, c.Lon, c.Lat, err)
		}
		if c.ID == "P5" {
			projected++
		}
	}
	if projected != 1 {
		t.Error("P5 is missing")
	}
}

func TestParseProposalReportsEveryFaultAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  string
		want []string
	}{
		"not JSON":         {`{`, []string{""}},
		"a list":           {`[]`, []string{""}},
		"null":             {`null`, []string{""}},
		"nothing":          {`{}`, []string{"/lon", "/lat", "/mast_type"}},
		"nulls":            {`{"lon":null,"lat":null,"mast_type":null}`, []string{"/lon", "/lat", "/mast_type"}},
		"out of range":     {`{"lon":-180.1,"lat":91,"mast_type":"A2b"}`, []string{"/lon", "/lat"}},
		"strings":          {`{"lon":"103","lat":"21","mast_type":1}`, []string{"/lon", "/lat", "/mast_type"}},
		"all wrong":        {`{"lon":1,"lat":2,"mast_type":"B","height_m":0,"half_width_m":101,"host_building_height_m":"x","concealed":1,"structure":"pole","operator":5,"date":"30/6/2020"}`, []string{"/mast_type", "/height_m", "/half_width_m", "/host_building_height_m", "/concealed", "/structure", "/operator", "/date"}},
		"misspelt":         {`{"lon":1,"lat":2,"mast_type":"A2b","heigth_m":3,"Lon":4}`, []string{"/Lon", "/heigth_m"}},
		"x without crs":    {`{"x":1,"y":2,"mast_type":"A2b"}`, []string{"/crs", "/lon", "/lat"}},
		"both ways":        {`{"lon":1,"lat":2,"crs":"EPSG:9205","x":1,"y":2,"mast_type":"A2b"}`, []string{"/crs"}},
		"crs alone":        {`{"crs":"EPSG:9205","mast_type":"A2b"}`, []string{"/x", "/y"}},
		"unknown crs":      {`{"crs":"EPSG:1","x":1,"y":2,"mast_type":"A2b"}`, []string{"/crs"}},
		"beyond the crs":   {`{"crs":"EPSG:9205","x":1e12,"y":2,"mast_type":"A2b"}`, []string{"/x"}},
		"higher than all":  {`{"lon":1,"lat":2,"mast_type":"A2b","height_m":1000.5}`, []string{"/height_m"}},
		"the limits fit":   {`{"lon":-180,"lat":-90,"mast_type":"A2b","height_m":1000,"half_width_m":100}`, nil},
		"no whole feature": {`{"lon":1,"lat":2,"mast_type":"A2b","feature":1.5}`, []string{"/feature"}},
		"below all ids":    {`{"lon":1,"lat":2,"mast_type":"A2b","feature":-1}`, []string{"/feature"}},
		"feature as text":  {`{"lon":1,"lat":2,"mast_type":"A2b","feature":"7"}`, []string{"/feature"}},
		"beyond a float":   {`{"lon":1e999,"lat":2,"mast_type":"A2b"}`, []string{"/lon"}},
		"NaN is not JSON":  {`{"lon":NaN,"lat":2}`, []string{""}},
		"an empty type":    {`{"lon":1,"lat":2,"mast_type":""}`, []string{"/mast_type"}},
		"a null structure": {`{"lon":1,"lat":2,"mast_type":"A1a","structure":null,"date":null}`, nil},
	} {
		_, err := permit.ParseProposal([]byte(tt.raw), day(t, "2020-06-30"))
		var got []string
		if invalid, ok := permit.Faults(err); ok {
			for _, f := range invalid.Faults {
				got = append(got, f.At)
				if f.Detail.VI == "" || f.Detail.EN == "" {
					t.Errorf("%s: %s is not said in both languages", name, f.At)
				}
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func FuzzParseProposal(f *testing.F) {
	f.Add([]byte(`{"lon":103,"lat":21,"mast_type":"A2b","structure":"camouflaged"}`))
	f.Add([]byte(`{"crs":"EPSG:9205","x":502943.1,"y":2367722.6,"mast_type":"A1a","date":"2020-01-01"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := permit.ParseProposal(raw, geo.Date{})
		if err == nil && (!p.MastType.Valid() || !(math.Abs(p.Point[0]) <= 180 && math.Abs(p.Point[1]) <= 90)) {
			t.Errorf("%s was taken as %+v", raw, p)
		}
	})
}

func TestCamouflagedAndNotConcealedIsAContradiction(t *testing.T) {
	_, err := permit.ParseProposal([]byte(`{"lon":103,"lat":21,"mast_type":"A1b","structure":"camouflaged","concealed":false}`), geo.NewDate(2020, 1, 1))
	invalid, ok := permit.Faults(err)
	if !ok || len(invalid.Faults) != 1 || invalid.Faults[0].At != "/concealed" {
		t.Errorf("%v", err)
	}
}

// Each date takes a reading of the database, so one call has a limit of them.
func TestTooManyDatesAreRefused(t *testing.T) {
	proposals := make([]zoning.Proposal, permit.MaxDates+1)
	for i := range proposals {
		proposals[i].Date = geo.NewDate(2020, 1, 1+i)
	}
	_, err := permit.NewChecker(nil).Check(context.Background(), account.Anonymous(), proposals)
	if _, ok := permit.Faults(err); !ok {
		t.Errorf("%d dates: %v", len(proposals), err)
	}
}
