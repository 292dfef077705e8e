package permit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/permit"
)

// eachOther asks about rows in the countryside, the first two 200 m apart, another 5 km
// away, and one that cannot be judged.
func eachOther(t *testing.T, checker *permit.Checker) {
	q := permit.Question{Viewer: account.Anonymous(), Date: day(t, "2020-06-30"), EachOther: true, Detail: permit.DetailFindings}
	var table strings.Builder
	var list []json.RawMessage
	table.WriteString("code,lon,lat,mast_type,height_m,structure\n")
	for i, lon := range []float64{103.226566, 103.226566 + 0.00193, 103.2746, 999} {
		fmt.Fprintf(&table, "M%d,%.6f,21.144375,A2b,42,self_supporting\n", i+1, lon)
		list = append(list, json.RawMessage(fmt.Sprintf(`{"lon":%.6f,"lat":21.144375,"mast_type":"A2b","height_m":42,"structure":"self_supporting"}`, lon)))
	}
	type finding struct {
		Rule, Outcome string
		Evidence      *struct {
			Collection string
			ID         int64
			Code       string
		}
	}
	type results struct {
		Results []struct{ Findings []finding }
		Summary map[string]int
	}
	tooClose := func(r results) (out []string) {
		for i, one := range r.Results {
			for _, f := range one.Findings {
				if f.Outcome == "fail" && f.Evidence != nil && f.Evidence.Collection == "proposals" {
					out = append(out, fmt.Sprintf("%d %s %d", i+1, f.Rule, f.Evidence.ID))
				}
			}
		}
		return out
	}
	ask := func(q permit.Question) (r results, tally permit.Tally) {
		b := checker.Batch(q)
		b.Format, b.Out, b.Language = permit.CSV, permit.OutResults, "en"
		var out bytes.Buffer
		tally, err := b.Run(t.Context(), strings.NewReader(table.String()), &out)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		return r, tally
	}
	got, tally := ask(q)
	want := []string{"1 COND-dd1 2", "2 COND-dd1 1"}
	if diff := cmp.Diff(want, tooClose(got)); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	if tally.Rows != 4 || tally.Bad != 1 || got.Summary["rows"] != 4 || got.Summary["not_judged"] != 1 || got.Summary["conditional"] < 2 {
		t.Errorf("summary %v of %+v", got.Summary, tally)
	}
	answers, err := checker.Answers(t.Context(), q, list)
	if err != nil {
		t.Fatal(err)
	}
	var listed results
	for _, a := range answers {
		var one struct{ Findings []finding }
		if a.Invalid == nil {
			if err := json.Unmarshal(a.Answer, &one); err != nil {
				t.Fatal(err)
			}
		}
		listed.Results = append(listed.Results, one)
	}
	if diff := cmp.Diff(want, tooClose(listed)); diff != "" {
		t.Errorf("a list (-want +got)\n%s", diff)
	}
	// The control: without being asked, no row meets another.
	q.EachOther = false
	if alone, _ := ask(q); tooClose(alone) != nil {
		t.Errorf("rows met each other unasked: %v", tooClose(alone))
	}
}

// TestTooManyToMeet: so many rows, and no more, are checked against each other.
func TestTooManyToMeet(t *testing.T) {
	for n, ok := range map[int]bool{permit.MaxEachOther: true, permit.MaxEachOther + 1: false} {
		b := permit.NewBatchOfNone(geo.NewDate(2020, 6, 30))
		var out bytes.Buffer
		tally, err := b.Run(t.Context(), strings.NewReader("lon,lat,mast_type\n"+strings.Repeat("0,1,A2b\n", n)), &out)
		if _, told := permit.NoRowsText(err); told == ok || ok && tally.Rows != int64(n) {
			t.Errorf("%d rows: %v, %d judged", n, err, tally.Rows)
		}
	}
}

// answersAtTheirLimit: as many answers as are allowed together are given; with one more none is,
// and that is told.
func answersAtTheirLimit(t *testing.T, checker *permit.Checker) {
	q := permit.Question{Viewer: account.Anonymous(), Date: day(t, "2020-06-30"), Detail: permit.DetailFull}
	list := []json.RawMessage{json.RawMessage(`{"lon":103.03,"lat":21.39,"mast_type":"A2b","height_m":42,"structure":"self_supporting"}`)}
	one, err := checker.Answers(t.Context(), q, list)
	if err != nil {
		t.Fatal(err)
	}
	list = slices.Repeat(list, permit.MaxAnswersBytes/len(one[0].Answer))
	if answers, err := checker.Answers(t.Context(), q, list); err != nil || len(answers) != len(list) || len(answers[len(list)-1].Answer) != len(one[0].Answer) {
		t.Errorf("%d proposals: %d answers, %v", len(list), len(answers), err)
	}
	_, err = checker.Answers(t.Context(), q, append(list, list[0]))
	if invalid, ok := permit.Faults(err); !ok || invalid.Faults[0].At != "/proposals" {
		t.Errorf("%d proposals: %v", len(list)+1, err)
	}
}
