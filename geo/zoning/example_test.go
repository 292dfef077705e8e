package zoning_test

import (
	"fmt"
	"os"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// A tall mast is proposed on a monument: the rules say no, why, and what instead.
func Example() {
	body, err := os.ReadFile("../../internal/plan/packs/dien-bien/rules.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := zoning.ParseRuleSet(body)
	if err != nil {
		fmt.Println(err)
		return
	}
	date := geo.NewDate(2020, 6, 30)
	hill := orb.Bound{Min: orb.Point{103.01, 21.38}, Max: orb.Point{103.02, 21.39}}
	result := rules.Check(
		zoning.Proposal{Point: orb.Point{103.0165, 21.3826}, MastType: geo.A2b, HeightM: new(40.0),
			Structure: new(geo.SelfSupporting), Operator: "VIETTEL", Date: date},
		zoning.Surroundings{InTerritory: true, Urban: true, Zones: []zoning.Zone{{
			Collection: "mast_zones", ID: 12, Class: "b", Geometry: orb.MultiPolygon{hill.ToPolygon()},
			Period: geo.Period{From: geo.NewDate(2016, 1, 1)}}}},
	)
	fmt.Println(result.Verdict, result.AllowedTypes, result.RuleSet)
	for _, f := range result.Deciding() {
		fmt.Println(f.Rule, f.Clause)
		fmt.Println(f.Message.VI)
		fmt.Println(f.Message.EN)
	}
	// Output:
	// refused [A1a A1b] dien-bien-2016@1
	// ZONE-b Phần 2, III.2.4.1.b
	// Khu vực này chỉ được xây dựng cột loại A1a, A1b; loại đề nghị là A2b (Khu vực b – du lịch, di tích, văn hóa).
	// Only masts of type A1a, A1b may be built here; the proposed type is A2b (Zone b – tourism, heritage and culture).
}
