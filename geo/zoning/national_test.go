package zoning_test

import (
	"fmt"
	"math"
	"math/rand"
	"runtime"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// country is an invented country whose shapes and densities are those of a real one:
// units small where people live, masts clustered round them, zones that overlap.
type country struct {
	zoning.SceneData
	rules *zoning.Rules
	seeds []orb.Point // where people live
}

const (
	countrySeed = 20200630
	cityCount   = 63
)

// newCountry makes so many communes of about 220 vertices, 20 masts and half a zone
// of about 270 vertices to each, in so many territories: 10 000 communes are a nation.
func newCountry(tb testing.TB, communes, territories int) country {
	random := rand.New(rand.NewSource(countrySeed))
	side := math.Sqrt(float64(communes) / 10000)
	box := orb.Bound{Min: orb.Point{102.1, 8.4}, Max: orb.Point{102.1 + 7.4*side, 8.4 + 15*side}}
	c := country{seeds: makeSeeds(random, box, communes)}
	for i, cell := range divide(slices.Clone(c.seeds), box, communes) {
		c.Communes = append(c.Communes, zoning.Commune{ID: int64(i + 1), Code: fmt.Sprintf("%05d", i+1), District: fmt.Sprintf("%03d", i*700/communes),
			Urban: i%3 != 0, Geometry: warped(cell, 55)})
	}
	var sets []zoning.TerritoryRules
	rules := demoRules(tb)
	for i, cell := range divide(slices.Clone(c.seeds), box, territories) {
		code := fmt.Sprintf("%02d", i+1)
		c.Territories = append(c.Territories, zoning.Territory{ID: int64(i + 1), Code: code, Geometry: warped(cell, 20000/territories+2000)})
		sets = append(sets, zoning.TerritoryRules{Territory: code, Rules: rules})
	}
	c.rules = zoning.NewRules(sets)
	c.addZones(tb, random, communes/2)
	c.addMasts(random, communes*20)
	return c
}

func makeSeeds(random *rand.Rand, box orb.Bound, n int) []orb.Point {
	within := func() orb.Point {
		return orb.Point{box.Min[0] + (box.Max[0]-box.Min[0])*random.Float64(), box.Min[1] + (box.Max[1]-box.Min[1])*random.Float64()}
	}
	cities := make([]orb.Point, max(1, cityCount*n/10000))
	for i := range cities {
		cities[i] = within()
	}
	seeds := make([]orb.Point, n)
	for i := range seeds {
		seeds[i] = within()
		if random.Float64() < 0.6 {
			city := cities[int(float64(len(cities))*math.Pow(random.Float64(), 2))]
			r := 0.1 + 0.35*random.Float64()
			seeds[i] = clamped(orb.Point{city[0] + r*random.NormFloat64(), city[1] + r*random.NormFloat64()}, box)
		}
	}
	return seeds
}

func clamped(p orb.Point, box orb.Bound) orb.Point {
	const margin = 0.05
	return orb.Point{max(box.Min[0]+margin, min(p[0], box.Max[0]-margin)), max(box.Min[1]+margin, min(p[1], box.Max[1]-margin))}
}

// divide cuts the box into n cells that hold alike many seeds.
func divide(seeds []orb.Point, box orb.Bound, n int) []orb.Bound {
	if n == 1 {
		return []orb.Bound{box}
	}
	axis := 0
	if box.Max[1]-box.Min[1] > box.Max[0]-box.Min[0] {
		axis = 1
	}
	slices.SortFunc(seeds, func(a, b orb.Point) int {
		return int(math.Copysign(1, a[axis]-b[axis]))
	})
	cut := n / 2 * len(seeds) / n
	low, high := box, box
	at := (seeds[max(0, cut-1)][axis] + seeds[min(cut, len(seeds)-1)][axis]) / 2
	at = max(box.Min[axis]+(box.Max[axis]-box.Min[axis])*0.1, min(at, box.Max[axis]-(box.Max[axis]-box.Min[axis])*0.1))
	low.Max[axis], high.Min[axis] = at, at
	return append(divide(seeds[:cut], low, n/2), divide(seeds[cut:], high, n-n/2)...)
}

// warped draws a cell with ragged edges that its neighbours share: the whole country
// is bent by waves that are never so steep that it would fold.
func warped(cell orb.Bound, verticesPerSide int) orb.MultiPolygon {
	corners := []orb.Point{cell.Min, {cell.Max[0], cell.Min[1]}, cell.Max, {cell.Min[0], cell.Max[1]}}
	var ring orb.Ring
	for i, a := range corners {
		b := corners[(i+1)%4]
		for k := range verticesPerSide {
			t := float64(k) / float64(verticesPerSide)
			ring = append(ring, bent(orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])}))
		}
	}
	return orb.MultiPolygon{{append(ring, ring[0])}}
}

