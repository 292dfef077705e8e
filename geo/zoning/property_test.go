package zoning_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/geo/zoning"
)

// sameResult compares two results in all that callers see.
func sameResult(a, b zoning.Result) string {
	return cmp.Diff(a, b, cmpopts.IgnoreUnexported(zoning.Finding{}), cmpopts.EquateComparable(geo.Date{}))
}

func drawZone(t *rapid.T, tb testing.TB) zoning.Zone {
	z := zoneOf(tb, rapid.Int64Range(1, 1000).Draw(t, "zone id"), rapid.SampledFrom([]string{"a", "b", "c", "d", "dd", "đ"}).Draw(t, "class"))
	z.Geometry = squareAt(east(rapid.Float64Range(-3000, 3000).Draw(t, "zone east, m")), rapid.Float64Range(0.001, 0.05).Draw(t, "half side, degrees"))
	z.Illustrative = rapid.Bool().Draw(t, "illustrative")
	if rapid.Bool().Draw(t, "starts later") {
		z.Period.From = day(tb, "2021-01-01")
	}
	if rapid.Bool().Draw(t, "has accuracy") {
		z.AccuracyM = new(rapid.Float64Range(0, 300).Draw(t, "accuracy, m"))
	}
	return z
}

func drawMast(t *rapid.T) zoning.Mast {
	m := mastAt(rapid.Int64Range(1, 1000).Draw(t, "mast id"), rapid.Float64Range(-600, 600).Draw(t, "mast east, m"),
		rapid.SampledFrom(geo.MastTypes()).Draw(t, "mast type"))
	m.Operators = rapid.SliceOfN(rapid.SampledFrom([]string{"VNPT", "VIETTEL", "MOBIFONE", "SFONE"}), 0, 4).Draw(t, "operators")
	m.Status = rapid.SampledFrom([]string{"existing", "planned", "draft"}).Draw(t, "status")
	return m
}

func drawSurroundings(t *rapid.T, tb testing.TB) zoning.Surroundings {
	s := zoning.Surroundings{InTerritory: true, Urban: rapid.Bool().Draw(t, "urban"), DenselyPopulated: rapid.Bool().Draw(t, "dense")}
	for range rapid.IntRange(0, 5).Draw(t, "zones") {
		s.Zones = append(s.Zones, drawZone(t, tb))
	}
	for range rapid.IntRange(0, 6).Draw(t, "masts") {
		s.Masts = append(s.Masts, drawMast(t))
	}
	for range rapid.IntRange(0, 3).Draw(t, "areas") {
		s.Areas = append(s.Areas, zoning.Area{Collection: "special_areas", ID: rapid.Int64Range(1, 99).Draw(t, "area id"),
			Kind:     rapid.SampledFrom([]string{"border_belt", "military", "aviation_surface", "support_area", zoning.DenselyPopulated}).Draw(t, "kind"),
			Geometry: squareAt(east(rapid.Float64Range(-3000, 3000).Draw(t, "area east, m")), 0.01),
			Withheld: rapid.Bool().Draw(t, "withheld"), WholeCommune: rapid.Bool().Draw(t, "whole commune")})
	}
	if rapid.Bool().Draw(t, "poor position") {
		s.PositionAccuracyM = rapid.Float64Range(0, 100).Draw(t, "position accuracy, m")
	}
	return s
}

func drawProposal(t *rapid.T, tb testing.TB) zoning.Proposal {
	p := proposalOf(tb, rapid.SampledFrom(geo.MastTypes()).Draw(t, "type"))
	if rapid.Bool().Draw(t, "no height") {
		p.HeightM = nil
	}
	if rapid.Bool().Draw(t, "no building") {
		p.HostBuildingHeightM = nil
	}
	if rapid.Bool().Draw(t, "other structure") {
		p.Structure = new(rapid.SampledFrom(geo.Structures()).Draw(t, "structure"))
	}
	return p
}

// TestMoreZonesNeverWiden: another zone over a covered point leaves a subset of
// the types allowed before.
func TestMoreZonesNeverWiden(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		p, s := drawProposal(r, t), drawSurroundings(r, t)
		s.Zones = append(s.Zones, zoneOf(t, 2000, "d"))
		before := rules.Check(p, s)
		s.Zones = append(s.Zones, drawZone(r, t))
		after := rules.Check(p, s)
		for _, m := range after.AllowedTypes {
			if !slices.Contains(before.AllowedTypes, m) {
				r.Fatalf("%s was not allowed by %v", m, before.AllowedTypes)
			}
		}
	})
}

