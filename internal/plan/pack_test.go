package plan

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// demoPack parses the embedded pack.
func demoPack(t *testing.T) *Pack {
	t.Helper()
	fsys, err := DienBien()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// inventedPack parses the invented pack, which shares nothing with the demo.
func inventedPack(t *testing.T) *Pack {
	t.Helper()
	p, err := Parse(os.DirFS("testdata/packs/song-lam"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDemoPackHoldsThePlan(t *testing.T) {
	p := demoPack(t)
	got := map[string]int{
		"phases": len(p.Phases), "indicators": len(p.Indicators), "discrepancies": len(p.Discrepancies),
		"ports": len(p.Tables[0].Rows), "wifi": len(p.Tables[1].Rows), "radii": len(p.ServiceRadius.Stated), "layers": len(p.Features()),
	}
	want := map[string]int{"phases": 2, "indicators": 66, "discrepancies": 30, "ports": 10, "wifi": 10, "radii": 7, "layers": 21}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: %d, want %d", k, got[k], n)
		}
	}
	if p.ReferenceDate.String() != "2020-12-31" || p.InForceFrom.String() != "2016-12-30" || p.CRS.Preferred != 9205 || p.ServiceRadius.Pi != "3.14" {
		t.Errorf("head is wrong: %s %s %d %s", p.ReferenceDate, p.InForceFrom, p.CRS.Preferred, p.ServiceRadius.Pi)
	}
	for i, name := range []string{"provinces", "districts", "communes"} {
		if p.Features()[i].Layer != name {
			t.Errorf("layer %d to load is %s, want %s", i, p.Features()[i].Layer, name)
		}
	}
}

// The annex reconciles completely, so every stated subtotal is a check on the copy.
func TestProjectsAddUpToTheStatedSubtotals(t *testing.T) {
	p := demoPack(t)
	sums := map[string][]*big.Rat{}
	leaves := 0
	for _, x := range p.Projects.Items {
		if x.Group {
			continue
		}
		leaves++
		for parent := x.Parent; parent != ""; parent = parentOf(p, parent) {
			if sums[parent] == nil {
				sums[parent] = []*big.Rat{{}, {}, {}, {}, {}}
			}
			for i, s := range x.Money.sums() {
				sums[parent][i].Add(sums[parent][i], rat(t, s))
			}
		}
	}
	if leaves != 36 {
		t.Errorf("%d projects, want 36", leaves)
	}
	for _, g := range p.Projects.Items {
		for i, s := range g.Money.sums() {
			if g.Group && sums[g.ID][i].Cmp(rat(t, s)) != 0 {
				t.Errorf("%s column %d: rows give %s, stated %s", g.ID, i, sums[g.ID][i].FloatString(2), s)
			}
		}
	}
}

func rat(t *testing.T, s string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%q is no decimal", s)
	}
	return r
}

func parentOf(p *Pack, id string) string {
	for _, x := range p.Projects.Items {
		if x.ID == id {
			return x.Parent
		}
	}
	return ""
}

func TestTablesAddUp(t *testing.T) {
	for _, table := range demoPack(t).Tables {
		for col := range table.Columns {
			sum := new(big.Rat)
			for _, r := range table.Rows {
				sum.Add(sum, rat(t, r.Values[col].String()))
			}
			if sum.Cmp(rat(t, table.StatedTotal[col].String())) != 0 {
				t.Errorf("%s column %d: rows give %s, stated %s", table.ID, col, sum.FloatString(0), table.StatedTotal[col])
			}
		}
	}
}

func TestBothRuleSetsParse(t *testing.T) {
	for _, p := range []*Pack{demoPack(t), inventedPack(t)} {
		if _, err := zoning.ParseRuleSet(p.Rules()); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
	}
}

func TestRulesAreKeptByteForByte(t *testing.T) {
	want, err := os.ReadFile("testdata/packs/song-lam/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(inventedPack(t).Rules()) != string(want) {
		t.Error("the rule set's body was changed")
	}
}

func TestInventedPackIsAnotherProvince(t *testing.T) {
	p := inventedPack(t)
	if p.Territory.Code != "99" || p.CRS.Preferred != 3405 || p.Phases[1].ID != "II" || p.Operators[0].Code != "SAOMAI" {
		t.Errorf("unexpected pack: %+v", p.Territory)
	}
}

// spoil returns the invented pack with pack.json changed by edit and extra files added.
func spoil(t *testing.T, edit func(map[string]any), extra ...string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	source := os.DirFS("testdata/packs/song-lam")
	for _, name := range []string{"pack.json", "rules.json", "features/communes.geojson"} {
		body, err := fs.ReadFile(source, name)
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: body}
	}
	var content map[string]any
	if err := json.Unmarshal(fsys["pack.json"].Data, &content); err != nil {
		t.Fatal(err)
	}
	edit(content)
	body, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	fsys["pack.json"].Data = body
	for _, name := range extra {
		fsys[name] = &fstest.MapFile{Data: []byte("{")}
	}
	return fsys
}

