package postgis_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// on lists who is on a mast: from when, until when, both in days from today, and how.
func (f *filing) on(code string) string {
	f.t.Helper()
	return scalar[string](f.t, f.conn, `SELECT coalesce(string_agg(format('%s %s %s…%s', operator, status, valid_from - hatang_today(), (valid_to - hatang_today())::text), ', ' ORDER BY operator, valid_from), '')
		FROM operator_positions WHERE site_code = $1`, code)
}

// plans adds a position that is planned on the draft's mast, so many days from today.
func (f *filing) plans(code, operator string, from int) {
	f.t.Helper()
	run(f.t, f.conn, fmt.Sprintf(`INSERT INTO operator_positions (code, valid_from, jurisdiction, status, site_code, operator, geom)
		SELECT '%[1]s-%[2]s', hatang_today() + %[3]d, jurisdiction, 'planned', code, '%[2]s', geom FROM bts_sites WHERE code = '%[1]s' AND status = 'planned'`, code, operator, from))
}

// Who is on a mast follows what becomes of it: approved it is of its organisation's network,
// built all are on it who were planned to be, expired nobody is.
func TestWhoIsOnAMastFollowsItsProposal(t *testing.T) {
	for _, c := range []struct {
		name, approved string
		since          int // days for which it has been approved
		action         permit.Action
		want           string
	}{
		{"built on the day", "VNPT planned 0…", 0, permit.Build, "VIETNAMOBILE existing 3…, VIETTEL existing 0…, VNPT existing 0…"},
		{"built later", "VNPT planned 0…", 40, permit.Build, "VIETNAMOBILE existing 3…, VIETTEL planned -40…0, VIETTEL existing 0…, VNPT planned -40…0, VNPT existing 0…"},
		{"expired", "VNPT planned 0…", 40, permit.Expire, "VIETTEL planned -40…0, VNPT planned -40…0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFiling(t)
			id := f.file(f.draft)
			code := scalar[string](t, f.conn, "SELECT code FROM bts_sites WHERE id = $1", f.draft)
			if on := f.on(code); on != "" {
				t.Fatalf("filed: %s", on)
			}
			f.must(f.approver, id, permit.Decision{Action: permit.Approve})
			if diff := cmp.Diff(c.approved, f.on(code)); diff != "" {
				t.Errorf("approved (-want +got)\n%s", diff)
			}
			f.plans(code, "VIETTEL", 0)
			f.plans(code, "VIETNAMOBILE", 3)
			untriggeredly(t, f.conn, fmt.Sprintf("UPDATE bts_sites SET valid_from = hatang_today() - %d WHERE id = %d", c.since, f.draft))
			untriggeredly(t, f.conn, fmt.Sprintf("UPDATE operator_positions SET valid_from = hatang_today() - %d WHERE site_code = '%s' AND valid_from = hatang_today()", c.since, code))
			untriggeredly(t, f.conn, fmt.Sprintf("UPDATE proposals SET expires_on = hatang_today() - %d WHERE id = %d", map[bool]int{true: 1}[c.action == permit.Expire], id))
			f.must(f.officer, id, permit.Decision{Action: c.action})
			if diff := cmp.Diff(c.want, f.on(code)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", c.name, diff)
			}
			problems, err := f.Inconsistencies(context.Background())
			if err != nil || len(problems) != 0 {
				t.Errorf("the register: %v, %v", problems, err)
			}
		})
	}
}

// A mast that is approved is of its operator's network before it is built: his checks know it.
func TestAnApprovedMastIsOfTheNetwork(t *testing.T) {
	f := newFiling(t)
	f.must(f.approver, f.file(f.draft), permit.Decision{Action: permit.Approve})
	today, err := geo.ParseDate(scalar[string](t, f.conn, "SELECT hatang_today()::text"))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := f.Facts(context.Background(), permit.Asked{Viewer: account.Anonymous(), Date: today})
	if err != nil || len(facts.Masts) != 1 || facts.Masts[0].ID != f.draft || !slices.Equal(facts.Masts[0].Operators, []string{"VNPT"}) {
		t.Errorf("the masts are %+v, %v", facts.Masts, err)
	}
}
