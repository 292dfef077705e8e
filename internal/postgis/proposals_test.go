package postgis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// filing is a register with people who take part in proposals: VNPT's draft c.draft lies in
// the district 094.
type filing struct {
	*consulting
	layers                                  *layer.Registry
	url                                     string
	operator, colleague, rival              account.Viewer // of VNPT, VNPT, VIETTEL
	officer, far, approver, farApprover     account.Viewer // of 094, 095, 094, 095
	ownApprover, turncoat, agency, stranger account.Viewer // of VNPT; files as the operator's person; SXD's; BCHQS's
}

func newFiling(t *testing.T) *filing {
	t.Helper()
	c := newConsulting(t)
	staff := func(name string, role account.Role, territory string) account.Viewer {
		return account.Viewer{Name: name, Grants: []account.Grant{{Role: role, Territory: territory}}}
	}
	f := &filing{consulting: c, layers: c.Layers(), url: c.conn.Config().ConnString(), operator: operatorOf("VNPT"), colleague: operatorOf("VNPT"), rival: operatorOf("VIETTEL"),
		officer: staff("person:officer", account.Officer, "094"), far: staff("person:far", account.Officer, "095"),
		approver: staff("person:approver", account.Approver, "094"), farApprover: staff("person:far-approver", account.Approver, "095"),
		ownApprover: member("VNPT", account.Grant{Role: account.Approver}), turncoat: staff("key:turncoat", account.Approver, ""), agency: c.asked, stranger: c.other}
	f.operator.Name, f.operator.Person = "person:lan", 7
	f.colleague.Name, f.colleague.Person = "person:hoa", 8
	f.turncoat.Person = 7 // the operator by another name
	return f
}

// file has the operator file drafts of the layer of sites.
func (f *filing) file(ids ...int64) int64 {
	f.t.Helper()
	id, err := f.FileProposal(context.Background(), f.operator, sitesFiled(ids...))
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

func sitesFiled(ids ...int64) permit.NewFile {
	n := permit.NewFile{Title: "Cột mới", Verdict: json.RawMessage(`{"verdict": "permitted"}`)}
	for _, id := range ids {
		n.Features = append(n.Features, permit.FiledFeature{Collection: "bts_sites", ID: id})
	}
	return n
}

func (f *filing) decide(v account.Viewer, id int64, d permit.Decision) error {
	_, _, err := f.DecideProposal(context.Background(), v, id, d)
	return err
}

func (f *filing) must(v account.Viewer, id int64, d permit.Decision) {
	f.t.Helper()
	if err := f.decide(v, id, d); err != nil {
		f.t.Fatalf("%s, %s: %v", v.Name, d.Action, err)
	}
}

// status is that of a row, and from when until when it holds.
func (f *filing) status(table string, id int64) string {
	f.t.Helper()
	return scalar[string](f.t, f.conn, fmt.Sprintf("SELECT status || CASE WHEN valid_to IS NULL THEN '' ELSE ' until ' || (valid_to - hatang_today()) END FROM %s WHERE id = $1", table), id)
}

// The table of transitions and the layers that can be filed are the same in Go and in the
// database.
func TestTheStateMachineIsOne(t *testing.T) {
	_, _, url := open(t)
	conn := connect(t, url)
	rows, err := conn.Query(context.Background(), "SELECT before, action, party, after FROM proposal_transitions")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := pgx.CollectRows(rows, pgx.RowToStructByPos[permit.Transition])
	if err != nil {
		t.Fatal(err)
	}
	byText := func(a, b permit.Transition) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	ours := permit.Transitions()
	slices.SortFunc(kept, byText)
	slices.SortFunc(ours, byText)
	if diff := cmp.Diff(ours, kept); diff != "" {
		t.Errorf("Go and the database differ (-Go +database)\n%s", diff)
	}
	for _, s := range append(permit.States(), permit.New) {
		if open := scalar[bool](t, conn, "SELECT hatang_proposal_open($1)", string(s)); open == s.Over() {
			t.Errorf("%s: the database says open: %t", s, open)
		}
	}
	if got := scalar[string](t, conn, "SELECT string_agg(tgrelid::regclass::text, ' ' ORDER BY tgrelid::regclass::text) FROM pg_trigger WHERE tgname = 'filed_update'"); got != strings.Join(permit.FiledLayers(), " ") {
		t.Errorf("the database keeps what is filed of %s", got)
	}
}

func TestAProposalFromFilingToBuilding(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id := f.file(f.draft)
	seen, err := f.Proposal(ctx, f.officer, id)
	if err != nil || seen.State != permit.Filed || seen.Revision != 1 || seen.DueOn.IsZero() || len(seen.Steps) != 1 || seen.Overdue {
		t.Fatalf("filed: %+v, %v", seen, err)
	}
	if diff := cmp.Diff([]permit.Action{permit.AskMore, permit.Consult, permit.Attach}, seen.Actions); diff != "" {
		t.Errorf("what the officer may do (-want +got)\n%s", diff)
	}
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Revision: 1, Reasons: "thiếu bản vẽ"})
	checked, err := permit.FileVerdict(geo.NewDate(2026, 1, 5), []permit.CheckedFeature{{FeatureID: permit.FeatureID{Collection: "bts_sites", ID: f.draft}, Answer: json.RawMessage(`{"verdict":"conditional"}`)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.must(f.colleague, id, permit.Decision{Action: permit.Supplement, Verdict: checked})
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD", "BCHQS"}})
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed", Reasons: "ổn"})
	tomorrow, err := geo.ParseDate(scalar[string](t, f.conn, "SELECT (hatang_today() + 1)::text"))
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []account.Viewer{f.officer, f.stranger} {
		late := permit.Decision{Action: permit.AnswerFor, Agency: "BCHQS", Answer: "agreed", DocumentNumber: "12/CV", DocumentDate: tomorrow}
		if at := stepFaults(t, f.decide(who, id, late)); at != "/document_date" {
			t.Errorf("%s answers by a paper of tomorrow: %q", who.Name, at)
		}
	}
	f.must(f.officer, id, permit.Decision{Action: permit.AnswerFor, Agency: "BCHQS", Answer: "agreed_with_conditions", DocumentNumber: "12/CV", DocumentDate: geo.NewDate(2026, 1, 5)})
	if got := f.status("bts_sites", f.draft); got != "draft" {
		t.Errorf("before it is approved: %s", got)
	}
	f.must(f.approver, id, permit.Decision{Action: permit.Approve, Conditions: []string{"sơn phản quang"}})
	if got := f.status("bts_sites", f.draft); got != "planned" {
		t.Errorf("approved: %s", got)
	}
	seen, err = f.Proposal(ctx, f.officer, id)
	if err != nil || seen.State != permit.Approved || seen.Decision == nil || !seen.DueOn.IsZero() || seen.ExpiresOn.IsZero() || len(seen.Steps) != 7 || !strings.HasPrefix(string(seen.Verdict), `{"date":"2026-01-05","features":[{`) || !strings.HasSuffix(string(seen.Verdict), `"verdict":"conditional"}`) {
		t.Fatalf("approved: %+v, %v", seen, err)
	}
	if c := seen.Consultations[0]; c.Agency != "BCHQS" || *c.Answer != "agreed_with_conditions" || *c.DocumentNumber != "12/CV" || *c.AnsweredBy != "person:officer" {
		t.Errorf("recorded: %+v", c)
	}
	// What was planned before today stands from today on.
	untriggeredly(t, f.conn, fmt.Sprintf("UPDATE bts_sites SET valid_from = hatang_today() - 40 WHERE id = %d", f.draft))
	f.must(f.officer, id, permit.Decision{Action: permit.Build})
	seen, err = f.Proposal(ctx, f.operator, id)
	if err != nil || seen.State != permit.Built || seen.Features[0].Became == nil {
		t.Fatalf("built: %+v, %v", seen, err)
	}
	if was, is := f.status("bts_sites", f.draft), f.status("bts_sites", *seen.Features[0].Became); was != "planned until 0" || is != "existing" {
		t.Errorf("it was %s and is %s", was, is)
	}
	// It is of the network of who built it.
	const on = "SELECT string_agg(concat_ws(' ', p.operator, p.status, p.valid_from = hatang_today()), ',') FROM operator_positions p JOIN bts_sites s ON s.code = p.site_code WHERE s.id = $1"
	if got := scalar[string](t, f.conn, on, *seen.Features[0].Became); got != "VNPT existing t" {
		t.Errorf("on it is %q", got)
	}
	public, err := f.DecisionOf(ctx, account.Anonymous(), *seen.Decision)
	if err != nil || public.Outcome != permit.Approved || public.Organisation != "VNPT" || len(public.Features) != 2 || public.Features[1].ID != *seen.Features[0].Became || public.Conditions[0] != "sơn phản quang" {
		t.Errorf("the register: %+v, %v", public, err)
	}
	why, err := f.Decisions(ctx, account.Anonymous(), permit.DecisionQuery{Collection: "bts_sites", Feature: *seen.Features[0].Became, Limit: 9})
	if err != nil || len(why) != 1 || why[0].Number != public.Number {
		t.Errorf("why it is here: %+v, %v", why, err)
	}
}

// untriggeredly runs a statement that no trigger sees.
func untriggeredly(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	run(t, conn, "SET session_replication_role = replica")
	run(t, conn, sql)
	run(t, conn, "SET session_replication_role = DEFAULT")
}

// Who has nothing to do with a proposal is told what he is told of one there is not.
func TestWhoSeesAProposal(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id := f.file(f.draft)
	sees := func(v account.Viewer) string {
		_, err := f.Proposal(ctx, v, id)
		list, listErr := f.Proposals(ctx, v, permit.FileQuery{Limit: 10})
		if listErr != nil || (err == nil) != (len(list) == 1) {
			t.Errorf("%s: %v, but %d are listed, %v", v.Name, err, len(list), listErr)
		}
		did := f.decide(v, id, permit.Decision{Action: permit.Build})
		if errors.Is(err, layer.ErrNotFound) {
			if after, err := f.Proposals(ctx, v, permit.FileQuery{After: id, Limit: 10}); len(after) != 0 || err != nil || !errors.Is(did, layer.ErrNotFound) {
				t.Errorf("%s: %d after it, %v; a step: %v", v.Name, len(after), err, did)
			}
			return "nothing"
		}
		if err != nil || did == nil || errors.Is(did, layer.ErrNotFound) {
			t.Errorf("%s: %v; a step: %v", v.Name, err, did)
		}
		return "it"
	}
	check := func(when string, want map[string]account.Viewer, otherwise string) {
		t.Helper()
		for name, v := range want {
			if got := sees(v); got != otherwise {
				t.Errorf("%s, %s sees %s, want %s", when, name, got, otherwise)
			}
		}
	}
	check("filed", map[string]account.Viewer{"the operator": f.operator, "a colleague": f.colleague, "one without a role": member("VNPT"), "the officer": f.officer, "the approver": f.approver,
		"staff of everything": officer(), "staff of sites": {Name: "key:x", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"bts_sites"}}}}}, "it")
	check("filed", map[string]account.Viewer{"the public": account.Anonymous(), "a rival": f.rival, "an officer of elsewhere": f.far, "an approver of elsewhere": f.farApprover, "an agency": f.agency,
		"staff of roads": {Name: "key:x", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"roads"}}}}}, "nothing")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	check("consulting", map[string]account.Viewer{"the agency": f.agency}, "it")
	check("consulting", map[string]account.Viewer{"another agency": f.stranger}, "nothing")
	own, err := f.Proposal(ctx, f.operator, id)
	if err != nil || len(own.Consultations) != 0 || own.MissingConsents != nil || own.Steps[1].Who != nil || own.Steps[1].Detail != nil || own.Steps[0].Who == nil {
		t.Errorf("what the organisation is told: %+v, %v", own, err)
	}
	f.must(f.officer, id, permit.Decision{Action: permit.AnswerFor, Agency: "SXD", Answer: "objected"})
	if own, err = f.Proposal(ctx, f.operator, id); err != nil || len(own.Steps) != 2 {
		t.Errorf("the organisation is told of the answer: %+v, %v", own.Steps, err)
	}
	// An agency that is not asked any more has nothing to do with it from then on, nor with the
	// file that it attached itself.
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BCHQS"}})
	file := f.mustAttach(f.stranger, id, "")
	check("asked", map[string]account.Viewer{"another agency": f.stranger}, "it")
	asked, err := f.Consultations(ctx, f.stranger, account.ConsultationQuery{Limit: 2})
	if err != nil || len(asked) != 1 {
		t.Fatalf("%d questions, %v", len(asked), err)
	}
	if err := f.ChangeConsultation(ctx, f.officer, asked[0].ID, account.ConsultationChange{Withdraw: true}); err != nil {
		t.Fatal(err)
	}
	check("asked no more", map[string]account.Viewer{"another agency": f.stranger}, "nothing")
	if seen := f.seesFiles(f.stranger, id, []int64{file}); len(seen) != 0 {
		t.Errorf("asked no more, the agency is told of files: %v", seen)
	}
	if _, err := f.attach(f.stranger, id, ""); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("asked no more, the agency attaches: %v", err)
	}
	if _, err := f.Feature(ctx, f.stranger, f.sites, f.draft); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("asked no more, the agency is shown the draft: %v", err)
	}
}

