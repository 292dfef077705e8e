package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The terminal and the server of one database answer for the same day: what one
// brings in, the other shows.
func TestCommandsAnswerForTheSameDay(t *testing.T) {
	t.Parallel()
	s := demo(t)
	file := filepath.Join(t.TempDir(), "one.geojson")
	err := os.WriteFile(file, []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[103.02,21.39]},
		"properties":{"code":"IMP-1","mast_type":"A2b","status":"existing"}}]}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	hatang(t, "import", "bts_sites", file, "--data", s.dir).wants(t, exitDone, "1 inserted")
	var p page
	s.get(t, "/api/v1/collections/bts_sites/items?code=IMP-1", &p)
	if p.NumberMatched != 1 || p.Features[0].Properties["valid_from"] != "2020-12-31" || p.Features[0].Properties["illustrative"] != false {
		t.Errorf("the server does not show what was imported: %+v", p)
	}
	hatang(t, "check", "--data", s.dir, "--mast-type", "A2b", "--lon", "103.0165", "--lat", "21.3826").wants(t, exitFindings, "2020-12-31")
	hatang(t, "check", "--data", s.dir, "--date", "today", "--mast-type", "A2b", "--lon", "103.0165", "--lat", "21.3826").wants(t, exitFindings, "03136/094")
	out := filepath.Join(t.TempDir(), "sites.geojson")
	hatang(t, "export", "bts_sites", out, "--data", s.dir).wants(t, exitDone, "")
	if raw, err := os.ReadFile(out); err != nil || !strings.Contains(string(raw), "IMP-1") {
		t.Errorf("the export lacks what was imported (%v)", err)
	}
	hatang(t, "export", "bts_sites", "sites.shp", "--data", s.dir).wants(t, exitUsage, "ogr2ogr")
}

// A row that cannot be judged keeps its place among the verdicts.
func TestCheckedRowsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	s := demo(t)
	file := filepath.Join(t.TempDir(), "masts.csv")
	if err := os.WriteFile(file, []byte("lon,lat,mast_type\n103.0165,21.3826,A1a\n103.0165,91,A2b\n103.226566,21.144375,A2b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := hatang(t, "check", "--file", file, "--json", "--data", s.dir)
	r.wants(t, exitFindings, "")
	var got struct {
		Results []struct {
			Row     int    `json:"row"`
			Verdict string `json:"verdict"`
			Errors  []any  `json:"errors"`
		} `json:"results"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	if len(got.Results) != 3 || got.Results[0].Verdict == "" || got.Results[1].Row != 2 || len(got.Results[1].Errors) == 0 || got.Results[2].Verdict == "" {
		t.Errorf("%+v", got)
	}
}

// Without a plan the boundaries come first: a province governs itself and the rest.
func TestImportIntoAnEmptyRegister(t *testing.T) {
	t.Parallel()
	dir := freshDir(t)
	hatang(t, "migrate", "--data", dir).wants(t, exitDone, "up to date")
	for _, l := range []string{"provinces", "districts", "communes"} {
		hatang(t, "import", l, boundaryFiles(t)[l], "--data", dir).wants(t, exitDone, "0 refused")
	}
	hatang(t, "doctor", "--data", dir).wants(t, exitDone, "21 layers")
}

// Another plan is a folder; of two loads at once, one loads.
func TestDemoOfAnotherPack(t *testing.T) {
	t.Parallel()
	dir := freshDir(t)
	pack := filepath.Join("..", "..", "internal", "plan", "testdata", "packs", "song-lam")
	hatang(t, "migrate", "--data", dir).wants(t, exitDone, "")
	first := make(chan result, 1)
	go func() { first <- hatang(t, "demo", "--pack", pack, "--data", dir) }()
	second := hatang(t, "demo", "--pack", pack, "--data", dir)
	second.wants(t, exitDone, "")
	one := <-first
	one.wants(t, exitDone, "")
	said := one.stdout + second.stdout
	if strings.Count(said, "nothing was loaded") != 1 {
		t.Errorf("two loads at once said %q", said)
	}
	hatang(t, "doctor", "--data", dir).wants(t, exitDone, "no problems")
}
