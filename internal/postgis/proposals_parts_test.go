package postgis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

// fileApart has the operator file the draft in 094 together with one in 095, and returns the
// proposal and the other draft.
func (f *filing) fileApart() (id, elsewhere int64) {
	f.t.Helper()
	elsewhere = draftOf(f.t, f.Store, f.sites, "VNPT", fmt.Sprint("E", scalar[int64](f.t, f.conn, "SELECT count(*) FROM bts_sites")), orb.Point{105.5, 21.5})
	return f.file(f.draft, elsewhere), elsewhere
}

// Who does not see a proposal meets nothing of it in what he does to the drafts in it, by any
// way; and what he has changed is not approved before it is checked again.
func TestWhoDoesNotSeeAProposalMeetsNothingOfIt(t *testing.T) {
	ctx := context.Background()
	name := layer.Feature{Properties: map[string]any{"name": "khác"}}
	for way, change := range map[string]func(f *filing, v account.Viewer) error{
		"changed": func(f *filing, v account.Viewer) error {
			_, err := f.UpdateFeature(ctx, v, f.sites, f.draft, name, 0, false)
			return err
		},
		"published": func(f *filing, v account.Viewer) error {
			_, err := f.UpdateFeature(ctx, v, f.sites, f.draft, layer.Feature{Properties: map[string]any{"status": "planned"}}, 0, false)
			return err
		},
		"removed": func(f *filing, v account.Viewer) error { return f.DeleteFeature(ctx, v, f.sites, f.draft, 0) },
		"changed in force": func(f *filing, v account.Viewer) error {
			_, err := f.SucceedFeature(ctx, v, f.sites, f.draft, name, 0, false, day(f.t, "2090-01-01"))
			return err
		},
		"imported": func(f *filing, v account.Viewer) error {
			row := sample(f.t, f.sites, "D1")
			row.Properties["status"], row.Properties["owner_organisation"], row.Properties["name"], row.Geometry = layer.Draft, "VNPT", "khác", orb.Point{103.5, 21.5}
			summary, err := f.Import(ctx, v, f.sites, correction(f.t), func(add func(postgis.Incoming) error) error { return add(postgis.Incoming{Feature: row}) })
			if err == nil && summary.Updated != 1 {
				err = fmt.Errorf("%+v", summary)
			}
			return err
		},
		"reverted": func(f *filing, v account.Viewer) error {
			_, err := f.Revert(ctx, v, layer.HistoryQuery{Layers: []*layer.Layer{f.sites}, Feature: f.draft, From: time.Now().Add(-24 * time.Hour)}, false)
			return err
		},
	} {
		t.Run(way, func(t *testing.T) {
			f := newFiling(t)
			id, _ := f.fileApart()
			for _, v := range []account.Viewer{officer(), f.operator} {
				if err := change(f, v); !errors.Is(err, layer.ErrFiled) && (way != "reverted" || !errors.Is(err, layer.ErrForbidden)) {
					t.Errorf("by %s, who sees the proposal: %v", v.Name, err)
				}
			}
			if err := change(f, f.officer); err != nil {
				t.Fatalf("by the officer of 094, who does not: %v", err)
			}
			approver := account.Holder("key:approves", account.Approver)
			var refused *permit.RefusedError
			if err := f.decide(approver, id, permit.Decision{Action: permit.Approve}); !errors.As(err, &refused) || !strings.Contains(refused.Detail.EN, ": D1.") {
				t.Errorf("approved: %v", err)
			}
			f.must(officer(), id, permit.Decision{Action: permit.AskMore, Reasons: "x"})
			checked := permit.Decision{Action: permit.Supplement, Verdict: json.RawMessage("{}"), Features: []permit.FiledFeature{{Collection: "bts_sites", ID: f.draft, Code: "D1", Revision: scalar[int64](t, f.conn, "SELECT coalesce(max(revision), 0) FROM bts_sites WHERE id = $1", f.draft)}}}
			if slices.Contains([]string{"published", "removed", "reverted"}, way) {
				if err := f.decide(f.operator, id, checked); !errors.As(err, &refused) || !strings.Contains(refused.Detail.EN, "no draft") {
					t.Errorf("supplemented: %v", err)
				}
				checked.Features = nil // as a server would that does not look
			}
			f.must(f.operator, id, checked)
			err := f.decide(approver, id, permit.Decision{Action: permit.Approve})
			if checked.Features != nil && err != nil || checked.Features == nil && !errors.As(err, &refused) {
				t.Errorf("approved after it is supplemented: %v", err)
			}
		})
	}
}

