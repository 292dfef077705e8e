package httpapi

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// fakeStore holds rows in memory: enough to test what HTTP does with a store, and
// nothing of what PostgreSQL does.
type fakeStore struct {
	Accounts // of which only reading does anything

	rows     []*layer.Row // of bts_sites
	versions []int64
	number   int64 // version of bts_sites
	err      error // returned by every method but KeyViewer
	failAt   int   // Features fails before this row when > 0
	panics   bool
	slow     bool // counting takes too long

	asked    layer.Query
	deadline time.Time // of the context of Features
	written  layer.Feature
	replace  bool
	calls    []string

	searched layer.SearchQuery
	hits     []layer.Hit
	history  layer.HistoryQuery
	changes  []*layer.Change
	dryRun   bool
	reverted layer.Reverted

	file     File // that was published
	received []byte
	made     Published
	change   layer.ReferenceChange
	descent  layer.Descent

	sites      string // what was asked to be done to them
	proposed   intake.ProposedSites
	calendar   permit.CalendarChange
	ruleSets   []permit.RuleSetEntry
	rulesAsked []permit.RuleSetQuery

	mappings []layer.Mapping // of the viewer's organisation
	saved    layer.Mapping

	sent     layer.NewImport // for import
	imported []layer.Import
	// corrections are the rows that an import has refused, as they are kept.
	corrections []byte
	asking      account.Viewer // for imports
	after       int64
	limit       int

	mu      sync.Mutex    // of TileRows, which several ask for at once
	drawing chan struct{} // TileRows waits for it to be closed; nil for not
}

func (s *fakeStore) Publish(_ context.Context, _ account.Viewer, f File) (Published, error) {
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		return Published{}, err
	}
	s.file, s.received = f, raw
	s.made.Name = f.Name
	return s.made, s.call("Publish")
}

func (s *fakeStore) ChangeLayer(_ context.Context, _ account.Viewer, name string, c layer.ReferenceChange) error {
	s.change = c
	return s.call("ChangeLayer " + name)
}

func (s *fakeStore) WithdrawLayer(_ context.Context, _ account.Viewer, name string) error {
	return s.call("WithdrawLayer " + name)
}

func (s *fakeStore) Mappings(_ context.Context, v account.Viewer, q layer.MappingQuery) ([]layer.Mapping, error) {
	s.asking, s.after, s.limit = v, q.After, q.Limit
	return s.mappings[:min(q.Limit, len(s.mappings))], s.call("Mappings " + q.Collection)
}

func (s *fakeStore) Mapping(_ context.Context, _ account.Viewer, id int64) (layer.Mapping, error) {
	for _, m := range s.mappings {
		if m.ID == id {
			return m, s.call("Mapping")
		}
	}
	return layer.Mapping{}, layer.ErrNotFound
}

func (s *fakeStore) MappingNamed(_ context.Context, _ account.Viewer, n layer.MappingName) (layer.Mapping, error) {
	for _, m := range s.mappings {
		if m.MappingName == n {
			return m, s.call("MappingNamed")
		}
	}
	return layer.Mapping{}, layer.ErrNotFound
}

func (s *fakeStore) AddMapping(_ context.Context, v account.Viewer, n layer.MappingName, r layer.Reading) (int64, error) {
	s.asking, s.saved = v, layer.Mapping{MappingName: n, Reading: r}
	return 7, s.call("AddMapping")
}

func (s *fakeStore) ChangeMapping(_ context.Context, v account.Viewer, id int64, r layer.Reading) error {
	s.asking, s.saved = v, layer.Mapping{ID: id, Reading: r}
	return s.call("ChangeMapping")
}

func (s *fakeStore) RemoveMapping(_ context.Context, v account.Viewer, id int64) error {
	s.asking, s.saved = v, layer.Mapping{ID: id}
	return s.call("RemoveMapping")
}

func (s *fakeStore) AddImport(_ context.Context, v account.Viewer, l *layer.Layer, n layer.NewImport, path string) (int64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	s.asking, s.sent, s.received = v, n, raw
	return 7, s.call("AddImport " + l.Name)
}

