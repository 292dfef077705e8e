package permit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// What was refused is evidence for who asked and for staff, and for nobody else: from memory
// and from the database alike, through every step, and in verdicts that are made again.
func TestRefusalsAreEvidence(t *testing.T) {
	r := newRecording(t)
	ctx, date := context.Background(), day(t, "2020-06-30")
	operator := func(code string) account.Viewer {
		return account.Viewer{Name: "person:" + code, Organisation: code, Grants: []account.Grant{{Role: account.Operator}}}
	}
	asker, owner, rival, staff := operator("VIETTEL"), operator("VNPT"), operator("MOBIFONE"), officer()
	everyone := []account.Viewer{asker, owner, rival, staff, account.Anonymous(), {Name: "key:of-filing", RefusedTo: "VIETTEL"}}
	told := func(v account.Viewer) bool {
		return v.Organisation == "VIETTEL" || v.Staff() || v.RefusedTo == "VIETTEL"
	}
	var mast int64
	var code string
	var at orb.Point
	if err := r.conn.QueryRow(ctx, `SELECT id, code, ST_X(geom), ST_Y(geom) FROM bts_sites s WHERE status = 'existing' AND mast_type = 'A2b' AND owner_organisation = 'VNPT'
		AND NOT EXISTS (SELECT FROM operator_positions p WHERE p.site_code = s.code AND p.operator = 'VIETTEL') ORDER BY id LIMIT 1`).Scan(&mast, &code, &at[0], &at[1]); err != nil {
		t.Fatal(err)
	}
	height := 40.0
	near := geo.Destination(at, 90, 40)
	p := zoning.Proposal{Point: near, MastType: geo.A2b, HeightM: &height, Operator: "VIETTEL", Date: date}
	question := json.RawMessage(fmt.Sprintf(`{"lon":%v,"lat":%v,"mast_type":"A2b","height_m":40,"operator":"VIETTEL","date":"2020-06-30"}`, near[0], near[1]))

	memory, whole := permit.NewMemory(r.Store, always(date), quiet()), permit.NewChecker(r.Store)
	for _, v := range everyone {
		memory.Keep(v, date)
	}
	memory.Catch(ctx)
	built := memory.Report().Builds
	var numbers []string
	said := func(when, number string) {
		t.Helper()
		for _, v := range everyone {
			held, read := caught(t, memory, v, date).Check(p), snapshotOf(t, whole, v, date).Check(p)
			beside, err := whole.Check(ctx, v, []zoning.Proposal{p})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asJSON(t, read), asJSON(t, held)) + cmp.Diff(asJSON(t, read), asJSON(t, beside[0])); diff != "" {
				t.Errorf("%s, %s: from the database and from memory\n%s", when, v.Class(), diff)
			}
			i := slices.IndexFunc(held.Findings, func(f zoning.Finding) bool {
				return f.Rule == "SHARE-duty" && f.Evidence != nil && f.Evidence.Code == code
			})
			if i < 0 {
				t.Fatalf("%s, %s: the mast is not found: %+v", when, v.Class(), held.Findings)
			}
			want := ""
			if told(v) {
				want = number
			}
			if f := held.Findings[i]; f.SharingRequest != want || (f.Outcome == zoning.Pass) != (want != "") || strings.Contains(f.Message.VI, number) != (want != "") && number != "" {
				t.Errorf("%s, %s: %+v", when, v.Class(), f)
			}
			if v.Known() {
				numbers = append(numbers, r.record(v, permit.Placement, question)...)
			}
		}
	}
	versions := func(v account.Viewer) any { return snapshotOf(t, whole, v, date).Versions()["bts_sites"] }
	before := []any{versions(rival), versions(owner), versions(account.Anonymous())}
	ask := func() string {
		n := permit.NewShare{Number: permit.NewShareNumber(date), Collection: "bts_sites", Feature: mast, Reasons: "phủ sóng", Today: day(t, "2020-06-01")}
		if err := r.AskToShare(ctx, asker, n); err != nil {
			t.Fatal(err)
		}
		return n.Number
	}
	step := func(v account.Viewer, number string, d permit.ShareDecision) {
		t.Helper()
		d.Today = day(t, "2020-06-02")
		if _, _, err := r.DecideShare(ctx, v, number, d); err != nil {
			t.Fatalf("%s: %v", d.Action, err)
		}
	}
	none := int64(0)
	decline := permit.ShareDecision{Action: permit.ShareDecline, Reasons: "hết tải", Capacity: &permit.Capacity{Places: &none}}

	said("before", "")
	first := ask()
	said("asked", "")
	step(owner, first, decline)
	said("declined", first)
	step(asker, first, permit.ShareDecision{Action: permit.ShareMediate})
	said("in mediation", first)
	step(staff, first, permit.ShareDecision{Action: permit.ShareRefuse, Reasons: "không đạt"})
	said("refused", first)
	second := ask()
	step(owner, second, decline)
	step(asker, second, permit.ShareDecision{Action: permit.ShareWithdraw})
	said("another withdrawn", first)
	if diff := cmp.Diff(before, []any{versions(rival), versions(owner), versions(account.Anonymous())}); diff != "" {
		t.Errorf("the versions of those who are told nothing\n%s", diff)
	}
	if report := memory.Report(); report.Builds != built {
		t.Errorf("%d builds, %d before", report.Builds, built)
	}
	for _, number := range numbers {
		rec, err := r.Verdict(ctx, staff, number)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := r.Replay(ctx, rec); err != nil || !again.Same {
			t.Errorf("%s is not made again: %v", number, err)
		}
	}
}
