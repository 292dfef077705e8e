package httpapi

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// RuleSets are the versions of the rules that checks judge by. Drafts are for staff alone.
type RuleSets interface {
	// RuleSets returns the versions that q selects, by jurisdiction, id and version.
	RuleSets(ctx context.Context, v account.Viewer, q permit.RuleSetQuery) ([]permit.RuleSetEntry, error)
	// RuleSet returns one; ErrNotFound.
	RuleSet(ctx context.Context, v account.Viewer, id string, version int) (permit.RuleSetEntry, error)
	// AddRules makes a draft; *layer.InvalidError, ErrForbidden, ErrConflict.
	AddRules(ctx context.Context, v account.Viewer, rules *zoning.RuleSet, body []byte, jurisdiction string) error
	// ChangeRules, DropRules and PublishRules change a draft whose body has the SHA-256, "*"
	// for any; ErrNotFound, ErrForbidden, ErrStale, ErrConflict, *layer.InvalidError.
	ChangeRules(ctx context.Context, v account.Viewer, rules *zoning.RuleSet, body []byte, ifSHA256 string) error
	DropRules(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string) error
	PublishRules(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string, today geo.Date) error
}

// ruleSetDocument is a version with its links.
type ruleSetDocument struct {
	permit.RuleSetEntry
	Links []link `json:"links"`
}

func ruleSetPath(id string, version int) string {
	return "/rule-sets/" + url.PathEscape(id) + "/" + strconv.Itoa(version)
}

// listRuleSets lists the versions of rules, each with the link to its body.
func (a *api) listRuleSets(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	q := permit.RuleSetQuery{ID: plainIn(r, "id", &faults), Jurisdiction: plainIn(r, "jurisdiction", &faults), State: permit.RuleSetState(r.values.Get("state"))}
	if states := []permit.RuleSetState{permit.RulesDraft, permit.RulesPublished}; r.values.Has("state") && !slices.Contains(states, q.State) {
		faults.Add("state", "state phải là một trong: %s", "state must be one of: %s", joined(states))
	}
	if text := r.values.Get("date"); r.values.Has("date") {
		var err error
		if q.InForce, err = geo.ParseDate(text); err != nil {
			faults.Add("date", "date phải là ngày dạng YYYY-MM-DD", "date must be a date of the form YYYY-MM-DD")
		}
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	found, err := a.RuleSets.RuleSets(r.Context(), r.viewer, q)
	if err != nil {
		return err
	}
	list := make([]ruleSetDocument, len(found))
	for i, e := range found {
		path := ruleSetPath(e.ID, e.Version)
		list[i] = ruleSetDocument{e, []link{{Href: a.href(r, path, nil), Rel: "item", Type: typeJSON}, {Href: a.href(r, path+"/differences", nil), Rel: relRelated, Type: typeJSON}}}
	}
	return reply(w, r, http.StatusOK, map[string]any{"rule_sets": list, "links": []link{{Href: a.href(r, "/rule-sets", r.values), Rel: "self", Type: typeJSON}}})
}

// namedRules is the version that a path names.
func namedRules(r *request) (id string, version int, err error) {
	id = r.param("ruleSetId")
	version, err = strconv.Atoi(r.param("version"))
	if err != nil || version < 1 || version > 1<<31-1 || !plainText(id) || id == "" {
		return "", 0, layer.ErrNotFound
	}
	return id, version, nil
}

func (a *api) ruleSet(r *request) (permit.RuleSetEntry, error) {
	id, version, err := namedRules(r)
	if err != nil {
		return permit.RuleSetEntry{}, err
	}
	return a.RuleSets.RuleSet(r.Context(), r.viewer, id, version)
}

// showRules is the body of a version as it was written, byte for byte.
func (a *api) showRules(w http.ResponseWriter, r *request) error {
	e, err := a.ruleSet(r)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", `"`+e.SHA256+`"`)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": e.Label() + ".json"}))
	w.Header()["Cache-Control"] = noStore
	sendStatus(w, r, http.StatusOK, typeJSON, e.Body)
	return nil
}

// readRules reads the body of a rule set, its text in NFC.
func readRules(w http.ResponseWriter, r *request) (*zoning.RuleSet, []byte, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, nil, err
	}
	if len(body) > permit.MaxRuleSetBytes {
		return nil, nil, &http.MaxBytesError{Limit: permit.MaxRuleSetBytes}
	}
	body = norm.NFC.Bytes(body)
	rules, err := permit.ParseRules(body)
	return rules, body, err
}