// A proposal is one, and its features are several: its organisation and staff see all of them or
// nothing, an agency those that it is asked about, and what was found about them.
func TestWhoSeesWhichFeaturesOfAProposal(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	points := get(t, f.layers, "postal_points")
	elsewhere, point := draftOf(t, f.Store, f.sites, "VNPT", "D3", orb.Point{105.5, 21.5}), draftOf(t, f.Store, points, "VNPT", "P1", orb.Point{103.7, 21.5})
	n := sitesFiled(f.draft, elsewhere)
	n.Features = append(n.Features, permit.FiledFeature{Collection: points.Name, ID: point})
	n.Verdict = json.RawMessage(fmt.Sprintf(`{"verdict": "refused", "date": "2026-01-01", "features": [{"collection": "bts_sites", "id": %d, "answer": {"verdict": "permitted"}, "faults": null},
		{"collection": "bts_sites", "id": %d, "answer": {"verdict": "refused"}, "faults": null}, {"collection": "postal_points", "id": %d, "answer": null, "faults": null}]}`, f.draft, elsewhere, point))
	id, err := f.FileProposal(ctx, f.operator, n)
	if err != nil {
		t.Fatal(err)
	}
	f.mustAttach(f.operator, id, "")
	f.must(officer(), id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	both := f.officer
	both.Grants = append(slices.Clone(both.Grants), f.farApprover.Grants...)
	officerAndAgency := f.officer
	officerAndAgency.Organisation, officerAndAgency.Grants = "SXD", append(slices.Clone(f.officer.Grants), f.agency.Grants...)
	for name, of := range map[string]struct {
		viewer  account.Viewer
		codes   string
		verdict string
	}{
		"the operator":                      {f.operator, "D1 D3 P1", "refused"},
		"staff of everything":               {officer(), "D1 D3 P1", "refused"},
		"staff of 094 and of 095":           {both, "D1 D3 P1", "refused"},
		"the agency":                        {f.agency, "D1 D3 P1", "refused"},
		"the agency for points":             {limitedTo(f.agency, "postal_points"), "P1", ""},
		"the officer of 094":                {f.officer, "", ""},
		"the officer of 094, for an agency": {officerAndAgency, "", ""},
		"the approver of 095":               {f.farApprover, "", ""},
		"staff of points":                   {limitedTo(officer(), "postal_points"), "", ""},
		"the officer's sites":               {limitedTo(f.officer, "bts_sites"), "", ""},
	} {
		seen, err := f.Proposal(ctx, of.viewer, id)
		for _, territory := range []string{"", "094", "095"} {
			list, listErr := f.Proposals(ctx, of.viewer, permit.FileQuery{Territory: territory, Limit: 10})
			if lies := of.codes != "" && strings.Contains(of.codes, map[string]string{"094": "1", "095": "D3"}[territory]); listErr != nil || lies != (len(list) == 1) {
				t.Errorf("%s finds %d in %q, %v", name, len(list), territory, listErr)
			}
		}
		if of.codes == "" {
			if !errors.Is(err, layer.ErrNotFound) {
				t.Errorf("%s sees it: %v, %v", name, seen.Features, err)
			}
			for _, action := range permit.Actions() {
				if err := f.decide(of.viewer, id, permit.Decision{Action: action, Reasons: "x"}); !errors.Is(err, layer.ErrNotFound) {
					t.Errorf("%s, %s: %v", name, action, err)
				}
			}
			if _, err := f.attach(of.viewer, id, ""); !errors.Is(err, layer.ErrNotFound) {
				t.Errorf("%s attaches: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var check struct {
			Verdict  string
			Features []permit.FeatureID
		}
		if err := json.Unmarshal(seen.Verdict, &check); err != nil {
			t.Fatal(err)
		}
		var codes []string
		ids := map[permit.FeatureID]bool{}
		for _, feature := range seen.Features {
			codes = append(codes, feature.Code)
			ids[permit.FeatureID{Collection: feature.Collection, ID: feature.ID}] = true
		}
		checked := map[permit.FeatureID]bool{}
		for _, c := range check.Features {
			checked[c] = true
		}
		if strings.Join(codes, " ") != of.codes || check.Verdict != of.verdict || !maps.Equal(ids, checked) {
			t.Errorf("%s sees %v, checked %v, %q", name, codes, checked, check.Verdict)
		}
		for _, c := range seen.Consultations {
			if !ids[permit.FeatureID{Collection: c.Collection, ID: c.Feature}] {
				t.Errorf("%s is told what is asked about %s %d", name, c.Collection, c.Feature)
			}
		}
		// Files are for who sees all: nobody else learns that there are some, which he does not see.
		files := slices.ContainsFunc(seen.Steps, func(s permit.FileStep) bool { return s.Action == permit.Attach })
		if all := len(codes) == 3; files != all || len(seen.Attachments) > 0 != all || seen.Revision != int64(len(seen.Steps)) {
			t.Errorf("%s is told of files: %v, %d, at revision %d of %d", name, files, len(seen.Attachments), seen.Revision, len(seen.Steps))
		}
		if of.viewer.Staff() != (seen.MissingConsents != nil) {
			t.Errorf("%s is told of the consents: %v", name, seen.MissingConsents)
		}
	}
}

// limitedTo is the viewer with his first grant for some layers alone.
func limitedTo(v account.Viewer, layers ...string) account.Viewer {
	v.Grants = slices.Clone(v.Grants)
	v.Grants[0].Layers = layers
	return v
}

// Who is staff where drafts were filed has to do with them as they were filed: what the
// organisation does with them elsewhere, or afterwards, he is not told.
func TestStaffDecideOnWhatIsFiled(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id := f.file(f.draft)
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	told := func() string {
		t.Helper()
		text := ""
		for _, v := range []account.Viewer{f.officer, f.approver} {
			seen, err := f.Proposal(ctx, v, id)
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprint(v.Name, seen.Actions, seen.Parties)
			for _, action := range permit.Actions() {
				if open := slices.Contains(seen.Actions, action); !open {
					text += fmt.Sprint(" ", action, " ", outcomeOf(f.decide(v, id, permit.Decision{Action: action, Reasons: "x"})))
				}
			}
			if !slices.Contains(seen.Actions, permit.Attach) {
				_, err = f.attach(v, id, "")
				text += " attach " + outcomeOf(err)
			}
		}
		return text
	}
	before := told()
	moved := layer.Feature{Geometry: orb.Point{105.5, 21.5}} // in 095, which neither of them sees
	if _, err := f.UpdateFeature(ctx, f.operator, f.sites, f.draft, moved, 0, false); err != nil {
		t.Fatal(err)
	}
	if after := told(); after != before {
		t.Errorf("moved while more is asked\n%s\n%s", before, after)
	}
	f.must(f.operator, id, permit.Decision{Action: permit.Withdraw})
	before = told()
	if err := f.DeleteFeature(ctx, f.operator, f.sites, f.draft, 0); err != nil {
		t.Fatal(err)
	}
	if after := told(); after != before {
		t.Errorf("removed once it is withdrawn\n%s\n%s", before, after)
	}
}

// What is filed keeps the status, and more, whoever changes it.
func TestWhatIsFiledStays(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id := f.file(f.draft)
	set := func(v account.Viewer, properties map[string]any) error {
		_, err := f.UpdateFeature(ctx, v, f.sites, f.draft, layer.Feature{Properties: properties}, 0, false)
		return err
	}
	refused := func(when string) {
		t.Helper()
		for _, err := range []error{set(officer(), map[string]any{"status": "existing"}), set(officer(), map[string]any{"code": "ANOTHER"}), f.DeleteFeature(ctx, officer(), f.sites, f.draft, 0),
			set(officer(), map[string]any{"valid_to": geo.NewDate(2100, 1, 1)})} {
			if !errors.Is(err, layer.ErrFiled) || !errors.Is(err, layer.ErrConflict) {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	refused("filed")
	if err := set(f.operator, map[string]any{"height_m": 20.0}); !errors.Is(err, layer.ErrFiled) {
		t.Errorf("changed once it is filed: %v", err)
	}
	if _, err := f.FileProposal(ctx, f.colleague, sitesFiled(f.draft)); !isInvalid(err) {
		t.Errorf("filed twice: %v", err)
	}
	f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
	refused("more is asked")
	moved := layer.Feature{Properties: map[string]any{"height_m": 20.0}, Geometry: orb.Point{103.2, 21.2}}
	if _, err := f.UpdateFeature(ctx, f.operator, f.sites, f.draft, moved, 0, false); err != nil {
		t.Errorf("changed while more is asked: %v", err)
	}
	stale := permit.Decision{Action: permit.Supplement, Verdict: json.RawMessage("{}"), Features: []permit.FiledFeature{{Collection: "bts_sites", ID: f.draft, Revision: 1}}}
	if err := f.decide(f.operator, id, stale); !errors.Is(err, layer.ErrStale) {
		t.Errorf("supplemented after a check of what was before: %v", err)
	}
	f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: json.RawMessage("{}")})
	if got := scalar[float64](t, f.conn, "SELECT ST_X(geom) FROM proposal_features"); got != 103.2 {
		t.Errorf("it lies at %v", got)
	}
	refused("supplemented")
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	refused("approved")
	if err := set(f.officer, map[string]any{"name": "tên đúng"}); err != nil {
		t.Errorf("a name corrected once it is approved: %v", err)
	}
	for _, properties := range []map[string]any{{"height_m": 120.0}, {"mast_type": "A2a"}, {"structure": "rooftop"}, {"accuracy_m": 500.0}} { // what was decided on, or judged by
		if err := set(officer(), properties); !errors.Is(err, layer.ErrFiled) {
			t.Errorf("%v once it is approved: %v", properties, err)
		}
	}
	if _, err := f.SucceedFeature(ctx, officer(), f.sites, f.draft, layer.Feature{Properties: map[string]any{"status": "existing"}}, 0, false, geo.NewDate(2090, 1, 1)); !errors.Is(err, layer.ErrFiled) {
		t.Errorf("another status in force: %v", err)
	}
	f.must(f.officer, id, permit.Decision{Action: permit.Build})
	if err := set(officer(), map[string]any{"status": "planned"}); err != nil {
		t.Errorf("changed once it is built: %v", err)
	}
}

func isInvalid(err error) bool {
	var invalid *layer.InvalidError
	return errors.As(err, &invalid)
}

// Nobody decides on what is his own, by whatever name.
func TestNobodyApprovesHisOwn(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	run(t, f.conn, "INSERT INTO people (login, name, organisation) VALUES ('both', 'x', 'VNPT')")
	former := account.Viewer{Name: "person:both", Grants: []account.Grant{{Role: account.Approver}}} // says that it is of none
	for name, v := range map[string]account.Viewer{"an approver of the organisation": f.ownApprover, "who filed, by a key": f.turncoat, "one of the organisation who does not say so": former,
		"who filed, as staff": {Name: "person:lan", Grants: []account.Grant{{Role: account.Approver}}}, "an officer": f.officer, "an administrator": account.Holder("key:admin", account.Administrator)} {
		for _, d := range []permit.Decision{{Action: permit.Approve}, {Action: permit.Refuse, Reasons: "x"}} {
			if err := f.decide(v, id, d); !errors.Is(err, layer.ErrForbidden) {
				t.Errorf("%s, %s: %v", name, d.Action, err)
			}
		}
	}
	if err := f.decide(f.farApprover, id, permit.Decision{Action: permit.Approve}); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("an approver of elsewhere: %v", err)
	}
	f.must(f.approver, id, permit.Decision{Action: permit.Refuse, Reasons: "quá cao"})
}

// A route in the border belt is approved once those have agreed who must.
func TestConsentForRoutesAtTheBorder(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	run(t, f.conn, `INSERT INTO organisations (code, kind, name) VALUES ('BQP', 'agency', '{}')`)
	run(t, f.conn, `INSERT INTO special_areas (code, valid_from, jurisdiction, kind, agency, geom) VALUES ('VD', '2015-01-01', '11', 'border_belt', 'BQP', ST_Multi(ST_MakeEnvelope(103.1, 21.1, 103.9, 21.9, 4326)))`)
	run(t, f.conn, `INSERT INTO fibre_routes (code, valid_from, jurisdiction, status, kind, owner_organisation, geom) VALUES ('T1', '2020-01-01', '11', 'draft', 'intraprovincial', 'VNPT', 'SRID=4326;MULTILINESTRINGZ((103.2 21.2 0, 103.3 21.3 0))')`)
	route := scalar[int64](t, f.conn, "SELECT id FROM fibre_routes WHERE code = 'T1'")
	n := permit.NewFile{Title: "Tuyến", Verdict: json.RawMessage("null"), Features: []permit.FiledFeature{{Collection: "fibre_routes", ID: route}}}
	id, err := f.FileProposal(ctx, f.operator, n)
	if err != nil {
		t.Fatal(err)
	}
	blocked := func(when string, want ...string) {
		t.Helper()
		var refused *permit.RefusedError
		if err := f.decide(f.approver, id, permit.Decision{Action: permit.Approve}); !errors.As(err, &refused) || !errors.Is(err, layer.ErrConflict) {
			t.Errorf("%s: %v", when, err)
		}
		seen, err := f.Proposal(ctx, f.approver, id)
		if diff := cmp.Diff(want, seen.MissingConsents); diff != "" || err != nil {
			t.Errorf("%s, what is missing (-want +got)\n%s%v", when, diff, err)
		}
	}
	blocked("nobody is asked", "BQP")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BQP", "SXD"}})
	blocked("asked", "BQP")
	f.must(f.officer, id, permit.Decision{Action: permit.AnswerFor, Agency: "SXD", Answer: "agreed"})
	blocked("another has agreed", "BQP")
	f.must(agencyOf("BQP"), id, permit.Decision{Action: permit.AnswerFor, Answer: "objected"})
	blocked("objected", "BQP")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BQP"}})
	f.must(f.officer, id, permit.Decision{Action: permit.AnswerFor, Agency: "BQP", Answer: "no_remark"})
	blocked("no remark is no consent", "BQP")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BQP"}})
	f.must(f.officer, id, permit.Decision{Action: permit.AnswerFor, Agency: "BQP", Answer: "agreed"})
	blocked("agreed, but not on paper", "BQP")
	paper := func(agency string, without string) permit.Decision {
		d := permit.Decision{Action: permit.AnswerFor, Agency: agency, Answer: "agreed", DocumentNumber: "12/CV", DocumentDate: geo.NewDate(2026, 1, 5), Attachment: f.mustAttach(f.officer, id, agency)}
		switch without {
		case "number":
			d.DocumentNumber = ""
		case "date":
			d.DocumentDate = geo.Date{}
		case "file":
			d.Attachment = 0
		}
		return d
	}
	for _, without := range []string{"number", "date", "file", ""} {
		f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BQP"}})
		f.must(f.officer, id, paper("BQP", without))
		if without != "" {
			blocked("a paper without "+without, "BQP")
		}
	}
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BCHQS"}, Required: true})
	blocked("the officer requires another", "BCHQS")
	f.must(f.stranger, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed_with_conditions"})
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	if got := f.status("fibre_routes", route); got != "planned" {
		t.Errorf("approved: %s", got)
	}
	run(t, f.conn, `INSERT INTO fibre_routes (code, valid_from, jurisdiction, status, kind, owner_organisation, geom) VALUES ('T2', '2020-01-01', '11', 'draft', 'border', 'VNPT', 'SRID=4326;MULTILINESTRINGZ((103.01 21.01 0, 103.02 21.02 0))')`)
	n.Features[0].ID = scalar[int64](t, f.conn, "SELECT id FROM fibre_routes WHERE code = 'T2'")
	if id, err = f.FileProposal(ctx, f.operator, n); err != nil {
		t.Fatal(err)
	}
	blocked("a border route outside the belt", "BQP")
	run(t, f.conn, "UPDATE special_areas SET agency = NULL WHERE code = 'VD'")
	blocked("a border route, and nobody says whose the belt is", "")
	awaits := func(want bool) {
		t.Helper()
		one, err := f.Proposal(context.Background(), f.agency, id)
		if err != nil || one.AwaitsAnswer != want {
			t.Errorf("awaits the agency's answer: %t, %v; want %t", one.AwaitsAnswer, err, want)
		}
		if of, err := f.Proposal(context.Background(), f.officer, id); err != nil || of.AwaitsAnswer {
			t.Errorf("awaits an answer of the officer's: %+v, %v", of, err)
		}
	}
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	awaits(true)
	f.must(f.agency, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
	awaits(false)
	blocked("an agency agreed whose consent nobody asked for", "")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BCHQS"}, Required: true})
	blocked("asked for its consent", "", "BCHQS")
	f.must(f.stranger, id, permit.Decision{Action: permit.AnswerFor, Answer: "agreed"})
	blocked("agreed, but not on paper", "")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BCHQS"}, Required: true})
	own := paper("BCHQS", "")
	own.Agency = ""
	f.must(f.stranger, id, own)
	run(t, f.conn, "UPDATE special_areas SET agency = 'BQP' WHERE code = 'VD'")
	blocked("another than whose the belt is has agreed", "BQP")
	run(t, f.conn, "UPDATE special_areas SET agency = NULL WHERE code = 'VD'")
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})

	run(t, f.conn, `INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom) VALUES ('QS', '2015-01-01', '11', 'military', ST_Multi(ST_MakeEnvelope(103.05, 21.05, 103.08, 21.08, 4326)))`)
	run(t, f.conn, `INSERT INTO ducts (code, valid_from, jurisdiction, status, works_class, owner_organisation, geom) VALUES ('C1', '2020-01-01', '11', 'draft', 'N1', 'VNPT', 'SRID=4326;MULTILINESTRINGZ((103.06 21.06 0, 103.2 21.06 0))')`)
	n.Features[0] = permit.FiledFeature{Collection: "ducts", ID: scalar[int64](t, f.conn, "SELECT id FROM ducts WHERE code = 'C1'")}
	if id, err = f.FileProposal(ctx, f.operator, n); err != nil {
		t.Fatal(err)
	}
	blocked("through a military area", "")
	f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"BCHQS"}, Required: true})
	f.must(f.officer, id, paper("BCHQS", ""))
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	mast := f.file(f.draft) // a mast there is no route
	f.must(f.approver, mast, permit.Decision{Action: permit.Approve})
}

