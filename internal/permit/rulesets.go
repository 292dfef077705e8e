package permit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// RuleSetState is whether a rule set is worked on or in force in its time.
type RuleSetState string

// The states.
const (
	RulesDraft     RuleSetState = "draft"
	RulesPublished RuleSetState = "published"
)

// RuleSetEntry is a version of a rule set as the register of rule sets lists it.
type RuleSetEntry struct {
	ID           string       `json:"id"`
	Version      int          `json:"version"`
	Title        geo.Text     `json:"title"`
	Jurisdiction string       `json:"jurisdiction"`
	State        RuleSetState `json:"state"`
	ValidFrom    geo.Date     `json:"valid_from"`
	ValidTo      geo.Date     `json:"valid_to"` // first day on which it is in force no more; null while open
	SHA256       string       `json:"sha256"`   // of the body, lower-case hexadecimal
	PublishedAt  *time.Time   `json:"published_at"`
	ChangedAt    *time.Time   `json:"changed_at"` // null where it came with a plan before this was noted

	Body []byte `json:"-"` // as it was written, byte for byte
}

// Label is id@version.
func (e RuleSetEntry) Label() string { return e.ID + "@" + strconv.Itoa(e.Version) }

// ParseRulesLabel reads id@version; false for what is none.
func ParseRulesLabel(label string) (id string, version int, ok bool) {
	id, digits, _ := strings.Cut(label, "@")
	version, err := strconv.Atoi(digits)
	return id, version, err == nil && version >= 1 && version <= 1<<31-1 && id != ""
}

// RuleSetLister lists rule sets.
type RuleSetLister interface {
	RuleSets(ctx context.Context, v account.Viewer, q RuleSetQuery) ([]RuleSetEntry, error)
}

// EarlierRules returns the rule set that a version takes the place of: the one in force in
// its jurisdiction on the day before it begins, or else on that day; false where there is none.
func EarlierRules(ctx context.Context, from RuleSetLister, v account.Viewer, e RuleSetEntry) (RuleSetEntry, bool, error) {
	for _, day := range []geo.Date{geo.DateOf(e.ValidFrom.Time().AddDate(0, 0, -1)), e.ValidFrom} {
		found, err := from.RuleSets(ctx, v, RuleSetQuery{Jurisdiction: e.Jurisdiction, InForce: day})
		if err != nil {
			return RuleSetEntry{}, false, err
		}
		if len(found) > 0 && found[0].Label() != e.Label() {
			return found[0], true, nil
		}
	}
	return RuleSetEntry{}, false, nil
}

// RuleSetQuery selects rule sets; the zero selects all.
type RuleSetQuery struct {
	ID           string
	Version      int
	Jurisdiction string
	State        RuleSetState
	InForce      geo.Date // published, and in force on the day
}

// MaxRuleSetBytes is how large a rule set may be.
const MaxRuleSetBytes = 1 << 20

// ParseRules reads the body of a rule set. What is wrong with it is a *layer.InvalidError
// with all faults, each with its JSON pointer.
func ParseRules(body []byte) (*zoning.RuleSet, error) {
	set, err := zoning.ParseRuleSet(body)
	var wrong *zoning.FaultsError
	if !errors.As(err, &wrong) {
		return set, err
	}
	faults := make(layer.Faults, len(wrong.Faults))
	for i, f := range wrong.Faults {
		faults[i] = layer.Fault{At: cmp.Or(f.Pointer, "/"), Detail: f.Message}
	}
	return nil, faults.Err()
}

// TitleOfRules is the title in the body of a rule set that has been parsed before.
func TitleOfRules(body []byte) (geo.Text, error) {
	var head struct {
		Title geo.Text `json:"title"`
	}
	err := json.Unmarshal(body, &head)
	return head.Title, err
}
