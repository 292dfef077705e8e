package postgis_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// A role limited to a unit neither adds, changes, moves out of it nor removes beyond it.
func TestWritesStayInTheTerritory(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	sites, districts := get(t, layers, "bts_sites"), get(t, layers, "districts")
	own := sample(t, districts, "094")
	own.Geometry = box(103, 21, 1)
	create(t, s, districts, own)
	limited := account.Viewer{Name: "key:district", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	inside, outside := sample(t, sites, "IN"), sample(t, sites, "OUT")
	inside.Geometry, outside.Geometry = orb.Point{103.5, 21.5}, orb.Point{105, 21.5}

	id, err := s.CreateFeature(ctx, limited, sites, inside)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateFeature(ctx, limited, sites, outside); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("adding outside: %v", err)
	}
	far := create(t, s, sites, outside)
	if _, err := s.UpdateFeature(ctx, limited, sites, id, layer.Feature{Geometry: orb.Point{105, 21.6}}, 0, false); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("moving out: %v", err)
	}
	if _, err := s.UpdateFeature(ctx, limited, sites, far, layer.Feature{Geometry: orb.Point{103.5, 21.6}}, 0, false); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("moving in what lies outside: %v", err)
	}
	if err := s.DeleteFeature(ctx, limited, sites, far, 0); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("removing outside: %v", err)
	}
	if err := s.DeleteFeature(ctx, limited, sites, id, 0); err != nil {
		t.Errorf("removing inside: %v", err)
	}
	if n := scalar[int64](t, connect(t, url), "SELECT count(*) FROM bts_sites WHERE code = 'OUT' AND revision = 1"); n != 1 {
		t.Error("a refused write left a trace")
	}
}

func TestAnEmptyPatchWritesNothing(t *testing.T) {
	s, layers, url := open(t)
	sites := get(t, layers, "bts_sites")
	id := create(t, s, sites, sample(t, sites, "A"))
	revision, err := s.UpdateFeature(context.Background(), officer(), sites, id, layer.Feature{}, 0, false)
	if err != nil || revision != 1 {
		t.Errorf("revision %d, %v; want 1 still", revision, err)
	}
	if n := scalar[int64](t, connect(t, url), "SELECT count(*) FROM history WHERE operation = 'update'"); n != 0 {
		t.Errorf("%d changes are in the history", n)
	}
}

// A site cannot go while operators are on it: their positions would count nowhere.
func TestOccupiedSitesStay(t *testing.T) {
	s, layers, _ := open(t)
	ctx := context.Background()
	sites, positions := get(t, layers, "bts_sites"), get(t, layers, "operator_positions")
	id := create(t, s, sites, sample(t, sites, "S1"))
	position := sample(t, positions, "P1")
	position.Properties["site_code"] = "S1"
	on := create(t, s, positions, position)
	if err := s.DeleteFeature(ctx, officer(), sites, id, 0); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("removing an occupied site: %v", err)
	}
	if _, err := s.UpdateFeature(ctx, officer(), sites, id, layer.Feature{Properties: map[string]any{"code": "S2"}}, 0, false); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("renaming an occupied site: %v", err)
	}
	if err := s.DeleteFeature(ctx, officer(), positions, on, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteFeature(ctx, officer(), sites, id, 0); err != nil {
		t.Errorf("removing an empty site: %v", err)
	}
}

// Ids of areas that may be withheld are no count of them, and two loads are alike.
func TestIdsOfSpecialAreasTellNothing(t *testing.T) {
	s, layers, _ := open(t)
	areas := get(t, layers, "special_areas")
	ids := map[int64]bool{}
	for _, code := range []string{"A", "B", "C"} {
		ids[create(t, s, areas, sample(t, areas, code))] = true
	}
	for id := range ids {
		if id < 1000 || ids[id+1] || ids[id-1] {
			t.Errorf("the id %d is one of a row", id)
		}
	}
	again, layersAgain, _ := open(t)
	if id := create(t, again, get(t, layersAgain, "special_areas"), sample(t, areas, "A")); !ids[id] {
		t.Errorf("the same area has the id %d in another database", id)
	}
}

// What only a draft position tells is told to nobody else.
func TestDraftPositionsDoNotShowInSurroundings(t *testing.T) {
	s, layers, _ := open(t)
	sites, positions := get(t, layers, "bts_sites"), get(t, layers, "operator_positions")
	site := sample(t, sites, "S1")
	site.Geometry = orb.Point{103, 21}
	create(t, s, sites, site)
	for _, operator := range []struct{ code, name, status string }{{"P1", "VNPT", "existing"}, {"P2", "VIETTEL", "draft"}} {
		p := sample(t, positions, operator.code)
		p.Properties["site_code"], p.Properties["operator"], p.Properties["status"], p.Properties["owner_organisation"] = "S1", operator.name, operator.status, operator.name
		create(t, s, positions, p)
	}
	date := geo.NewDate(2024, 1, 1)
	for want, viewer := range map[string]account.Viewer{
		"VNPT":         account.Anonymous(),
		"VIETTEL,VNPT": {Organisation: "VIETTEL", Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}},
	} {
		facts, _ := sceneOf(t, s, viewer, []orb.Point{{103, 21}}, date, 100)
		if len(facts.Masts) != 1 {
			t.Fatalf("%+v", facts.Masts)
		}
		if got := strings.Join(facts.Masts[0].Operators, ","); got != want {
			t.Errorf("%s sees %s on the site, want %s", viewer.Class(), got, want)
		}
	}
}

// Two operators' lists may name one place on one site: the row is refused by name,
// and the others can be taken.
func TestImportNamesRivalPositions(t *testing.T) {
	s, layers, _ := open(t)
	positions := get(t, layers, "operator_positions")
	row := func(n int, code, site, operator string) postgis.Incoming {
		f := sample(t, positions, code)
		f.Properties["site_code"], f.Properties["operator"] = site, operator
		return postgis.Incoming{Row: n, Feature: f}
	}
	create(t, s, positions, row(0, "P0", "S0", "VNPT").Feature)
	o := correction(t)
	o.GoodRows = true
	got := importAll(t, s, positions, o, row(1, "P1", "S0", "VNPT"), row(2, "P2", "S1", "VNPT"), row(3, "P3", "S1", "VNPT"), row(4, "P4", "S1", "VIETTEL"))
	if got.Inserted != 1 || len(got.Refused) != 3 {
		t.Fatalf("%+v", got)
	}
	if detail := got.Refused[0].Faults[0].Detail.EN; !strings.Contains(detail, "P0") {
		t.Errorf("%q does not name the rival", detail)
	}
}
