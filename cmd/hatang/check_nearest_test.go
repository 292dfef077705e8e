package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// nearestAnswer is what the tests read of an answer with the nearest place.
type nearestAnswer struct {
	Verdict string
	Nearest struct {
		Verdict    *string
		Lon, Lat   *float64
		Unit       *struct{ Commune, District string }
		DistanceM  *float64 `json:"distance_m"`
		BearingDeg *float64 `json:"bearing_deg"`
		Message    struct{ VI, EN string }
	}
}

// nearestPlaces asks the demonstration where a mast may stand that may not where it is
// proposed. The place must be good by a check of its own, and none of a grid nearer.
func nearestPlaces(t *testing.T, s *server) {
	found := 0
	for _, at := range []orb.Point{{103.0165, 21.3826}, {103.0230, 21.3860}, {103.0137, 21.3921}, {103.155, 22.05}, {102.886216, 21.720695}, {103.51, 21.36}, {103.226566, 21.144375}} {
		for _, mast := range []string{`"mast_type":"A2b","height_m":42,"structure":"self_supporting"`, `"mast_type":"A2a","height_m":12,"structure":"rooftop"`} {
			body := func(p orb.Point) string {
				return fmt.Sprintf(`{"lon":%.7f,"lat":%.7f,%s,"date":"2020-06-30"}`, p[0], p[1], mast)
			}
			var got nearestAnswer
			s.call(t, "POST", "/api/v1/placement-checks?nearest_within_m=4000", body(at), "Content-Type", "application/json").read(t, &got)
			nearestM := 4000.0
			if n := got.Nearest; n.Lon != nil {
				found++
				place := orb.Point{*n.Lon, *n.Lat}
				nearestM = *n.DistanceM
				if measured := geo.DistanceM(at, place); math.Abs(measured-nearestM) > 0.001 || *n.Verdict != "permitted" || n.Unit == nil || nearestM > 0 && !strings.Contains(n.Message.EN, fmt.Sprintf("%.7f", place[0])) {
					t.Errorf("%v %s: %v m, %+v", at, mast, measured, n)
				}
				if there := s.check(t, json.RawMessage(body(place))); there.Verdict != "permitted" {
					t.Errorf("%v %s: at %v it is %s", at, mast, place, there.Verdict)
				}
			} else if got.Verdict == "permitted" || n.Message.VI == "" {
				t.Errorf("%v %s: %+v", at, mast, got)
			}
			if nearer := s.permittedWithin(t, at, nearestM-1, body); nearer != nil {
				t.Errorf("%v %s: %v m away there is one, and %v is nearer", at, mast, nearestM, *nearer)
			}
			t.Logf("%v %.20s: %s; %s", at, mast, got.Verdict, got.Nearest.Message.EN)
		}
	}
	if found < 8 {
		t.Errorf("%d places found: little was asked", found)
	}
	nearestCommand(t, s)
}

// permittedWithin looks for a place of a grid of 1600 where the mast is permitted.
func (s *server) permittedWithin(t *testing.T, at orb.Point, withinM float64, body func(orb.Point) string) *orb.Point {
	t.Helper()
	plane := geo.NewPlane(at)
	var places []orb.Point
	var list []string
	for i := range 40 {
		for k := range 40 {
			x, y := (float64(i)/19.5-1)*withinM, (float64(k)/19.5-1)*withinM
			if p := plane.At(x, y); withinM > 0 && geo.DistanceM(at, p) < withinM {
				places, list = append(places, p), append(list, body(p))
			}
		}
	}
	var many struct{ Results []verdict }
	s.call(t, "POST", "/api/v1/placement-checks?detail=verdict", `{"proposals":[`+strings.Join(list, ",")+`]}`, "Content-Type", "application/json").read(t, &many)
	if len(many.Results) != len(places) {
		t.Fatalf("%d results of %d", len(many.Results), len(places))
	}
	for i, r := range many.Results {
		if r.Verdict == "permitted" {
			return &places[i]
		}
	}
	return nil
}

// nearestCommand: the command, which reads what lies around, finds what the server finds
// in its memory, and says it.
func nearestCommand(t *testing.T, s *server) {
	common := []string{"check", "--data", s.dir, "--date", "2020-06-30", "--mast-type", "A2b", "--lon", "103.0165", "--lat", "21.3826", "--height-m", "42", "--structure", "self_supporting"}
	var there, here nearestAnswer
	s.call(t, "POST", "/api/v1/placement-checks?nearest_within_m=5000", `{"lon":103.0165,"lat":21.3826,"mast_type":"A2b","height_m":42,"structure":"self_supporting","date":"2020-06-30"}`,
		"Content-Type", "application/json", "Authorization", "Bearer "+s.key).read(t, &there)
	r := hatang(t, append(slices.Clone(common), "--nearest", "--json")...)
	if err := json.Unmarshal([]byte(r.stdout), &here); err != nil || here.Nearest.Lon == nil || *here.Nearest.Lon != *there.Nearest.Lon || *here.Nearest.DistanceM != *there.Nearest.DistanceM {
		t.Errorf("the command: %v, %s; the server: %+v", err, r.stdout, there.Nearest)
	}
	hatang(t, append(slices.Clone(common), "--nearest")...).wants(t, exitFindings, there.Nearest.Message.EN)
	hatang(t, append(slices.Clone(common), "--nearest=20")...).wants(t, exitFindings, "Within 20 m there is no place")
	for _, bad := range [][]string{{"--nearest=0"}, {"--nearest=20001"}, {"--nearest=far"}, {"--nearest", "--file", "sites.csv"}} {
		hatang(t, append(slices.Clone(common), bad...)...).wants(t, exitUsage, "")
	}
}