func (s *fakeStore) Imports(_ context.Context, v account.Viewer, after int64, limit int) ([]layer.Import, error) {
	s.asking, s.after, s.limit = v, after, limit
	return s.imported[:min(limit, len(s.imported))], s.call("Imports")
}

func (s *fakeStore) ImportOf(_ context.Context, v account.Viewer, id int64) (layer.Import, error) {
	s.asking = v
	if s.imported == nil {
		return layer.Import{ID: id}, s.call("ImportOf")
	}
	for _, i := range s.imported {
		if i.ID == id {
			return i, s.call("ImportOf")
		}
	}
	return layer.Import{}, layer.ErrNotFound
}

func (s *fakeStore) ImportCorrections(_ context.Context, v account.Viewer, id int64) ([]byte, error) {
	s.asking = v
	if s.corrections == nil {
		return []byte(`{"columns":[],"rows":[]}`), s.call(fmt.Sprint("ImportCorrections ", id))
	}
	return s.corrections, s.call(fmt.Sprint("ImportCorrections ", id))
}

func (s *fakeStore) CancelImport(_ context.Context, _ account.Viewer, id int64) error {
	return s.call(fmt.Sprint("CancelImport ", id))
}

func (s *fakeStore) Descent(_ context.Context, _ account.Viewer, level, code string, date geo.Date) (layer.Descent, error) {
	if err := s.call(fmt.Sprint("descent ", level, " ", code, " ", date)); err != nil {
		return layer.Descent{}, err
	}
	switch s.descent.Unit.Code {
	case "": // one that has no kin, in force always
		return layer.Descent{Unit: layer.UnitVersion{Unit: layer.Unit{Code: code}, Level: "district", Period: geo.Period{From: geo.NewDate(2013, 1, 1)}}}, nil
	case code:
		return s.descent, nil
	}
	return layer.Descent{}, layer.ErrNotFound
}

func (s *fakeStore) Revert(_ context.Context, _ account.Viewer, q layer.HistoryQuery, dryRun bool) (layer.Reverted, error) {
	s.history, s.dryRun = q, dryRun
	done := s.reverted
	done.Applied = !dryRun
	return done, s.call("Revert")
}

func (s *fakeStore) call(name string) error {
	s.calls = append(s.calls, name)
	if s.panics {
		panic("secret: the pool is gone")
	}
	return s.err
}

func (s *fakeStore) Features(ctx context.Context, _ account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	s.asked = q
	s.deadline, _ = ctx.Deadline()
	if err := s.call("Features"); err != nil {
		return err
	}
	n := 0
	for i, row := range s.rows {
		if l.Name != "bts_sites" {
			break
		}
		if s.failAt > 0 && i+1 == s.failAt {
			return layer.ErrUnavailable
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if row.ID <= q.After || q.Limit > 0 && n == q.Limit {
			continue
		}
		n++
		if err := each(answering(row, l, q)); err != nil {
			return err
		}
	}
	return nil
}

// answering is a row as a query asks for it.
func answering(row *layer.Row, l *layer.Layer, q layer.Query) *layer.Row {
	out := *row
	for _, k := range q.Sort {
		i := slices.IndexFunc(l.Fields, func(f layer.Field) bool { return f.Name == k.Field.Name })
		out.Keys = append(out.Keys, row.Values[i])
	}
	narrow(&out, l, q.Fields, q.NoGeometry)
	return &out
}

func (s *fakeStore) TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	s.mu.Lock()
	s.asked = q
	err := s.call("TileRows " + l.Name + " " + v.Class())
	s.mu.Unlock()
	if s.drawing != nil {
		<-s.drawing
	}
	if err != nil || l.Name != "bts_sites" {
		return err
	}
	for _, row := range s.rows {
		g, _, err := ewkb.Unmarshal(row.Geometry)
		if err != nil {
			return err
		}
		if !box.Intersects(g.Bound()) {
			continue
		}
		narrow := layer.Row{ID: row.ID, Geometry: row.Geometry}
		for _, f := range fields {
			i := slices.IndexFunc(l.Fields, func(of layer.Field) bool { return of.Name == f.Name })
			narrow.Values = append(narrow.Values, row.Values[i])
		}
		if err := each(&narrow); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *fakeStore) CountFeatures(context.Context, account.Viewer, *layer.Layer, layer.Query) (int64, error) {
	return int64(len(s.rows)), s.call("CountFeatures")
}

func (s *fakeStore) CountWithin(context.Context, account.Viewer, *layer.Layer, layer.Query, time.Duration) (int64, bool, error) {
	return int64(len(s.rows)), !s.slow, s.call("CountWithin")
}

func (s *fakeStore) HasMore(_ context.Context, _ account.Viewer, _ *layer.Layer, _ layer.Query, n int) (bool, error) {
	return len(s.rows) > n, s.call("HasMore")
}

func (s *fakeStore) Feature(_ context.Context, _ account.Viewer, _ *layer.Layer, id int64) (*layer.Row, error) {
	if err := s.call("Feature"); err != nil {
		return nil, err
	}
	for _, row := range s.rows {
		if row.ID == id {
			own := *row // the caller's
			return &own, nil
		}
	}
	return nil, layer.ErrNotFound
}

func (s *fakeStore) FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, []int64, error) {
	row, err := s.Feature(ctx, v, l, id)
	return row, s.versions, err
}

