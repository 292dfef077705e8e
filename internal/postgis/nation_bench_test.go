package postgis_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/coverage"
	"hatang/geo/sharing"
	"hatang/geo/zoning"
	"hatang/internal/testdb"
)

// onAllProcessors calls work with equal shares of 0 to n.
func onAllProcessors(n int, work func(from, to int)) {
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() { work(n*i/workers, n*(i+1)/workers) })
	}
	wait.Wait()
}

// assign finds the commune of each site, and the checksum that the peer's SQL makes.
func assign(index *geo.Index, sites []nationSite) (assigned, checksum int64) {
	var count, sum atomic.Int64
	onAllProcessors(len(sites), func(from, to int) {
		n, s := int64(0), int64(0)
		for i := from; i < to; i++ {
			if at, ok := index.First(sites[i].point); ok {
				n++
				s += int64(at+1) * (sites[i].id % 97)
			}
		}
		count.Add(n)
		sum.Add(s)
	})
	return count.Load(), sum.Load()
}

// BenchmarkNationalAssign finds the communes of all sites, on all processors; the
// peer's way is an indexed join. Both have their index. They must agree.
func BenchmarkNationalAssign(b *testing.B) {
	n := openNation(b, 1)
	sites, index := n.sites(b), geo.NewIndex(n.units(b, "communes"))
	var ours, theirs [2]int64
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			ours[0], ours[1] = assign(index, sites)
		}
	})
	b.Run("peer", func(b *testing.B) {
		sql := testdb.BenchSQL(b, "04_assign.sql")
		for b.Loop() {
			if err := n.peer.QueryRow(context.Background(), sql).Scan(&theirs[0], &theirs[1]); err != nil {
				b.Fatal(err)
			}
		}
	})
	if ours[0]*theirs[0] != 0 && ours != theirs {
		b.Errorf("assigned and checksum: ours %v, the peer's %v", ours, theirs)
	}
}

// indicators are what the peer's statement about all districts gives.
type indicators struct {
	districts, sites          int
	meanRadiusM               float64
	coveredShare, sharedShare float64
}

// measure computes the indicators from shapes and points alone: the index of the
// districts is made on the way.
func measure(tb testing.TB, districts []orb.MultiPolygon, sites []nationSite) indicators {
	index := geo.NewIndex(districts)
	discs := make([]coverage.Disc, 0, len(sites))
	perSite := make([][]int, len(districts))
	var everywhere []int
	for _, s := range sites {
		discs = append(discs, coverage.Disc{Center: s.point, RadiusM: 2000})
		if at, ok := index.First(s.point); ok {
			perSite[at] = append(perSite[at], s.operators)
			everywhere = append(everywhere, s.operators)
		}
	}
	covered, err := coverage.CoveredMany(districts, discs)
	if err != nil {
		tb.Fatal(err)
	}
	out := indicators{districts: len(districts), sites: len(everywhere)}
	areaM2, coveredM2, withSites := 0.0, 0.0, 0
	for i, c := range covered {
		areaM2 += c.AreaM2
		coveredM2 += c.CoveredM2
		if count := len(perSite[i]); count > 0 {
			out.meanRadiusM += math.Sqrt(c.AreaM2 / (math.Pi * float64(count)))
			withSites++
		}
	}
	out.meanRadiusM /= float64(withSites)
	out.coveredShare = coveredM2 / areaM2
	shared := sharing.CountOperators(everywhere)
	out.sharedShare = float64(shared.SharedSites) / float64(shared.Sites)
	return out
}

// agree compares the indicators with the peer's. Counts are the same; its areas are
// those of one UTM zone, stretched by up to 0.5 % in the east, and its discs have 32
// corners, 0.6 % less than a circle.
func (ours indicators) agree(theirs indicators) bool {
	near := func(a, b, share float64) bool { return math.Abs(a/b-1) < share }
	return ours.districts == theirs.districts && ours.sites == theirs.sites &&
		near(ours.sharedShare, theirs.sharedShare, 2e-6) &&
		near(ours.meanRadiusM, theirs.meanRadiusM, 0.005) && near(ours.coveredShare, theirs.coveredShare, 0.01)
}

