package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hatang/internal/testdb"
)

// placementPoint is one of the shared checks.
type placementPoint struct {
	ID, CRS, Structure, Because string
	Lon, Lat, X, Y              *float64
	MastType                    string   `json:"mast_type"`
	HeightM                     *float64 `json:"height_m"`
	HalfWidthM                  *float64 `json:"half_width_m"`
	Commune                     *string
	Verdict                     []string
}

// proposal is the point as a body of a check.
func (p placementPoint) proposal(date string) map[string]any {
	body := map[string]any{"mast_type": p.MastType, "structure": p.Structure, "height_m": *p.HeightM, "date": date}
	if p.CRS != "" {
		body["crs"], body["x"], body["y"] = p.CRS, *p.X, *p.Y
	} else {
		body["lon"], body["lat"] = *p.Lon, *p.Lat
	}
	if p.HalfWidthM != nil {
		body["half_width_m"] = *p.HalfWidthM
	}
	return body
}

func placementPoints(t *testing.T) (date string, points []placementPoint) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(testdb.TestData(t), "..", "checks", "placement-points.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		DecisionDate string `json:"decision_date"`
		Checks       []placementPoint
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Checks) != 6 {
		t.Fatalf("%d points", len(file.Checks))
	}
	return file.DecisionDate, file.Checks
}

// verdict is what the tests read of an answer to a check.
type verdict struct {
	Verdict  string
	Unit     *struct{ Commune, District string }
	Findings []struct{ Rule, Outcome, Clause string }
	Versions map[string]int64
	Status   int // of a problem in the place of an answer
}

func (s *server) check(t *testing.T, body any) verdict {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	a := s.call(t, "POST", "/api/v1/placement-checks", string(raw), "Content-Type", "application/json")
	a.wants(t, 200)
	var v verdict
	a.read(t, &v)
	return v
}

// judgePoints checks the six points on a server. Their communes are those of the
// real boundaries, in which the schematic ones were drawn.
func judgePoints(t *testing.T, s *server, when string) {
	t.Helper()
	date, points := placementPoints(t)
	for _, p := range points {
		v := s.check(t, p.proposal(date))
		t.Logf("%s %s: %s", when, p.ID, v.Verdict)
		if !slices.Contains(p.Verdict, v.Verdict) {
			t.Errorf("%s %s: %s, the plan's text gives %v", when, p.ID, v.Verdict, p.Verdict)
		}
		if (p.Commune == nil) != (v.Unit == nil) || v.Unit != nil && v.Unit.Commune != *p.Commune {
			t.Errorf("%s %s lies in %+v", when, p.ID, v.Unit)
		}
		because := func(f struct{ Rule, Outcome, Clause string }) bool {
			return f.Rule == p.Because || p.ID == "P5" && f.Rule == "A1-class" && f.Outcome == "unknown" || p.ID == "P6" && f.Rule == "TERRITORY"
		}
		if !slices.ContainsFunc(v.Findings, because) {
			t.Errorf("%s %s: no finding %q in %+v", when, p.ID, p.Because, v.Findings)
		}
	}
}

func schematicPoints(t *testing.T, s *server) {
	judgePoints(t, s, "schematic")
	date, points := placementPoints(t)
	var list []map[string]any
	for _, p := range points {
		list = append(list, p.proposal(date))
	}
	list = append(list, map[string]any{"lon": 103, "lat": 21}) // no mast type: a problem in its place
	raw, err := json.Marshal(map[string]any{"proposals": list})
	if err != nil {
		t.Fatal(err)
	}
	var many struct{ Results []verdict }
	s.call(t, "POST", "/api/v1/placement-checks", string(raw), "Content-Type", "application/json").read(t, &many)
	if len(many.Results) != 7 || many.Results[6].Status != 400 {
		t.Fatalf("many at once: %+v", many.Results)
	}
	for i := range points {
		if one := s.check(t, list[i]); one.Verdict != many.Results[i].Verdict {
			t.Errorf("%s alone is %s, among many %s", points[i].ID, one.Verdict, many.Results[i].Verdict)
		}
	}
}

// inBorderBelt is a place in the demonstration's border belt.
const inBorderBelt = "102.88621624999999 21.720695"