func (s *fakeStore) Extent(_ context.Context, _ account.Viewer, l *layer.Layer, _ geo.Date) (orb.Bound, geo.Period, bool, error) {
	b := orb.Bound{Min: orb.Point{102.1, 20.9}, Max: orb.Point{103.6, 22.6}}
	return b, geo.Period{From: geo.NewDate(2015, 12, 31)}, l.Name == "bts_sites", s.call("Extent " + l.Name)
}

func (s *fakeStore) LayerVersions(context.Context, account.Viewer) (layer.Versions, error) {
	return layer.Versions{"bts_sites": s.number}, s.call("LayerVersions")
}

func (s *fakeStore) Search(_ context.Context, _ account.Viewer, q layer.SearchQuery) ([]layer.Hit, bool, error) {
	s.searched = q
	return s.hits[:min(len(s.hits), q.Limit)], len(s.hits) > q.Limit, s.call("Search")
}

func (s *fakeStore) History(_ context.Context, _ account.Viewer, q layer.HistoryQuery, each func(*layer.Change) error) error {
	s.history = q
	if err := s.call("History"); err != nil {
		return err
	}
	for _, c := range s.changes[:min(len(s.changes), q.Limit)] {
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeStore) CreateFeature(_ context.Context, _ account.Viewer, _ *layer.Layer, f layer.Feature) (int64, error) {
	s.written = f
	return 77, s.call("CreateFeature")
}

func (s *fakeStore) UpdateFeature(_ context.Context, _ account.Viewer, _ *layer.Layer, _ int64, f layer.Feature, _ int64, replace bool) (int64, error) {
	s.written, s.replace = f, replace
	return 8, s.call("UpdateFeature")
}

func (s *fakeStore) SucceedFeature(_ context.Context, _ account.Viewer, _ *layer.Layer, _ int64, f layer.Feature, _ int64, replace bool, date geo.Date) (int64, error) {
	s.written, s.replace = f, replace
	return 78, s.call("SucceedFeature " + date.String())
}

func (s *fakeStore) DeleteFeature(context.Context, account.Viewer, *layer.Layer, int64, int64) error {
	return s.call("DeleteFeature")
}

func (s *fakeStore) KeyViewer(_ context.Context, key string) (account.Viewer, error) {
	switch key {
	case "officer":
		return account.Holder("key:o", account.Officer), nil
	case "administrator":
		return account.Holder("key:a", account.Administrator), nil
	case "operator":
		return account.Viewer{Organisation: "VNPT", Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}}, nil
	case "operator and officer":
		return account.Viewer{Organisation: "VNPT", Name: "key:w", Grants: []account.Grant{{Role: account.Operator}, {Role: account.Officer, Territory: "094"}}}, nil
	case "agency":
		return account.Viewer{Organisation: "SXD", Name: "key:s", Grants: []account.Grant{{Role: account.Consulted}}}, nil
	case "lost":
		return account.Viewer{}, layer.ErrUnavailable
	}
	return account.Viewer{}, layer.ErrNotFound
}

