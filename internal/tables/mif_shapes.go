package tables

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/twpayne/go-geom"

	"hatang/internal/layer"
)

// mifShapes runs over the geometries of a .mif.
type mifShapes struct {
	*lineReader
	transform [4]float64
	words     []string // of the line that has been begun
}

// shapes begins behind the head.
func (m *mif) shapes(ctx context.Context) (*mifShapes, error) {
	r, err := m.mif.lines(ctx)
	if err != nil {
		return nil, err
	}
	for {
		line, err := r.next()
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		if strings.EqualFold(strings.TrimSpace(line), "data") {
			return &mifShapes{lineReader: r, transform: m.transform}, nil
		}
	}
}

// next reads the next geometry; io.EOF after the last. Lines that begin with no kind of
// geometry say how it is drawn. The fault is the geometry's own.
func (s *mifShapes) next() (b *builder, fault, err error) {
	b = &builder{}
	for {
		line, err := s.lineReader.next()
		if err != nil {
			return nil, nil, err
		}
		s.words = strings.Fields(line)
		if len(s.words) == 0 {
			continue
		}
		word := strings.ToLower(s.words[0])
		s.words = s.words[1:]
		known, fault, err := s.shape(b, word)
		if known || err != nil {
			return b, fault, err
		}
	}
}

// shape reads a geometry of the kind that a word names; known is false for other words.
func (s *mifShapes) shape(b *builder, word string) (known bool, fault, err error) {
	switch word {
	case "none":
		return true, nil, nil
	case "point":
		fault, err = s.positions(b, points, 1)
	case "line":
		fault, err = s.positions(b, paths, 2)
		b.path()
	case "pline":
		fault, err = s.pline(b)
	case "region":
		fault, err = s.region(b)
	case "multipoint":
		b.multi = true
		var n int
		if n, err = s.count(); err == nil {
			fault, err = s.positions(b, points, n)
		}
	case "rect", "roundrect":
		fault, err = s.rect(b)
	case "collection":
		fault, err = s.collection(b)
	case "arc", "ellipse", "text":
		fault = layer.Wrong("không đọc đối tượng %s", "objects of the kind %s are not read", word)
	default:
		return false, nil, nil
	}
	return true, fault, err
}

// word returns the next word, of this line or of one below.
func (s *mifShapes) word() (string, error) {
	for len(s.words) == 0 {
		line, err := s.lineReader.next()
		if errors.Is(err, io.EOF) {
			return "", s.broken("MIF")
		}
		if err != nil {
			return "", err
		}
		s.words = strings.Fields(line)
	}
	word := s.words[0]
	s.words = s.words[1:]
	return word, nil
}

// count reads how many there are.
func (s *mifShapes) count() (int, error) {
	word, err := s.word()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 {
		return 0, s.broken("MIF")
	}
	if n > MaxPositions {
		return 0, errTooManyPositions()
	}
	return n, nil
}

// positions reads so many positions of parts of a kind. After a fault the others are read and
// left aside.
func (s *mifShapes) positions(b *builder, kind string, n int) (fault, err error) {
	fault = b.of(kind)
	for range n {
		var xy [2]float64
		for i := range xy {
			word, err := s.word()
			if err != nil {
				return nil, err
			}
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return nil, s.broken("MIF")
			}
			xy[i] = v*s.transform[i] + s.transform[i+2]
		}
		if fault == nil {
			fault = b.position(xy[0], xy[1])
		}
	}
	return fault, nil
}

// pline reads a line, or several.
func (s *mifShapes) pline(b *builder) (fault, err error) {
	sections := 1
	if len(s.words) > 0 && strings.EqualFold(s.words[0], "multiple") {
		s.words = s.words[1:]
		b.multi = true
		if sections, err = s.count(); err != nil {
			return nil, err
		}
	}
	return s.sections(b, paths, sections)
}

// sections reads paths, each with how many positions it has before it.
func (s *mifShapes) sections(b *builder, kind string, n int) (fault, err error) {
	for range n {
		count, err := s.count()
		if err != nil {
			return nil, err
		}
		one, err := s.positions(b, kind, count)
		if err != nil {
			return nil, err
		}
		if b.path(); one != nil {
			fault = one
		}
	}
	return fault, nil
}

// region reads rings, of which nothing says which is whose hole: that is found by what lies
// in what.
func (s *mifShapes) region(b *builder) (fault, err error) {
	n, err := s.count()
	if err != nil {
		return nil, err
	}
	before := len(b.ends)
	if fault, err = s.sections(b, areas, n); err != nil || fault != nil {
		return fault, err
	}
	b.multi = true
	start := 0
	if before > 0 {
		start = b.ends[before-1]
	}
	var ends []int
	for _, end := range b.ends[before:] {
		ends = append(ends, end-start)
	}
	sorted, err := byContainment(geom.XYZ, b.flat[start:], ends)
	if err != nil {
		return err, nil
	}
	b.flat, b.ends = b.flat[:start], b.ends[:before]
	rings := sorted.FlatCoords()
	at := 0
	for _, area := range sorted.Endss() {
		for _, end := range area {
			b.flat = append(b.flat, rings[at:end]...)
			b.path()
			at = end
		}
		b.area()
	}
	return nil, nil
}

// rect reads the opposite corners of a rectangle.
func (s *mifShapes) rect(b *builder) (fault, err error) {
	var corners builder
	if fault, err = s.positions(&corners, points, 2); err != nil || fault != nil {
		return fault, err
	}
	x, y := [2]float64{corners.flat[0], corners.flat[3]}, [2]float64{corners.flat[1], corners.flat[4]}
	fault = b.of(areas)
	for _, corner := range [][2]int{{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}} {
		if fault == nil {
			fault = b.position(x[corner[0]], y[corner[1]])
		}
	}
	b.path()
	b.area()
	s.words = nil // how round its corners are
	return fault, nil
}

// collection reads geometries that are one; they must be of one kind.
func (s *mifShapes) collection(b *builder) (fault, err error) {
	n, err := s.count()
	if err != nil {
		return nil, err
	}
	b.multi = true
	for read := 0; read < n; {
		word, err := s.word()
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(word, "collection") {
			return nil, s.broken("MIF")
		}
		known, one, err := s.shape(b, strings.ToLower(word))
		if err != nil {
			return nil, err
		}
		if one != nil {
			fault = one
		}
		if known {
			read++
		} else {
			s.words = nil // how it is drawn
		}
	}
	return fault, nil
}