func bent(p orb.Point) orb.Point {
	out := p
	for _, length := range []float64{0.4, 0.07, 0.012} {
		f := 2 * math.Pi / length
		out[0] += 0.25 / f * math.Sin(f*p[1]+p[0])
		out[1] += 0.25 / f * math.Sin(f*p[0]+1.3*p[1])
	}
	return out
}

func (c *country) addZones(tb testing.TB, random *rand.Rand, n int) {
	period := geo.Period{From: day(tb, "2016-01-01")}
	for id := range int64(n) {
		class := []string{"a", "b", "d", "dd"}[random.Intn(4)]
		at := c.seeds[random.Intn(len(c.seeds))]
		r, m := 0.004+0.09*math.Pow(random.Float64(), 3), 50+random.Intn(450)
		u, v := 2*math.Pi*random.Float64(), 2*math.Pi*random.Float64()
		var ring orb.Ring
		for i := range m {
			a := 2 * math.Pi * float64(i) / float64(m)
			f := r * (1 + 0.22*math.Sin(3*a+u) + 0.12*math.Sin(7*a+v) + 0.02*(2*random.Float64()-1))
			ring = append(ring, orb.Point{at[0] + f*math.Cos(a), at[1] + f*math.Sin(a)})
		}
		c.Zones = append(c.Zones, zoning.Zone{Collection: "mast_zones", ID: id + 1, Code: fmt.Sprint("Z-", id), Class: class,
			Geometry: orb.MultiPolygon{{append(ring, ring[0])}}, Period: period})
	}
}

func (c *country) addMasts(random *rand.Rand, n int) {
	operators := []string{"VNPT", "VIETTEL", "MOBIFONE", "VIETNAMOBILE", "GTEL"}
	for id := range int64(n) {
		at := c.seeds[random.Intn(len(c.seeds))]
		spread := -0.03 * math.Log(1e-9+random.Float64())
		if random.Float64() > 0.75 {
			spread = 0.5
		}
		m := zoning.Mast{Collection: "bts_sites", ID: id + 1, Code: fmt.Sprintf("BTS-%06d", id),
			Point:    orb.Point{at[0] + spread*random.NormFloat64(), at[1] + spread*random.NormFloat64()},
			MastType: geo.MastTypes()[int(4*math.Pow(random.Float64(), 1.5))], Status: []string{"existing", "existing", "existing", "planned", "approved", "retired"}[random.Intn(6)]}
		k := random.Intn(5)
		m.Operators = append(m.Operators, operators[k])
		if random.Intn(8) < 2 {
			m.Operators = append(m.Operators, operators[(k+1)%5])
		}
		c.Masts = append(c.Masts, m)
	}
}

// probes are proposals within a kilometre or so of a mast, of every type.
func (c *country) probes(tb testing.TB, n int) []zoning.Proposal {
	random := rand.New(rand.NewSource(7))
	kinds := make([]zoning.Proposal, 4)
	for i, t := range geo.MastTypes() {
		kinds[i] = proposalOf(tb, t)
	}
	out := make([]zoning.Proposal, n)
	for i := range out {
		near := c.Masts[random.Intn(len(c.Masts))].Point
		out[i] = kinds[random.Intn(4)]
		out[i].Point = orb.Point{near[0] + 0.006*(2*random.Float64()-1), near[1] + 0.006*(2*random.Float64()-1)}
	}
	return out
}