// Consent is to what was filed: what a supplement changes is agreed to anew, and what it does not
// change needs nothing.
func TestConsentIsToWhatWasSeen(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id := f.file(f.draft, f.rest)
	missing := func(when string, want ...string) {
		t.Helper()
		seen, err := f.Proposal(ctx, f.approver, id)
		if diff := cmp.Diff(append([]string{}, want...), seen.MissingConsents); diff != "" || err != nil {
			t.Errorf("%s (-want +got)\n%s%v", when, diff, err)
		}
		err = f.decide(f.approver, id, permit.Decision{Action: permit.Approve})
		if blocked := errors.Is(err, layer.ErrConflict); blocked != (len(want) > 0) || err != nil && !blocked {
			t.Errorf("%s, approved: %v", when, err)
		}
	}
	supplement := func(height float64) {
		t.Helper()
		f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
		if height > 0 {
			if _, err := f.UpdateFeature(ctx, f.operator, f.sites, f.draft, layer.Feature{Properties: map[string]any{"height_m": height}}, 0, false); err != nil {
				t.Fatal(err)
			}
		}
		f.must(f.operator, id, permit.Decision{Action: permit.Supplement, Verdict: json.RawMessage("{}")})
	}
	agree := permit.Decision{Action: permit.AnswerFor, Agency: "SXD", Answer: "agreed"}
	ask := permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}, Required: true}
	f.must(f.officer, id, ask)
	f.must(f.officer, id, agree)
	supplement(77)
	missing("agreed to a lower one", "SXD")
	f.must(f.officer, id, ask)
	missing("asked again", "SXD")
	today := geo.DateOf(scalar[time.Time](t, f.conn, "SELECT hatang_today()"))
	paper := func(day geo.Date, file int64) permit.Decision {
		return permit.Decision{Action: permit.AnswerFor, Agency: "SXD", Answer: "agreed", DocumentNumber: "1/CV", DocumentDate: day, Attachment: file}
	}
	old := f.mustAttach(f.officer, id, "SXD")
	f.must(f.officer, id, paper(today, old))
	supplement(78)
	f.must(f.officer, id, ask)
	f.must(f.officer, id, paper(today, old))
	missing("the file is older than the change", "SXD")
	f.must(f.officer, id, ask)
	f.must(f.officer, id, paper(geo.DateOf(today.Time().AddDate(0, 0, -1)), f.mustAttach(f.officer, id, "SXD")))
	missing("the paper is older than the change", "SXD")
	f.must(f.officer, id, ask)
	supplement(79)
	f.must(f.officer, id, agree)
	supplement(0)
	missing("agreed to what it is, though asked before")
}