func (s *fakeStore) People(context.Context) ([]account.Person, error) {
	return []account.Person{{ID: 1, Login: "lan"}}, s.call("People")
}

func (s *fakeStore) Person(_ context.Context, id int64) (account.Person, error) {
	return account.Person{ID: id, Login: "lan"}, s.call("Person")
}

func (s *fakeStore) Keys(context.Context, account.Viewer) ([]account.Key, error) {
	return []account.Key{{ID: "x"}}, s.call("Keys")
}

func (s *fakeStore) Consultations(context.Context, account.Viewer, account.ConsultationQuery) ([]account.Consultation, error) {
	return []account.Consultation{}, s.call("Consultations")
}

func (s *fakeStore) Consultation(_ context.Context, _ account.Viewer, id int64) (account.Consultation, error) {
	return account.Consultation{ID: id}, s.call("Consultation")
}

func (s *fakeStore) Proposals(context.Context, account.Viewer, permit.FileQuery) ([]permit.File, error) {
	return []permit.File{}, s.call("Proposals")
}

func (s *fakeStore) Fileable(_ context.Context, _ account.Viewer, q permit.DraftQuery) ([]permit.FiledFeature, error) {
	return []permit.FiledFeature{{Collection: "ducts", ID: 2}, {Collection: "ducts", ID: 1}}[:min(q.Limit, 2)], s.call(fmt.Sprint("Fileable ", q.After.Collection, q.After.ID))
}

func (s *fakeStore) Proposal(_ context.Context, _ account.Viewer, id int64) (permit.File, error) {
	return permit.File{ID: id, Revision: 3, State: permit.Filed, Parties: []permit.Party{permit.Approver}}, s.call("Proposal")
}

func (s *fakeStore) RuleSets(_ context.Context, _ account.Viewer, q permit.RuleSetQuery) ([]permit.RuleSetEntry, error) {
	s.rulesAsked = append(s.rulesAsked, q)
	if s.ruleSets == nil {
		return []permit.RuleSetEntry{{ID: "earlier", Version: 1, Body: []byte("{}")}}, s.call("RuleSets")
	}
	return s.ruleSets, s.call("RuleSets")
}

func (s *fakeStore) RuleSet(_ context.Context, _ account.Viewer, id string, version int) (permit.RuleSetEntry, error) {
	if s.ruleSets == nil {
		return permit.RuleSetEntry{ID: id, Version: version, Body: []byte("{}")}, s.call("RuleSet")
	}
	for _, e := range s.ruleSets {
		if e.ID == id && e.Version == version {
			return e, s.call("RuleSet")
		}
	}
	return permit.RuleSetEntry{}, layer.ErrNotFound
}

func (s *fakeStore) AddRules(_ context.Context, _ account.Viewer, rules *zoning.RuleSet, _ []byte, jurisdiction string) error {
	return s.call(fmt.Sprint("AddRules ", rules.Label(), " ", jurisdiction))
}

func (s *fakeStore) ChangeRules(_ context.Context, _ account.Viewer, rules *zoning.RuleSet, _ []byte, ifSHA256 string) error {
	return s.call(fmt.Sprint("ChangeRules ", rules.Label(), " ", ifSHA256))
}

func (s *fakeStore) DropRules(_ context.Context, _ account.Viewer, id string, version int, ifSHA256 string) error {
	return s.call(fmt.Sprint("DropRules ", id, version, " ", ifSHA256))
}

func (s *fakeStore) PublishRules(_ context.Context, _ account.Viewer, id string, version int, ifSHA256 string, today geo.Date) error {
	return s.call(fmt.Sprint("PublishRules ", id, version, " ", ifSHA256, " ", today))
}

func (s *fakeStore) FileProposal(context.Context, account.Viewer, permit.NewFile) (int64, error) {
	return 7, s.call("FileProposal")
}

