package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// fourth is a position of a fourth operator beside A0 or its like, on a site of its own.
func (m *masted) fourth(row, beside int) postgis.Incoming {
	properties := map[string]any{"code": fmt.Sprintf("D%d", beside), "operator": "SFONE", "status": "existing"}
	return postgis.Incoming{Row: row, Feature: layer.Feature{Properties: properties, Geometry: orb.Point{103 + float64(beside)*0.01 + 0.0001, 21}}}
}

// numbersTold says what an import did to the numbers of sites.
func numbersTold(r *layer.SitesImported) string {
	if r == nil {
		return "nothing"
	}
	proposals := "unknown"
	if r.Proposals != nil {
		proposals = fmt.Sprint(*r.Proposals)
	}
	return fmt.Sprintf("%d/%d/%d to %d/%d/%d, %s proposals", r.Before.Sites, r.Before.Positions, r.Before.SharedSites, r.After.Sites, r.After.Positions, r.After.SharedSites, proposals)
}

// An import of positions says how many sites, positions and shared sites there were and are,
// and how many masts several operators list; a dry run, what there would be.
func TestImportsCountSites(t *testing.T) {
	m := newMasted(t)
	positions := get(t, m.Layers(), "operator_positions")
	o := correction(t)
	o.OwnSites = "A2b"
	dry, bad := o, m.fourth(2, 1)
	dry.DryRun = true
	bad.Faults.Add("/properties/code", "sai", "wrong")
	onOne := postgis.Incoming{Row: 1, Feature: layer.Feature{Properties: map[string]any{"code": "PB0", "site_code": "A0"}}}
	for _, tt := range []struct {
		name string
		o    postgis.ImportOptions
		rows []postgis.Incoming
		want string
	}{
		{"a dry run", dry, []postgis.Incoming{m.fourth(1, 0)}, "18/18/0 to 19/19/0, 6 proposals"},
		{"refused", o, []postgis.Incoming{m.fourth(1, 0), bad}, "nothing"},
		{"a position", o, []postgis.Incoming{m.fourth(1, 0)}, "18/18/0 to 19/19/0, 6 proposals"},
		{"on another's site", o, []postgis.Incoming{onOne}, "19/19/0 to 19/19/1, 6 proposals"},
	} {
		if got := numbersTold(importAll(t, m.Store, positions, tt.o, tt.rows...).Sites); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := numbersTold(importAll(t, m.Store, get(t, m.Layers(), "kiosks"), correction(t)).Sites); got != "nothing" {
		t.Errorf("kiosks: %s", got)
	}
}

// The report of an import that nobody waits for says so, too; to an operator, who puts no
// sites together, not what is proposed.
func TestReportsOfImportsCountSites(t *testing.T) {
	m := newMasted(t)
	sites := get(t, m.Layers(), "bts_sites")
	run(t, m.conn, "INSERT INTO organisations (code, kind, name) VALUES ('VNPT', 'operator', '{}')")
	officer, operator := newKey(t, m.Store, "", account.Grant{Role: account.Officer}), newKey(t, m.Store, "VNPT", account.Grant{Role: account.Operator})
	for _, tt := range []struct {
		name   string
		v      account.Viewer
		wishes layer.ImportWishes
		status string
		want   string
	}{
		{"a dry run", officer, layer.ImportWishes{DryRun: true}, "existing", "18/18/0 to 20/18/0, 6 proposals"},
		{"two sites", officer, layer.ImportWishes{}, "existing", "18/18/0 to 20/18/0, 6 proposals"},
		{"drafts", operator, layer.ImportWishes{}, "", "20/18/0 to 20/18/0, unknown proposals"},
	} {
		id := addLines(t, m.Store, tt.v, sites, tt.wishes, tt.name[:1]+"1\n"+tt.name[:1]+"2")
		runOne(t, m.Store, lines{t: t, status: tt.status})
		i := importOf(t, m.Store, tt.v, id)
		if i.State != layer.ImportDone || numbersTold(i.Report.Sites) != tt.want {
			t.Errorf("%s: %s, %+v, %s; want %s", tt.name, i.State, i.Report, numbersTold(i.Report.Sites), tt.want)
		}
	}
	id := addLines(t, m.Store, officer, sites, layer.ImportWishes{}, "X\nbad")
	runOne(t, m.Store, lines{t: t, status: "existing"})
	if i := importOf(t, m.Store, officer, id); i.State != layer.ImportRefused || i.Report.Sites != nil {
		t.Errorf("refused: %+v", i.Report)
	}
}

// What is proposed is what ProposeSites finds, and who may not look is told nothing.
func TestStaffAloneSeesWhatIsProposed(t *testing.T) {
	m := newMasted(t)
	ctx, date := context.Background(), day(t, "2020-12-31")
	if err := m.KeepApart(ctx, officer(), []string{"A0", "B0", "C0"}, "", date); err != nil {
		t.Fatal(err)
	}
	found, counts, err := m.ProposeSites(ctx, officer(), date, 50)
	if err != nil || len(found.Sites) != mastedSites-1 || len(found.Apart) != 2+1 || counts.Sites != 18 {
		t.Errorf("%d proposals, %d apart, %+v, %v", len(found.Sites), len(found.Apart), counts, err)
	}
	if _, _, err := m.ProposeSites(ctx, operatorOf("VNPT"), date, 50); !errors.Is(err, layer.ErrForbidden) {
		t.Error(err)
	}
	if got := importAll(t, m.Store, get(t, m.Layers(), "operator_positions"), correction(t), m.fourth(1, 5)).Sites; !cmp.Equal(*got.Proposals, mastedSites-1) {
		t.Errorf("%s with what was found apart", numbersTold(got))
	}
}
