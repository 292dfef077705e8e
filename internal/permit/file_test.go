package permit_test

import (
	"errors"
	"fmt"
	"testing"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// The machine by what it must and must not do, in words of its own.
func TestStepsOfProposals(t *testing.T) {
	for _, tt := range []struct {
		before permit.FileState
		action permit.Action
		party  permit.Party
		want   string
	}{
		{"filed", "approve", "approver", "approved"},
		{"filed", "approve", "officer", "forbidden"},
		{"filed", "approve", "organisation", "forbidden"},
		{"filed", "supplement", "organisation", "conflict"},
		{"more_asked", "supplement", "organisation", "supplemented"},
		{"more_asked", "approve", "approver", "conflict"},
		{"consulting", "answer", "agency", "consulting"},
		{"filed", "answer", "agency", "conflict"},
		{"consulting", "approve", "agency", "forbidden"},
		{"approved", "withdraw", "organisation", "conflict"},
		{"approved", "build", "officer", "built"},
		{"approved", "approve", "approver", "conflict"},
		{"refused", "approve", "approver", "conflict"},
		{"built", "expire", "officer", "conflict"},
		{"filed", "fly", "officer", "conflict"},
		{"filed", "ask_more", "approver", "forbidden"},
		{"approved", "attach", "organisation", "conflict"},
		{"withdrawn", "attach", "approver", "conflict"},
	} {
		_, after, err := permit.Next(tt.before, tt.action, []permit.Party{tt.party})
		got := string(after)
		switch {
		case errors.Is(err, layer.ErrForbidden):
			got = "forbidden"
		case errors.Is(err, layer.ErrConflict):
			got = "conflict"
		}
		if got != tt.want {
			t.Errorf("%s %s by %s: %s, want %s", tt.before, tt.action, tt.party, got, tt.want)
		}
	}
	// Staff of a part of the features are of no party. Where staff of them all could not take the
	// step either, they are told the same: else they would learn that there are more features.
	refusal := func(before permit.FileState, action permit.Action, parties ...permit.Party) string {
		_, _, err := permit.Next(before, action, parties)
		return fmt.Sprint(errors.Is(err, layer.ErrForbidden), errors.Is(err, layer.ErrConflict))
	}
	for _, before := range permit.States() {
		for _, action := range append(permit.Actions(), permit.Attach) {
			for _, party := range []permit.Party{permit.Officer, permit.Approver} {
				whole, part := refusal(before, action, party), refusal(before, action)
				if whole != "false false" && whole != part {
					t.Errorf("%s %s: of staff the %s of all is told %s, of a part %s", before, action, party, whole, part)
				}
			}
		}
	}
	for _, s := range permit.States() {
		over := s == permit.Refused || s == permit.Withdrawn || s == permit.Expired || s == permit.Built
		if s.Over() != over {
			t.Errorf("%s is over: %t", s, s.Over())
		}
	}
	once := map[string]bool{}
	for _, tr := range permit.Transitions() {
		key := fmt.Sprint(tr.Before, tr.Action, tr.Party)
		if once[key] {
			t.Errorf("%s stands twice", key)
		}
		once[key] = true
		if (tr.Party == permit.Organisation || tr.Party == permit.Agency || tr.Party == permit.Officer) && (tr.After == permit.Approved || tr.After == permit.Refused) {
			t.Errorf("%s decides", key)
		}
	}
}

func TestWorkingDays(t *testing.T) {
	c, err := permit.ParseCalendar([]byte(`{"working_days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "holidays": ["04-30", "05-01", "2026-05-04"], "pi": 3.14}`))
	if err != nil {
		t.Fatal(err)
	}
	friday := geo.NewDate(2026, 4, 24)
	for n, want := range map[int]string{0: "2026-04-24", 1: "2026-04-27", 4: "2026-05-05", 5: "2026-05-06"} {
		if got := c.After(friday, n).String(); got != want {
			t.Errorf("%d working days behind %s: %s, want %s", n, friday, got, want)
		}
	}
	if got := (permit.Calendar{}).After(friday, 6).String(); got != "2026-05-04" {
		t.Errorf("without holidays: %s", got)
	}
	if got := (permit.Calendar{WorkingDays: []string{"never"}}).After(friday, 1); !friday.Before(got) {
		t.Errorf("a week without work: %s", got)
	}
	c.Periods.ValidMonths = 12
	for _, tt := range [][3]string{{"2026-04-24", "2026-04-24", "2027-04-24"}, {"2026-04-24", "2026-12-31", "2027-12-31"}, {"2028-02-29", "2028-02-29", "2029-02-28"}, {"2026-04-24", "2020-01-01", "2027-04-24"}} {
		today, _ := geo.ParseDate(tt[0])
		until, _ := geo.ParseDate(tt[1])
		if got := c.Expires(today, until).String(); got != tt[2] {
			t.Errorf("from %s, until %s: %s, want %s", tt[0], tt[1], got, tt[2])
		}
	}
	if _, err := permit.ParseCalendar([]byte("{")); err == nil {
		t.Error("settings that are no JSON are read")
	}
}