func (s *fakeStore) DecideProposal(context.Context, account.Viewer, int64, permit.Decision) (permit.FileState, int64, error) {
	return permit.Approved, 4, s.call("DecideProposal")
}

func (s *fakeStore) Attachments(context.Context, account.Viewer, int64) ([]permit.Attachment, error) {
	return []permit.Attachment{fakeAttachment}, s.call("Attachments")
}

func (s *fakeStore) Attachment(context.Context, account.Viewer, int64, int64) (permit.Attachment, error) {
	return fakeAttachment, s.call("Attachment")
}

func (s *fakeStore) ReadAttachment(_ context.Context, _ permit.Attachment, w io.Writer) error {
	_, err := io.WriteString(w, fakeContent)
	return errors.Join(err, s.call("ReadAttachment"))
}

func (s *fakeStore) AttachFile(context.Context, account.Viewer, int64, permit.NewAttachment) (int64, error) {
	return 8, s.call("AttachFile")
}

func (s *fakeStore) SentNotices(_ context.Context, _ account.Viewer, q permit.NoticeQuery) ([]permit.SentNotice, error) {
	s.after, s.limit = q.After, q.Limit
	return []permit.SentNotice{{ID: 2}, {ID: 1}}[:min(q.Limit, 2)], s.call("SentNotices " + string(q.State))
}

func (s *fakeStore) SendNoticeAgain(_ context.Context, _ account.Viewer, id int64) error {
	if err := s.call("SendNoticeAgain"); err != nil || id != 2 {
		return err
	}
	return layer.ErrConflict
}

func (s *fakeStore) Webhooks(context.Context, account.Viewer) ([]account.Webhook, error) {
	return []account.Webhook{{Organisation: "VNPT"}}, s.call("Webhooks")
}

func (s *fakeStore) SetWebhook(_ context.Context, _ account.Viewer, organisation, url string, secret []byte) error {
	s.received = secret
	return s.call("SetWebhook " + organisation + " " + url)
}

func (s *fakeStore) RemoveWebhook(_ context.Context, _ account.Viewer, organisation string) error {
	return s.call("RemoveWebhook " + organisation)
}

func (s *fakeStore) RecordVerdict(context.Context, account.Viewer, permit.Record) error {
	return s.call("RecordVerdict")
}

// Verdict is one that nobody has signed: a person or a key may see it.
func (s *fakeStore) Verdict(_ context.Context, v account.Viewer, number string) (permit.Record, error) {
	if number != fakeNumber {
		return permit.Record{}, layer.ErrNotFound
	}
	return permit.Record{Body: []byte(`{"type":"hatang-verdict/3","number":"` + number + `","code":"C0DE","kind":"placement","date":"2020-01-01","question":{"mast_type":"A2b","structure":"self_supporting"},"answer":{"verdict":"permitted"}}`),
		Key: "k", Kept: &permit.RecordColumns{}, Sees: v.Known()}, s.call("Verdict")
}

func (s *fakeStore) SigningKeys(context.Context) ([]permit.SigningKey, error) {
	return []permit.SigningKey{}, s.call("SigningKeys")
}

func (s *fakeStore) PaperHeading(context.Context, string, geo.Date) (plan.Heading, error) {
	return plan.Heading{Agency: geo.Text{VI: "Sở", EN: "Department"}}, s.call("PaperHeading")
}

func (s *fakeStore) Decisions(context.Context, account.Viewer, permit.DecisionQuery) ([]permit.RegisteredDecision, error) {
	return []permit.RegisteredDecision{}, s.call("Decisions")
}

func (s *fakeStore) DecisionOf(context.Context, account.Viewer, string) (permit.RegisteredDecision, error) {
	return permit.RegisteredDecision{}, s.call("DecisionOf")
}

func (s *fakeStore) Organisations(context.Context) ([]account.Organisation, error) {
	return []account.Organisation{{Code: "VNPT"}}, s.call("Organisations")
}

func (s *fakeStore) Publications(context.Context) ([]account.Publication, error) {
	return []account.Publication{{Jurisdiction: "11", Exactness: account.Exact}}, s.call("Publications")
}

