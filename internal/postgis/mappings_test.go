package postgis_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// viettels is how VIETTEL's lists of sites are read.
func viettels() layer.Reading {
	return layer.Reading{Columns: map[string]string{"Ma tram": "code", "X (m)": "@northing", "Ghi chu": ""}, HeaderRow: 4, Separator: ";", CRS: "EPSG:9205", Axis: "yx"}
}

// Mappings are those of an organisation: others cannot use, change or remove them, nor be told
// by a name that is taken; administrators keep all.
func TestMappingsBelongToOrganisations(t *testing.T) {
	s, _, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	run(t, conn, "INSERT INTO organisations (code, kind, name) VALUES ('VNPT', 'operator', '{}'), ('VIETTEL', 'operator', '{}'), ('STTTT', 'agency', '{}') ON CONFLICT DO NOTHING")
	officers := account.Viewer{Name: "key:officer", Grants: []account.Grant{{Role: account.Officer}}}
	agency := account.Viewer{Name: "key:agency", Organisation: "STTTT", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"bts_sites"}}}}
	nobody := account.Viewer{Name: "person:x", Person: 1}
	named := func(organisation string) layer.MappingName {
		return layer.MappingName{Collection: "bts_sites", Organisation: organisation, Name: "danh sách"}
	}
	ids := map[string]int64{}
	for _, tt := range []struct {
		v    account.Viewer
		of   string
		want error
	}{
		{operatorOf("VNPT"), "VNPT", layer.ErrForbidden}, {nobody, "", layer.ErrForbidden}, {officers, "VNPT", layer.ErrForbidden}, {agency, "", layer.ErrForbidden},
		{officers, "", nil}, {officers, "", layer.ErrConflict}, {agency, "STTTT", nil}, {keeper(), "VNPT", nil}, {keeper(), "VIETTEL", nil}, {keeper(), "VIETTEL", layer.ErrConflict},
	} {
		id, err := s.AddMapping(ctx, tt.v, named(tt.of), viettels())
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s saves for %q: %v, want %v", tt.v.Name, tt.of, err, tt.want)
		}
		if err == nil {
			ids[tt.of] = id
		}
	}
	for _, tt := range []struct {
		v    account.Viewer
		uses string
	}{
		{operatorOf("VNPT"), "VNPT"}, {operatorOf("VIETTEL"), "VIETTEL"}, {operatorOf("MOBIFONE"), ""}, {nobody, ""}, {account.Anonymous(), ""}, {officers, "-"}, {agency, "STTTT"}, {keeper(), "- STTTT VIETTEL VNPT"},
	} {
		var uses []string
		for _, of := range []string{"", "STTTT", "VIETTEL", "VNPT"} {
			m, err := s.MappingNamed(ctx, tt.v, named(of))
			byID, idErr := s.Mapping(ctx, tt.v, ids[of])
			if errors.Is(err, layer.ErrNotFound) && errors.Is(idErr, layer.ErrNotFound) {
				continue
			}
			if err != nil || idErr != nil || !cmp.Equal(m, byID) || !cmp.Equal(m.Reading, viettels()) || (m.SavedBy != "") != tt.v.Staff() {
				t.Errorf("%s uses that of %q: %+v, %v; %+v, %v", tt.v.Name, of, m, err, byID, idErr)
			}
			uses = append(uses, map[bool]string{true: "-", false: of}[of == ""])
		}
		list, err := s.Mappings(ctx, tt.v, layer.MappingQuery{Limit: 10})
		none, otherErr := s.Mappings(ctx, tt.v, layer.MappingQuery{Collection: "roads", Limit: 10})
		if got := strings.Join(uses, " "); got != tt.uses || err != nil || otherErr != nil || len(list) != len(uses) || len(none) != 0 {
			t.Errorf("%s uses %q, want %q, and lists %d and %d: %v, %v", tt.v.Name, got, tt.uses, len(list), len(none), err, otherErr)
		}
	}
	for _, tt := range []struct {
		v    account.Viewer
		of   string
		want error
	}{
		{officers, "VNPT", layer.ErrNotFound}, {operatorOf("VNPT"), "VIETTEL", layer.ErrNotFound}, {operatorOf("VNPT"), "VNPT", layer.ErrForbidden}, {agency, "STTTT", nil}, {keeper(), "VNPT", nil},
	} {
		if err := s.ChangeMapping(ctx, tt.v, ids[tt.of], layer.Reading{Axis: "xy"}); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s changes that of %q: %v", tt.v.Name, tt.of, err)
		}
		if err := s.RemoveMapping(ctx, tt.v, ids[tt.of]); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s removes that of %q: %v", tt.v.Name, tt.of, err)
		}
	}
	if got := scalar[string](t, conn, "SELECT string_agg(who || ' ' || action || ' ' || coalesce(detail ->> 'organisation', '-'), ', ' ORDER BY id) FROM audit WHERE action LIKE 'mapping.%'"); got !=
		"key:officer mapping.saved -, key:agency mapping.saved STTTT, key:keeper mapping.saved VNPT, key:keeper mapping.saved VIETTEL, key:agency mapping.changed STTTT, key:agency mapping.removed STTTT, key:keeper mapping.changed VNPT, key:keeper mapping.removed VNPT" {
		t.Errorf("the audit: %s", got)
	}
}

// What is saved names what there is, all faults told at once, and the list goes on behind any of it.
func TestMappingsAreChecked(t *testing.T) {
	s, _, _ := open(t)
	ctx := context.Background()
	_, err := s.AddMapping(ctx, keeper(), layer.MappingName{Collection: "bts_sites", Organisation: "N\x00", Name: " x"}, layer.Reading{Columns: map[string]string{"A": "nothing", "B": "code", "C": "code"}, HeaderRow: -2, Separator: "\x00"})
	var invalid *layer.InvalidError
	var at []string
	if errors.As(err, &invalid) {
		for _, f := range invalid.Faults {
			at = append(at, f.At)
		}
	}
	if diff := cmp.Diff([]string{"/name", "/organisation", "/reading/header_row", "/reading/separator", "/reading/columns/A", "/reading/columns/C"}, at); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if _, err := s.AddMapping(ctx, keeper(), layer.MappingName{Collection: "none", Name: "x"}, layer.Reading{}); !errors.Is(err, layer.ErrNotFound) {
		t.Error(err)
	}
	for name, good := range map[string]bool{"": false, strings.Repeat("ộ", 100): true, strings.Repeat("ộ", 101): false} {
		if _, err := s.AddMapping(ctx, keeper(), layer.MappingName{Collection: "roads", Name: name}, layer.Reading{}); (err == nil) != good || err != nil && !errors.As(err, &invalid) {
			t.Errorf("%d characters: %v", len([]rune(name)), err)
		}
	}
	for _, n := range []layer.MappingName{{Collection: "kiosks", Name: "b"}, {Collection: "bts_sites", Name: "c"}, {Collection: "kiosks", Name: "a"}} {
		if _, err := s.AddMapping(ctx, keeper(), n, layer.Reading{}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for q := (layer.MappingQuery{Limit: 1}); ; {
		list, err := s.Mappings(ctx, keeper(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		names, q.After = append(names, list[0].Collection+" "+string([]rune(list[0].Name)[:1])), list[0].ID
	}
	if got := strings.Join(names, ", "); got != "bts_sites c, kiosks a, kiosks b, roads ộ" {
		t.Errorf("page by page: %s", got)
	}
}