// draftRules takes a rule set as a draft.
func (a *api) draftRules(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	jurisdiction := plainIn(r, "jurisdiction", &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	rules, body, err := readRules(w, r)
	if err != nil {
		return err
	}
	if err := a.RuleSets.AddRules(r.Context(), r.viewer, rules, body, jurisdiction); err != nil {
		return rulesProblem(err)
	}
	w.Header().Set("Location", a.href(r, ruleSetPath(rules.ID(), rules.Version()), nil))
	return reply(w, r, http.StatusCreated, map[string]any{"id": rules.ID(), "version": rules.Version()})
}

// ifSHA256 is the body of rules that a request is about, as If-Match names it: "*" for any.
func ifSHA256(r *request) (string, error) {
	header := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	if header == "" || header == "*" {
		return "*", nil
	}
	if len(header) != 66 || header[0] != '"' || header[65] != '"' {
		return "", layer.ErrStale
	}
	return header[1:65], nil
}

// changeRules puts another body in the place of a draft's.
func (a *api) changeRules(w http.ResponseWriter, r *request) error {
	id, version, err := namedRules(r)
	if err != nil {
		return err
	}
	match, err := ifSHA256(r)
	if err != nil {
		return err
	}
	if _, err := a.RuleSets.RuleSet(r.Context(), r.viewer, id, version); err != nil {
		return err
	}
	rules, body, err := readRules(w, r)
	if err != nil {
		return err
	}
	var faults layer.Faults
	if rules.ID() != id {
		faults.Add("/id", "phải là %q như địa chỉ", "must be %q as in the address", id)
	}
	if rules.Version() != version {
		faults.Add("/version", "phải là %d như địa chỉ", "must be %d as in the address", version)
	}
	if len(faults) > 0 {
		return faultsProblem(invalidBody, faults)
	}
	if err := a.RuleSets.ChangeRules(r.Context(), r.viewer, rules, body, match); err != nil {
		return rulesProblem(err)
	}
	return done(w)
}

// dropRules removes a draft.
func (a *api) dropRules(w http.ResponseWriter, r *request) error {
	return a.withRules(w, r, a.RuleSets.DropRules)
}

// publishRules puts a draft in force from the day that it says.
func (a *api) publishRules(w http.ResponseWriter, r *request) error {
	return a.withRules(w, r, func(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string) error {
		return a.RuleSets.PublishRules(ctx, v, id, version, ifSHA256, a.ReferenceDate())
	})
}

func (a *api) withRules(w http.ResponseWriter, r *request, do func(ctx context.Context, v account.Viewer, id string, version int, ifSHA256 string) error) error {
	id, version, err := namedRules(r)
	if err != nil {
		return err
	}
	match, err := ifSHA256(r)
	if err != nil {
		return err
	}
	if err := do(r.Context(), r.viewer, id, version, match); err != nil {
		return rulesProblem(err)
	}
	return done(w)
}

// rulesProblem says in words of rule sets what keeps one from being written.
func rulesProblem(err error) error {
	switch {
	case errors.Is(err, layer.ErrForbidden):
		return problem(forbidden, "Cán bộ soạn dự thảo bộ quy tắc của địa bàn mình; người duyệt hoặc quản trị ban hành.", "Officers draft the rule sets of their territory; approvers and administrators put them in force.")
	case errors.Is(err, layer.ErrConflict):
		return problem(conflict, "Phiên bản này đã có hoặc đã ban hành, hoặc trong thời gian ấy có bộ quy tắc khác; bản đã ban hành không bao giờ sửa: hãy soạn phiên bản mới.",
			"The version is there already or is published, or another set is in force in that time; what is published never changes: draft a new version.")
	}
	return err
}

// differencesDocument says in what a version differs from another.
type differencesDocument struct {
	From        string              `json:"from"` // id@version
	To          string              `json:"to"`
	Differences []zoning.Difference `json:"differences"`
	Links       []link              `json:"links"`
}

// compareRules lists in what a version differs from another: from=ID@VERSION, else from
// the one that is in force, or comes before it, in its territory.
func (a *api) compareRules(w http.ResponseWriter, r *request) error {
	to, err := a.ruleSet(r)
	if err != nil {
		return err
	}
	from, err := a.earlierRules(r, to)
	if err != nil {
		return err
	}
	d := differencesDocument{From: from.Label(), To: to.Label(), Links: []link{{Href: a.href(r, ruleSetPath(to.ID, to.Version), nil), Rel: relRelated, Type: typeJSON}}}
	if d.Differences, err = zoning.Differences(from.Body, to.Body); err != nil {
		return err
	}
	if d.Differences == nil {
		d.Differences = []zoning.Difference{}
	}
	return reply(w, r, http.StatusOK, d)
}

// earlierRules is the version that from names, or that this one takes the place of.
func (a *api) earlierRules(r *request, to permit.RuleSetEntry) (permit.RuleSetEntry, error) {
	if r.values.Has("from") {
		id, version, ok := permit.ParseRulesLabel(r.values.Get("from"))
		if !ok || !plainText(id) {
			return permit.RuleSetEntry{}, parameterFault("from", "from phải có dạng ID@PHIÊN_BẢN", "from must be of the form ID@VERSION")
		}
		return a.RuleSets.RuleSet(r.Context(), r.viewer, id, version)
	}
	e, found, err := permit.EarlierRules(r.Context(), a.RuleSets, r.viewer, to)
	if err == nil && !found {
		err = parameterFault("from", "không có bộ quy tắc nào trước bộ này; hãy nêu from=ID@PHIÊN_BẢN", "there is no rule set before this one; name one by from=ID@VERSION")
	}
	return e, err
}

// effectsDocument says what a version changes for the masts there are.
type effectsDocument struct {
	From string `json:"from"` // id@version; "" for no rules
	To   string `json:"to"`
	permit.Effects
	Links []link `json:"links"`
}

// rulesEffects judges all masts of the territory that stand or are planned by a version and by
// the one that it takes the place of, or that from names, on a day, by default the first of
// the version.
func (a *api) rulesEffects(w http.ResponseWriter, r *request) error {
	to, err := a.ruleSet(r)
	if err != nil {
		return err
	}
	var faults layer.Faults
	date := dateIn(r, to.ValidFrom, &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	from, err := a.earlierRules(r, to)
	if err != nil {
		return err
	}
	d := effectsDocument{From: from.Label(), To: to.Label(), Links: []link{{Href: a.href(r, ruleSetPath(to.ID, to.Version)+"/differences", nil), Rel: relRelated, Type: typeJSON}}}
	if d.Effects, err = a.Checker.Effects(r.Context(), permit.Question{Viewer: r.viewer, Date: date}, from, to); err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, d)
}