func allVerdicts(t *testing.T, s *server) {
	date, points := placementPoints(t)
	var lon, lat float64
	if _, err := fmt.Sscan(inBorderBelt, &lon, &lat); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	border := map[string]any{"lon": lon, "lat": lat, "mast_type": "A2b", "structure": "self_supporting", "height_m": 42, "date": date}
	seen[s.check(t, border).Verdict] = true
	for _, p := range points {
		seen[s.check(t, p.proposal(date)).Verdict] = true
	}
	for _, want := range []string{"permitted", "conditional", "refused", "undetermined"} {
		if !seen[want] {
			t.Errorf("no point is %s", want)
		}
	}
}

// checkCommandJudges runs beside the server, on the same folder.
func checkCommandJudges(t *testing.T, s *server) {
	common := []string{"check", "--data", s.dir, "--date", "2020-06-30"}
	for _, tt := range []struct {
		args string
		code int
		said string
	}{
		{"--mast-type A2b --lon 103.226566 --lat 21.144375 --height-m 42 --structure self_supporting", exitDone, "permitted"},
		{"--mast-type A2b --lon 102.88621624999999 --lat 21.720695 --height-m 42 --structure self_supporting", exitDone, "conditional"},
		{"--mast-type A2b --lon 103.0165 --lat 21.3826 --height-m 45 --structure self_supporting", exitFindings, "refused"},
		{"--mast-type A2b --lon 102.6 --lat 21.1 --height-m 42", exitFindings, "undetermined"},
		{"--mast-type A1a --crs EPSG:9205 --x 502943.1 --y 2367722.634 --height-m 2.8 --half-width-m 0.4", exitFindings, "03127/094"},
		{"--lon 103 --lat 21", exitUsage, "mast_type"},
		{"--mast-type A2b --lon 103 --lat 91", exitUsage, "±90"},
		{"--mast-type A2b --lon NaN --lat 21", exitUsage, "lon"},
		{"--mast-type A9 --lon 103 --lat 21", exitUsage, "mast_type"},
		{"--mast-type A2b --lon 103 --lat 21 --feature=-1", exitUsage, "feature"},
		{"--mast-type A2b --lon 103 --lat 21 --feature 9007199254740991", exitFindings, "feature: "},
		{"--mast-type A2b --lon 103 --lat 21 --nonsense", exitUsage, "nonsense"},
		{"--mast-type A2b --crs EPSG:1 --x 1 --y 2", exitUsage, "crs"},
	} {
		hatang(t, append(slices.Clone(common), strings.Fields(tt.args)...)...).wants(t, tt.code, tt.said)
	}
	r := hatang(t, append(common, "--mast-type", "A2b", "--lon", "103.0165", "--lat", "21.3826", "--json")...)
	var v verdict
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || v.Verdict != "refused" || v.Unit.Commune != "03136" {
		t.Errorf("--json: %v, %+v", err, v)
	}
}

func checkCommandReadsFiles(t *testing.T, s *server) {
	dir := freshDir(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = "\ufefflon,lat,mast_type,height_m,structure\n"
	const good = "103.226566,21.144375,A2b,42,self_supporting\n"
	const refused = "103.0165,21.3826,A2b,45,self_supporting\n"
	for _, tt := range []struct {
		name, text string
		code       int
		said       string
	}{
		{"good.csv", head + good + good, exitDone, "permitted"},
		{"mixed.csv", head + good + refused, exitFindings, "refused"},
		{"faulty.csv", head + good + "103,91,A2b,,\n", exitFindings, "row 2: lat"},
		{"text.csv", head + "east,21,A2b,,\n", exitFindings, "row 1: lon"},
		{"ragged.csv", head + "103\n", exitFindings, "ragged.csv"},
		{"empty.csv", "", exitFindings, "no line of column names"},
		{"heads.csv", head, exitFindings, "no proposals"},
	} {
		hatang(t, "check", "--data", s.dir, "--date", "2020-06-30", "--file", write(tt.name, tt.text)).wants(t, tt.code, tt.said)
	}
	r := hatang(t, "check", "--data", s.dir, "--date", "2020-06-30", "--json", "--file", filepath.Join(dir, "mixed.csv"))
	var many struct{ Results []verdict }
	if err := json.Unmarshal([]byte(r.stdout), &many); err != nil || r.code != exitFindings || len(many.Results) != 2 || many.Results[1].Verdict != "refused" {
		t.Errorf("--file --json: %v, exit %d, %+v", err, r.code, many)
	}
	hatang(t, "check", "--data", s.dir, "--file", filepath.Join(dir, "missing.csv")).wants(t, exitUsage, "missing.csv")
}
