package zoning_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// numbersFrom reads numbers off the bytes: eight make any number at all, two one of
// a small grid, on which edges touch, cross and repeat.
func numbersFrom(body []byte) (out []float64) {
	for len(body) >= 3 {
		if body[0]%4 == 0 && len(body) >= 9 {
			out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(body[1:])))
			body = body[9:]
			continue
		}
		out = append(out, here[0]+float64(int8(body[1]))/1000+float64(body[2]%4)/4000)
		body = body[3:]
	}
	return out
}

// ringsFrom makes areas of three rings' worth of numbers each, one ring empty.
func ringsFrom(numbers []float64) []orb.MultiPolygon {
	areas := []orb.MultiPolygon{nil, {}, {{}}, {{{}}}}
	var ring orb.Ring
	for i := 0; i+1 < len(numbers); i += 2 {
		ring = append(ring, orb.Point{numbers[i], numbers[i+1] - here[0] + here[1]})
		areas = append(areas, orb.MultiPolygon{{ring[:len(ring):len(ring)]}})
		if len(ring) == 7 {
			areas = append(areas, orb.MultiPolygon{{ring, ring[:3]}, {ring[2:4]}})
			ring = nil
		}
	}
	return areas
}

func sceneFrom(numbers []float64) zoning.SceneData {
	d := zoning.SceneData{Withheld: map[string][]zoning.Area{"": {{Kind: "military"}}},
		Territories: []zoning.Territory{{ID: 1, Code: "11", Geometry: squareAt(here, 1)}}}
	for i, area := range ringsFrom(numbers) {
		n := numbers[i*7%len(numbers)]
		d.Territories = append(d.Territories, zoning.Territory{ID: int64(i), Code: "12", Geometry: area})
		d.Communes = append(d.Communes, zoning.Commune{ID: int64(i % 3), Geometry: area, Urban: i%2 == 0})
		z := zoning.Zone{ID: int64(i), Class: []string{"a", "d", "dd", "K1", "?"}[i%5], Geometry: area}
		if i%3 == 0 {
			z.AccuracyM = &n
		}
		d.Zones = append(d.Zones, z)
		d.Areas = append(d.Areas, zoning.Area{ID: int64(i), Kind: []string{"school", "military", ""}[i%3], Geometry: area, MaxHeightM: &n, WholeCommune: i%4 == 0})
		d.Masts = append(d.Masts, zoning.Mast{ID: int64(i), MastType: geo.A2b, Status: []string{"existing", "up"}[i%2], HeightM: &n,
			Point: orb.Point{n, numbers[i*5%len(numbers)] - here[0] + here[1]}})
	}
	return d
}

// FuzzScene: whatever numbers shapes, places and accuracies are made of, a scene is
// made and answers, the three ways of asking agree, and so does a scene edited into
// what another was made of.
func FuzzScene(f *testing.F) {
	bits := func(values ...float64) (out []byte) {
		for _, v := range values {
			out = append(out, 0)
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
		return out
	}
	f.Add([]byte{1, 0, 0, 1, 0, 0, 1, 9, 0, 1, 0, 0, 1, 9, 0, 1, 9, 0, 1, 0, 0, 1, 9, 0})
	f.Add(bits(math.NaN(), 1, 1, math.Inf(1), math.Inf(-1), math.NaN()))
	f.Add(bits(math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64, 1e300, 1e300, 0, 0))
	f.Add(bits(179.99, 90, -180, -90, 180, 90, 1e-320, -1e-320))
	f.Add(bits(103.02, 103.02, 103.02, 103.03, 103.02, 103.02))
	sets := []*zoning.RuleSet{demoRules(f), inventedRules(f)}
	f.Fuzz(func(t *testing.T, body []byte) {
		numbers := numbersFrom(body)
		if len(numbers) < 2 || len(numbers) > 200 {
			return
		}
		d := sceneFrom(numbers)
		scene := zoning.NewScene(d)
		edited := zoning.NewScene(zoning.SceneData{Zones: d.Zones}).With(zoning.Changes{GoneZones: []int64{1, 2}, Came: d})
		for i, n := range numbers {
			rules := everywhere(sets[i%2])
			p := proposalOf(t, geo.MastTypes()[i%4])
			p.Date = sets[i%2].Period().From
			p.Point = orb.Point{n, numbers[(i+1)%len(numbers)] - here[0] + here[1]}
			if i%3 == 0 {
				p.AccuracyM = &numbers[(i+5)%len(numbers)]
			}
			place, result := scene.Check(rules, p)
			for name, other := range map[string]*zoning.Scene{"the scene": scene, "the edited one": edited} {
				if otherPlace, v := other.Verdict(rules, p); v != result.Verdict || otherPlace != place {
					t.Fatalf("%v: Check says %s at %+v, Verdict of %s %s at %+v", p.Point, result.Verdict, place, name, v, otherPlace)
				}
			}
			if r := findings(scene, rules, p); r.Verdict != result.Verdict || len(r.Findings) != len(result.Findings) {
				t.Fatalf("%v: Check says %s, Findings %s", p.Point, result.Verdict, r.Verdict)
			}
			scene.Surroundings(rules, p.Point)
		}
	})
}
