package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Proposals are what organisations propose to build, and what is decided on them. Every
// method knows only what the viewer has to do with, but for the register, which is public.
type Proposals interface {
	// Proposals returns what q selects, in its order.
	Proposals(ctx context.Context, v account.Viewer, q permit.FileQuery) ([]permit.File, error)
	// Proposal returns one; ErrNotFound.
	Proposal(ctx context.Context, v account.Viewer, id int64) (permit.File, error)
	// Fileable returns drafts of the viewer's organisation that are in no open proposal.
	Fileable(ctx context.Context, v account.Viewer, q permit.DraftQuery) ([]permit.FiledFeature, error)
	// FileProposal makes one and returns its id; ErrStale where a feature has changed since its check.
	FileProposal(ctx context.Context, v account.Viewer, n permit.NewFile) (int64, error)
	// DecideProposal takes one step; ErrForbidden, ErrConflict, ErrStale.
	DecideProposal(ctx context.Context, v account.Viewer, id int64, d permit.Decision) (permit.FileState, int64, error)
	// Decisions returns entries of the register, the newest first; ErrNotFound for a row not seen.
	Decisions(ctx context.Context, v account.Viewer, q permit.DecisionQuery) ([]permit.RegisteredDecision, error)
	// DecisionOf returns an entry with the features that the viewer sees; ErrNotFound.
	DecisionOf(ctx context.Context, v account.Viewer, number string) (permit.RegisteredDecision, error)
}

func proposalsQuery() []string {
	return []string{"after", "due_by", "limit", "organisation", "overdue", "sortby", "state", "territory"}
}

const draftsPath = "/proposals/drafts"

func proposalPath(id int64) string { return "/proposals/" + strconv.FormatInt(id, 10) }