// BenchmarkNationalIndicators measures all districts: sites, mean radius, share
// covered by discs of 2 km about the operating sites, share of shared sites. The
// peer's way is one SQL statement.
func BenchmarkNationalIndicators(b *testing.B) {
	n := openNation(b, 1)
	districts, all := n.units(b, "districts"), n.sites(b)
	operating := slices.DeleteFunc(slices.Clone(all), func(s nationSite) bool { return !s.operating })
	var ours, theirs indicators
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			ours = measure(b, districts, operating)
		}
	})
	b.Run("peer", func(b *testing.B) {
		sql := testdb.BenchSQL(b, "03_indicators.sql")
		for b.Loop() {
			err := n.peer.QueryRow(context.Background(), sql).Scan(&theirs.districts, &theirs.sites, &theirs.meanRadiusM, &theirs.coveredShare, &theirs.sharedShare)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	if ours.sites*theirs.sites != 0 && !ours.agree(theirs) {
		b.Errorf("ours %+v, the peer's %+v", ours, theirs)
	}
	b.Run("all_200000_discs", func(b *testing.B) {
		for b.Loop() {
			measure(b, districts, all)
		}
	})
}

// BenchmarkNationalPlacement asks about the generator's proposals one at a time on
// one processor: the verdict, with findings, with sentences. The peer's way is one
// prepared statement on one connection, which asks less: no special areas, no units.
func BenchmarkNationalPlacement(b *testing.B) {
	n := openNation(b, 1)
	facts := n.facts(b)
	rules, scene, probes := rulesOf(b, facts), zoning.NewScene(facts.SceneData), n.probes(b, 1e5)
	statement := testdb.BenchSQL(b, "05_placement.sql")
	peer := func(b *testing.B) {
		ask := preparePlacement(b, n.peer, statement)
		for i := range 10000 { // until the database has in memory what it reads
			ask(1 + i*6007%len(probes))
		}
		i := 0
		for b.Loop() {
			ask(1 + i*7919%len(probes))
			i++
		}
		perSecond(b, 1, "checks/s")
	}
	for _, way := range []struct {
		name string
		ask  func(zoning.Proposal)
	}{
		{"verdict", func(p zoning.Proposal) { scene.Verdict(rules, p) }},
		{"findings", func(p zoning.Proposal) { scene.Findings(rules, p) }},
		{"sentences", func(p zoning.Proposal) { scene.Check(rules, p) }},
	} {
		b.Run(way.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				way.ask(probes[i*7919%len(probes)])
				i++
			}
			perSecond(b, 1, "checks/s")
		})
		b.Run(way.name+"/peer", peer)
	}
}

// preparePlacement prepares the peer's check; the call asks about one probe.
func preparePlacement(b *testing.B, conn *pgx.Conn, statement string) func(probe int) {
	b.Helper()
	sql := strings.Replace(statement, "= :i", "= $1", 1)
	if _, err := conn.Prepare(context.Background(), "placement", sql); err != nil {
		b.Fatal(err)
	}
	var zone, near *int64
	var kind *string
	var maxHeight, nearM *float64
	var heightOK *bool
	var share []int64
	return func(probe int) {
		if err := conn.QueryRow(context.Background(), "placement", probe).Scan(&zone, &kind, &maxHeight, &heightOK, &near, &nearM, &share); err != nil {
			b.Fatal(err)
		}
	}
}

// perSecond reports how many things were done a second.
func perSecond(b *testing.B, each int, unit string) {
	b.ReportMetric(float64(b.N)*float64(each)/b.Elapsed().Seconds(), unit)
}

