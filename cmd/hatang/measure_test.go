package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// figure is one indicator of an answer.
type figure struct {
	ID, Of, Basis, Stage, Phase   string
	Operator                      *string
	Value, Numerator, Denominator *float64
	AreaBasis                     string `json:"area_basis"`
	Unit, Definition, Source      string
}

// unit is the figures of a unit.
type unit struct {
	Unit struct {
		Code, Name string
		ValidFrom  string `json:"valid_from"`
	}
	Date       string
	Indicators []figure
}

// find returns the one figure of the kind; operator "" means all together.
func (u unit) find(t *testing.T, id, of, operator, basis, stage string) figure {
	t.Helper()
	var found []figure
	for _, f := range u.Indicators {
		whose := ""
		if f.Operator != nil {
			whose = *f.Operator
		}
		if f.ID == id && f.Of == of && whose == operator && f.Basis == basis && f.Stage == stage && f.Phase == "" {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d figures %s of %s %s %s %s", u.Unit.Code, len(found), id, of, operator, basis, stage)
	}
	if f := found[0]; f.Definition == "" || f.Source == "" || f.Unit == "" {
		t.Errorf("%s of %s does not say how it was made: %+v", id, of, f)
	}
	return found[0]
}

func number(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

func (s *server) unit(t *testing.T, level, code, date string) unit {
	t.Helper()
	var u unit
	s.get(t, fmt.Sprintf("/api/v1/%ss/%s/indicators?date=%s", level, code, date), &u)
	return u
}

// statedRadii: the seven radii that the plan states, and the two other ways to count.
func statedRadii(t *testing.T, s *server) {
	y2015, y2020 := s.unit(t, "province", "11", "2015-12-31"), s.unit(t, "province", "11", "2020-12-31")
	for _, tt := range []struct {
		unit                       unit
		of, operator, basis, stage string
		km                         float64 // to two decimals
		count                      float64
	}{
		{y2015, "postal_points", "", "position", "built", 4.76, 134},
		{y2015, "bts_sites", "VNPT", "position", "built", 3.63, 230},
		{y2015, "bts_sites", "MOBIFONE", "position", "built", 5.46, 102},
		{y2015, "bts_sites", "VIETTEL", "position", "built", 3.58, 237},
		{y2015, "bts_sites", "VIETNAMOBILE", "position", "built", 8.61, 41},
		{y2015, "bts_sites", "SFONE", "position", "built", 31.83, 3},
		{y2020, "bts_sites", "", "plan", "with_planned", 1.76, 982},
		{y2020, "bts_sites", "", "position", "with_planned", 1.67, 1093},
		{y2020, "bts_sites", "", "site", "with_planned", 1.89, 847},
		{y2020, "bts_sites", "", "site", "built", 2.52, 478},
		{y2020, "postal_points", "", "position", "with_planned", 4.28, 166},
	} {
		f := tt.unit.find(t, "mean_service_radius_m", tt.of, tt.operator, tt.basis, tt.stage)
		if km := math.Round(number(f.Value)/10) / 100; km != tt.km || number(f.Denominator) != tt.count || f.AreaBasis != "official" {
			t.Errorf("%s %s %s %s: %.2f km of %v (%s), want %.2f of %v", tt.of, tt.operator, tt.basis, tt.stage, km, number(f.Denominator), f.AreaBasis, tt.km, tt.count)
		}
	}
	for id, want := range map[string][2]float64{"shared_site_ratio": {135, 478}, "tenancy_ratio": {613, 478}} {
		f := y2015.find(t, id, "bts_sites", "", "site", "built")
		if number(f.Numerator) != want[0] || number(f.Denominator) != want[1] || math.Abs(number(f.Value)-want[0]/want[1]) > 1e-12 {
			t.Errorf("%s: %v of %v", id, number(f.Numerator), number(f.Denominator))
		}
	}
	s.call(t, http.MethodGet, "/api/v1/provinces/99/indicators", "").wants(t, http.StatusNotFound)
}

// districtsAddUp: each row counts in exactly one district.
func districtsAddUp(t *testing.T, s *server) {
	var list struct{ Units []unit }
	s.get(t, "/api/v1/indicators?level=district&date=2020-12-31", &list)
	if len(list.Units) != 10 {
		t.Fatalf("%d districts", len(list.Units))
	}
	province := s.unit(t, "province", "11", "2020-12-31")
	for _, of := range []struct{ id, of, basis, stage string }{
		{"tenancy_ratio", "bts_sites", "site", "built"}, {"tenancy_ratio", "bts_sites", "site", "with_planned"},
		{"shared_site_ratio", "bts_sites", "site", "built"},
		{"zoning_compliance_ratio", "bts_sites", "site", "built"},
	} {
		whole := province.find(t, of.id, of.of, "", of.basis, of.stage)
		var numerator, denominator float64
		for _, u := range list.Units {
			f := u.find(t, of.id, of.of, "", of.basis, of.stage)
			numerator, denominator = numerator+number(f.Numerator), denominator+number(f.Denominator)
		}
		if numerator != number(whole.Numerator) || denominator != number(whole.Denominator) || denominator == 0 {
			t.Errorf("%s %s: districts %v of %v, province %v of %v", of.id, of.stage, numerator, denominator, number(whole.Numerator), number(whole.Denominator))
		}
	}
	var points float64
	for _, u := range list.Units {
		f := u.find(t, "mean_service_radius_m", "postal_points", "", "position", "built")
		points += number(f.Denominator)
		if official := u.Unit.Code == "094"; official != (f.AreaBasis == "official") {
			t.Errorf("%s: area basis %s", u.Unit.Code, f.AreaBasis)
		}
	}
	if points != 134 {
		t.Errorf("%v postal points in the districts", points)
	}
}

// siteOf returns the id and place of a site of one operator's position in a district.
func siteOf(t *testing.T, s *server, district string) (id int64, code, place string) {
	t.Helper()
	code = s.sql(t, `SELECT s.code FROM bts_sites s JOIN districts d ON ST_Contains(d.geom, s.geom)
		WHERE d.code = $1 AND s.status = 'existing' AND (SELECT count(*) FROM operator_positions p WHERE p.site_code = s.code) = 1
		ORDER BY s.code LIMIT 1`, district)
	if _, err := fmt.Sscan(s.sql(t, "SELECT id FROM bts_sites WHERE code = $1", code), &id); err != nil {
		t.Fatal(err)
	}
	return id, code, s.sql(t, "SELECT ST_AsText(geom) FROM bts_sites WHERE code = $1", code)
}

// TestMovedSite moves a site to another district, once over HTTP and once back by
// psql: the very next answers follow.
func TestMovedSite(t *testing.T) {
	t.Parallel()
	s := demo(t)
	const from, to, date = "094", "101", "2020-12-31"
	counts := func() [3]float64 {
		var n [3]float64
		for i, u := range []unit{s.unit(t, "district", from, date), s.unit(t, "district", to, date), s.unit(t, "province", "11", date)} {
			site := u.find(t, "mean_service_radius_m", "bts_sites", "", "site", "built")
			position := u.find(t, "mean_service_radius_m", "bts_sites", "", "position", "built")
			n[i] = number(site.Denominator) + 1000*number(position.Denominator)
		}
		return n
	}
	before := counts()
	if again := counts(); again != before {
		t.Fatalf("figures change by themselves: %v, %v", before, again)
	}
	id, code, place := siteOf(t, s, from)
	path := fmt.Sprintf("/api/v1/collections/bts_sites/items/%d", id)
	tag := s.call(t, http.MethodGet, path, "").header.Get("ETag")
	body := `{"type":"Feature","geometry":{"type":"Point","coordinates":[103.226566,21.144375]}}`
	headers := append(bearer(s.key), "Content-Type", "application/geo+json", "If-Match", tag)
	s.call(t, http.MethodPatch, path, body, headers...).wants(t, http.StatusNoContent)
	after := counts()
	if want := [3]float64{before[0] - 1001, before[1] + 1001, before[2]}; after != want {
		t.Errorf("moved over HTTP: %v, want %v (before %v)", after, want, before)
	}
	s.call(t, http.MethodPatch, path, body, headers...).wants(t, http.StatusPreconditionFailed)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	psql := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", filepath.Join(s.dir, "run"), "-U", "hatang", "-d", "hatang",
		"-c", fmt.Sprintf("UPDATE bts_sites SET geom = ST_GeomFromText('%s', 4326) WHERE code = '%s'", place, code))
	if out, err := psql.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	if back := counts(); back != before {
		t.Errorf("moved back by psql: %v, want %v", back, before)
	}
	who := s.sql(t, "SELECT string_agg(who, ', ' ORDER BY id) FROM history WHERE layer = 'bts_sites' AND feature_id = $1 AND operation = 'update'", id)
	if first, second, ok := strings.Cut(who, ", "); !ok || !strings.HasPrefix(first, "key:") || strings.HasPrefix(second, "key:") {
		t.Errorf("the history says that %q moved the site", who)
	}
}
