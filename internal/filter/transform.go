package filter

// System is a coordinate reference system in which a filter's geometries are written.
type System struct {
	LatFirst bool // the authority puts latitude, or northing, first
	Straight bool // degrees on WGS 84: boxes stay boxes
	// Inverse turns x, y into longitude, latitude on WGS 84.
	Inverse func(x, y float64) (lon, lat float64, err error)
}

// cuts is in how many pieces a side of a box is cut that becomes a curve.
const cuts = 32

// Transform returns the tree with every geometric literal on WGS 84, longitude first; the
// rest is shared with e. It returns an *Error of every literal that the system has no
// place for. Lines and polygons are transformed by their vertices; a box becomes a polygon
// unless the system is straight.
func Transform(e Expr, s System) (Expr, error) {
	t := &transformer{System: s}
	e = t.expr(e)
	return e, t.err()
}

type transformer struct {
	faults
	System
}

func (t *transformer) expr(e Expr) Expr {
	switch e := e.(type) {
	case *Call:
		return &Call{e.At, e.Op, t.all(e.Args)}
	case *List:
		return &List{e.At, t.all(e.Items)}
	case *Geometry:
		return t.geometry(e)
	case *Box:
		return t.box(e)
	}
	return e
}

func (t *transformer) all(list []Expr) []Expr {
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = t.expr(e)
	}
	return out
}

func (t *transformer) geometry(g *Geometry) *Geometry {
	out := &Geometry{At: g.At, Kind: g.Kind, Z: g.Z, Parts: make([][][]Position, len(g.Parts))}
	for _, m := range g.Members {
		out.Members = append(out.Members, t.geometry(m))
	}
	before := len(t.faults)
	for i, part := range g.Parts {
		for _, ring := range part {
			line := make([]Position, len(ring))
			for k, p := range ring {
				line[k] = t.position(g.At, t.ordered(p), before)
			}
			out.Parts[i] = append(out.Parts[i], line)
		}
	}
	return out
}

// ordered puts x first.
func (t *transformer) ordered(p Position) Position {
	if t.LatFirst {
		p[0], p[1] = p[1], p[0]
	}
	return p
}

// position transforms x, y; a literal has one fault at most.
func (t *transformer) position(at Place, p Position, before int) Position {
	lon, lat, err := t.Inverse(p[0], p[1])
	if err != nil && len(t.faults) == before {
		t.add(OutOfRange, at, "toạ độ %v %v ngoài phạm vi của hệ toạ độ", "the position %v %v is outside the domain of the reference system", p[0], p[1])
	}
	return Position{lon, lat, p[2]}
}

func (t *transformer) box(e *Box) Expr {
	low, high := t.ordered(e.Min), t.ordered(e.Max)
	if t.Straight {
		return &Box{e.At, e.Z, low, high}
	}
	if low[0] >= high[0] || low[1] >= high[1] {
		t.add(OutOfRange, e.At, "các cạnh của BBOX sai thứ tự", "the edges of the BBOX are out of order")
		return e
	}
	corners := []Position{low, {high[0], low[1]}, high, {low[0], high[1]}, low}
	var ring []Position
	before := len(t.faults)
	for i, to := range corners[1:] {
		from := corners[i]
		for k := range cuts {
			share := float64(k) / cuts
			ring = append(ring, t.position(e.At, Position{from[0] + share*(to[0]-from[0]), from[1] + share*(to[1]-from[1])}, before))
		}
	}
	ring = append(ring, ring[0])
	return &Geometry{At: e.At, Kind: "Polygon", Parts: [][][]Position{{ring}}}
}