// What could never be approved is not filed: a draft that has ended, or whose code has another row
// that one sees.
func TestWhatCannotBeApprovedIsNotFiled(t *testing.T) {
	f := newFiling(t)
	file := func(v account.Viewer) error {
		_, err := f.FileProposal(context.Background(), v, sitesFiled(f.draft))
		return err
	}
	said := func(when, want string) {
		t.Helper()
		var invalid *layer.InvalidError
		if err := file(f.operator); !errors.As(err, &invalid) || len(invalid.Faults) != 1 || invalid.Faults[0].At != "/features/0" || !strings.Contains(invalid.Faults[0].Detail.EN, want) {
			t.Errorf("%s: %v", when, err)
		}
	}
	run(t, f.conn, "UPDATE bts_sites SET valid_from = '2015-01-01', valid_to = hatang_today() WHERE id = $1", f.draft)
	said("ended today", "valid_to")
	run(t, f.conn, "UPDATE bts_sites SET valid_to = NULL WHERE id = $1", f.draft)
	run(t, f.conn, `INSERT INTO bts_sites (code, valid_from, valid_to, jurisdiction, status, mast_type, geom) SELECT code, '2016-01-01', hatang_today() + 1, '11', 'existing', 'A1a', geom FROM bts_sites WHERE id = $1`, f.draft)
	said("its code stands until tomorrow", "has another row")
	run(t, f.conn, "UPDATE bts_sites SET valid_to = hatang_today() WHERE status = 'existing' AND code = (SELECT code FROM bts_sites WHERE id = $1)", f.draft)
	if err := file(f.operator); err != nil {
		t.Errorf("its code stood until yesterday: %v", err)
	}
}

