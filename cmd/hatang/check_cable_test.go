package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cablesAreChecked: the server and the command give one verdict, with the clause and both
// sentences, and say what is wrong with what cannot be judged.
func cablesAreChecked(t *testing.T, s *server) {
	const route = `{"type":"LineString","coordinates":[[103.0190,21.3914,7],[103.0222,21.3914,7]]}`
	const hanging = `{"geometry":` + route + `,"carrier":"electric_pole","new_project":false,"date":"2020-06-30"}`
	type verdict struct {
		Verdict, Date string
		RuleSet       string `json:"rule_set"`
		Findings      []struct {
			Rule, Outcome, Clause string
			Measured              float64 `json:"measured_m"`
			Message               struct{ VI, EN string }
		}
		Alternatives []struct{ Carrier string }
		Versions     map[string]int
	}
	isRefused := func(what string, raw []byte) {
		t.Helper()
		var v verdict
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s: %v: %s", what, err, raw)
		}
		if v.Verdict != "refused" || v.RuleSet != "dien-bien-2016@1" || len(v.Alternatives) != 2 || v.Versions["pole_lines"] == 0 {
			t.Errorf("%s: %+v", what, v)
		}
		for _, f := range v.Findings {
			if f.Rule == "CAB-U1" && (f.Outcome != "fail" || f.Clause != "Phần 2, III.2.3.1" || f.Measured < 300 || f.Message.VI == "" || f.Message.EN == "") {
				t.Errorf("%s: %+v", what, f)
			}
		}
	}
	post := func(body string) answer {
		return s.call(t, "POST", "/api/v1/cable-checks", body, "Content-Type", "application/json")
	}
	isRefused("server", post(hanging).body)
	var many struct {
		Results []json.RawMessage
		Summary map[string]int
	}
	post(`{"proposals":[`+hanging+`,{"carrier":"duct"}]}`).read(t, &many)
	if len(many.Results) != 2 || !strings.Contains(string(many.Results[1]), "/geometry") || many.Summary["refused"] != 1 || many.Summary["not_judged"] != 1 {
		t.Errorf("a list: %s, %v", many.Results, many.Summary)
	}
	isRefused("server, in a list", many.Results[0])
	post(`{"carrier":"duct"}`).isProblem(t, 400)
	post(`{"proposals":[`+strings.Repeat(`{},`, 500)+`{}]}`).isProblem(t, 400)

	dir := freshDir(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	line := write("line.geojson", route)
	common := []string{"check-cable", "--data", s.dir, "--date", "2020-06-30", line, "--new-project=false"}
	r := hatang(t, append(common, "--carrier", "electric_pole", "--json")...)
	r.wants(t, exitFindings, "")
	isRefused("command", []byte(r.stdout))
	hatang(t, append(common, "--carrier", "duct")...).wants(t, exitDone, "CAB-U1")
	hatang(t, append(common, "--carrier", "balloon")...).wants(t, exitFindings, "balloon")
	features := write("features.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":`+route+`,"properties":{"carrier":"electric_pole","owner_agreement":true}},{"type":"Feature","geometry":`+route+`,"properties":{}}]}`)
	hatang(t, "check-cable", "--data", s.dir, "--date", "2020-06-30", "--carrier", "duct", features).wants(t, exitFindings, "instead")
	hatang(t, "check-cable", "--data", s.dir, write("broken.geojson", "x")).wants(t, exitFindings, "GeoJSON")
}
