package postgis_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// rulesFrom is a small rule set.
func rulesFrom(t *testing.T, id string, version int, from string) (*zoning.RuleSet, []byte) {
	t.Helper()
	body := fmt.Appendf(nil, `{"format":1,"id":%q,"version":%d,"title":{"vi":"Quy tắc","en":"Rules"},"valid_from":%q,"valid_to":null,
		"zone_classes":[{"rule":"Z","title":{"vi":"x","en":"x"},"effect":"binding","clause":"x","source":{"instrument":"x"},"code":"a","mode":"exclusive","allowed":["A1a"]}]}`, id, version, from)
	rules, err := permit.ParseRules(body)
	if err != nil {
		t.Fatal(err)
	}
	return rules, body
}

// TestRuleSets: a draft is written, changed, dropped and published, by whom it may be; what
// is published stays, and ends when another takes force.
func TestRuleSets(t *testing.T) {
	s, _, url := open(t)
	conn := connect(t, url)
	run(t, conn, `INSERT INTO plans (id, version, title, jurisdiction, valid_from, pi, pi_source) VALUES ('p', 1, '{}', '11', '2016-01-01', 3.14, 'x')`)
	ctx, today := t.Context(), geo.NewDate(2020, 6, 1)
	officer := account.Viewer{Name: "key:officer", Grants: []account.Grant{{Role: account.Officer}}}
	approver := account.Viewer{Name: "key:approver", Grants: []account.Grant{{Role: account.Approver, Territory: "11"}}}
	here := account.Viewer{Name: "key:here", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	wants := func(what string, err, want error) {
		t.Helper()
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	first, firstBody := rulesFrom(t, "r", 1, "2020-06-01")
	wants("by a district's officer", s.AddRules(ctx, here, first, firstBody, ""), layer.ErrForbidden)
	wants("by an approver", s.AddRules(ctx, approver, first, firstBody, ""), layer.ErrForbidden)
	wants("the first", s.AddRules(ctx, officer, first, firstBody, ""), nil)
	wants("the same again", s.AddRules(ctx, officer, first, firstBody, ""), layer.ErrConflict)
	var invalid *layer.InvalidError
	if err := s.AddRules(ctx, officer, first, firstBody, "12"); !errors.As(err, &invalid) || invalid.Faults[0].At != "jurisdiction" {
		t.Errorf("the rules of one territory for another: %v", err)
	}
	other, otherBody := rulesFrom(t, "other", 1, "2020-06-01")
	if err := s.AddRules(ctx, officer, other, otherBody, "99"); !errors.As(err, &invalid) {
		t.Errorf("for a territory that is not there: %v", err)
	}

	versions := func() int64 {
		return scalar[int64](t, conn, "SELECT version FROM layer_versions WHERE layer = 'rule_sets'")
	}
	draft, err := s.RuleSet(ctx, here, "r", 1)
	if err != nil || draft.State != permit.RulesDraft || string(draft.Body) != string(firstBody) || draft.Title.VI != "Quy tắc" || draft.Jurisdiction != "11" {
		t.Errorf("%+v, %v", draft, err)
	}
	if _, err := s.RuleSet(ctx, account.Anonymous(), "r", 1); !errors.Is(err, layer.ErrNotFound) {
		t.Errorf("the public sees a draft: %v", err)
	}
	before := versions()
	changed := []byte(strings.Replace(string(firstBody), `"x"`, `"y"`, 1))
	wants("to another than was read", s.ChangeRules(ctx, officer, first, changed, strings.Repeat("0", 64)), layer.ErrStale)
	wants("by the public", s.ChangeRules(ctx, account.Anonymous(), first, changed, "*"), layer.ErrNotFound)
	wants("of what was read", s.ChangeRules(ctx, officer, first, changed, draft.SHA256), nil)
	wants("with what was read before", s.PublishRules(ctx, approver, "r", 1, draft.SHA256, today), layer.ErrStale)
	wants("by an officer", s.PublishRules(ctx, officer, "r", 1, "*", today), layer.ErrForbidden)
	if got := versions(); got != before {
		t.Errorf("the version of the rules counts a draft: %d, then %d", before, got)
	}
	if err := s.PublishRules(ctx, approver, "r", 1, "*", geo.NewDate(2020, 6, 2)); !errors.As(err, &invalid) || invalid.Faults[0].At != "/valid_from" {
		t.Errorf("in force from yesterday: %v", err)
	}
	wants("published", s.PublishRules(ctx, approver, "r", 1, "*", today), nil)
	if got := versions(); got == before {
		t.Error("the version of the rules does not count what was published")
	}
	wants("again", s.PublishRules(ctx, approver, "r", 1, "*", today), layer.ErrConflict)
	wants("changed", s.ChangeRules(ctx, officer, first, firstBody, "*"), layer.ErrConflict)
	wants("dropped", s.DropRules(ctx, officer, "r", 1, "*"), layer.ErrConflict)

	second, secondBody := rulesFrom(t, "r", 2, "2021-01-01")
	wants("the second", s.AddRules(ctx, officer, second, secondBody, "11"), nil)
	wants("it published", s.PublishRules(ctx, approver, "r", 2, "*", today), nil)
	ended, err := s.RuleSet(ctx, account.Anonymous(), "r", 1)
	if err != nil || ended.ValidTo != geo.NewDate(2021, 1, 1) || string(ended.Body) != string(changed) {
		t.Errorf("%+v, %v", ended, err)
	}
	between, betweenBody := rulesFrom(t, "r", 3, "2020-09-01")
	wants("one between", s.AddRules(ctx, officer, between, betweenBody, ""), nil)
	wants("published, in the time of another", s.PublishRules(ctx, approver, "r", 3, "*", today), layer.ErrConflict)
	wants("and dropped", s.DropRules(ctx, officer, "r", 3, "*"), nil)
	for day, version := range map[geo.Date]int{geo.NewDate(2020, 12, 31): 1, geo.NewDate(2021, 1, 1): 2} {
		if in, err := s.RuleSets(ctx, account.Anonymous(), permit.RuleSetQuery{Jurisdiction: "11", InForce: day}); err != nil || len(in) != 1 || in[0].Version != version {
			t.Errorf("in force on %s: %v, %v", day, in, err)
		}
	}
	audited := scalar[[]string](t, conn, "SELECT array_agg(action || ' ' || subject || ' ' || who ORDER BY id) FROM audit WHERE subject LIKE 'rule\\_set:%'")
	if want := []string{"rule_set.drafted rule_set:r@1 key:officer", "rule_set.changed rule_set:r@1 key:officer", "rule_set.published rule_set:r@1 key:approver",
		"rule_set.drafted rule_set:r@2 key:officer", "rule_set.ended rule_set:r@1 key:approver", "rule_set.published rule_set:r@2 key:approver",
		"rule_set.drafted rule_set:r@3 key:officer", "rule_set.dropped rule_set:r@3 key:officer"}; !slices.Equal(audited, want) {
		t.Errorf("the audit: %q", audited)
	}
}

// TestRuleSetsAtOnce: of eight who publish for the same time at once, one does.
func TestRuleSetsAtOnce(t *testing.T) {
	s, _, url := open(t)
	run(t, connect(t, url), `INSERT INTO plans (id, version, title, jurisdiction, valid_from, pi, pi_source) VALUES ('p', 1, '{}', '11', '2016-01-01', 3.14, 'x')`)
	keeper := account.Holder("key:keeper", account.Administrator)
	for version := 1; version <= 8; version++ {
		rules, body := rulesFrom(t, "r", version, "2020-06-01")
		if err := s.AddRules(t.Context(), keeper, rules, body, ""); err != nil {
			t.Fatal(err)
		}
	}
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = s.PublishRules(t.Context(), keeper, "r", i+1, "*", geo.NewDate(2020, 6, 1)) })
	}
	all.Wait()
	published := 0
	for _, err := range errs {
		if err == nil {
			published++
		} else if !errors.Is(err, layer.ErrConflict) {
			t.Error(err)
		}
	}
	if in, err := s.RuleSets(t.Context(), keeper, permit.RuleSetQuery{State: permit.RulesPublished}); published != 1 || err != nil || len(in) != 1 {
		t.Errorf("%d published: %v, %v", published, in, err)
	}
}
