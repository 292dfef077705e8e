package filter

import (
	"encoding/binary"
	"math"
)

// worldSlack is by how much a coordinate may exceed the world, degrees.
const worldSlack = 1e-9

// maxCrossings is how often the edges of polygons may cross: each crossing becomes a
// vertex when the database repairs the polygon.
const maxCrossings = 1000

// geometry checks the coordinates of a literal, which by now are longitude, latitude.
func (c *checker) geometry(g *Geometry) Kind {
	for _, m := range g.Members {
		c.geometry(m)
	}
	for _, part := range g.Parts {
		for _, ring := range part {
			still := len(ring) > 1
			for _, p := range ring {
				if !c.onEarth(g.At, p) {
					return KindGeometry
				}
				still = still && p[0] == ring[0][0] && p[1] == ring[0][1]
			}
			if still && g.Kind != "MultiPoint" {
				c.add(OutOfRange, g.At, "đường hoặc vòng không có chiều dài", "a line or ring has no length")
			}
		}
		if dimension(g.Kind) == 2 && crossings(part) > maxCrossings {
			c.add(OutOfRange, g.At, "các cạnh của vùng cắt nhau hơn %d lần", "the edges of the polygon cross more than %d times", maxCrossings)
		}
	}
	return KindGeometry
}

func (c *checker) onEarth(at Place, p Position) bool {
	if math.Abs(p[0]) <= 180+worldSlack && math.Abs(p[1]) <= 90+worldSlack {
		return true
	}
	c.add(OutOfRange, at, "toạ độ %v %v ngoài kinh độ ±180, vĩ độ ±90", "the position %v %v is outside longitude ±180, latitude ±90", p[0], p[1])
	return false
}

func (c *checker) box(e *Box) Kind {
	if c.onEarth(e.At, e.Min) && c.onEarth(e.At, e.Max) && e.Min[1] > e.Max[1] {
		c.add(OutOfRange, e.At, "cạnh dưới của BBOX nằm trên cạnh trên", "the lower edge of the BBOX is above its upper edge")
	}
	return KindGeometry
}

// mixed refuses collections of several dimensions where the database compares none.
func (c *checker) mixed(op string, e Expr) {
	if g, ok := e.(*Geometry); ok && op != "s_intersects" && op != "s_disjoint" && g.dimension() < 0 {
		c.add(WrongType, g.At, "tập hợp trộn điểm, đường và vùng chỉ dùng với S_INTERSECTS và S_DISJOINT",
			"a collection that mixes points, lines and polygons goes with S_INTERSECTS and S_DISJOINT only")
	}
}

func dimension(kind string) int {
	switch kind {
	case "Point", "MultiPoint":
		return 0
	case "LineString", "MultiLineString":
		return 1
	default:
		return 2
	}
}

// dimension is the one of all members, -1 where they differ.
func (g *Geometry) dimension() int {
	if g.Kind != "GeometryCollection" {
		return dimension(g.Kind)
	}
	d := g.Members[0].dimension()
	for _, m := range g.Members {
		if m.dimension() != d {
			return -1
		}
	}
	return d
}

// crossings counts the pairs of edges of a polygon that cross, until there are too many.
func crossings(rings [][]Position) int {
	var edges [][2]Position
	for _, ring := range rings {
		for i := 1; i < len(ring); i++ {
			edges = append(edges, [2]Position{ring[i-1], ring[i]})
		}
	}
	n := 0
	for i, a := range edges {
		for _, b := range edges[:i] {
			if cross(a, b) {
				if n++; n > maxCrossings {
					return n
				}
			}
		}
	}
	return n
}

// cross reports whether two edges meet elsewhere than at ends that they share.
func cross(a, b [2]Position) bool {
	for axis := range 2 {
		if max(a[0][axis], a[1][axis]) < min(b[0][axis], b[1][axis]) || max(b[0][axis], b[1][axis]) < min(a[0][axis], a[1][axis]) {
			return false
		}
	}
	for _, p := range a {
		if same2(p, b[0]) || same2(p, b[1]) {
			return false
		}
	}
	return side(a, b[0])*side(a, b[1]) <= 0 && side(b, a[0])*side(b, a[1]) <= 0
}