func TestParseReportsEveryFaultAtOnce(t *testing.T) {
	fsys := spoil(t, func(m map[string]any) {
		m["province_letter"] = "x"
		m["title"] = map[string]any{"vi": "", "en": "only English"}
		first := m["phases"].([]any)[0].(map[string]any)
		first["to"] = "2021-01-01"
		m["crs"].(map[string]any)["preferred"] = 9205
		m["projects"].(map[string]any)["items"].([]any)[1].(map[string]any)["money"].(map[string]any)["total"] = "3.76"
		m["holidays"] = []any{"02-29", "13-01"}
		m["holiday_names"] = []any{map[string]any{"name": map[string]any{"vi": "Tết", "en": ""}, "days": []any{"2026-02-17"}}}
		m["time_zone"], m["days"] = "Nowhere/At_All", map[string]any{"2026-01-01": true}
		m["permit"].(map[string]any)["decide_working_days"] = 0
		m["indicators"].([]any)[0].(map[string]any)["discrepancies"] = []any{"D99"}
		m["tables"].([]any)[0].(map[string]any)["stated_total"] = []any{}
	}, "rules.json", "features/castles.geojson")
	_, err := Parse(fsys)
	invalid, ok := errors.AsType[*layer.InvalidError](err)
	if !ok {
		t.Fatalf("error %v, want *layer.InvalidError", err)
	}
	at := map[string]bool{}
	for _, f := range invalid.Faults {
		at[f.At] = true
		if f.Detail.VI == "" || f.Detail.EN == "" || strings.Contains(f.Detail.EN, "%!") || strings.Contains(f.Detail.VI, "%!") {
			t.Errorf("%s: bad text %+v", f.At, f.Detail)
		}
	}
	for _, want := range []string{"pack.json", "/title", "/phases/0", "/crs/preferred", "/time_zone", "/days", "/holidays/1", "/holiday_names/0/name", "/holiday_names/0/days", "/permit/decide_working_days", "/projects/items/1/money", "/indicators/0/discrepancies", "/tables/0/stated_total", "rules.json", "features/castles.geojson"} {
		if !at[want] {
			t.Errorf("no fault at %s; got %v", want, invalid)
		}
	}
}

func TestParseSaysWhichFileIsMissing(t *testing.T) {
	fsys := spoil(t, func(map[string]any) {})
	if _, err := Parse(fsys); err != nil {
		t.Fatalf("an unchanged pack is refused: %v", err)
	}
	delete(fsys, "rules.json")
	if _, err := Parse(fsys); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "rules.json") {
		t.Errorf("error %v, want one about rules.json", err)
	}
}

// The demo's periods leave out the days on which Việt Nam does not work: each Tết is a week, and
// what falls on a weekend is made up for behind it.
func TestDemoKnowsTheHolidays(t *testing.T) {
	p := demoPack(t)
	c := permit.Calendar{WorkingDays: p.WorkingDays, Holidays: p.Holidays}
	for before, want := range map[string]string{
		"2019-12-31": "2020-01-02", "2020-01-22": "2020-01-30", "2021-02-09": "2021-02-17", "2022-01-28": "2022-02-07", "2023-01-19": "2023-01-27", "2024-02-07": "2024-02-15",
		"2025-01-24": "2025-02-03", "2026-02-13": "2026-02-23", "2027-02-04": "2027-02-11", // Tết
		"2020-04-01": "2020-04-03", "2021-04-20": "2021-04-22", "2022-04-08": "2022-04-12", "2024-04-17": "2024-04-19", "2025-04-04": "2025-04-08", "2026-04-24": "2026-04-28", // of the kings Hùng
		"2020-04-29": "2020-05-04", "2021-04-29": "2021-05-04", "2022-04-29": "2022-05-04", "2023-04-28": "2023-05-04", "2024-04-26": "2024-05-02", "2025-04-29": "2025-05-05", "2026-04-29": "2026-05-04",
		"2020-09-01": "2020-09-03", "2021-09-01": "2021-09-06", "2022-08-31": "2022-09-05", "2023-08-31": "2023-09-05", "2024-08-30": "2024-09-04", "2025-08-29": "2025-09-03", "2026-08-28": "2026-09-03",
		"2021-12-31": "2022-01-04", "2022-12-30": "2023-01-03", "2026-12-31": "2027-01-04",
	} {
		day, err := geo.ParseDate(before)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.After(day, 1).String(); got != want {
			t.Errorf("behind %s works %s, want %s", before, got, want)
		}
	}
}

// Each single day off of the demo has the name of its feast, and one of no pack's naming a general one.
func TestDemoNamesTheHolidays(t *testing.T) {
	p := demoPack(t)
	general := p.NameOfDayOff(geo.NewDate(1999, 1, 4))
	if general.VI == "" || general.EN == "" {
		t.Errorf("a day without a name: %+v", general)
	}
	for _, d := range p.SingleDaysOff() {
		if p.NameOfDayOff(d) == general {
			t.Errorf("%s has no name", d)
		}
	}
	for day, want := range map[geo.Date]string{geo.NewDate(2026, 2, 17): "Lunar New Year", geo.NewDate(2026, 4, 27): "Hùng Kings", geo.NewDate(2026, 9, 1): "National Day"} {
		if got := p.NameOfDayOff(day).EN; !strings.Contains(got, want) {
			t.Errorf("%s is called %q", day, got)
		}
	}
}
