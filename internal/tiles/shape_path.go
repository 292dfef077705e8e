package tiles

func addCorner(cells []cell, c cell) []cell {
	for {
		n := len(cells)
		switch {
		case n > 0 && cells[n-1] == c:
			return cells
		case n > 1 && straight(cells[n-2], cells[n-1], c):
			cells = cells[:n-1]
		default:
			return append(cells, c)
		}
	}
}

func straight(a, b, c cell) bool {
	return int64(b.x-a.x)*int64(c.y-b.y) == int64(b.y-a.y)*int64(c.x-b.x)
}

// twiceArea is positive for rings that run clockwise on the screen.
func twiceArea(cells []cell) (sum int64) {
	if len(cells) == 0 {
		return 0
	}
	before := cells[len(cells)-1]
	for _, c := range cells {
		sum += int64(before.x)*int64(c.y) - int64(c.x)*int64(before.y)
		before = c
	}
	return sum
}

func area(ring []pt) (sum float64) {
	for i := range len(ring) - 1 { // the way back to the first adds nothing
		p, next := ring[i], ring[i+1]
		sum += (p.x-ring[0].x)*(next.y-ring[0].y) - (next.x-ring[0].x)*(p.y-ring[0].y)
	}
	return sum / 2
}

// move begins n places or lines.
func (s *shaper) move(n int) { s.out = appendUvarint(s.out, uint64(n)<<3|1) }

// step goes to a place.
func (s *shaper) step(c cell) {
	s.out = appendUvarint(s.out, zigzag(int64(c.x-s.cursor.x)))
	s.out = appendUvarint(s.out, zigzag(int64(c.y-s.cursor.y)))
	s.cursor = c
}

// path draws a line or a ring, whose last place is not its first.
func (s *shaper) path(cells []cell, ring bool) {
	s.move(1)
	s.step(cells[0])
	s.out = appendUvarint(s.out, uint64(len(cells)-1)<<3|2)
	for _, c := range cells[1:] {
		s.step(c)
	}
	if ring {
		s.out = append(s.out, 1<<3|7)
	}
}