// What was planned for later and is built early stands from today.
func TestBuiltBeforeItsTime(t *testing.T) {
	f := newFiling(t)
	run(t, f.conn, "UPDATE bts_sites SET valid_from = hatang_today() + 900 WHERE id = $1", f.draft)
	id := f.file(f.draft)
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	f.must(f.officer, id, permit.Decision{Action: permit.Build})
	if got := scalar[string](t, f.conn, "SELECT status || ' ' || valid_from - hatang_today() FROM bts_sites WHERE id = $1", f.draft); got != "existing 0" {
		t.Errorf("it is %s", got)
	}
	if got := scalar[string](t, f.conn, "SELECT string_agg(operator || ' ' || status || ' ' || valid_from - hatang_today(), ', ') FROM operator_positions WHERE site_code = (SELECT code FROM bts_sites WHERE id = $1)", f.draft); got != "VNPT existing 0" {
		t.Errorf("on it are %s", got)
	}
}

// What is not built in time was planned until it expired; what is late is listed.
func TestDeadlines(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id, other := f.file(f.draft), f.file(f.rest)
	overdue := func(want ...int64) {
		t.Helper()
		var got []int64
		list, err := f.Proposals(ctx, f.officer, permit.FileQuery{Overdue: true, Limit: 10})
		for _, p := range list {
			got = append(got, p.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("overdue (-want +got)\n%s%v", diff, err)
		}
	}
	// In the order of what is due, also from one on, and last what is due at no time.
	byDeadline := func(after int64, want ...int64) {
		t.Helper()
		var got []int64
		list, err := f.Proposals(ctx, f.officer, permit.FileQuery{ByDeadline: true, After: after, Limit: 10})
		for _, p := range list {
			got = append(got, p.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("by deadline, after %d (-want +got)\n%s%v", after, diff, err)
		}
	}
	overdue()
	run(t, f.conn, "UPDATE proposals SET due_on = hatang_today() - 1 WHERE id = $1", other)
	byDeadline(0, other, id)
	byDeadline(other, id)
	run(t, f.conn, "UPDATE proposals SET due_on = hatang_today() + 1 WHERE id = $1", other)
	run(t, f.conn, "UPDATE proposals SET due_on = hatang_today() - 1 WHERE id = $1", id)
	byDeadline(0, id, other)
	overdue(id)
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	overdue()
	if err := f.decide(f.officer, id, permit.Decision{Action: permit.Expire}); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("it expires before its time: %v", err)
	}
	until := scalar[string](t, f.conn, "SELECT expires_on::text FROM proposals WHERE id = $1", id)
	f.must(f.approver, id, permit.Decision{Action: permit.Renew})
	if renewed := scalar[string](t, f.conn, "SELECT expires_on::text FROM proposals WHERE id = $1", id); renewed <= until {
		t.Errorf("renewed from %s until %s", until, renewed)
	}
	if err := f.decide(f.approver, id, permit.Decision{Action: permit.Renew}); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("renewed a second time on the day: %v", err)
	}
	run(t, f.conn, "UPDATE proposals SET expires_on = hatang_today() - 1 WHERE id = $1", id)
	if err := f.decide(f.officer, id, permit.Decision{Action: permit.Build}); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("built on an approval that has ended: %v", err)
	}
	untriggeredly(t, f.conn, fmt.Sprintf("UPDATE bts_sites SET valid_from = hatang_today() - 400 WHERE id = %d", f.draft))
	overdue(id)
	byDeadline(0, id, other) // the day on which it ended counts
	f.must(f.officer, id, permit.Decision{Action: permit.Expire})
	byDeadline(0, other, id)
	if got := f.status("bts_sites", f.draft); got != "planned until 0" {
		t.Errorf("expired: %s", got)
	}
	overdue()
	for state, want := range map[permit.FileState]int64{permit.Expired: id, permit.Filed: other} {
		if list, err := f.Proposals(ctx, f.officer, permit.FileQuery{State: state, Territory: "094", Organisation: "VNPT", Limit: 10}); err != nil || len(list) != 1 || list[0].ID != want {
			t.Errorf("%s: %+v, %v", state, list, err)
		}
	}
	if list, err := f.Proposals(ctx, officer(), permit.FileQuery{Territory: "095", Limit: 10}); err != nil || len(list) != 0 {
		t.Errorf("elsewhere: %+v, %v", list, err)
	}
}

