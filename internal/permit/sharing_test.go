package permit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// Whatever steps are tried, a request moves by the table alone, and what is over stays so.
func TestSharingMovesByItsTable(t *testing.T) {
	parties := []permit.ShareParty{permit.ShareAsker, permit.SharePartner, permit.ShareOfficer}
	over := []permit.ShareState{permit.ShareAgreed, permit.ShareRefused, permit.ShareWithdrawn}
	rapid.Check(t, func(t *rapid.T) {
		state := permit.ShareAsked
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 6*3-1), 0, 12).Draw(t, "steps") {
			action, party := permit.ShareActions()[n/3], parties[n%3]
			as, after, err := permit.NextShare(state, action, []permit.ShareParty{party})
			at := slices.IndexFunc(permit.ShareTransitions(), func(s permit.ShareTransition) bool {
				return s.Before == state && s.Action == action && s.Party == party
			})
			switch {
			case (err == nil) != (at >= 0), err == nil && (as != party || after != permit.ShareTransitions()[at].After):
				t.Fatalf("%s, %s by %s: %s, %v", state, action, party, after, err)
			case err == nil && (slices.Contains(over, state) || party == permit.ShareOfficer && after == permit.ShareDeclined):
				t.Fatalf("%s, %s by %s leads to %s", state, action, party, after)
			case err == nil:
				state = after
			case !errors.Is(err, layer.ErrForbidden) && !errors.Is(err, layer.ErrConflict):
				t.Fatal(err)
			}
		}
	})
	for _, state := range permit.ShareStates() {
		if slices.Contains(over, state) != !slices.ContainsFunc(permit.ShareTransitions(), func(s permit.ShareTransition) bool { return s.Before == state }) {
			t.Errorf("%s leads on, or does not", state)
		}
	}
}

func TestPercentagesAreExact(t *testing.T) {
	for raw, want := range map[string]permit.Percent{"60": 60_00, "0.01": 1, "33.3": 33_30, "100": permit.Whole, "100.00": permit.Whole} {
		var p permit.Percent
		if err := json.Unmarshal([]byte(raw), &p); err != nil || p != want {
			t.Errorf("%s: %d, %v", raw, p, err)
		}
	}
	for _, raw := range []string{"0", "0.00", "-1", "100.01", "1.234", "1e1", `"60"`, "101", "9999", "null", "[]"} {
		var p permit.Percent
		if err := p.UnmarshalJSON([]byte(raw)); err == nil {
			t.Errorf("%s: %d", raw, p)
		}
	}
	for p := permit.Percent(1); p <= permit.Whole; p++ {
		raw, err := json.Marshal(p)
		var again permit.Percent
		if err != nil || json.Unmarshal(raw, &again) != nil || again != p {
			t.Fatalf("%d is written %s", p, raw)
		}
	}
}

func TestSharingIsCounted(t *testing.T) {
	days := func(n int) *int { return &n }
	got := permit.CountShared([]permit.SharedCount{
		{Year: 2025, Owners: []string{"VNPT"}, State: permit.ShareAgreed, AnswerDays: days(3)},
		{Year: 2026, Owners: []string{"VNPT"}, State: permit.ShareRefused, AnswerDays: days(9)},
		{Year: 2026, Owners: []string{"VIETTEL"}, State: permit.ShareAgreed, AnswerDays: days(4)},
		{Year: 2026, Owners: []string{"VNPT", "VIETTEL"}, State: permit.ShareAsked},
		{Year: 2026, Owners: []string{"VNPT", "VIETTEL"}, Named: true, State: permit.ShareDeclined, AnswerDays: days(1)},
	})
	text := func(f permit.SharingFigures) string {
		raw, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	var lines []string
	for _, f := range got {
		lines = append(lines, text(f))
	}
	named := `{"year":2026,"owner":"%s","requests":1,"outcomes":{"declined":1},"answered":1,"answer_median_working_days":1,"answer_max_working_days":1}`
	want := []string{`{"year":2026,"owner":null,"requests":3,"outcomes":{"agreed":1,"asked":1,"refused":1},"answered":2,"answer_median_working_days":6.5,"answer_max_working_days":9}`,
		fmt.Sprintf(named, "VIETTEL"), fmt.Sprintf(named, "VNPT"),
		`{"year":2025,"owner":null,"requests":1,"outcomes":{"agreed":1},"answered":1,"answer_median_working_days":3,"answer_max_working_days":3}`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("figures (-want +got)\n%s", diff)
	}
	calendar := permit.Calendar{Holidays: []string{"03-03"}}
	monday := geo.NewDate(2026, 3, 2)
	for to, want := range map[geo.Date]int{monday: 0, geo.NewDate(2026, 3, 1): 0, geo.NewDate(2026, 3, 3): 0, geo.NewDate(2026, 3, 4): 1, geo.NewDate(2026, 3, 9): 4, calendar.After(monday, 15): 15} {
		if got := calendar.Between(monday, to); got != want {
			t.Errorf("until %s: %d working days, want %d", to, got, want)
		}
	}
}

func TestNumbersOfRequests(t *testing.T) {
	for number, want := range map[string]bool{permit.NewShareNumber(geo.NewDate(2026, 3, 2)): true, "S-2026-0000-0000-0001": true, "V-2026-0000-0000-0001": false, "S": false, "": false, "S-2026-0000-0000-000U": false} {
		if permit.ValidShareNumber(number) != want {
			t.Errorf("%q is %v", number, !want)
		}
	}
}