func (s *fakeStore) AuditEntries(context.Context, int64, int) (account.AuditPage, error) {
	return account.AuditPage{Entries: []account.AuditEntry{}}, s.call("AuditEntries")
}

// Audit writes nothing.
func (s *fakeStore) Audit(context.Context, string, string, string, map[string]any) error {
	return nil
}

func (s *fakeStore) Ready(context.Context) error { return s.call("Ready") }

// fakePlan stands for the checker, the indicators and the ledger.
type fakePlan struct{}

// AppendAnswer permits whatever names a mast type and is JSON.
func (fakePlan) AppendAnswer(_ context.Context, q permit.Question, dst, body []byte) ([]byte, error) {
	if !strings.Contains(string(body), "mast_type") || !json.Valid(body) || depth(body) > maxDepth || strings.Contains(string(body), "roposals") {
		return dst, &layer.InvalidError{Faults: layer.Faults{{At: "/mast_type", Detail: geo.Text{VI: "thiếu loại cột", EN: "mast_type is missing"}}}}
	}
	return fmt.Appendf(dst, `{"verdict":"permitted","date":%q,"detail":%d}`, q.Date, q.Detail), nil
}

func (f fakePlan) Answers(ctx context.Context, q permit.Question, bodies []json.RawMessage) ([]permit.JSONAnswer, error) {
	answers := make([]permit.JSONAnswer, len(bodies))
	for i, body := range bodies {
		answer, err := f.AppendAnswer(ctx, q, nil, body)
		answers[i].Answer = answer
		_ = errors.As(err, &answers[i].Invalid)
	}
	return answers, nil
}

// Judge is Answers, of the number 0 where there is an answer.
func (f fakePlan) JudgeFiled(ctx context.Context, v account.Viewer, date geo.Date, k permit.Kind, bodies []json.RawMessage) ([]permit.Judged, error) {
	return f.Judge(ctx, v, date, k, bodies)
}

func (f fakePlan) Judge(ctx context.Context, _ account.Viewer, date geo.Date, _ permit.Kind, bodies []json.RawMessage) ([]permit.Judged, error) {
	answers, err := f.Answers(ctx, permit.Question{Date: date}, bodies)
	judged := make([]permit.Judged, len(answers))
	for i, a := range answers {
		judged[i] = permit.Judged{Number: fakeNumber, Answer: a.Answer, Verdict: zoning.Permitted, Invalid: a.Invalid}
	}
	return judged, err
}

// fakeNumber is the only verdict's that is recorded.
const fakeNumber = "V-2026-0000-0000-0000"

func (fakePlan) Seal(j permit.Judged, _ int64, _ *permit.RecordFeature) (permit.Record, error) {
	return permit.Record{Body: fmt.Appendf(nil, `{"answer":%s,"number":%q}`, j.Answer, j.Number), Key: "k"}, nil
}

func (fakePlan) Together(context.Context, account.Viewer, geo.Date, []permit.FiledMast) ([]permit.Together, error) {
	return nil, nil
}

func (fakePlan) Replay(context.Context, permit.Record) (permit.Replay, error) {
	return permit.Replay{Number: fakeNumber, Same: true, Answer: json.RawMessage("{}")}, nil
}

// Batch judges with a fakeJudge.
func (fakePlan) Effects(_ context.Context, q permit.Question, _, _ permit.RuleSetEntry) (permit.Effects, error) {
	return permit.Effects{Date: q.Date, Steps: []permit.EffectStep{}, Counts: []permit.EffectCounts{}, List: []permit.EffectOnMast{}}, nil
}

func (fakePlan) Network(_ context.Context, _ permit.Question, operator, _ string, f permit.NetworkFormat, out io.Writer) (permit.NetworkSummary, error) {
	_, err := fmt.Fprintf(out, [...]string{`{"operator":%q,"masts":[],"summary":{}}`, "{\"summary\":%q}\n", "code,%s\n"}[f], operator)
	return permit.NetworkSummary{}, err
}