// Eight approvers at two servers decide at once, on what they have all read: one does.
func TestOfThoseWhoDecideAtOnceOneDoes(t *testing.T) {
	f := newFiling(t)
	second, err := postgis.Open(context.Background(), f.url, f.layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	drafts := []int64{f.draft, f.rest}
	for i := range 10 {
		drafts = append(drafts, draftOf(t, f.Store, f.sites, "VNPT", fmt.Sprint("R", i), orb.Point{103.4, 21.4 + float64(i)/100}))
	}
	outcomes := map[string]int{}
	for i, draft := range drafts {
		id := f.file(draft)
		f.must(f.officer, id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
		revision := int64(2)
		if i%3 == 0 {
			revision = 0 // whatever it is at
		}
		var all sync.WaitGroup
		errs := make([]error, 8)
		begin := make(chan struct{})
		for n := range errs {
			store, v := []*postgis.Store{f.Store, second}[n%2], f.approver
			v.Name = fmt.Sprint("person:approver-", n)
			d := permit.Decision{Action: permit.Approve, Revision: revision, Conditions: []string{fmt.Sprint(n)}}
			if n%3 == 1 {
				d = permit.Decision{Action: permit.Refuse, Revision: revision, Reasons: fmt.Sprint(n)}
			}
			if n == 7 {
				v = f.officer
				d = permit.Decision{Action: permit.AnswerFor, Agency: "SXD", Answer: "agreed", Revision: revision}
			}
			all.Go(func() {
				<-begin
				_, _, errs[n] = store.DecideProposal(context.Background(), v, id, d)
			})
		}
		close(begin)
		all.Wait()
		done := 0
		for n, err := range errs {
			switch {
			case err == nil:
				done++
			case !errors.Is(err, layer.ErrStale) && !errors.Is(err, layer.ErrConflict):
				t.Errorf("%d: %v", n, err)
			}
		}
		seen, err := f.Proposal(context.Background(), f.officer, id)
		if err != nil {
			t.Fatal(err)
		}
		if want := 1; revision != 0 && done != want || revision == 0 && done > 2 || int(seen.Revision) != 2+done || len(seen.Steps) != 2+done {
			t.Errorf("%d of eight have decided: %+v", done, seen)
		}
		last := seen.Steps[len(seen.Steps)-1]
		if last.After != seen.State {
			t.Errorf("it is %s, and the last step led to %s", seen.State, last.After)
		}
		if seen.State.Over() || seen.State == permit.Approved {
			outcomes[string(seen.State)]++
		}
	}
	if n := scalar[int64](t, f.conn, "SELECT count(*) FROM decisions"); int(n) != outcomes["approved"]+outcomes["refused"] {
		t.Errorf("%d decisions are registered, of %v", n, outcomes)
	}
	if gaps := scalar[bool](t, f.conn, "SELECT coalesce(max(serial) <> count(*), false) FROM decisions"); gaps {
		t.Error("numbers have gaps")
	}
	t.Logf("%v", outcomes)
}

// The state machine as the serving role sees it: no statement of its leads past the table.
func TestNoStatementLeadsPastTheStateMachine(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	app := connect(t, f.url)
	run(t, app, "SET ROLE hatang_app")
	ctx := context.Background()
	n := 0
	for _, sql := range []string{"UPDATE proposals SET state = 'approved'", "UPDATE proposals SET revision = 7", "UPDATE proposals SET due_on = NULL", "DELETE FROM proposals", "TRUNCATE proposals CASCADE",
		"INSERT INTO proposals (organisation, title, verdict, state) VALUES ('VNPT', 'x', '{}', 'approved')", "UPDATE proposal_steps SET reasons = 'x'", "DELETE FROM proposal_steps", "TRUNCATE proposal_steps",
		"INSERT INTO proposal_steps (proposal, revision, action, party, who) VALUES (1, 2, 'approve', 'approver', 'x')", "INSERT INTO proposal_steps (proposal, revision, action, party, before, after) VALUES (1, 2, 'approve', 'approver', 'filed', 'approved')",
		"INSERT INTO proposal_transitions VALUES ('filed', 'build', 'officer', 'built')", "UPDATE proposal_transitions SET after = 'built'", "DELETE FROM proposal_features", "UPDATE proposal_features SET feature = 1",
		"INSERT INTO decisions VALUES ('x', 1, 1, 'approved', now(), 'VNPT')", "UPDATE decision_years SET last = 7", "DELETE FROM decision_features", "ALTER TABLE proposals DISABLE TRIGGER ALL",
		"UPDATE attachments SET name = 'x'", "DELETE FROM attachments", "UPDATE attachment_chunks SET bytes = 'x'", "DELETE FROM attachment_chunks", "TRUNCATE attachments CASCADE",
		"UPDATE consultations SET proposal = 1", "UPDATE consultations SET required = false", "SELECT proposal_steps_do()", "ALTER TABLE bts_sites DISABLE TRIGGER filed_update"} {
		n++
		if _, err := app.Exec(ctx, sql); code(err) != "42501" && code(err) != "0A000" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	// Every step that the table lacks, by whoever; and what steps need.
	for _, before := range []string{"filed", "more_asked"} {
		if before == "more_asked" {
			f.must(f.officer, id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
		}
		revision := scalar[int64](t, f.conn, "SELECT revision FROM proposals WHERE id = $1", id)
		for _, action := range append(permit.Actions(), permit.FileAction, "fly") {
			for _, party := range []permit.Party{permit.Organisation, permit.Officer, permit.Approver, permit.Agency, "nobody"} {
				if _, _, err := permit.Next(permit.FileState(before), action, []permit.Party{party}); err == nil {
					continue
				}
				n++
				_, err := app.Exec(ctx, "INSERT INTO proposal_steps (proposal, revision, action, party, organisation, reasons, verdict, expires_on) VALUES ($1, $2, $3, $4, 'VNPT', 'x', '{}', '2999-01-01')", id, revision+1, string(action), string(party))
				if got := code(err); got != "HT021" {
					t.Errorf("%s, %s by %s: %v", before, action, party, err)
				}
			}
		}
	}
	for _, sql := range []string{
		"INSERT INTO proposals (organisation, title, verdict) VALUES ('VNPT', 'x', '{}')", // never filed
		fmt.Sprintf("INSERT INTO proposal_features (proposal, position, layer, feature) VALUES (%d, 9, 'bts_sites', %d)", id, f.rest),
		fmt.Sprintf("INSERT INTO proposal_steps (proposal, revision, action, party, expires_on, organisation) VALUES (%d, 3, 'supplement', 'organisation', NULL, 'VNPT')", id), // without a verdict
		fmt.Sprintf("INSERT INTO proposal_steps (proposal, revision, action, party) VALUES (%d, 3, 'refuse', 'approver')", id),                                                 // without reasons
		fmt.Sprintf("INSERT INTO proposal_steps (proposal, revision, action, party, reasons) VALUES (%d, 4, 'refuse', 'approver', 'x')", id),                                   // not the next
		fmt.Sprintf("INSERT INTO proposal_steps (proposal, revision, action, party, reasons, organisation) VALUES (%d, 3, 'refuse', 'approver', 'x', 'VNPT')", id),             // their own
		fmt.Sprintf("UPDATE bts_sites SET status = 'planned' WHERE id = %d", f.draft), fmt.Sprintf("DELETE FROM bts_sites WHERE id = %d", f.draft),
	} {
		n++
		if _, err := app.Exec(ctx, sql); !strings.HasPrefix(code(err), "HT02") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	// The owner of the tables, too, takes steps and nothing else.
	for _, sql := range []string{"UPDATE proposals SET state = 'approved'", "UPDATE proposals SET revision = 9", "INSERT INTO proposals (organisation, title, verdict, state) VALUES ('VNPT', 'x', '{}', 'built')",
		"DELETE FROM proposals", "DELETE FROM proposal_steps", "UPDATE proposal_steps SET after = 'built'", "DELETE FROM decisions", "TRUNCATE proposal_features",
		"DELETE FROM attachments", "UPDATE attachments SET name = 'x'", "DELETE FROM attachment_chunks", "UPDATE attachment_chunks SET bytes = 'x'"} {
		n++
		if _, err := f.conn.Exec(ctx, sql); code(err) != "HT021" && code(err) != "23001" {
			t.Errorf("the owner, %s: %v", sql, err)
		}
	}
	if got := scalar[string](t, f.conn, "SELECT state || revision FROM proposals"); got != "more_asked2" {
		t.Errorf("it is %s", got)
	}
	t.Logf("%d statements", n)
}

// modelled is the plain model that random steps are compared with.
type modelled struct {
	state    permit.FileState
	revision int64
	open     map[string]bool  // agencies being asked
	answered map[string]bool  // agencies that have answered
	answers  int64            // steps that answer, of whomever
	own      map[string]int64 // those of agencies themselves
	renewed  bool
}

// told is the revision as somebody is told it: of the steps that answer, staff and who took them.
func (m *modelled) told(who string) int64 {
	switch code := map[string]string{"agency": "SXD", "stranger": "BCHQS"}[who]; {
	case code != "":
		return m.revision - m.answers + m.own[code]
	case who == "operator" || who == "colleague":
		return m.revision - m.answers
	}
	return m.revision
}

// step says what becomes of a step: "" where it is taken.
func (m *modelled) step(who string, d permit.Decision) string {
	party := map[string]string{"operator": "organisation", "colleague": "organisation", "officer": "officer", "approver": "approver", "agency": "agency", "stranger": "agency"}[who]
	code := map[string]string{"agency": "SXD", "stranger": "BCHQS"}[who]
	switch {
	case who == "rival" || who == "far" || who == "farApprover":
		return "not found"
	case party == "agency" && !m.open[code] && !m.answered[code]:
		return "not found"
	case d.Revision != 0 && d.Revision != m.told(who):
		return "stale"
	}
	type key struct{ action, party string }
	from := map[key]string{
		{"ask_more", "officer"}: "filed supplemented consulting", {"supplement", "organisation"}: "more_asked", {"consult", "officer"}: "filed supplemented consulting",
		{"answer", "officer"}: "more_asked supplemented consulting", {"answer", "agency"}: "more_asked supplemented consulting", {"approve", "approver"}: "filed supplemented consulting",
		{"refuse", "approver"}: "filed more_asked supplemented consulting", {"withdraw", "organisation"}: "filed more_asked supplemented consulting",
		{"renew", "approver"}: "approved", {"expire", "officer"}: "approved", {"build", "officer"}: "approved"}
	in := func(states string) bool { return slices.Contains(strings.Fields(states), string(m.state)) }
	if states, known := from[key{string(d.Action), party}]; known && !in(states) {
		return "conflict"
	} else if !known {
		for of, states := range from {
			if of.action == string(d.Action) && in(states) {
				return "forbidden" // for others
			}
		}
		return "conflict" // for nobody
	}
	answers := d.Agency
	if party == "agency" {
		answers = code
	}
	switch d.Action {
	case permit.Expire:
		return "conflict" // never so soon
	case permit.Renew:
		if m.renewed {
			return "conflict" // not for a third period on one day
		}
		m.renewed = true
	case permit.Consult:
		if m.open[d.Agencies[0]] {
			return "conflict"
		}
		m.open[d.Agencies[0]] = true
	case permit.AnswerFor:
		if !m.open[answers] {
			return "conflict"
		}
		m.open[answers], m.answered[answers] = false, true
		m.answers++
		if party == "agency" {
			m.own[code]++
		}
	}
	m.revision++
	after := map[permit.Action]permit.FileState{permit.AskMore: "more_asked", permit.Supplement: "supplemented", permit.Consult: "consulting", permit.AnswerFor: m.state, permit.Approve: "approved",
		permit.Refuse: "refused", permit.Withdraw: "withdrawn", permit.Renew: "approved", permit.Build: "built"}
	m.state = after[d.Action]
	if !slices.Contains(strings.Fields("filed more_asked supplemented consulting"), string(m.state)) {
		clear(m.open) // what is still asked is taken back
	}
	return ""
}

// Random steps by random people end as the plain model says.
// A key of an organisation is one of it on the layers that it is made for: of others it sees
// neither the drafts nor what is filed.
func TestKeysSeeWhatTheyAreFor(t *testing.T) {
	f := newFiling(t)
	id := f.file(f.draft)
	for _, layers := range [][]string{nil, {"bts_sites"}, {"ducts"}} {
		key := account.Viewer{Name: "key:scoped", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator, Layers: layers}}}
		drafts, err := f.CountFeatures(t.Context(), key, f.sites, layer.Query{})
		if err != nil {
			t.Fatal(err)
		}
		proposals, err := f.Proposals(t.Context(), key, permit.FileQuery{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Proposal(t.Context(), key, id)
		if sees := !slices.Contains(layers, "ducts"); sees != (drafts == 2) || sees != (len(proposals) == 1) || sees != (err == nil) || err != nil && !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("a key for %v: %d drafts, %d proposals, %v", layers, drafts, len(proposals), err)
		}
	}
}

func TestProposalsFollowTheModel(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	people := map[string]account.Viewer{"operator": f.operator, "colleague": f.colleague, "rival": f.rival, "officer": f.officer, "far": f.far, "approver": f.approver, "farApprover": f.farApprover,
		"own": f.ownApprover, "turncoat": f.turncoat, "agency": f.agency, "stranger": f.stranger}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range people {
			if !yield(name) {
				return
			}
		}
	})
	random := rand.New(rand.NewPCG(7, 2026))
	steps, taken, ends := 0, 0, map[permit.FileState]int{}
	for round := range 30 {
		draft := draftOf(t, f.Store, f.sites, "VNPT", fmt.Sprint("P", round), orb.Point{103.1 + float64(round)/50, 21.7})
		id := f.file(draft)
		m := &modelled{state: permit.Filed, revision: 1, open: map[string]bool{}, answered: map[string]bool{}, own: map[string]int64{}}
		for range 25 {
			who := names[random.IntN(len(names))]
			action := permit.Actions()[random.IntN(len(permit.Actions()))]
			if open := stepsFrom(m.state); random.IntN(3) == 0 && len(open) > 0 { // else most would be refused
				step := open[random.IntN(len(open))]
				action, who = step.Action, map[permit.Party]string{permit.Organisation: "colleague", permit.Officer: "officer", permit.Approver: "approver", permit.Agency: "agency"}[step.Party]
			}
			d := permit.Decision{Action: action, Reasons: "x", Agency: "SXD", Answer: "agreed", Agencies: []string{[]string{"SXD", "BCHQS"}[random.IntN(2)]}}
			if action == permit.Supplement {
				d.Verdict = json.RawMessage("{}")
			}
			if random.IntN(4) == 0 {
				d.Revision = m.told(who) - int64(random.IntN(2))
			}
			before := *m
			want := m.step(who, d)
			if who == "own" || who == "turncoat" { // both see it: as one of the organisation, as staff
				*m = before
				parties := map[string][]permit.Party{"turncoat": {permit.Approver}}[who]
				switch _, _, err := permit.Next(before.state, action, parties); {
				case d.Revision != 0 && d.Revision != before.revision:
					want = "stale"
				case errors.Is(err, layer.ErrConflict):
					want = "conflict"
				default:
					want = "forbidden"
				}
			}
			steps++
			got := outcomeOf(f.decide(people[who], id, d))
			if got != want {
				t.Fatalf("round %d: %s, %s at %s %d (decided on %d): %q, the model says %q", round, who, action, before.state, before.revision, d.Revision, got, want)
			}
			if got == "" {
				taken++
			}
			if state, revision := scalar[string](t, f.conn, "SELECT state FROM proposals WHERE id = $1", id), scalar[int64](t, f.conn, "SELECT revision FROM proposals WHERE id = $1", id); state != string(m.state) || revision != m.revision {
				t.Fatalf("round %d: it is %s %d, the model says %s %d", round, state, revision, m.state, m.revision)
			}
			want = map[permit.FileState]string{permit.Approved: "planned", permit.Built: "existing"}[m.state]
			if want == "" {
				want = layer.Draft
			}
			if got := f.status("bts_sites", draft); got != want {
				t.Fatalf("round %d: what is %s is %s", round, m.state, got)
			}
		}
		ends[m.state]++
		if seen, err := f.Proposal(ctx, f.officer, id); err != nil || len(seen.Steps) != int(m.revision) {
			t.Fatalf("round %d: %d steps at revision %d, %v", round, len(seen.Steps), m.revision, err)
		}
	}
	if ends[permit.Built] == 0 || ends[permit.Refused] == 0 || ends[permit.Withdrawn] == 0 || taken < 60 {
		t.Errorf("the steps lead nowhere: %v, %d taken", ends, taken)
	}
	t.Logf("%d steps, %d taken, %v", steps, taken, ends)
}

// stepsFrom are the transitions from a state that are decided on.
func stepsFrom(state permit.FileState) (from []permit.Transition) {
	for _, t := range permit.Transitions() {
		if t.Before == state && t.Action != permit.Attach {
			from = append(from, t)
		}
	}
	return from
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, layer.ErrStale):
		return "stale"
	case errors.Is(err, layer.ErrNotFound):
		return "not found"
	case errors.Is(err, layer.ErrForbidden):
		return "forbidden"
	case errors.Is(err, layer.ErrConflict):
		return "conflict"
	}
	return err.Error()
}

