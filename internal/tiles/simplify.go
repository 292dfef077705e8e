package tiles

import "math"

// simplify leaves out places of raw from which the line does not move by more than the
// tolerance (Douglas and Peucker); of a ring at least the place farthest from its first
// stays. Cost: n log n for lines as they are, n² for the worst.
func (s *shaper) simplify(ring bool) {
	n := len(s.raw)
	if n < 3 {
		return
	}
	s.keep = append(s.keep[:0], make([]bool, n)...)
	s.stack = s.stack[:0]
	s.keep[0] = true
	if ring {
		far := s.farthest()
		s.keep[far] = true
		s.stack = append(s.stack, [2]int{0, far}, [2]int{far, n})
	} else {
		s.keep[n-1] = true
		s.stack = append(s.stack, [2]int{0, n - 1})
	}
	for len(s.stack) > 0 {
		span := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if at := s.strays(span[0], span[1]); at > 0 {
			s.keep[at] = true
			s.stack = append(s.stack, [2]int{span[0], at}, [2]int{at, span[1]})
		}
	}
	kept := s.raw[:0]
	for i, p := range s.raw {
		if s.keep[i] {
			kept = append(kept, p)
		}
	}
	s.raw = kept
}

// farthest is the place of raw that lies farthest from its first.
func (s *shaper) farthest() int {
	far, most := 0, -1.0
	for i, p := range s.raw {
		if d := square(p.x-s.raw[0].x) + square(p.y-s.raw[0].y); d > most {
			far, most = i, d
		}
	}
	return far
}

// strays is the place between two that lies farthest from the straight line between
// them, 0 where none lies farther than the tolerance. The end may be len(raw): the first again.
func (s *shaper) strays(from, to int) int {
	a, b := s.raw[from], s.raw[to%len(s.raw)]
	dx, dy := b.x-a.x, b.y-a.y
	length := dx*dx + dy*dy // squared, as all distances here
	at, most := 0, s.tolerance*s.tolerance
	mostAside := most * length
	for i, p := range s.raw[from+1 : to] {
		px, py := p.x-a.x, p.y-a.y
		along := px*dx + py*dy
		if along > 0 && along < length { // beside the line: its area says how far, without a division
			if aside := square(px*dy - py*dx); aside > mostAside {
				at, most, mostAside = from+1+i, aside/length, aside
			}
			continue
		}
		if along > 0 { // behind its end
			px, py = p.x-b.x, p.y-b.y
		}
		if d := px*px + py*py; d > most {
			at, most, mostAside = from+1+i, d, d*length
		}
	}
	return at
}

func square(x float64) float64 { return x * x }

// The edges of what is drawn.
const (
	lowEdge  = -Buffer
	highEdge = Extent + Buffer
)

// clipSegment returns what of a straight line is in the tile and its buffer (Liang and
// Barsky). Ends that are inside come back as they were.
func clipSegment(a, b pt) (pt, pt, bool) {
	from, to := 0.0, 1.0
	dx, dy := b.x-a.x, b.y-a.y
	for _, edge := range [4][2]float64{{-dx, a.x - lowEdge}, {dx, highEdge - a.x}, {-dy, a.y - lowEdge}, {dy, highEdge - a.y}} {
		p, q := edge[0], edge[1]
		switch {
		case p == 0 && q < 0:
			return a, b, false
		case p < 0:
			from = max(from, q/p)
		case p > 0:
			to = min(to, q/p)
		}
	}
	if from > to {
		return a, b, false
	}
	start, end := a, b
	if from > 0 {
		start = pt{a.x + from*dx, a.y + from*dy}
	}
	if to < 1 {
		end = pt{a.x + to*dx, a.y + to*dy}
	}
	return start, end, true
}

// clipRing cuts raw at the four edges, one after the other (Sutherland and Hodgman).
// Parts of a ring that the cutting separates stay joined along the edge of the buffer,
// which is not seen.
func (s *shaper) clipRing() []pt {
	in := s.raw
	low, high := bounds(in)
	if low.x >= lowEdge && low.y >= lowEdge && high.x <= highEdge && high.y <= highEdge {
		return in
	}
	buffers := [2]*[]pt{&s.clipped, &s.spare}
	for edge := range 4 {
		out := (*buffers[edge%2])[:0]
		for i, p := range in {
			next := in[0]
			if i+1 < len(in) {
				next = in[i+1]
			}
			d, e := inside(p, edge), inside(next, edge)
			if d >= 0 {
				out = append(out, p)
			}
			if d >= 0 != (e >= 0) {
				t := d / (d - e)
				out = append(out, pt{p.x + t*(next.x-p.x), p.y + t*(next.y-p.y)})
			}
		}
		*buffers[edge%2] = out
		in = out
	}
	return in
}

// inside is how far a place lies inside an edge; negative outside.
func inside(p pt, edge int) float64 {
	switch edge {
	case 0:
		return p.x - lowEdge
	case 1:
		return highEdge - p.x
	case 2:
		return p.y - lowEdge
	default:
		return highEdge - p.y
	}
}

func zigzag(n int64) uint64 { return uint64(n<<1 ^ n>>63) }

func appendUvarint(dst []byte, n uint64) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// appendDouble appends the eight bytes of a number, the lowest first.
func appendDouble(dst []byte, x float64) []byte {
	n := math.Float64bits(x)
	return append(dst, byte(n), byte(n>>8), byte(n>>16), byte(n>>24), byte(n>>32), byte(n>>40), byte(n>>48), byte(n>>56))
}