func (fakePlan) Batch(q permit.Question) *permit.Batch {
	return &permit.Batch{Date: q.Date, Detail: q.Detail, Open: func(context.Context, geo.Date) (permit.Judge, error) { return fakeJudge{}, nil }}
}

// fakeJudge permits everything in the eastern hemisphere.
type fakeJudge struct{}

func (fakeJudge) Verdict(p zoning.Proposal) (zoning.Place, zoning.Verdict) {
	place := zoning.Place{Commune: "03136", District: "094", Territory: "11"}
	if p.Point[0] > 0 {
		return place, zoning.Permitted
	}
	return place, zoning.Refused
}

func (j fakeJudge) Findings(p zoning.Proposal) permit.Answer {
	_, verdict := j.Verdict(p)
	return permit.Answer{Result: zoning.Result{Verdict: verdict, Date: p.Date, Findings: []zoning.Finding{{Rule: "ZONE-b", Decides: verdict == zoning.Refused}}}}
}

func (j fakeJudge) Check(p zoning.Proposal) permit.Answer {
	a := j.Findings(p)
	a.Findings[0].Message = geo.Text{VI: "vì vậy", EN: "because"}
	return a
}

func (fakeJudge) Versions() layer.Versions { return nil }

func (fakeJudge) Generalised() bool { return false }

func (j fakeJudge) Among(permit.Listed) permit.Judge { return j }

func (fakeJudge) Lacks(*zoning.Proposal) *layer.InvalidError { return nil }

func (fakePlan) Units(_ context.Context, _ account.Viewer, level, code string, date geo.Date) ([]any, error) {
	if code == "999" {
		return nil, layer.ErrNotFound
	}
	return []any{map[string]any{"unit": map[string]string{"code": code, "level": level}, "date": date}}, nil
}

func (fakePlan) Uncovered(_ context.Context, _ account.Viewer, level, code, operator, stage string, date geo.Date) (any, error) {
	if code == "999" {
		return nil, layer.ErrNotFound
	}
	return map[string]any{"type": "FeatureCollection", "features": []any{}, "unit": map[string]string{"code": code, "level": level}, "operator": operator, "stage": stage, "date": date}, nil
}

func (fakePlan) SharingClusters(_ context.Context, _ account.Viewer, level, code, stage string, withinM *float64, date geo.Date) (any, error) {
	if code == "999" {
		return nil, layer.ErrNotFound
	}
	return map[string]any{"type": "FeatureCollection", "features": []any{}, "unit": map[string]string{"code": code, "level": level}, "within_m": withinM, "stage": stage, "date": date}, nil
}

func (fakePlan) Document(_ context.Context, _ account.Viewer, name, plan string, date geo.Date) (any, error) {
	if name == "tables/none" {
		return nil, layer.ErrNotFound
	}
	return map[string]any{"name": name, "plan": plan, "date": date}, nil
}