// A revision in which nothing is another keeps nothing from being approved; nor does the database
// take anybody's word that he does not see a proposal for more than that.
func TestWhatIsApprovedIsWhatWasChecked(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	id := f.file(f.draft)
	same := layer.Feature{Properties: map[string]any{"height_m": 31.0}}
	for range 2 {
		if _, err := f.UpdateFeature(ctx, f.officer, f.sites, f.draft, same, 0, false); err != nil {
			t.Fatal(err)
		}
	}
	app := connect(t, f.url)
	run(t, app, "SET ROLE hatang_app")
	run(t, app, "BEGIN")
	run(t, app, "SELECT set_config('hatang.heeded', '{}', true)")
	run(t, app, "UPDATE bts_sites SET height_m = 99 WHERE id = $1", f.draft)
	if _, err := app.Exec(ctx, "INSERT INTO proposal_steps (proposal, revision, action, party, expires_on) VALUES ($1, 2, 'approve', 'approver', '2999-01-01')", id); code(err) != "HT025" {
		t.Errorf("approved as it was not checked: %v", err)
	}
	run(t, app, "ROLLBACK")
	f.must(f.approver, id, permit.Decision{Action: permit.Approve})
	run(t, app, "BEGIN")
	run(t, app, "SELECT set_config('hatang.heeded', '{}', true)")
	if _, err := app.Exec(ctx, "UPDATE bts_sites SET geom = ST_Translate(geom, 1, 0) WHERE id = $1", f.draft); code(err) != "HT024" {
		t.Errorf("moved once it is approved: %v", err)
	}
	run(t, app, "ROLLBACK")
}

// A draft of which one does not see that it is filed is filed again, by a key for some layers or by
// the organisation that it was given to; the first that is approved has it.
func TestADraftIsFiledAgainByWhoDoesNotSeeThatItIs(t *testing.T) {
	ctx := context.Background()
	approver := account.Holder("key:approves", account.Approver)
	t.Run("a key for sites", func(t *testing.T) {
		f := newFiling(t)
		n := sitesFiled(f.draft)
		n.Features = append(n.Features, permit.FiledFeature{Collection: "postal_points", ID: draftOf(t, f.Store, get(t, f.layers, "postal_points"), "VNPT", "P1", orb.Point{103.7, 21.5})})
		first, err := f.FileProposal(ctx, f.operator, n)
		if err != nil {
			t.Fatal(err)
		}
		key := account.Viewer{Name: "key:sites", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator, Layers: []string{"bts_sites"}}}}
		if _, err := f.Proposal(ctx, key, first); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("the key sees it: %v", err)
		}
		free, err := f.Fileable(ctx, key, permit.DraftQuery{Limit: 9})
		if err != nil || len(free) != 2 {
			t.Errorf("the key may file %v, %v", free, err)
		}
		second, err := f.FileProposal(ctx, key, sitesFiled(f.draft))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.FileProposal(ctx, key, sitesFiled(f.draft)); !isInvalid(err) {
			t.Errorf("filed again by who sees that it is: %v", err)
		}
		f.must(approver, second, permit.Decision{Action: permit.Approve})
		var refused *permit.RefusedError
		if err := f.decide(approver, first, permit.Decision{Action: permit.Approve}); !errors.As(err, &refused) {
			t.Errorf("approved twice: %v", err)
		}
		f.must(f.operator, first, permit.Decision{Action: permit.Withdraw})
		f.must(officer(), second, permit.Decision{Action: permit.Build})
	})
	t.Run("another organisation", func(t *testing.T) {
		f := newFiling(t)
		id, _ := f.fileApart()
		if _, err := f.UpdateFeature(ctx, f.officer, f.sites, f.draft, layer.Feature{Properties: map[string]any{"owner_organisation": "VIETTEL"}}, 0, false); err != nil {
			t.Fatal(err)
		}
		theirs, err := f.FileProposal(ctx, f.rival, sitesFiled(f.draft))
		if err != nil {
			t.Fatal(err)
		}
		f.must(f.approver, theirs, permit.Decision{Action: permit.Approve})
		f.must(f.operator, id, permit.Decision{Action: permit.Withdraw})
	})
}

// Who answers for an agency about some layers answers about these alone, and is told neither of the
// others nor of what was answered about them.
func TestAnAgencyAnswersAboutWhatItSees(t *testing.T) {
	f := newFiling(t)
	ctx := context.Background()
	point := draftOf(t, f.Store, get(t, f.layers, "postal_points"), "VNPT", "P1", orb.Point{103.7, 21.5})
	n := sitesFiled(f.draft)
	n.Features = append(n.Features, permit.FiledFeature{Collection: "postal_points", ID: point})
	id, err := f.FileProposal(ctx, f.operator, n)
	if err != nil {
		t.Fatal(err)
	}
	f.must(officer(), id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}})
	sites, points := limitedTo(f.agency, "bts_sites"), limitedTo(f.agency, "postal_points")
	points.Name = "person:points"
	before := f.counted(sites, id)
	answer := permit.Decision{Action: permit.AnswerFor, Answer: "objected"}
	f.must(points, id, answer)
	if after := f.counted(sites, id); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("told of what another answered about points: %v, before it %v", after, before)
	}
	var refused *permit.RefusedError
	if err := f.decide(points, id, answer); !errors.As(err, &refused) {
		t.Errorf("answered about what he is not asked: %v", err)
	}
	if _, err := f.attach(points, id, ""); !errors.As(err, &refused) {
		t.Errorf("a file behind the answer: %v", err)
	}
	file := f.mustAttach(sites, id, "")
	answer.Attachment = file
	f.must(sites, id, answer)
	if files := f.seesFiles(sites, id, []int64{file}); len(files) != 1 {
		t.Errorf("of its own files it sees %v", files)
	}
	seen, err := f.Proposal(ctx, sites, id)
	if err != nil || len(seen.Consultations) != 1 || seen.Consultations[0].Attachment == nil || len(seen.Steps) != 4 {
		t.Errorf("%+v, %v", seen, err)
	}
	if got := scalar[string](t, f.conn, "SELECT string_agg(layer || coalesce(attachment::text, ''), ' ' ORDER BY layer) FROM consultations"); got != fmt.Sprint("bts_sites", file, " postal_points") {
		t.Errorf("answered: %s", got)
	}
}

