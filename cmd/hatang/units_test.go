package main

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// lineageDocument is what /units/{code}/lineage answers.
type lineageDocument struct {
	Unit struct {
		Code, Name, Level string
		ValidFrom         string `json:"valid_from"`
	}
	Predecessors, Successors []struct {
		Code, Part string
		ChangedOn  string `json:"changed_on"`
		Unit       *struct{ Code, Name string }
	}
}

// TestStructuresInTime brings the demonstration to the real boundaries and structures of
// 2015, 2020 and 2025, beside a running server: each date is answered by its own units.
func TestStructuresInTime(t *testing.T) {
	t.Parallel()
	s := demo(t)
	data := testdb.TestData(t)
	for _, l := range []string{"provinces", "districts", "communes"} {
		path := boundaryFiles(t)[l]
		if l == "districts" { // of the same survey as the communes
			path = filepath.Join(data, "boundaries", "dienbien_districts_dissolved.geojson")
		}
		s.command(t, "import", l, path).wants(t, exitDone, "beside each other")
	}
	s.command(t, "units", "check", "communes").wants(t, exitDone, "communes on 2020-12-31: 0 overlaps (0 m²), 0 gaps (0 m²)")
	changesOfStructure(t, s, data)
	figuresInTime(t, s)
	lineageInTime(t, s)
	s.command(t, "units", "check", "communes", "--date", "2026-01-01", "--json").wants(t, exitFindings, `"overlaps"`)
	s.command(t, "units", "check", "bts_sites").wants(t, exitUsage, "neither units nor zones")
	s.command(t, "doctor").wants(t, exitDone, "")
}

// changesOfStructure makes 2020 and 2025, each looked at before.
func changesOfStructure(t *testing.T, s *server, data string) {
	t.Helper()
	table2020 := filepath.Join("..", "..", "internal", "plan", "packs", "dien-bien", "structures", "2020-01-01.csv")
	table2025, communes2025 := filepath.Join(data, "tables", "dienbien_official_merge_2025.csv"), filepath.Join(data, "boundaries", "dienbien_communes_2025.geojson")
	merge := []string{"units", "lineage", table2020, "--date", "2020-01-01", "--act", "815/NQ-UBTVQH14", "--merge"}
	s.command(t, append(merge, "--dry-run")...).wants(t, exitDone, "nothing was changed")
	s.command(t, merge...).wants(t, exitDone, "communes: 9 ended, 8 began\ndistricts that follow their communes: 094, 100")
	s.command(t, "units", "lineage", table2025).wants(t, exitFindings, "changed_on: ")
	change := []string{"import", "communes", communes2025, "--complete", "--in-force", "2025-07-01"}
	s.command(t, change...).wants(t, exitFindings, "nothing says what became of them")
	s.command(t, "units", "lineage", table2025, "--date", "2025-07-01", "--act", "1661/NQ-UBTVQH15").wants(t, exitDone, "129 inserted")
	s.command(t, change...).wants(t, exitFindings, "the areas do not hold together")
	s.command(t, append(change, "--accept-gaps", "--dry-run")...).wants(t, exitDone, "units that end: 84")
	structureOverHTTP(t, s, communes2025)
	end := []string{"units", "end", "districts", "--date", "2025-07-01"}
	s.command(t, append(end, "--dry-run")...).wants(t, exitDone, "nothing was changed")
	s.command(t, end...).wants(t, exitDone, "districts: 10 end on 2025-07-01")
	s.command(t, end[:3]...).wants(t, exitUsage, "--date")
	s.command(t, "import", "communes", communes2025, "--complete").wants(t, exitUsage, "--in-force")
	s.command(t, "import", "communes", communes2025, "--accept-gaps").wants(t, exitUsage, "--complete")
	s.command(t, "import", "bts_sites", communes2025, "--complete", "--in-force", "2025-07-01").wants(t, exitUsage, "are no units")
}

