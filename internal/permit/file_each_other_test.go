package permit_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/permit"
)

func TestMastsOfAProposalAreCheckedAgainstEachOther(t *testing.T) {
	id := func(n int64) permit.FeatureID { return permit.FeatureID{Collection: "bts_sites", ID: n} }
	finding := func(of, other int64, o zoning.Outcome, binding bool) permit.Together {
		return permit.Together{FeatureID: id(of), Finding: zoning.Finding{Rule: "COND-d2", Outcome: o, Binding: binding, Evidence: &zoning.Evidence{Collection: "bts_sites", ID: other}}}
	}
	features := []permit.CheckedFeature{{FeatureID: id(1), Answer: json.RawMessage(`{"verdict":"permitted"}`)}, {FeatureID: id(2), Answer: json.RawMessage(`{"verdict":"permitted"}`)}}
	type said struct {
		Verdict   string            `json:"verdict"`
		EachOther []permit.Together `json:"each_other"`
	}
	for _, tt := range []struct {
		together []permit.Together
		want     string
	}{
		{nil, "permitted"},
		{[]permit.Together{finding(1, 2, zoning.Fail, false)}, "conditional"},
		{[]permit.Together{finding(1, 2, zoning.Fail, true)}, "refused"},
		{[]permit.Together{finding(1, 2, zoning.Unknown, true)}, "undetermined"},
		{[]permit.Together{finding(1, 2, zoning.Unknown, false)}, "permitted"},
	} {
		text, err := permit.FileVerdict(geo.NewDate(2020, 12, 31), features, tt.together)
		if err != nil {
			t.Fatal(err)
		}
		var got said
		if err := json.Unmarshal(text, &got); err != nil || got.Verdict != tt.want || len(got.EachOther) != len(tt.together) {
			t.Errorf("%v: %s, want %s (%v)", tt.together, text, tt.want, err)
		}
		// Who sees one of the two learns nothing of the other.
		for seen := int64(1); seen <= 2; seen++ {
			f := permit.File{Verdict: text}
			if err := f.Only(func(one permit.FeatureID) bool { return one == id(seen) }); err != nil {
				t.Fatal(err)
			}
			got = said{}
			if err := json.Unmarshal(f.Verdict, &got); err != nil || got.Verdict != "permitted" || len(got.EachOther) != 0 {
				t.Errorf("who sees %d alone is told %s (%v)", seen, f.Verdict, err)
			}
		}
	}
}

func TestMastsTooNearToEachOtherAreFound(t *testing.T) {
	r := newRecording(t)
	mast := func(n int64, code string, lon float64) permit.FiledMast {
		return permit.FiledMast{FeatureID: permit.FeatureID{Collection: "bts_sites", ID: n}, Code: code,
			Question: fmt.Appendf(nil, `{"lon":%v,"lat":21.39,"mast_type":"A2b","height_m":42,"structure":"self_supporting"}`, lon)}
	}
	masts := []permit.FiledMast{mast(11, "X-1", 103.025), mast(12, "X-2", 103.026), mast(13, "X-3", 103.04), {FeatureID: permit.FeatureID{Collection: "bts_sites", ID: 14}, Question: json.RawMessage(`{}`)}}
	found, err := r.Together(t.Context(), officer(), day(t, "2020-12-31"), masts)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]zoning.Evidence{}
	for _, one := range found {
		if one.Finding.Rule != "COND-d2" || one.Finding.Outcome != zoning.Fail || one.Finding.Decides {
			t.Errorf("%+v", one)
		}
		got[one.ID] = *one.Finding.Evidence
	}
	want := map[int64]zoning.Evidence{11: {Collection: "bts_sites", ID: 12, Code: "X-2"}, 12: {Collection: "bts_sites", ID: 11, Code: "X-1"}}
	if len(found) != 2 || got[11] != want[11] || got[12] != want[12] {
		t.Errorf("between the masts: %+v, want %+v", got, want)
	}
	if found, err = r.Together(t.Context(), officer(), day(t, "2020-12-31"), masts[1:2]); err != nil || found != nil {
		t.Errorf("one alone: %v, %v", found, err)
	}
}