// What is asked in a proposal is the proposal's: staff who do not see that neither are told of the
// question nor change it, and what it requires stays required. They ask for themselves what they
// would ask about a draft that is in no proposal.
func TestWhatAProposalAsksIsItsOwn(t *testing.T) {
	ctx := context.Background()
	late := geo.NewDate(2090, 1, 1)
	changes := map[string]account.ConsultationChange{"withdrawn": {Withdraw: true}, "given more time": {DueOn: &late}}
	f := newFiling(t)
	id, _ := f.fileApart()
	f.must(officer(), id, permit.Decision{Action: permit.Consult, Agencies: []string{"SXD"}, Required: true})
	inProposal := scalar[int64](t, f.conn, "SELECT id FROM consultations WHERE feature = $1", f.draft)
	onSites := limitedTo(officer(), "bts_sites")
	ofOwner := officer()
	ofOwner.Name, ofOwner.Organisation = "person:both", "VNPT"
	for name, try := range map[string]struct {
		v    account.Viewer
		sees int
		want error
	}{
		"an officer of 094": {f.officer, 0, layer.ErrNotFound}, "an approver of 094": {f.approver, 0, layer.ErrNotFound},
		"an approver of everything": {account.Holder("key:approves", account.Approver), 2, layer.ErrForbidden},
		"an officer of its owner":   {ofOwner, 2, layer.ErrForbidden}, "the agency": {f.agency, 2, layer.ErrForbidden},
		"one of the agency who is staff of a part": {member("SXD", account.Grant{Role: account.Consulted}, account.Grant{Role: account.Officer, Territory: "094"}), 2, layer.ErrForbidden},
	} {
		list, err := f.Consultations(ctx, try.v, account.ConsultationQuery{Limit: 9})
		if err != nil || len(list) != try.sees {
			t.Errorf("%s is listed %d questions, %v", name, len(list), err)
		}
		for how, change := range changes {
			if err := f.ChangeConsultation(ctx, try.v, inProposal, change); !errors.Is(err, try.want) {
				t.Errorf("%s by %s: %v, want %v", how, name, err, try.want)
			}
		}
	}
	free, err := f.AskAgency(ctx, f.officer, question(f.draft))
	if err != nil {
		t.Fatalf("asked as about any other draft: %v", err)
	}
	if err := f.ChangeConsultation(ctx, f.officer, free, changes["withdrawn"]); err != nil {
		t.Errorf("what he has asked himself: %v", err)
	}
	approver := account.Holder("key:approves", account.Approver)
	if err := f.decide(approver, id, permit.Decision{Action: permit.Approve}); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("approved without the consent that it requires: %v", err)
	}
	// By no statement of the serving role either, for who is of the organisation.
	app := connect(t, f.url)
	run(t, app, "SET ROLE hatang_app")
	run(t, app, "SELECT set_config('hatang.who', 'person:both', false)")
	run(t, f.conn, "INSERT INTO people (login, name, organisation) VALUES ('both', 'x', 'VNPT')")
	if _, err := app.Exec(ctx, "UPDATE consultations SET withdrawn_at = now() WHERE id = $1", inProposal); code(err) != "HT022" {
		t.Errorf("withdrawn by the organisation: %v", err)
	}
	if err := f.ChangeConsultation(ctx, onSites, inProposal, changes["given more time"]); err != nil {
		t.Errorf("an officer of all that is in it: %v", err)
	}
	if _, err := f.AskAgency(ctx, onSites, question(f.draft)); err != nil {
		t.Errorf("asked beside what the proposal asks: %v", err)
	}
	for _, asked := range scalar[[]int64](t, f.conn, "SELECT array_agg(id) FROM consultations WHERE proposal = $1", id) {
		if err := f.ChangeConsultation(ctx, officer(), asked, changes["withdrawn"]); err != nil {
			t.Error(err)
		}
	}
	f.must(approver, id, permit.Decision{Action: permit.Approve})
}