// wire helpers: the binary forms a store hands over.
func wireDate(d geo.Date) []byte {
	days := int32(d.Time().Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
	return binary.BigEndian.AppendUint32(nil, uint32(days))
}

func registry(t testing.TB) *layer.Registry {
	t.Helper()
	r, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sites(t testing.TB) *layer.Layer {
	t.Helper()
	l, ok := registry(t).Get("bts_sites")
	if !ok {
		t.Fatal("no bts_sites")
	}
	return l
}

func pointAt(t testing.TB, lon, lat float64) []byte {
	t.Helper()
	geometry, err := ewkb.Marshal(orb.Point{lon, lat}, layer.SRID)
	if err != nil {
		t.Fatal(err)
	}
	return geometry
}

// siteRow is a row of bts_sites; name pads it to any size.
func siteRow(t testing.TB, id int64, name string) *layer.Row {
	t.Helper()
	l := sites(t)
	row := &layer.Row{ID: id, Revision: 7, Geometry: pointAt(t, 103.0165, 21.3826), Values: make([][]byte, len(l.Properties()))}
	for i, f := range l.Properties() {
		switch f.Name {
		case "code":
			row.Values[i] = []byte("DB-1")
		case "name":
			row.Values[i] = []byte(name)
		case "valid_from":
			row.Values[i] = wireDate(geo.NewDate(2015, 12, 31))
		case "revision":
			row.Values[i] = binary.BigEndian.AppendUint64(nil, 7)
		case "height_m":
			row.Values[i] = binary.BigEndian.AppendUint64(nil, 0x4046800000000000) // 45
		}
	}
	return row
}

func siteRows(t testing.TB, n int, name string) []*layer.Row {
	t.Helper()
	rows := make([]*layer.Row, n)
	first := siteRow(t, 1, name)
	for i := range rows {
		row := *first
		row.ID = int64(i + 1)
		rows[i] = &row
	}
	return rows
}

func config(t testing.TB, s *fakeStore) Config {
	t.Helper()
	return Config{
		Registry: registry(t), Store: s, Accounts: s, Readers: s, Checker: fakePlan{}, Cables: fakePlan{}, Recorder: fakePlan{}, Indicators: fakePlan{}, Ledger: fakePlan{}, Publisher: s, Importer: s, Sites: s, RuleSets: s,
		Passwords: account.NewPasswords(account.DefaultHashMemory), Refusals: NewRefusals(s.Audit, slog.New(slog.DiscardHandler)),
		UI: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!doctype html>")
		}),
		ReferenceDate: func() geo.Date { return geo.NewDate(2020, 12, 31) },
		Now:           func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Zone:          time.UTC,
		Log:           slog.New(slog.DiscardHandler),
		Title:         geo.Text{VI: "Hạ tầng", EN: "Infrastructure"},
		Version:       "test",
	}
}

// documentsOf are the documents that everybody is served.
func documentsOf(t testing.TB, a *api) documents {
	t.Helper()
	docs, err := openapiDocuments.of(&a.Config, a.Registry.All())
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func apiOf(t testing.TB, s *fakeStore) *api {
	t.Helper()
	return apiWith(t, config(t, s))
}

func apiWith(t testing.TB, c Config) *api {
	t.Helper()
	a, err := newAPI(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func handlerOf(t testing.TB, s *fakeStore) http.Handler {
	t.Helper()
	return apiOf(t, s).router()
}

// do sends a request; headers are "Name: value".
func do(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	return doReader(h, method, target, strings.NewReader(body), headers...)
}

// decode reads a JSON answer.
func decode(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("status %d, not JSON: %v: %.200s", w.Code, err, w.Body)
	}
	return v
}

// linkTo returns the href of the first link of a relation, "" where there is none.
func linkTo(doc map[string]any, rel string) string {
	links, _ := doc["links"].([]any)
	for _, l := range links {
		if m, _ := l.(map[string]any); m["rel"] == rel {
			href, _ := m["href"].(string)
			return href
		}
	}
	return ""
}

type (
	ctx    = context.Context
	viewer = account.Viewer
)

// endless is a body of blanks whose length nobody announces.
type endless struct{ left int }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(b), e.left)
	for i := range b[:n] {
		b[i] = ' '
	}
	e.left -= n
	return n, nil
}

// doReader is do with a body of unknown length.
func doReader(h http.Handler, method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (s *fakeStore) ProposeSites(context.Context, account.Viewer, float64) (intake.ProposedSites, layer.SiteCounts, error) {
	return s.proposed, layer.SiteCounts{}, s.err
}

func (s *fakeStore) MergeSites(_ context.Context, _ account.Viewer, codes []string, _ geo.Date, dryRun bool) (layer.SitesChanged, error) {
	s.sites = fmt.Sprint("merge ", codes, dryRun)
	return layer.SitesChanged{Applied: !dryRun}, s.err
}

func (s *fakeStore) SplitSite(_ context.Context, _ account.Viewer, split layer.SiteSplit, _ geo.Date, dryRun bool) (layer.SitesChanged, error) {
	s.sites = fmt.Sprint("split ", split, dryRun)
	return layer.SitesChanged{Applied: !dryRun}, s.err
}

func (s *fakeStore) KeepApart(_ context.Context, _ account.Viewer, codes []string, reason string, _ geo.Date) error {
	s.sites = fmt.Sprint("apart ", codes, reason)
	return s.err
}