// listProposals lists what the viewer has to do with.
func (a *api) listProposals(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	q := permit.FileQuery{State: permit.FileState(r.values.Get("state")), Organisation: plainIn(r, "organisation", &faults), Territory: plainIn(r, "territory", &faults),
		Overdue: flag(r.values, "overdue", &faults), After: numberIn(r, "after", 0, 1<<62, &faults), Limit: int(numberIn(r, "limit", defaultConsultations, mostConsultations, &faults))}
	if r.values.Has("state") && !slices.Contains(permit.States(), q.State) {
		faults.Add("state", "state phải là một trong: %s", "state must be one of: %s", joined(permit.States()))
	}
	switch by := r.values.Get("sortby"); {
	case by == "due_on":
		q.ByDeadline = true
	case r.values.Has("sortby") && by != "-filed_at":
		faults.Add("sortby", "sortby phải là due_on hoặc -filed_at", "sortby must be due_on or -filed_at")
	}
	if r.values.Has("due_by") {
		var err error
		if q.DueBy, err = geo.ParseDate(r.values.Get("due_by")); err != nil {
			faults.Add("due_by", "due_by phải là ngày dạng YYYY-MM-DD", "due_by must be a date of the form YYYY-MM-DD")
		}
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	limit := q.Limit
	q.Limit++ // whether there are more
	found, err := a.Accounts.Proposals(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	found, links := pageOf(a, r, "/proposals", found, limit, func(f permit.File) string { return strconv.FormatInt(f.ID, 10) })
	return reply(w, r, http.StatusOK, map[string]any{"proposals": found, "links": links})
}

// pageOf is as much of what was found as is asked for, and the link to the rest where there is
// any, with the parameters of this page; key is that of an entry for the parameter after.
func pageOf[T any](a *api, r *request, path string, found []T, limit int, key func(T) string) ([]T, []link) {
	if len(found) <= limit {
		return found, []link{}
	}
	next := maps.Clone(r.values)
	if next == nil {
		next = url.Values{}
	}
	next.Set("after", key(found[limit-1]))
	return found[:limit], []link{{Href: a.href(r, path, next), Rel: "next", Type: typeJSON}}
}

// plainIn reads a parameter that is text.
func plainIn(r *request, name string, faults *layer.Faults) string {
	text := r.values.Get(name)
	if !plainText(text) {
		faults.Add(name, "không phải văn bản UTF-8", "is no UTF-8 text")
	}
	return norm.NFC.String(text)
}

// listDrafts lists the drafts that the viewer may file.
func (a *api) listDrafts(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	limit := int(numberIn(r, "limit", defaultConsultations, mostConsultations, &faults))
	q := permit.DraftQuery{Limit: limit + 1} // whether there are more
	if r.values.Has("after") {
		collection, id, _ := strings.Cut(r.values.Get("after"), "/")
		number, err := strconv.ParseInt(id, 10, 64)
		if err != nil || !slices.Contains(permit.FiledLayers(), collection) {
			faults.Add("after", "phải có dạng LỚP/ID", "must have the form COLLECTION/ID")
		}
		q.After = permit.FeatureID{Collection: collection, ID: number}
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	found, err := a.Accounts.Fileable(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	found, links := pageOf(a, r, draftsPath, found, limit, func(f permit.FiledFeature) string { return fmt.Sprint(f.Collection, "/", f.ID) })
	return reply(w, r, http.StatusOK, map[string]any{"drafts": found, "links": links})
}

func (a *api) showProposal(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "proposalId")
	if err != nil {
		return err
	}
	f, err := a.Accounts.Proposal(r.Context(), r.viewer, id)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", rowTag(f.Revision))
	return reply(w, r, http.StatusOK, f)
}

// fileProposal files drafts of the viewer's organisation, as they are when they are checked.
func (a *api) fileProposal(w http.ResponseWriter, r *request) error {
	var given struct {
		Title    string                `json:"title"`
		Features []permit.FiledFeature `json:"features"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	n := permit.NewFile{Title: norm.NFC.String(strings.TrimSpace(given.Title)), Features: given.Features}
	var faults layer.Faults
	if runes := utf8.RuneCountInString(n.Title); runes < 1 || runes > permit.MaxTitleRunes || !plainText(n.Title) {
		faults.Add("/title", "phải có từ 1 đến %d ký tự", "must have 1 to %d characters", permit.MaxTitleRunes)
	}
	if len(n.Features) < 1 || len(n.Features) > permit.MaxFiled {
		faults.Add("/features", "phải có từ 1 đến %d đối tượng", "must have 1 to %d features", permit.MaxFiled)
	}
	seen := map[permit.FiledFeature]bool{}
	for i, f := range n.Features {
		one := permit.FiledFeature{Collection: f.Collection, ID: f.ID}
		switch {
		case f.ID < 1:
			faults.Add("/features/"+strconv.Itoa(i)+"/id", "phải là id của một bản thảo", "must be the id of a draft")
		case seen[one]:
			faults.Add("/features/"+strconv.Itoa(i), "đã nêu ở trên", "is listed before")
		}
		seen[one], n.Features[i] = true, one
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	var err error
	if n.Verdict, n.Records, err = a.checkFiled(r, r.viewer.Organisation, n.Features); err != nil {
		return err
	}
	id, err := a.Accounts.FileProposal(r.Context(), r.viewer, n)
	if err != nil {
		return stepProblem(err)
	}
	w.Header().Set("Location", a.href(r, proposalPath(id), nil))
	return reply(w, r, http.StatusCreated, map[string]int64{"id": id})
}

// decideProposal takes one step on a proposal, at the revision that it is decided on.
func (a *api) decideProposal(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "proposalId")
	if err != nil {
		return err
	}
	var given givenStep
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	d, err := given.decision()
	if err != nil {
		return err
	}
	if d.Revision, err = decidedOn(r.Request, given.Revision); err != nil {
		return stepProblem(err)
	}
	state, revision, err := a.takeStep(r, id, d)
	for i := 0; errors.Is(err, permit.ErrOvertaken) && i < mostRechecks; i++ {
		state, revision, err = a.takeStep(r, id, d)
	}
	if err != nil {
		return stepProblem(err)
	}
	w.Header().Set("ETag", rowTag(revision))
	return reply(w, r, http.StatusOK, map[string]any{"state": state, "revision": revision})
}

// mostRechecks bounds how often an approval is judged anew because others are given meanwhile.
const mostRechecks = 10

// takeStep takes a step on a proposal. What is supplemented or to be approved is checked first.
func (a *api) takeStep(r *request, id int64, d permit.Decision) (permit.FileState, int64, error) {
	if d.Action == permit.Supplement || d.Action == permit.Approve {
		f, err := a.openFor(r, id, d.Action)
		if f.Revision != 0 && d.Revision != 0 && f.Revision != d.Revision {
			return "", 0, layer.ErrStale
		}
		if err != nil {
			return "", 0, err
		}
		d.Features, d.LastDecision = f.Features, f.LastDecision
		if d.Verdict, d.Records, err = a.checkFiled(r, f.Organisation, d.Features); err != nil {
			return "", 0, err
		}
	}
	return a.Accounts.DecideProposal(r.Context(), r.viewer, id, d)
}

// openFor returns a proposal on which the viewer may take a step, as far as can be told before
// it is tried: what is to be read or checked for it is not, for anyone else.
func (a *api) openFor(r *request, id int64, action permit.Action) (permit.File, error) {
	f, err := a.Accounts.Proposal(r.Context(), r.viewer, id)
	if err != nil {
		return f, err
	}
	_, _, err = permit.Next(f.State, action, f.Parties)
	return f, stepProblem(err)
}

// steps says what stands in the way of steps of one kind of file.
type steps struct{ forbidden, stale, conflict geo.Text }

// problem is that of an error; of a refusal it is the refusal's own words.
func (s steps) problem(err error) error {
	var refused *permit.RefusedError
	switch {
	case errors.As(err, &refused):
		return &problemError{Type: conflict, Detail: refused.Detail}
	case errors.Is(err, layer.ErrForbidden):
		return &problemError{Type: forbidden, Detail: s.forbidden}
	case errors.Is(err, layer.ErrStale):
		return &problemError{Type: preconditionFail, Detail: s.stale}
	case errors.Is(err, layer.ErrConflict):
		return &problemError{Type: conflict, Detail: s.conflict}
	}
	return err
}

// stepProblem says what stands in the way of a step on a proposal.
func stepProblem(err error) error {
	return steps{
		forbidden: geo.Text{VI: "Bước này không dành cho bạn; không ai quyết định hồ sơ của chính đơn vị mình.", EN: "The step is for others; nobody decides on a proposal of his own organisation."},
		stale:     geo.Text{VI: "Hồ sơ, hoặc đối tượng trong đó, đã thay đổi từ khi bạn đọc; hãy đọc lại rồi quyết định.", EN: "The proposal, or a feature of it, has changed since you read it; read it again, then decide."},
		conflict:  geo.Text{VI: "Ở trạng thái này hồ sơ không có bước ấy, hoặc mã của đối tượng đã có bản ghi khác; xem actions của hồ sơ.", EN: "The proposal has no such step in its state, or a code of its features has another row; see its actions."},
	}.problem(err)
}

// decidedOn is the revision that a step is decided on: what its body says, or If-Match; 0 for
// any. layer.ErrStale where the two differ, or If-Match is of something else.
func decidedOn(r *http.Request, given int64) (int64, error) {
	header := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	if header == "" || header == "*" {
		return given, nil
	}
	revision, ok := revisionIn(header)
	if !ok || given != 0 && given != revision {
		return 0, layer.ErrStale
	}
	return revision, nil
}

// givenStep is a step as a client asks for it.
type givenStep struct {
	Action         string          `json:"action"`
	Revision       int64           `json:"revision"`
	Reasons        string          `json:"reasons"`
	Conditions     []string        `json:"conditions"`
	Agencies       []string        `json:"agencies"`
	Required       bool            `json:"required"`
	Agency         string          `json:"agency"`
	Answer         string          `json:"answer"`
	DocumentNumber string          `json:"document_number"`
	DocumentDate   json.RawMessage `json:"document_date"`
	Attachment     int64           `json:"attachment"`
}

// decision returns the step, or all that is wrong with it.
func (g givenStep) decision() (permit.Decision, error) {
	var faults layer.Faults
	text := func(at, s string, most int) string { return textOf(at, s, most, &faults) }
	d := permit.Decision{Action: permit.Action(g.Action), Reasons: text("/reasons", g.Reasons, permit.MaxReasonsRunes), Required: g.Required,
		Agency: text("/agency", g.Agency, 200), Answer: account.Answer(g.Answer), DocumentNumber: text("/document_number", g.DocumentNumber, 200), Attachment: g.Attachment}
	need := func(lacks bool, at string) {
		if lacks {
			faults.Add(at, "bắt buộc phải có ở bước này", "is needed in this step")
		}
	}
	if !slices.Contains(permit.Actions(), d.Action) {
		faults.Add("/action", "action phải là một trong: %s", "action must be one of: %s", joined(permit.Actions()))
	}
	need((d.Action == permit.AskMore || d.Action == permit.Refuse) && d.Reasons == "", "/reasons")
	need(d.Action == permit.Consult && len(g.Agencies) == 0, "/agencies")
	if d.Action == permit.AnswerFor && !d.Answer.Valid() {
		faults.Add("/answer", "answer phải là một trong: %s", "answer must be one of: %s", joined(account.Answers()))
	}
	goesWith := func(given bool, at string, action permit.Action) {
		if given && d.Action != action {
			faults.Add(at, "đi cùng action %s", "goes with the action %s", action)
		}
	}
	goesWith(g.Attachment != 0, "/attachment", permit.AnswerFor)
	goesWith(len(g.Conditions) > 0, "/conditions", permit.Approve)
	goesWith(len(g.Agencies) > 0, "/agencies", permit.Consult)
	if len(g.Conditions) > permit.MaxConditions {
		faults.Add("/conditions", "nhiều nhất %d điều kiện", "must be at most %d", permit.MaxConditions)
	}
	for i, c := range g.Conditions {
		at := "/conditions/" + strconv.Itoa(i)
		if c = text(at, c, permit.MaxReasonsRunes); c == "" { // the register and the paper would number it
			faults.Add(at, "không được để trống", "must not be blank")
		}
		d.Conditions = append(d.Conditions, c)
	}
	if len(g.Agencies) > permit.MaxAgencies {
		faults.Add("/agencies", "nhiều nhất %d cơ quan", "must be at most %d", permit.MaxAgencies)
	}
	for i, code := range g.Agencies {
		if code = text("/agencies/"+strconv.Itoa(i), code, 200); !slices.Contains(d.Agencies, code) {
			d.Agencies = append(d.Agencies, code)
		}
	}
	if len(g.DocumentDate) > 0 {
		if err := json.Unmarshal(g.DocumentDate, &d.DocumentDate); err != nil {
			faults.Add("/document_date", "phải là ngày dạng YYYY-MM-DD hoặc null", "must be a date of the form YYYY-MM-DD, or null")
		}
	}
	if len(faults) > 0 {
		return d, faultsProblem(invalidBody, faults)
	}
	return d, nil
}

// listDecisions lists the public register, the newest first.
func (a *api) listDecisions(w http.ResponseWriter, r *request) error {
	if r.html { // whose form sends its empty fields, too
		maps.DeleteFunc(r.values, func(_ string, values []string) bool { return values[0] == "" })
	}
	var faults layer.Faults
	q := permit.DecisionQuery{Outcome: permit.FileState(r.values.Get("outcome")), Organisation: plainIn(r, "organisation", &faults), Year: int(numberIn(r, "year", 0, 9999, &faults)),
		Collection: r.values.Get("collection"), Feature: numberIn(r, "feature", 0, 1<<62, &faults), After: plainIn(r, "after", &faults),
		Limit: int(numberIn(r, "limit", defaultConsultations, mostConsultations, &faults))}
	if r.values.Has("outcome") && q.Outcome != permit.Approved && q.Outcome != permit.Refused {
		faults.Add("outcome", "outcome phải là approved hoặc refused", "outcome must be approved or refused")
	}
	if _, known := r.layers.Get(q.Collection); r.values.Has("collection") && !known {
		faults.Add("collection", "không có lớp %q", "there is no layer %q", clip(q.Collection))
	}
	if r.values.Has("collection") != r.values.Has("feature") {
		faults.Add("feature", "collection và feature đi cùng nhau", "collection and feature go together")
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	limit := q.Limit
	q.Limit++ // whether there are more
	found, err := a.Accounts.Decisions(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	found, links := pageOf(a, r, "/decisions", found, limit, func(d permit.RegisteredDecision) string { return d.Number })
	return a.answer(w, r, typeJSON, map[string]any{"decisions": found, "links": links})
}

// showDecision shows an entry of the register, with what it approves.
func (a *api) showDecision(w http.ResponseWriter, r *request) error {
	number := r.param("number")
	if !plainText(number) {
		return layer.ErrNotFound
	}
	d, err := a.Accounts.DecisionOf(r.Context(), r.viewer, number)
	if err != nil {
		return err
	}
	if r.html || r.pdf {
		return a.showDecisionPaper(w, r, d)
	}
	return a.answer(w, r, typeJSON, d)
}