// What can be filed is one's own drafts that are in no open proposal, page by page; of others'
// rows one learns nothing, also by going on behind one of them.
func TestDraftsThatCanBeFiled(t *testing.T) {
	f := newFiling(t)
	duct := get(t, f.layers, "ducts")
	one := sample(t, duct, "A-DUCT")
	one.Properties["status"], one.Properties["owner_organisation"] = layer.Draft, "VNPT"
	ductID := create(t, f.Store, duct, one)
	listed := func(v account.Viewer, q permit.DraftQuery) (codes []string) {
		t.Helper()
		found, err := f.Fileable(t.Context(), v, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			codes = append(codes, d.Collection+" "+d.Code)
		}
		return codes
	}
	all := listed(f.operator, permit.DraftQuery{Limit: 9})
	if len(all) != 3 || all[2] != "ducts A-DUCT" {
		t.Fatalf("%v", all)
	}
	if got := listed(f.operator, permit.DraftQuery{After: permit.FeatureID{Collection: "bts_sites", ID: f.draft}, Limit: 1}); len(got) != 1 || got[0] != all[1] {
		t.Errorf("behind the first: %v, want %s", got, all[1])
	}
	if got := listed(f.operator, permit.DraftQuery{After: permit.FeatureID{Collection: "ducts", ID: ductID}, Limit: 9}); got != nil {
		t.Errorf("behind the last: %v", got)
	}
	for name, v := range map[string]account.Viewer{"a rival": f.rival, "an officer": f.officer, "a reader of the organisation": {Name: "person:reader", Organisation: "VNPT"}, "the public": account.Anonymous()} {
		if got := listed(v, permit.DraftQuery{Limit: 9}); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	theirs := sample(t, duct, "Z-DUCT")
	theirs.Properties["status"], theirs.Properties["owner_organisation"] = layer.Draft, "VIETTEL"
	if got := listed(f.operator, permit.DraftQuery{After: permit.FeatureID{Collection: "ducts", ID: create(t, f.Store, duct, theirs)}, Limit: 9}); got != nil {
		t.Errorf("behind another's: %v", got)
	}
	id := f.file(f.draft)
	if got := listed(f.operator, permit.DraftQuery{Limit: 9}); len(got) != 2 {
		t.Errorf("while one is filed: %v", got)
	}
	f.must(f.operator, id, permit.Decision{Action: permit.Withdraw})
	if got := listed(f.operator, permit.DraftQuery{Limit: 9}); len(got) != 3 {
		t.Errorf("once it is withdrawn: %v", got)
	}
}