// TestOrderNeverMatters: shuffled input gives the same result to the last letter,
// and Check leaves its input as it was.
func TestOrderNeverMatters(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		p, s := drawProposal(r, t), drawSurroundings(r, t)
		want := rules.Check(p, s)
		seed := rapid.Int64().Draw(r, "seed")
		mixed := s
		mixed.Zones, mixed.Masts, mixed.Areas = shuffled(seed, s.Zones), shuffled(seed, s.Masts), shuffled(seed, s.Areas)
		if diff := sameResult(want, rules.Check(p, mixed)); diff != "" {
			r.Fatalf("order matters (-want +got):\n%s", diff)
		}
		if diff := sameResult(want, rules.Check(p, s)); diff != "" {
			r.Fatalf("asked twice (-first +second):\n%s", diff)
		}
		if (want.Verdict == zoning.Permitted) != (len(want.Deciding()) == 0) {
			r.Fatalf("%s with %d deciding findings", want.Verdict, len(want.Deciding()))
		}
	})
}

// TestTheMastAskedAboutIsNotThere: naming a mast is as if it were not there, and it alone.
func TestTheMastAskedAboutIsNotThere(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		p, s := drawProposal(r, t), drawSurroundings(r, t)
		own := drawMast(r)
		s.Masts = slices.DeleteFunc(s.Masts, func(m zoning.Mast) bool { return m.ID == own.ID })
		want := rules.Check(p, s)
		s.Masts, p.Feature = append(s.Masts, own), own.ID
		if diff := sameResult(want, rules.Check(p, s)); diff != "" || rules.Verdict(p, s) != want.Verdict {
			r.Fatalf("the mast asked about counts (-without +with):\n%s", diff)
		}
	})
}

func shuffled[T any](seed int64, items []T) []T {
	out := slices.Clone(items)
	rand.New(rand.NewSource(seed)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// TestIrrelevantFeaturesChangeNothing: zones, masts and areas far away or of no
// kind the rules know leave the whole result as it was.
func TestIrrelevantFeaturesChangeNothing(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		p, s := drawProposal(r, t), drawSurroundings(r, t)
		want := rules.Check(p, s)
		far := zoneOf(t, 3000, "a")
		far.Geometry = squareAt(east(50_000), 0.01)
		over := zoneOf(t, 3001, "a")
		over.Period.To = day(t, "2018-01-01")
		s.Zones = append(s.Zones, far, over)
		s.Masts = append(s.Masts, mastAt(3002, rules.Reach()+200, geo.A2b, "VNPT"), mastAt(3003, 1, geo.A1a, "VNPT"))
		s.Areas = append(s.Areas, zoning.Area{Kind: "support_area", Geometry: squareAt(here, 0.01)},
			zoning.Area{Kind: "military", Geometry: squareAt(east(50_000), 0.01)})
		if diff := sameResult(want, rules.Check(p, s)); diff != "" {
			r.Fatalf("something irrelevant matters (-want +got):\n%s", diff)
		}
	})
}

// TestVerdictAloneIsTheSame: the short way gives the verdict of the long one.
func TestVerdictAloneIsTheSame(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		p, s := drawProposal(r, t), drawSurroundings(r, t)
		if want, got := rules.Check(p, s).Verdict, rules.Verdict(p, s); want != got {
			r.Fatalf("want %s, got %s", want, got)
		}
	})
}

// TestADefiniteVerdictHoldsAllAround: where the position is known to so many
// metres and the verdict is definite all the same, every place within them has it.
func TestADefiniteVerdictHoldsAllAround(t *testing.T) {
	rules := demoRules(t)
	definite := 0
	rapid.Check(t, func(r *rapid.T) {
		p := proposalOf(t, rapid.SampledFrom(geo.MastTypes()).Draw(r, "type"))
		s := zoning.Surroundings{InTerritory: true, Urban: true}
		for range rapid.IntRange(1, 4).Draw(r, "zones") {
			z := drawZone(r, t)
			z.Illustrative, z.AccuracyM = false, nil
			s.Zones = append(s.Zones, z)
		}
		s.PositionAccuracyM = rapid.Float64Range(1, 500).Draw(r, "accuracy, m")
		want := rules.Verdict(p, s)
		if want == zoning.Undetermined {
			return
		}
		definite++
		for i := range 16 {
			at, exact := p, s
			exact.PositionAccuracyM = 0
			at.Point = geo.Destination(p.Point, float64(i)*360/16, s.PositionAccuracyM*0.999)
			if got := rules.Verdict(at, exact); got != want {
				r.Fatalf("%s here, %s %v m away", want, got, s.PositionAccuracyM)
			}
		}
	})
	if definite == 0 {
		t.Error("no definite verdict was drawn: the test tests nothing")
	}
}

