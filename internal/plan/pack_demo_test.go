package plan

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"hatang/geo"
)

// tally counts rows by the values of the named properties.
func tally(list []row, names ...string) map[string]int {
	n := map[string]int{}
	for _, r := range list {
		parts := make([]string, len(names))
		for i, name := range names {
			parts[i] = r.text(name)
		}
		n[strings.Join(parts, " ")]++
	}
	return n
}

func TestDemoCounts(t *testing.T) {
	all := rows(t, demoPack(t))
	layers := map[string]int{}
	for name, list := range all {
		layers[name] = len(list)
	}
	for _, c := range []struct {
		what      string
		got, want map[string]int
	}{
		{"layers", layers, map[string]int{
			"provinces": 1, "districts": 10, "communes": 130, "commune_centres": 130, "settlements": 12, "roads": 20,
			"bts_sites": 847, "operator_positions": 1093, "postal_points": 149, "kiosks": 17, "mail_routes": 69, "exchanges": 64,
			"fibre_routes": 9, "cable_segments": 40, "ducts": 6, "pole_lines": 8, "wifi_points": 70, "public_service_points": 20,
			"mast_zones": 162, "underground_zones": 17, "special_areas": 6}},
		{"communes", tally(all["communes"], "kind"), map[string]int{"xã": 116, "phường": 9, "thị trấn": 5}},
		{"postal", tally(all["postal_points"], "status", "kind", "phase"), map[string]int{
			"existing post_office ": 16, "existing commune_culture_point ": 92, "existing letterbox ": 26, "planned rural_point P1": 15}},
		{"kiosks", tally(all["kiosks"], "status", "phase"), map[string]int{"planned P2": 17}},
		{"sites", tally(all["bts_sites"], "status"), map[string]int{"existing": 478, "planned": 369}},
		{"mast types", tally(standing(all["bts_sites"]), "mast_type"), map[string]int{"A2b": 370, "A2a": 68, "A1a": 25, "A1b": 15}},
		{"operators", tally(standing(all["operator_positions"]), "operator"), map[string]int{
			"VNPT": 230, "MOBIFONE": 102, "VIETTEL": 237, "VIETNAMOBILE": 41, "SFONE": 3}},
		{"exchanges", tally(all["exchanges"], "kind"), map[string]int{"host": 2, "satellite": 62}},
		{"zones", tally(all["mast_zones"], "zone_class"), map[string]int{"a": 12, "b": 11, "c": 9, "d": 14, "dd": 116}},
		{"Wi-Fi", tally(all["wifi_points"], "district_code", "phase"), map[string]int{"094 P2": 25, "095 P2": 14, "096 P2": 2, "097 P2": 2, "098 P2": 2, "099 P2": 3, "100 P2": 15, "101 P2": 2, "102 P2": 3, "103 P2": 2}},
		{"special areas", tally(all["special_areas"], "kind"), map[string]int{"border_belt": 1, "military": 2, "aviation_surface": 1, "support_area": 2}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
	if n := len(tally(all["wifi_points"], "priority_kind")); n != 4 {
		t.Errorf("%d priority kinds, want 4", n)
	}
	if n := len(tally(all["underground_zones"], "kind")); n != 7 {
		t.Errorf("%d kinds of undergrounding zone, want 7", n)
	}
}

func standing(list []row) []row {
	return slices.DeleteFunc(slices.Clone(list), func(r row) bool { return r.text("status") != "existing" })
}

func TestDemoPostOffices(t *testing.T) {
	services, levels, communes := map[string]int{}, map[float64]int{}, map[string]bool{}
	for _, r := range rows(t, demoPack(t))["postal_points"] {
		switch r.text("kind") {
		case "post_office":
			levels[r.number("post_office_level")]++
			for _, s := range r.Properties["services"].([]any) {
				services[s.(string)]++
			}
		case "commune_culture_point":
			communes[r.text("commune_code")] = true
		}
	}
	if services["fast_money_transfer"] != 14 || services["savings"] != 11 || services["express"] != 15 {
		t.Errorf("services %v, want 14, 11 and 15 of 16", services)
	}
	if diff := cmp.Diff(map[float64]int{1: 1, 2: 9, 3: 6}, levels); diff != "" {
		t.Error(diff)
	}
	if len(communes) != 92 {
		t.Errorf("post-culture points in %d communes, want 92", len(communes))
	}
}

// Sharing must hold together: 613 positions on 478 sites, 1 093 on 847.
func TestDemoPositionsHoldTogether(t *testing.T) {
	all := rows(t, demoPack(t))
	sites, operators := map[string]row{}, map[string]map[string]bool{}
	for _, s := range all["bts_sites"] {
		sites[s.text("code")] = s
		operators[s.text("code")] = map[string]bool{}
	}
	for _, p := range all["operator_positions"] {
		s, ok := sites[p.text("site_code")]
		if !ok || operators[p.text("site_code")][p.text("operator")] {
			t.Fatalf("position %s has no site, or its operator is there twice", p.text("code"))
		}
		operators[p.text("site_code")][p.text("operator")] = true
		for _, name := range []string{"status", "phase", "valid_from"} {
			if p.text(name) != s.text(name) {
				t.Errorf("position %s: %s %q, its site has %q", p.text("code"), name, p.text(name), s.text(name))
			}
		}
		if string(p.Geometry.Coordinates) != string(s.Geometry.Coordinates) {
			t.Errorf("position %s is not at its site", p.text("code"))
		}
	}
	shared := map[string]int{}
	for code, set := range operators {
		switch len(set) {
		case 1:
		case 2:
			shared[sites[code].text("status")]++
		default:
			t.Errorf("site %s has %d operators", code, len(set))
		}
	}
	if diff := cmp.Diff(map[string]int{"existing": 135, "planned": 111}, shared); diff != "" {
		t.Error(diff)
	}
}

func TestDemoSumsOfThePlan(t *testing.T) {
	all := rows(t, demoPack(t))
	sum := func(layer, name string, keep func(row) bool) float64 {
		total := 0.0
		for _, r := range all[layer] {
			if keep(r) {
				total += r.number(name)
			}
		}
		return total
	}
	every := func(row) bool { return true }
	route := func(operator string, level float64) func(row) bool {
		return func(r row) bool { return r.text("operator") == operator && r.number("level") == level }
	}
	count := func(keep func(row) bool) float64 {
		return float64(len(slices.DeleteFunc(slices.Clone(all["mail_routes"]), func(r row) bool { return !keep(r) })))
	}
	for what, c := range map[string][2]float64{
		"installed lines":  {sum("exchanges", "installed_lines", every), 50488},
		"used lines":       {sum("exchanges", "used_lines", every), 27048},
		"level II metres":  {sum("mail_routes", "declared_length_m", route("VNPOST", 2)), 1230000},
		"level III metres": {sum("mail_routes", "declared_length_m", route("VNPOST", 3)), 2750000},
		"post level I":     {count(route("VNPOST", 1)), 1},
		"post level II":    {count(route("VNPOST", 2)), 6},
		"post level III":   {count(route("VNPOST", 3)), 54},
		"Viettel level I":  {count(route("VIETTELPOST", 1)), 1},
		"Viettel level II": {count(route("VIETTELPOST", 2)), 4},
		"Viettel in all":   {count(func(r row) bool { return r.text("operator") == "VIETTELPOST" }), 8},
		"official area":    {sum("provinces", "official_area_m2", every), 9541250000},
		"of district 094":  {sum("districts", "official_area_m2", every), 64271000},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %v, want %v", what, c[0], c[1])
		}
	}
	for _, r := range all["exchanges"] {
		if r.number("used_lines") > r.number("installed_lines") {
			t.Errorf("%s uses more lines than it has", r.text("code"))
		}
	}
}

func lengthM(t *testing.T, r row) float64 {
	t.Helper()
	var total float64
	xyz := r.positions(t)
	for i := 1; i < len(xyz); i++ {
		total += geo.DistanceM(orb.Point{xyz[i-1][0], xyz[i-1][1]}, orb.Point{xyz[i][0], xyz[i][1]})
	}
	return total
}

func TestDemoBorderRouteIsAsLongAsPlanned(t *testing.T) {
	for _, r := range rows(t, demoPack(t))["fibre_routes"] {
		if r.text("kind") != "border" {
			continue
		}
		if got := lengthM(t, r); math.Abs(got-210000) > 0.005*210000 {
			t.Errorf("drawn %.0f m, want 210 km within 0.5 %%", got)
		}
		if r.number("fibres") != 96 || r.text("works_class") != "N2" || r.text("phase") != "P2" {
			t.Errorf("border route: %v", r.Properties)
		}
		return
	}
	t.Error("no border route")
}

func TestDemoUndergroundShare(t *testing.T) {
	var total, under, urban, urbanUnder float64
	for _, r := range standing(rows(t, demoPack(t))["cable_segments"]) {
		m := lengthM(t, r)
		underground := r.Properties["underground"].(bool)
		counted := !slices.Contains([]string{"commune", "village"}, r.text("road_class"))
		total += m
		if underground {
			under += m
		}
		if counted {
			urban += m
			if underground {
				urbanUnder += m
			}
		}
	}
	if share := under / total; math.Abs(share-0.222) > 0.003 {
		t.Errorf("underground share %.4f, want 0.222", share)
	}
	if share := urbanUnder / urban; share < 0.30 || share > 0.35 {
		t.Errorf("urban share %.4f, want 0.30 to 0.35", share)
	}
}

// areas are polygons by unit code.
type areas map[string]orb.MultiPolygon

func (a areas) hold(code string, p orb.Point) bool { return geo.Contains(a[code], p) }

func schematicAreas(t *testing.T, all map[string][]row, layers ...string) areas {
	t.Helper()
	out := areas{}
	for _, name := range layers {
		for _, r := range all[name] {
			var mp orb.MultiPolygon
			if err := json.Unmarshal(r.Geometry.Coordinates, &mp); err != nil {
				t.Fatal(err)
			}
			out[r.text("code")] = mp
		}
	}
	return out
}

func realAreas(t *testing.T, files ...string) areas {
	t.Helper()
	folder := os.Getenv("HATANG_TESTDATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "data")
	}
	out := areas{}
	for _, name := range files {
		body, err := os.ReadFile(filepath.Join(folder, "boundaries", name))
		if err != nil {
			t.Fatal(err)
		}
		collection, err := geojson.UnmarshalFeatureCollection(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range collection.Features {
			switch g := f.Geometry.(type) {
			case orb.Polygon:
				out[f.Properties.MustString("code")] = orb.MultiPolygon{g}
			case orb.MultiPolygon:
				out[f.Properties.MustString("code")] = g
			}
		}
	}
	return out
}

// unitOf returns the unit a feature is declared or named to lie in, "" for none.
func unitOf(r row, communeByName map[string][]string, district string) string {
	if code := r.text("commune_code"); code != "" {
		return code
	}
	_, name, named := strings.Cut(r.text("name"), " – ")
	if !named {
		return ""
	}
	if codes := communeByName[name]; len(codes) == 1 {
		return codes[0]
	}
	return district
}

// Whatever the map shows, a demo feature named with a unit lies in it.
func TestDemoFeaturesLieWhereTheySay(t *testing.T) {
	all := rows(t, demoPack(t))
	sets := map[string]areas{
		"schematic": schematicAreas(t, all, "districts", "communes"),
		"real":      realAreas(t, "dienbien_communes.geojson", "dienbien_districts_dissolved.geojson"),
	}
	byName := map[string][]string{}
	for _, r := range all["communes"] {
		byName[r.text("name")] = append(byName[r.text("name")], r.text("code"))
	}
	checked := 0
	for name, list := range all {
		if slices.Contains([]string{"provinces", "districts", "communes", "mail_routes"}, name) {
			continue // units are the areas themselves; a mail route ends in the commune it names
		}
		for _, r := range list {
			units := []string{unitOf(r, byName, ""), r.text("district_code")}
			for _, unit := range units {
				if unit == "" {
					continue
				}
				checked++
				for set, a := range sets {
					for _, xy := range r.positions(t) {
						if !a.hold(unit, orb.Point{xy[0], xy[1]}) {
							t.Errorf("%s %s: %v is outside %s in the %s set", name, r.text("code"), xy, unit, set)
						}
					}
				}
			}
		}
	}
	if checked < 1400 {
		t.Errorf("only %d features name a unit", checked)
	}
}

func TestDemoZonesKeepToTheirPlaces(t *testing.T) {
	all := rows(t, demoPack(t))
	communes := schematicAreas(t, all, "communes")
	truth := realAreas(t, "dienbien_communes.geojson")
	zones := schematicAreas(t, all, "mast_zones")
	hill := orb.Point{103.0165, 21.3826}
	if !zones.hold("ZB-01", hill) || geo.DistanceToBoundaryM(zones["ZB-01"], hill) < 100 {
		t.Error("A1 hill is not well inside its zone")
	}
	for _, corner := range zones["ZB-01"][0][0] {
		if !communes.hold("03136", corner) || !truth.hold("03136", corner) {
			t.Errorf("the zone of A1 hill leaves phường Mường Thanh at %v", corner)
		}
	}
	for _, r := range all["mast_zones"] {
		if code := r.text("follows_commune"); code != "" {
			if diff := cmp.Diff(communes[code], zones[r.text("code")]); diff != "" {
				t.Errorf("%s does not follow its commune", r.text("code"))
			}
			continue
		}
		for _, free := range []orb.Point{{103.033544, 21.38546}, {103.226566, 21.144375}, {103.030279, 21.404416}} {
			if zones.hold(r.text("code"), free) {
				t.Errorf("%s covers %v", r.text("code"), free)
			}
		}
	}
}