// structureOverHTTP sends the whole structure of 2025: refused where it leaves gaps, with where
// and how large they are, until that is accepted.
func structureOverHTTP(t *testing.T, s *server, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	send := func(query string) layer.Import {
		a := s.call(t, http.MethodPost, "/api/v1/imports?collection=communes&in_force=2025-07-01&complete=true"+query, string(file), append(bearer(s.key), "Content-Type", "application/geo+json")...)
		a.wants(t, http.StatusAccepted)
		i := s.importOver(t, strings.TrimPrefix(a.header.Get("Location"), s.url))
		if i.Report == nil || i.Report.Areas == nil || i.Report.Areas.Coverage == nil {
			t.Fatalf("%q: %+v, %+v", query, i, i.Report)
		}
		return i
	}
	i := send("")
	c := i.Report.Areas.Coverage
	if i.State != layer.ImportRefused || i.Report.Applied || len(i.Report.Areas.Structure) != 1 || !strings.Contains(i.Report.Areas.Structure[0].Detail.EN, fmt.Sprintf("%d gaps", c.Gaps.Count)) {
		t.Errorf("not accepted: %+v, %+v", i.Report, i.Report.Areas.Structure)
	}
	if gap := c.Gaps.Largest[0]; c.Gaps.Count < 1 || gap.AreaM2 < postgis.MinDefectM2 || math.Abs(gap.At[0]-103) > 1 || math.Abs(gap.At[1]-21.5) > 1 {
		t.Errorf("the largest gap: %+v", gap)
	}
	if i := send("&accept_gaps=true&dry_run=true"); i.State != layer.ImportDone || i.Report.Applied || len(i.Report.Areas.Ended) != 84 || len(i.Report.Areas.Structure) > 0 {
		t.Errorf("a dry run: %+v, %+v", i.Report, i.Report.Areas)
	}
	if i := send("&accept_gaps=true"); i.State != layer.ImportDone || !i.Report.Applied || i.Report.Read != 45 || len(i.Report.Areas.Ended) != 84 || i.Report.Areas.Coverage.Gaps.Count != c.Gaps.Count {
		t.Errorf("accepted: %+v, %+v", i.Report, i.Report.Areas)
	}
	var listed struct{ Imports []layer.Import }
	if s.get(t, "/api/v1/imports?limit=1", &listed, bearer(s.key)...); len(listed.Imports) != 1 || len(listed.Imports[0].Report.Areas.Coverage.Gaps.Largest) != 0 {
		t.Errorf("the list: %+v", listed)
	}
}

// figuresInTime: indicators are made of the boundaries of their date, and of districts for
// the dates on which there were any.
func figuresInTime(t *testing.T, s *server) {
	t.Helper()
	for date, want := range map[string][2]int{"2015-12-31": {130, 10}, "2020-12-31": {129, 10}, "2026-01-01": {45, 0}} {
		for i, level := range []string{"communes", "districts"} {
			var p struct{ NumberMatched int }
			s.get(t, "/api/v1/collections/"+level+"/items?limit=1&datetime="+date, &p)
			if p.NumberMatched != want[i] {
				t.Errorf("%s: %d %s, want %d", date, p.NumberMatched, level, want[i])
			}
		}
	}
	area := func(level, code, date string) float64 {
		u := s.unit(t, level, code, date)
		return number(u.find(t, "covered_area_m2", "bts_sites", "", "site", "built").Denominator) / 1e6
	}
	// The city grew by four communes: their areas, of the file, added to its own.
	if before, after := area("district", "094", "2015-12-31"), area("district", "094", "2020-12-31"); math.Abs(before-63.8785) > 1e-4 || after < 4*before {
		t.Errorf("the city: %.4f km², then %.4f", before, after)
	}
	if sum := area("district", "094", "2020-12-31") + area("district", "100", "2020-12-31") - area("district", "094", "2015-12-31") - area("district", "100", "2015-12-31"); math.Abs(sum) > 1e-6 {
		t.Errorf("the two districts have %.6f km² more together", sum)
	}
	u := s.unit(t, "district", "094", "2020-12-31")
	if f := u.find(t, "mean_service_radius_m", "bts_sites", "", "site", "built"); f.AreaBasis != "geodesic" || u.Unit.ValidFrom != "2020-01-01" {
		t.Errorf("the official area of 2015 is still the city's: %s since %s", f.AreaBasis, u.Unit.ValidFrom)
	}
	for date, want := range map[string]string{"2015-12-31": "Xã Thanh Xương", "2020-12-31": "Xã Thanh Xương", "2026-01-01": "Phường Mường Thanh"} {
		if u := s.unit(t, "commune", "03334", date); u.Unit.Name != want {
			t.Errorf("%s: 03334 is %s", date, u.Unit.Name)
		}
	}
	if a, b := area("commune", "03334", "2020-12-31"), area("commune", "03334", "2026-01-01"); math.Abs(a-b) < 1 {
		t.Errorf("03334 has %.2f km², whatever it is", a)
	}
	for _, of := range []string{"indicators", "uncovered", "sharing-clusters"} {
		s.call(t, http.MethodGet, "/api/v1/districts/094/"+of+"?date=2025-06-30", "").wants(t, http.StatusOK)
		s.call(t, http.MethodGet, "/api/v1/communes/03144/"+of+"?date=2020-01-01", "").wants(t, http.StatusNotFound)
		gone := s.call(t, http.MethodGet, "/api/v1/districts/094/"+of+"?date=2026-01-01", "", "Accept-Language", "en")
		gone.wants(t, http.StatusNotFound)
		if !strings.Contains(string(gone.body), "it was in force from 2020-01-01 until 2025-07-01") {
			t.Errorf("%s of a district that is over: %s", of, gone.body)
		}
	}
	v := s.check(t, map[string]any{"lon": 103.0165, "lat": 21.3826, "mast_type": "A1a", "date": "2026-01-01"})
	if v.Unit == nil || v.Unit.Commune != "03127" || v.Unit.District != "" {
		t.Errorf("a point of phường Điện Biên Phủ lies in %+v", v.Unit)
	}
	var none struct{ Units []unit }
	if s.get(t, "/api/v1/indicators?level=district&date=2026-01-01", &none); len(none.Units) != 0 {
		t.Errorf("%d districts in 2026", len(none.Units))
	}
}

