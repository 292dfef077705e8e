package filter

// Limits of a filter; one that is over is refused with the limit's own code.
const (
	MaxTextBytes = 16 << 10 // of CQL2 Text
	MaxJSONBytes = 1 << 20  // of CQL2 JSON, whose geometries are longer
	MaxDepth     = 32       // operators within operators, the innermost literal counted
	MaxNodes     = 1000     // parts; literals behind IN are counted by MaxList instead
	MaxVertices  = 10_000   // positions of all geometric literals
	MaxList      = 1000     // items behind IN
)

// maxNesting bounds the parser's own recursion, parentheses included.
const maxNesting = 4 * MaxDepth

// tally counts a tree.
type tally struct {
	faults
	nodes, vertices int
}

// withinLimits holds a tree against the limits. Cost: one pass.
func withinLimits(e Expr) error {
	var t tally
	if t.count(e) > MaxDepth {
		t.add(TooDeep, e.Place(), "bộ lọc lồng sâu hơn %d tầng", "the filter is nested deeper than %d", MaxDepth)
	}
	if t.nodes > MaxNodes {
		t.add(TooManyNodes, e.Place(), "bộ lọc có hơn %d thành phần", "the filter has more than %d parts", MaxNodes)
	}
	if t.vertices > MaxVertices {
		t.add(TooManyVertices, e.Place(), "các hình trong bộ lọc có hơn %d đỉnh", "the geometries of the filter have more than %d vertices", MaxVertices)
	}
	return t.err()
}

// count counts e and what is below it, and returns its depth.
func (t *tally) count(e Expr) int {
	t.nodes++
	depth := 0
	switch e := e.(type) {
	case *Geometry:
		t.vertices += e.vertices()
	case *Box:
		t.vertices += 2
	case *Call:
		if list, ok := behindIn(e); ok {
			if len(list.Items) > MaxList {
				t.add(ListTooLong, list.At, "danh sách của IN có hơn %d giá trị", "the list of IN has more than %d values", MaxList)
			}
			depth = 1 + t.count(e.Args[0])
			for _, item := range list.Items {
				if !isLiteral(item) {
					depth = max(depth, 1+t.count(item))
				}
			}
			return max(depth, 2)
		}
	}
	for _, c := range children(e) {
		depth = max(depth, t.count(c))
	}
	return depth + 1
}

// behindIn returns the list behind IN.
func behindIn(e *Call) (*List, bool) {
	if e.Op != "in" || len(e.Args) != 2 {
		return nil, false
	}
	list, ok := e.Args[1].(*List)
	return list, ok
}

func (g *Geometry) vertices() int {
	n := 0
	for _, rings := range g.Parts {
		for _, ring := range rings {
			n += len(ring)
		}
	}
	for _, m := range g.Members {
		n += m.vertices()
	}
	return n
}
