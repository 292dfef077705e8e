package geo

import "github.com/paulmach/orb"

// bands sorts an area's edges into equal bands of latitude, each edge in every band
// it meets, so that a point's ray meets only a few. It is used to make an Index, for
// one area after the other, keeping its room.
type bands struct {
	bound   orb.Bound
	perUnit float64 // bands per degree
	start   []int32 // start[i]:start[i+1] are band i's edges
	filed   []int32 // numbers of edges
	edges   []edge
}

func (x *bands) fill(edges []edge, bound orb.Bound) {
	x.edges, x.bound, x.perUnit = edges, bound, 0
	count := min(max(len(edges)/2, 1), 1<<14)
	if height := bound.Max[1] - bound.Min[1]; height > 0 {
		x.perUnit = float64(count) / height
	}
	x.start = append(x.start[:0], make([]int32, count+2)...)
	for _, e := range edges {
		for i, last := x.span(e); i <= last; i++ {
			x.start[i+2]++
		}
	}
	for i := range count {
		x.start[i+2] += x.start[i+1]
	}
	x.filed = append(x.filed[:0], make([]int32, x.start[count+1])...)
	for n, e := range edges {
		for i, last := x.span(e); i <= last; i++ {
			x.filed[x.start[i+1]] = int32(n)
			x.start[i+1]++
		}
	}
}

// span gives the first and last band an edge meets.
func (x *bands) span(e edge) (first, last int) {
	return x.band(min(e.a[1], e.b[1])), x.band(max(e.a[1], e.b[1]))
}

func (x *bands) band(lat float64) int {
	return cell((lat-x.bound.Min[1])*x.perUnit, len(x.start)-2)
}

// holds reports whether p, which lies in the area's box, is inside the area and
// whether it is on an edge.
func (x *bands) holds(p orb.Point) (inside, on bool) {
	i := x.band(p[1])
	for _, n := range x.filed[x.start[i]:x.start[i+1]] {
		e := &x.edges[n]
		crosses, touches := ray(e.a, e.b, p)
		if touches {
			return true, true
		}
		inside = inside != crosses
	}
	return inside, false
}
