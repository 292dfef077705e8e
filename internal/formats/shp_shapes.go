package formats

import (
	"encoding/binary"
	"io"
	"math"

	geom "github.com/twpayne/go-geom"
)

// shapePart is the rows of one Shapefile on their way.
type shapePart struct {
	code    uint32 // of the kind; 0 for a table alone
	stride  int    // ordinates of a position
	records *spool
	lengths []uint32 // of the records' contents, in words of 16 bits
	words   int64    // of all records
	bounds  box
	heights [2]float64
	placed  bool
	buf     []byte

	values *spool // see dbfColumn.append
	widths []dbfWidth
}

// headerWords is how long the header of a .shp or .shx is, in words of 16 bits.
const headerWords = 50

// add writes a record; nil is a null shape.
func (p *shapePart) add(g geom.T) error {
	if p.code == 0 {
		p.lengths = append(p.lengths, 0) // there is a row
		return nil
	}
	var content []byte
	switch {
	case g == nil:
		content = le32(p.buf[:0], 0)
	case p.code == shapeKinds[ofPoints].code:
		content = leFloats(le32(p.buf[:0], p.code), g.FlatCoords()[:2]...)
	default:
		content = p.lines(g)
	}
	p.buf = content[:0]
	p.note(g)
	p.lengths = append(p.lengths, uint32(len(content)/2))
	p.words += int64(4 + len(content)/2)
	header := binary.BigEndian.AppendUint32(make([]byte, 0, 8), uint32(len(p.lengths)))
	header = binary.BigEndian.AppendUint32(header, uint32(len(content)/2))
	if _, err := p.records.Write(header); err != nil {
		return err
	}
	_, err := p.records.Write(content)
	return err
}

// note keeps the bounds of all shapes.
func (p *shapePart) note(g geom.T) {
	if g == nil {
		return
	}
	b, heights := boxOf(g), heightsOf(g)
	if !p.placed {
		p.bounds, p.heights, p.placed = b, heights, true
		return
	}
	p.bounds = p.bounds.with(b)
	p.heights = [2]float64{min(p.heights[0], heights[0]), max(p.heights[1], heights[1])}
}

// heightsOf are the least and the largest height; zero where there are none.
func heightsOf(g geom.T) (of [2]float64) {
	flat, stride := g.FlatCoords(), g.Stride()
	if stride < 3 {
		return of
	}
	of = [2]float64{flat[2], flat[2]}
	for at := 2; at < len(flat); at += stride {
		of = [2]float64{min(of[0], flat[at]), max(of[1], flat[at])}
	}
	return of
}

// lines writes the content of several points, of lines or areas: bounds, where each part
// begins, positions, then heights.
func (p *shapePart) lines(g geom.T) []byte {
	flat, stride := g.FlatCoords(), g.Stride()
	b := boxOf(g)
	out := leFloats(le32(p.buf[:0], p.code), b.minX, b.minY, b.maxX, b.maxY)
	isPoints := p.code == shapeKinds[ofMultiPoints].code
	ends := partEnds(g)
	if !isPoints {
		out = le32(out, uint32(len(ends)))
	}
	out = le32(out, uint32(len(flat)/stride))
	if isPoints {
		ends = []int{len(flat)}
	} else {
		start := 0
		for _, end := range ends {
			out = le32(out, uint32(start/stride))
			start = end
		}
	}
	order := positionsOrder(ends, stride, p.code == shapeKinds[ofAreas].code)
	for _, at := range order {
		out = leFloats(out, flat[at], flat[at+1])
	}
	if p.stride > 2 {
		heights := heightsOf(g)
		out = leFloats(out, heights[0], heights[1])
		for _, at := range order {
			height := 0.0
			if stride > 2 {
				height = flat[at+2]
			}
			out = leFloats(out, height)
		}
	}
	return out
}

// partEnds is where the parts of a geometry end among its ordinates: lines, rings.
func partEnds(g geom.T) (ends []int) {
	switch g := g.(type) {
	case *geom.LineString:
		return []int{len(g.FlatCoords())}
	case *geom.MultiPolygon:
		for _, of := range g.Endss() {
			ends = append(ends, of...)
		}
		return ends
	}
	return g.Ends()
}

// positionsOrder is where positions begin in the order in which they are written: rings
// are turned round, as theirs run clockwise where ours do not.
func positionsOrder(ends []int, stride int, turned bool) (order []int) {
	start := 0
	for _, end := range ends {
		for at := start; at < end; at += stride {
			if turned {
				order = append(order, start+end-stride-at)
			} else {
				order = append(order, at)
			}
		}
		start = end
	}
	return order
}

// write puts the .shp and the .shx together.
func (p *shapePart) write(z *zipFile, name string) error {
	if 2*(headerWords+p.words) > MaxShapefileBytes {
		return ErrTooLarge
	}
	w, err := z.member(name + ".shp")
	if err != nil {
		return err
	}
	if _, err := w.Write(p.header(headerWords + p.words)); err != nil {
		return err
	}
	records, err := p.records.reader()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, records); err != nil {
		return err
	}
	if w, err = z.member(name + ".shx"); err != nil {
		return err
	}
	index := p.header(headerWords + 4*int64(len(p.lengths)))
	at := uint32(headerWords)
	for _, length := range p.lengths {
		index = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(index, at), length)
		at += 4 + length
		if len(index) >= chunkBytes {
			if _, err := w.Write(index); err != nil {
				return err
			}
			index = index[:0]
		}
	}
	_, err = w.Write(index)
	return err
}

// header is what a file of so many words begins with.
func (p *shapePart) header(words int64) []byte {
	const fileCode, version = 9994, 1000
	b := binary.BigEndian.AppendUint32(nil, fileCode)
	b = append(b, make([]byte, 20)...)
	b = binary.BigEndian.AppendUint32(b, uint32(words))
	b = le32(le32(b, version), p.code)
	b = leFloats(b, p.bounds.minX, p.bounds.minY, p.bounds.maxX, p.bounds.maxY)
	if p.stride > 2 {
		return leFloats(b, p.heights[0], p.heights[1], 0, 0)
	}
	return leFloats(b, 0, 0, 0, 0)
}

func le32(dst []byte, n uint32) []byte { return binary.LittleEndian.AppendUint32(dst, n) }

func leFloats(dst []byte, all ...float64) []byte {
	for _, x := range all {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	return dst
}