// lineageInTime: what became of units, seen from each date, and from their rows.
func lineageInTime(t *testing.T, s *server) {
	t.Helper()
	for path, want := range map[string]string{
		"03144/lineage?date=2015-12-31": "Xã Tà Lèng 2012-08-25 | | 03145 whole 2020-01-01 Xã Thanh Minh",
		"03144/lineage?date=2026-01-01": "Xã Tà Lèng 2012-08-25 | | 03145 whole 2020-01-01 Xã Thanh Minh",
		"03145/lineage?date=2020-06-01": "Xã Thanh Minh 2020-01-01 | 03144 whole 2020-01-01 Xã Tà Lèng, 03145 whole 2020-01-01 Xã Thanh Minh | 03127 whole 2025-07-01 Phường Điện Biên Phủ",
		"03328/lineage?date=2019-12-31": "Xã Thanh Luông 2012-08-25 | | 03328 part 2020-01-01 Xã Thanh Luông",
		"100/lineage?date=2019-12-31":   "Huyện Điện Biên 2012-08-25 | | 094 part 2020-01-01 Thành phố Điện Biên Phủ, 100 part 2020-01-01 Huyện Điện Biên",
	} {
		var d lineageDocument
		s.get(t, "/api/v1/units/"+path, &d)
		var sides [2][]string
		for i, side := range []*[]string{&sides[0], &sides[1]} {
			kin := d.Predecessors
			if i == 1 {
				kin = d.Successors
			}
			for _, k := range kin {
				*side = append(*side, strings.Join([]string{k.Code, k.Part, k.ChangedOn, k.Unit.Name}, " "))
			}
		}
		got := fmt.Sprintf("%s %s | %s | %s", d.Unit.Name, d.Unit.ValidFrom, strings.Join(sides[0], ", "), strings.Join(sides[1], ", "))
		if strings.ReplaceAll(got, "|  |", "| |") != want {
			t.Errorf("%s:\n%s, want\n%s", path, got, want)
		}
	}
	var rows struct {
		Features []struct{ ID int64 }
	}
	s.get(t, "/api/v1/collections/communes/items?code=03127&datetime=2026-01-01", &rows)
	var item struct {
		Links []struct{ Rel, Title, Href string }
	}
	s.get(t, fmt.Sprint("/api/v1/collections/communes/items/", rows.Features[0].ID), &item)
	count := map[string]int{}
	for _, l := range item.Links {
		count[l.Rel]++
	}
	if count["unit-lineage"] != 1 || count["unit-predecessor"] != 6 || count["unit-successor"] != 0 || count["predecessor-version"] != 1 {
		t.Errorf("links of phường Điện Biên Phủ: %v", count)
	}
	page := s.call(t, http.MethodGet, fmt.Sprint("/api/v1/collections/communes/items/", rows.Features[0].ID, "?f=html&lang=en"), "")
	if !strings.Contains(string(page.body), "Came from: Phường Him Lam") {
		t.Error("the page of the unit does not say where it came from")
	}
}
