package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Consultations are what agencies are asked. Every method knows only what the viewer has
// to do with.
type Consultations interface {
	// Consultations returns what q selects, the newest first.
	Consultations(ctx context.Context, v account.Viewer, q account.ConsultationQuery) ([]account.Consultation, error)
	// Consultation returns one; ErrNotFound.
	Consultation(ctx context.Context, v account.Viewer, id int64) (account.Consultation, error)
	// AskAgency puts a question and returns its id; ErrConflict where it is being asked.
	AskAgency(ctx context.Context, v account.Viewer, n account.NewConsultation) (int64, error)
	// ChangeConsultation takes one step; ErrConflict where the consultation is over.
	ChangeConsultation(ctx context.Context, v account.Viewer, id int64, c account.ConsultationChange) error
}

// Consultations of a page.
const (
	defaultConsultations = 100
	mostConsultations    = 1000
)

// consultationDocument is a consultation with the address of the row it is about.
type consultationDocument struct {
	account.Consultation
	Links []link `json:"links"`
}

func (a *api) consultationOf(r *request, c account.Consultation) consultationDocument {
	item := "/collections/" + c.Collection + "/items/" + strconv.FormatInt(c.Feature, 10)
	return consultationDocument{c, []link{{Href: a.href(r, consultationPath(c.ID), nil), Rel: "self", Type: typeJSON}, {Href: a.href(r, item, nil), Rel: "about", Type: typeGeoJSON}}}
}

func consultationPath(id int64) string { return "/consultations/" + strconv.FormatInt(id, 10) }