// TestCuringTheDecidingFindings: the deciding findings are those, and only those,
// without which the verdict would be weaker.
func TestCuringTheDecidingFindings(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		result := rules.Check(drawProposal(r, t), drawSurroundings(r, t))
		deciding := result.Deciding()
		for skip := range deciding {
			left := slices.Clone(result.Findings)
			cured := 0
			left = slices.DeleteFunc(left, func(f zoning.Finding) bool {
				if !f.Decides {
					return false
				}
				cured++
				return cured-1 != skip
			})
			if got := verdictFrom(left); got != result.Verdict {
				r.Fatalf("all but one of the deciding findings cured: want still %s, got %s", result.Verdict, got)
			}
		}
		left := slices.DeleteFunc(slices.Clone(result.Findings), func(f zoning.Finding) bool { return f.Decides })
		if got := verdictFrom(left); result.Verdict != zoning.Permitted && got == result.Verdict {
			r.Fatalf("all deciding findings cured, and the verdict is %s still", got)
		}
	})
}

// verdictFrom is the algebra of the verdict, written a second time as a plain
// sentence: refused > undetermined > conditional > permitted.
func verdictFrom(findings []zoning.Finding) zoning.Verdict {
	some := func(holds func(zoning.Finding) bool) bool { return slices.ContainsFunc(findings, holds) }
	switch {
	case some(func(f zoning.Finding) bool { return f.Binding && f.Outcome == zoning.Fail }):
		return zoning.Refused
	case some(func(f zoning.Finding) bool { return f.Binding && f.Outcome == zoning.Unknown }):
		return zoning.Undetermined
	case some(func(f zoning.Finding) bool { return f.Outcome == zoning.Condition || f.Outcome == zoning.Fail }):
		return zoning.Conditional
	}
	return zoning.Permitted
}

// TestShapesOfTheSameZone: how a zone is written (where its ring starts, which way
// it runs, in how many parts) changes neither verdict nor allowed types.
func TestShapesOfTheSameZone(t *testing.T) {
	rules := demoRules(t)
	rapid.Check(t, func(r *rapid.T) {
		p, s := drawProposal(r, t), drawSurroundings(r, t)
		s.PositionAccuracyM = 0
		for i := range s.Zones {
			s.Zones[i].AccuracyM = nil
		}
		want := rules.Check(p, s)
		for name, change := range map[string]func(orb.MultiPolygon) orb.MultiPolygon{
			"rotated": rotated, "reversed": reversed, "split in the middle": split,
		} {
			other := s
			other.Zones = slices.Clone(s.Zones)
			for i := range other.Zones {
				other.Zones[i].Geometry = change(other.Zones[i].Geometry)
			}
			got := rules.Check(p, other)
			if got.Verdict != want.Verdict || !slices.Equal(got.AllowedTypes, want.AllowedTypes) {
				r.Fatalf("%s: want %s %v, got %s %v", name, want.Verdict, want.AllowedTypes, got.Verdict, got.AllowedTypes)
			}
		}
	})
}

func rotated(mp orb.MultiPolygon) orb.MultiPolygon {
	open := mp[0][0][:len(mp[0][0])-1]
	ring := append(slices.Clone(open[2:]), open[:2]...)
	return orb.MultiPolygon{{append(ring, ring[0])}}
}

func reversed(mp orb.MultiPolygon) orb.MultiPolygon {
	ring := slices.Clone(mp[0][0])
	slices.Reverse(ring)
	return orb.MultiPolygon{{ring}}
}

// split cuts the square along its vertical middle: a point on the cut is in both parts.
func split(mp orb.MultiPolygon) orb.MultiPolygon {
	b := mp[0][0].Bound()
	middle := b.Center()[0]
	left, right := b, b
	left.Max[0], right.Min[0] = middle, middle
	return orb.MultiPolygon{left.ToPolygon(), right.ToPolygon()}
}

// BenchmarkCheck judges one proposal among 10 zones and 50 masts, with findings
// and without.
func BenchmarkCheck(b *testing.B) {
	rules := demoRules(b)
	p, s := crowded(b)
	b.Run("findings", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rules.Check(p, s)
		}
	})
	b.Run("verdict", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rules.Verdict(p, s)
		}
	})
}

func crowded(b *testing.B) (zoning.Proposal, zoning.Surroundings) {
	p, s := proposalOf(b, geo.A2b), urban(b)
	for i := range 9 {
		z := zoneOf(b, int64(i+2), "b")
		z.Geometry = squareAt(east(3000+float64(i)*100), 0.02)
		s.Zones = append(s.Zones, z)
	}
	for i := range 50 {
		s.Masts = append(s.Masts, mastAt(int64(i), 150+float64(i)*40, geo.A2b, "VNPT"))
	}
	return p, s
}
