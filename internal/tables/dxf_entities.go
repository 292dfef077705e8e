package tables

import (
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// entity is one of a drawing, with those that belong to it.
type entity struct {
	number       int64 // of the drawing's, from 1
	kind         string
	layer        string
	text, block  string
	tags, values []string // of the attributes of a block
	first, other [3]float64
	height       float64 // of a text
	elevation    float64
	flags        int64
	paper        bool
	embedded     bool // what follows is to be left aside
	follows      bool // attributes follow
	mirrored     bool // it is seen from below
	tilted       bool
	bulge        bool
	b            builder
	x            float64 // of the vertex that is being read
	fault        error
}

func (e *entity) isText() bool { return e.kind == "TEXT" || e.kind == "MTEXT" }

// maxText is how much of a text is kept, bytes.
const maxText = 4 << 10

// entity reads the next entity, whose name is the pair that has been read; io.EOF after the last.
func (r *dxfReader) entity() (*entity, error) {
	name := strings.TrimSpace(r.value)
	if r.code != 0 {
		return nil, r.broken("DXF")
	}
	if name == "ENDSEC" || name == "EOF" {
		return nil, io.EOF
	}
	e := &entity{kind: name}
	if err := r.groups(e); err != nil {
		return nil, err
	}
	switch {
	case e.kind == "POLYLINE":
		return e, r.vertices(e)
	case e.kind == "INSERT" && e.follows:
		return e, r.attributes(e)
	}
	return e, nil
}

// groups reads the pairs of an entity, up to the name of the next.
func (r *dxfReader) groups(e *entity) error {
	for {
		err := r.pair()
		if errors.Is(err, io.EOF) {
			r.code, r.value = 0, "EOF"
			return nil
		}
		if err != nil || r.code == 0 {
			return err
		}
		if e.embedded {
			continue
		}
		if err := r.group(e); err != nil {
			return err
		}
	}
}

// group takes one pair.
func (r *dxfReader) group(e *entity) error {
	switch r.code {
	case 1, 3:
		if e.isText() && len(e.text) < maxText || r.code == 1 && e.kind == "ATTRIB" {
			e.text += r.value[:min(len(r.value), maxText)]
		}
		return nil
	case 2:
		if e.kind == "INSERT" || e.kind == "ATTRIB" {
			e.block = strings.TrimSpace(r.value[:min(len(r.value), maxNameBytes)])
		}
		return nil
	case 8:
		e.layer = strings.TrimSpace(r.value[:min(len(r.value), maxNameBytes)])
		return nil
	case 101: // a copy of it for newer programs, in another order
		e.embedded = true
		return nil
	case 66, 67, 70:
		n, err := strconv.ParseInt(strings.TrimSpace(r.value), 10, 64)
		if err != nil {
			return r.broken("DXF")
		}
		switch r.code {
		case 66:
			e.follows = n != 0
		case 67:
			e.paper = n != 0
		default:
			e.flags = n
		}
		return nil
	case 10, 20, 30, 11, 21, 31, 38, 40, 42, 210, 220, 230:
		v, err := r.float()
		if err != nil {
			return err
		}
		e.number3(r.code, v)
		return e.tooLong()
	}
	return nil
}

// tooLong is an error for an entity of more positions than any has, of which no more is read.
func (e *entity) tooLong() error {
	if len(e.b.flat) >= 3*MaxPositions && e.fault != nil {
		return e.fault
	}
	return nil
}

// number3 takes a coordinate or a measure.
func (e *entity) number3(code int, v float64) {
	switch code {
	case 10, 20, 30:
		e.first[code/10-1] = v
	case 11, 21, 31:
		e.other[code/10-1] = v
	case 38:
		e.elevation = v
	case 40:
		e.height = v
	case 42:
		e.bulge = e.bulge || v != 0 && (e.kind == "LWPOLYLINE" || e.kind == "VERTEX")
	case 210, 220:
		e.tilted = e.tilted || math.Abs(v) > 1e-9
	case 230:
		e.mirrored = v < 0
	}
	if e.kind != "LWPOLYLINE" || code != 10 && code != 20 {
		return
	}
	if code == 10 {
		e.x = v
		return
	}
	e.vertex(e.x, v, e.elevation)
}

// vertex adds a position to the path. A height of nothing is none.
func (e *entity) vertex(x, y, z float64) {
	if e.fault != nil {
		return
	}
	xyz := []float64{x, y, z}
	if z == 0 {
		xyz = xyz[:2]
	}
	e.fault = e.b.position(xyz...)
}

// vertices reads those of a polyline, which are entities of their own.
func (r *dxfReader) vertices(e *entity) error {
	const surface = 16 | 64 // meshes
	for r.code == 0 {
		name := strings.TrimSpace(r.value)
		if name != "VERTEX" && name != "SEQEND" {
			return nil // a drawing that is not finished
		}
		v := &entity{kind: name}
		if err := r.groups(v); err != nil {
			return err
		}
		if name == "SEQEND" {
			break
		}
		e.bulge = e.bulge || v.bulge
		z := v.first[2]
		if z == 0 {
			z = e.first[2]
		}
		e.vertex(v.first[0], v.first[1], z)
		if err := e.tooLong(); err != nil {
			return err
		}
	}
	if e.flags&surface != 0 {
		e.fault = errCollection()
	}
	return nil
}

// attributes reads those of a block.
func (r *dxfReader) attributes(e *entity) error {
	for r.code == 0 {
		name := strings.TrimSpace(r.value)
		if name != "ATTRIB" && name != "SEQEND" {
			return nil
		}
		a := &entity{kind: name}
		if err := r.groups(a); err != nil {
			return err
		}
		if name == "SEQEND" {
			return nil
		}
		if a.block != "" && len(e.tags) < MaxColumns {
			e.tags, e.values = append(e.tags, a.block), append(e.values, a.text)
		}
	}
	return nil
}

// finish makes the parts of the entity's geometry.
func (e *entity) finish() error {
	if e.tilted {
		return layer.Wrong("đối tượng nằm trên mặt phẳng nghiêng", "the entity lies in a tilted plane")
	}
	switch e.kind {
	case "POINT", "INSERT", "TEXT", "MTEXT":
		if err := e.b.of(points); err != nil {
			return err
		}
		e.vertex(e.first[0], e.first[1], e.first[2])
		if e.mirrored && (e.kind == "INSERT" || e.kind == "TEXT") { // the others are in the world's coordinates
			e.mirror()
		}
		return e.fault
	case "LINE":
		if err := e.b.of(paths); err != nil {
			return err
		}
		e.vertex(e.first[0], e.first[1], e.first[2])
		e.vertex(e.other[0], e.other[1], e.other[2])
		e.b.path()
		return e.fault
	case "LWPOLYLINE", "POLYLINE":
		const solid = 8
		if e.mirrored && (e.kind == "LWPOLYLINE" || e.flags&solid == 0) {
			e.mirror()
		}
		return e.polyline()
	}
	return layer.Wrong("không đọc đối tượng %s", "entities of the kind %s are not read", cut(e.kind, 40))
}

// mirror turns coordinates of a plane that is seen from below into the world's.
func (e *entity) mirror() {
	for i := 0; i < len(e.b.flat); i += 3 {
		e.b.flat[i] = -e.b.flat[i]
	}
}

// polyline is a line, or an area where it ends where it starts.
func (e *entity) polyline() error {
	flat := e.b.flat
	if len(flat) < 6 {
		return layer.Wrong("đường có ít hơn hai điểm", "a line of fewer than two positions")
	}
	last := len(flat) - 3
	meets := flat[0] == flat[last] && flat[1] == flat[last+1]
	if (e.flags&1 == 0 && !meets) || len(flat) < 9 || meets && len(flat) < 12 {
		err := e.b.of(paths)
		e.b.path()
		return err
	}
	if err := e.b.of(areas); err != nil {
		return err
	}
	if !meets {
		z := flat[2]
		if err := e.b.position(flat[0], flat[1]); err != nil {
			return err
		}
		e.b.flat[last+5] = z
	}
	e.b.path()
	e.b.area()
	return nil
}

var (
	dxfUnicode = regexp.MustCompile(`\\U\+([0-9A-Fa-f]{4})`)
	dxfSigns   = strings.NewReplacer("%%d", "°", "%%D", "°", "%%c", "Ø", "%%C", "Ø", "%%p", "±", "%%P", "±", "%%u", "", "%%U", "", "%%o", "", "%%O", "", "%%%", "%")
	// dxfFormat is how a text is set: its font, height, colour, alignment.
	dxfFormat = regexp.MustCompile(`\\[AaCcFfHhQqTtWw][^;\\{}]*;|\\p[^;]*;|\\[LlOoKk]`)
	dxfStack  = regexp.MustCompile(`\\S([^;]*);`)
	dxfBraces = strings.NewReplacer(`\\`, `\`, `\{`, "{", `\}`, "}", "{", "", "}", "")
)

// unescapedDXF takes off how a text is set, and reads what stands for other characters.
func unescapedDXF(s string) string {
	if !strings.ContainsAny(s, `\%{}`) {
		return s
	}
	s = dxfUnicode.ReplaceAllStringFunc(s, func(m string) string {
		r, err := strconv.ParseUint(m[3:], 16, 32)
		if err != nil {
			return m
		}
		return strings.ReplaceAll(string(rune(r)), "\x00", "\ufffd")
	})
	s = strings.NewReplacer(`\P`, "\n", `\~`, " ").Replace(s)
	s = dxfStack.ReplaceAllString(dxfFormat.ReplaceAllString(s, ""), "$1")
	return dxfSigns.Replace(dxfBraces.Replace(s))
}