// listConsultations lists what the viewer's agency is asked, or what is asked about rows
// in his charge, the newest first.
func (a *api) listConsultations(w http.ResponseWriter, r *request) error {
	q, err := a.consultationQuery(r)
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++ // whether there are more
	found, err := a.Accounts.Consultations(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	found, links := pageOf(a, r, "/consultations", found, limit, func(c account.Consultation) string { return strconv.FormatInt(c.ID, 10) })
	list := make([]consultationDocument, len(found))
	for i, c := range found {
		list[i] = a.consultationOf(r, c)
	}
	return reply(w, r, http.StatusOK, map[string]any{"consultations": list, "links": links})
}

func (a *api) consultationQuery(r *request) (account.ConsultationQuery, error) {
	var faults layer.Faults
	q := account.ConsultationQuery{
		State: account.ConsultationState(r.values.Get("state")), Collection: r.values.Get("collection"),
		After: numberIn(r, "after", 0, 1<<62, &faults), Limit: int(numberIn(r, "limit", defaultConsultations, mostConsultations, &faults)),
	}
	if r.values.Has("state") && !slices.Contains(account.ConsultationStates(), q.State) {
		faults.Add("state", "state phải là một trong: %s", "state must be one of: %s", joined(account.ConsultationStates()))
	}
	if _, ok := a.Registry.Get(q.Collection); r.values.Has("collection") && !ok {
		faults.Add("collection", "không có lớp %q", "there is no layer %q", clip(q.Collection))
	}
	if len(faults) > 0 {
		return q, faultsProblem(invalidParameter, faults)
	}
	return q, nil
}

// joined lists words.
func joined[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

func (a *api) showConsultation(w http.ResponseWriter, r *request) error {
	id, err := numberOf(r, "consultationId")
	if err != nil {
		return err
	}
	c, err := a.Accounts.Consultation(r.Context(), r.viewer, id)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, a.consultationOf(r, c))
}

// askAgency puts a row to an agency, which sees it from then on.
func (a *api) askAgency(w http.ResponseWriter, r *request) error {
	var given struct {
		Collection string          `json:"collection"`
		Feature    int64           `json:"feature"`
		Agency     string          `json:"agency"`
		DueOn      json.RawMessage `json:"due_on"`
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	n := account.NewConsultation{Collection: clip(given.Collection), Feature: given.Feature, Agency: clip(given.Agency), Today: a.today()}
	var faults layer.Faults
	n.DueOn = dueOn(given.DueOn, geo.Date{}, &faults) // the store looks at the day with all else
	if !plainText(n.Agency) {
		faults.Add("/agency", "có ký tự không dùng được", "has characters that cannot be used")
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	id, err := a.Accounts.AskAgency(r.Context(), r.viewer, n)
	if errors.Is(err, layer.ErrConflict) {
		return problem(conflict, "Cơ quan này đang được hỏi về đối tượng này rồi.", "The agency is being asked about this row already.")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, consultationPath(id), nil))
	return reply(w, r, http.StatusCreated, map[string]int64{"id": id})
}

// dueOn reads a date, zero for null or nothing, and adds what is wrong with it.
func dueOn(raw json.RawMessage, notBefore geo.Date, faults *layer.Faults) geo.Date {
	var due geo.Date
	if len(raw) == 0 {
		return due
	}
	switch err := json.Unmarshal(raw, &due); {
	case err != nil:
		faults.Add("/due_on", "phải là ngày dạng YYYY-MM-DD hoặc null", "must be a date of the form YYYY-MM-DD, or null")
	case !due.IsZero() && due.Before(notBefore):
		faults.Add("/due_on", "không được trước ngày %[1]s", "must not be before %[2]s", notBefore.Text().VI, notBefore.Text().EN)
	}
	return due
}

// changeConsultation answers, withdraws or sets another date.
func (a *api) changeConsultation(w http.ResponseWriter, r *request) error {
	var given consultationStep
	id, err := numberOf(r, "consultationId")
	if err != nil {
		return err
	}
	if err := readDocument(w, r, &given); err != nil {
		return err
	}
	change, err := given.change(a.today())
	if err != nil {
		return err
	}
	switch err := a.Accounts.ChangeConsultation(r.Context(), r.viewer, id, change); {
	case errors.Is(err, layer.ErrForbidden):
		return problem(forbidden, "Chỉ cơ quan được hỏi mới trả lời; chỉ cán bộ được sửa đối tượng mới rút câu hỏi hoặc đổi hạn.",
			"Only the agency that is asked answers; only staff who may write the feature withdraw the question or set another date.")
	case errors.Is(err, layer.ErrConflict):
		return problem(conflict, "Lần hỏi ý kiến này đã được trả lời hoặc đã rút; không đổi được nữa.", "The consultation has been answered or withdrawn; it does not change any more.")
	case err != nil:
		return err
	}
	return done(w)
}

// consultationStep is what a client changes of a consultation.
type consultationStep struct {
	Answer *account.Answer            `json:"answer"`
	Note   string                     `json:"note"`
	State  *account.ConsultationState `json:"state"`
	DueOn  json.RawMessage            `json:"due_on"`
}

// change returns the one step, or all that is wrong with it.
func (g consultationStep) change(today geo.Date) (account.ConsultationChange, error) {
	var faults layer.Faults
	c := account.ConsultationChange{Note: norm.NFC.String(strings.TrimSpace(g.Note))}
	steps := 0
	if g.Answer != nil {
		steps++
		if c.Answer = *g.Answer; !c.Answer.Valid() {
			faults.Add("/answer", "answer phải là một trong: %s", "answer must be one of: %s", joined(account.Answers()))
		}
	}
	if g.State != nil {
		steps++
		if c.Withdraw = *g.State == account.Withdrawn; !c.Withdraw {
			faults.Add("/state", "chỉ đổi được thành withdrawn; answer là câu trả lời", "becomes withdrawn and nothing else; an answer is given by answer")
		}
	}
	if g.DueOn != nil {
		steps++
		due := dueOn(g.DueOn, today, &faults)
		c.DueOn = &due
	}
	if steps != 1 {
		faults.Add("", "phải có đúng một trong: answer, state, due_on", "must have exactly one of: answer, state, due_on")
	}
	if c.Note != "" && g.Answer == nil {
		faults.Add("/note", "đi cùng answer", "goes with answer")
	}
	if n := utf8.RuneCountInString(c.Note); n > account.MaxNoteRunes || !plainText(c.Note) {
		faults.Add("/note", "dài nhất %d ký tự", "must have at most %d characters", account.MaxNoteRunes)
	}
	if len(faults) > 0 {
		return c, faultsProblem(invalidBody, faults)
	}
	return c, nil
}