func same2(p, q Position) bool { return p[0] == q[0] && p[1] == q[1] }

// side is on which side of an edge a position lies: -1, 0 or 1.
func side(e [2]Position, p Position) float64 {
	d := (e[1][0]-e[0][0])*(p[1]-e[0][1]) - (e[1][1]-e[0][1])*(p[0]-e[0][0])
	switch {
	case d > 0:
		return 1
	case d < 0:
		return -1
	}
	return 0
}

// outline is the box as a geometry: a point or a line where it has no area, two
// rectangles where it crosses the antimeridian.
func (e *Box) outline() *Geometry {
	w, s, east, n := e.Min[0], e.Min[1], e.Max[0], e.Max[1]
	switch {
	case w > east:
		part := func(w, east float64) *Geometry { return (&Box{Min: Position{w, s}, Max: Position{east, n}}).outline() }
		both := part(w, 180).and(part(-180, east))
		if both.dimension() < 0 { // one side of the antimeridian is a line on it
			return part(min(w, 180-worldSlack), 180).and(part(-180, max(east, worldSlack-180)))
		}
		return both
	case w == east && s == n:
		return &Geometry{Kind: "Point", Parts: [][][]Position{{{{w, s}}}}}
	case w == east || s == n:
		return &Geometry{Kind: "LineString", Parts: [][][]Position{{{{w, s}, {east, n}}}}}
	}
	return &Geometry{Kind: "Polygon", Parts: [][][]Position{{{{w, s}, {east, s}, {east, n}, {w, n}, {w, s}}}}}
}

// and collects two geometries.
func (g *Geometry) and(other *Geometry) *Geometry {
	return &Geometry{Kind: "GeometryCollection", Members: []*Geometry{g, other}}
}

// Kinds of geometry in well-known binary.
const (
	wkbPoint = iota + 1
	wkbLine
	wkbPolygon
	wkbMultiPoint
	wkbMultiLine
	_
	wkbCollection
)

// wkb writes a geometry as flat well-known binary. A MultiPolygon becomes a collection:
// its parts are repaired one by one and then united, however they overlap.
func wkb(b []byte, g *Geometry) []byte {
	var flat []Position // of the first part
	for _, ring := range g.Parts {
		flat = append(flat, ring[0]...)
		break
	}
	switch g.Kind {
	case "Point":
		return appendPosition(head(b, wkbPoint), flat[0])
	case "LineString":
		return appendRing(head(b, wkbLine), flat)
	case "MultiPoint":
		b = appendCount(head(b, wkbMultiPoint), len(flat))
		for _, p := range flat {
			b = appendPosition(head(b, wkbPoint), p)
		}
		return b
	case "MultiLineString":
		b = appendCount(head(b, wkbMultiLine), len(g.Parts[0]))
		for _, line := range g.Parts[0] {
			b = appendRing(head(b, wkbLine), line)
		}
		return b
	case "Polygon":
		return appendPolygon(b, g.Parts[0])
	case "MultiPolygon":
		b = appendCount(head(b, wkbCollection), len(g.Parts))
		for _, part := range g.Parts {
			b = appendPolygon(b, part)
		}
		return b
	}
	b = appendCount(head(b, wkbCollection), len(g.Members))
	for _, m := range g.Members {
		b = wkb(b, m)
	}
	return b
}

func head(b []byte, kind uint32) []byte { return binary.LittleEndian.AppendUint32(append(b, 1), kind) }

func appendCount(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(n)) }

func appendPosition(b []byte, p Position) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p[0]))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(p[1]))
}

func appendRing(b []byte, ring []Position) []byte {
	b = appendCount(b, len(ring))
	for _, p := range ring {
		b = appendPosition(b, p)
	}
	return b
}

func appendPolygon(b []byte, rings [][]Position) []byte {
	b = appendCount(head(b, wkbPolygon), len(rings))
	for _, ring := range rings {
		b = appendRing(b, ring)
	}
	return b
}