// sizes are a quarter of a nation, a nation, and four of them.
var sizes = []struct {
	name     string
	communes int
}{{"1x", 2500}, {"4x", 10000}, {"16x", 40000}}

func benchmarkScene(b *testing.B, ask func(*zoning.Scene, *zoning.Rules, zoning.Proposal)) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			c := newCountry(b, size.communes, cityCount)
			scene, probes := zoning.NewScene(c.SceneData), c.probes(b, 1<<17)
			rules := c.rules
			c = country{}
			runtime.GC()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				ask(scene, rules, probes[i&(1<<17-1)])
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
		})
	}
}

// BenchmarkSceneVerdict, Findings and Check ask all over countries of 1, 4 and 16
// times the size: the work is the same, what grows is the time for memory.
func BenchmarkSceneVerdict(b *testing.B) {
	benchmarkScene(b, func(s *zoning.Scene, r *zoning.Rules, p zoning.Proposal) { s.Verdict(r, p) })
}

func BenchmarkSceneFindings(b *testing.B) {
	benchmarkScene(b, func(s *zoning.Scene, r *zoning.Rules, p zoning.Proposal) { s.Findings(r, p) })
}

func BenchmarkSceneCheck(b *testing.B) {
	benchmarkScene(b, func(s *zoning.Scene, r *zoning.Rules, p zoning.Proposal) { s.Check(r, p) })
}

// BenchmarkSceneEdit moves one mast, or changes one zone, of a nation.
func BenchmarkSceneEdit(b *testing.B) {
	c := newCountry(b, 10000, cityCount)
	scene := zoning.NewScene(c.SceneData)
	for name, edit := range map[string]func(i int) zoning.Changes{
		"mast": func(i int) zoning.Changes {
			return zoning.Changes{Came: zoning.SceneData{Masts: c.Masts[i%len(c.Masts):][:1]}}
		},
		"zone": func(i int) zoning.Changes {
			return zoning.Changes{Came: zoning.SceneData{Zones: c.Zones[i%len(c.Zones):][:1]}}
		},
		"commune": func(i int) zoning.Changes {
			return zoning.Changes{Came: zoning.SceneData{Communes: c.Communes[i%len(c.Communes):][:1]}}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				scene.With(edit(i * 977))
				i++
			}
		})
		b.Run(name+" upon others", func(b *testing.B) {
			b.ReportAllocs()
			i, edited := 0, scene
			for b.Loop() {
				edited = edited.With(edit(i * 977))
				i++
			}
		})
	}
}

// BenchmarkNewScene makes the scene of a nation and of the surroundings of one place,
// and says what it holds in memory: rows, shapes and all.
func BenchmarkNewScene(b *testing.B) {
	for _, size := range []struct {
		name     string
		communes int
	}{{"nation", 10000}, {"few rows", 2}} {
		b.Run(size.name, func(b *testing.B) {
			before := heapInUse()
			c := newCountry(b, size.communes, max(1, size.communes*cityCount/10000))
			if size.communes < 100 {
				c.Territories[0].Geometry = warped(orb.Bound{Min: orb.Point{101, 8}, Max: orb.Point{103, 10}}, 2500)
			}
			vertices := 0
			for _, u := range c.Communes {
				vertices += len(u.Geometry[0][0])
			}
			for _, z := range c.Zones {
				vertices += len(z.Geometry[0][0])
			}
			var scene *zoning.Scene
			for b.Loop() {
				scene = zoning.NewScene(c.SceneData)
			}
			held := heapInUse() - before
			b.ReportMetric(float64(held)/(1<<20), "MiB")
			b.ReportMetric(float64(held)/float64(vertices), "B/vertex")
			runtime.KeepAlive(scene)
			runtime.KeepAlive(c)
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