// BenchmarkNationalSnapshot reads the whole register and prepares it; what it then
// holds in memory is reported. A fiftieth of the nation is a province.
func BenchmarkNationalSnapshot(b *testing.B) {
	for _, size := range []struct {
		name  string
		parts int
	}{{"nation", 1}, {"province", 50}} {
		n := openNation(b, size.parts)
		b.Run(size.name, func(b *testing.B) {
			before := heapBytes()
			var heap uint64
			for b.Loop() {
				s := n.snapshot(b)
				b.StopTimer()
				heap = heapBytes() - before
				runtime.KeepAlive(s)
				b.StartTimer()
			}
			b.ReportMetric(float64(heap)/(1<<20), "MiB")
		})
	}
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkNationalEdit applies one changed row to the nation's scene.
func BenchmarkNationalEdit(b *testing.B) {
	data := openNation(b, 1).facts(b).SceneData
	scene := zoning.NewScene(data)
	for _, edit := range []struct {
		name string
		came func(i int) zoning.SceneData
	}{
		{"mast", func(i int) zoning.SceneData {
			m := data.Masts[i%len(data.Masts)]
			m.Point[0] += 1e-4
			return zoning.SceneData{Masts: []zoning.Mast{m}}
		}},
		{"zone", func(i int) zoning.SceneData {
			z := data.Zones[i%len(data.Zones)]
			z.Class = "a"
			return zoning.SceneData{Zones: []zoning.Zone{z}}
		}},
		{"commune", func(i int) zoning.SceneData {
			c := data.Communes[i%len(data.Communes)]
			c.Urban = !c.Urban
			return zoning.SceneData{Communes: []zoning.Commune{c}}
		}},
	} {
		b.Run(edit.name, func(b *testing.B) {
			current := scene
			i := 0
			for b.Loop() {
				current = current.With(zoning.Changes{Came: edit.came(i * 7919)})
				i++
			}
		})
	}
}

// BenchmarkNationalGrowth repeats the work on the westernmost sixteenth and quarter
// of the nation and on the whole: 1, 4 and 16 times the same, at the same density.
// The time for each point, check or disc is what may grow.
func BenchmarkNationalGrowth(b *testing.B) {
	n := openNation(b, 1)
	facts, sites, districts := n.facts(b), n.sites(b), n.units(b, "districts")
	rules, probes := rulesOf(b, facts), n.probes(b, 1e5)
	for _, times := range []int{1, 4, 16} {
		east := eastEdge(sites, times)
		west := func(p orb.Point) bool { return p[0] <= east }
		data := westOf(facts.SceneData, west)
		these := keep(sites, func(s nationSite) bool { return west(s.point) })
		asked := keep(probes, func(p zoning.Proposal) bool { return west(p.Point) })
		name := fmt.Sprintf("%dx/", times)
		b.Run(name+"assign", func(b *testing.B) {
			communes := make([]orb.MultiPolygon, len(data.Communes))
			for i, c := range data.Communes {
				communes[i] = c.Geometry
			}
			index := geo.NewIndex(communes)
			for b.Loop() {
				assign(index, these)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(these)), "ns/point")
		})
		b.Run(name+"covered", func(b *testing.B) {
			units := keep(districts, func(mp orb.MultiPolygon) bool { return west(mp.Bound().Min) })
			for b.Loop() {
				measure(b, units, these)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(these)), "ns/disc")
		})
		var scene *zoning.Scene
		b.Run(name+"scene", func(b *testing.B) {
			for b.Loop() {
				scene = zoning.NewScene(data)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(these)), "ns/mast")
		})
		b.Run(name+"verdict", func(b *testing.B) {
			i := 0
			for b.Loop() {
				scene.Verdict(rules, asked[i*7919%len(asked)])
				i++
			}
			perSecond(b, 1, "checks/s")
		})
	}
}

// eastEdge is the longitude west of which lies times/16 of the sites.
func eastEdge(sites []nationSite, times int) float64 {
	lons := make([]float64, len(sites))
	for i, s := range sites {
		lons[i] = s.point[0]
	}
	slices.Sort(lons)
	return lons[len(lons)*times/16-1]
}

func westOf(d zoning.SceneData, west func(orb.Point) bool) zoning.SceneData {
	return zoning.SceneData{
		Territories: d.Territories, Areas: d.Areas, Withheld: d.Withheld,
		Communes: keep(d.Communes, func(c zoning.Commune) bool { return west(c.Geometry.Bound().Min) }),
		Zones:    keep(d.Zones, func(z zoning.Zone) bool { return west(z.Geometry.Bound().Min) }),
		Masts:    keep(d.Masts, func(m zoning.Mast) bool { return west(m.Point) }),
	}
}

func keep[T any](all []T, which func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !which(x) })
}
