package filter

import "strings"

// geometry reads well-known text from the name of the kind on.
func (p *parser) geometry(kind string) (Expr, error) {
	g, err := p.tagged(kind)
	return orError(g, err)
}

func (p *parser) tagged(kind string) (*Geometry, error) {
	g := &Geometry{At: p.here(), Kind: kind}
	if err := p.advance(); err != nil {
		return nil, err
	}
	z := p.keyword("z")
	if z {
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if kind == "GeometryCollection" {
		return g, p.members(g)
	}
	dims := map[int]bool{}
	parts, err := p.parts(kind, dims)
	if err != nil {
		return nil, err
	}
	if z && !dims[3] {
		return nil, wrong(Syntax, g.At, "hình Z phải có độ cao", "a geometry with Z has heights")
	}
	return g, g.complete(parts, dims)
}

func (p *parser) members(g *Geometry) error {
	return p.several(func() error {
		kind, ok := geometryKinds[strings.ToLower(p.tok.value)]
		if p.tok.kind != tokenName || !ok || kind == "GeometryCollection" {
			return p.unexpected()
		}
		m, err := p.tagged(kind)
		g.Members = append(g.Members, m)
		return err
	})
}

// several reads one or more of something, in parentheses with commas.
func (p *parser) several(read func() error) error {
	if err := p.need("("); err != nil {
		return err
	}
	for {
		if err := read(); err != nil {
			return err
		}
		if p.sign(")") {
			return p.advance()
		}
		if err := p.need(","); err != nil {
			return err
		}
	}
}

// parts reads the positions of a kind.
func (p *parser) parts(kind string, dims map[int]bool) (parts [][][]Position, err error) {
	var ring []Position
	var part [][]Position
	position := func() error {
		at, err := p.position(dims)
		ring = append(ring, at)
		return err
	}
	readRing := func() error {
		ring = nil
		err := p.several(position)
		part = append(part, ring)
		return err
	}
	readPart := func() error {
		part = nil
		err := p.several(readRing)
		parts = append(parts, part)
		return err
	}
	switch kind {
	case "Point":
		at := p.here()
		err = p.several(position)
		if err == nil && len(ring) != 1 {
			err = wrong(Syntax, at, "POINT chỉ có một điểm", "a POINT is one position")
		}
		return [][][]Position{{ring}}, err
	case "MultiPoint":
		err = p.several(func() error {
			if !p.sign("(") {
				return position()
			}
			if err := p.advance(); err != nil {
				return err
			}
			if err := position(); err != nil {
				return err
			}
			return p.need(")")
		})
		return [][][]Position{{ring}}, err
	case "LineString":
		err = readRing()
		return [][][]Position{part}, err
	case "MultiPolygon":
		err = p.several(readPart)
		return parts, err
	default:
		err = readPart()
		return parts, err
	}
}

// position reads two or three numbers.
func (p *parser) position(dims map[int]bool) (Position, error) {
	var at Position
	n := 0
	for n < 3 && (n < 2 || !p.sign(",") && !p.sign(")")) {
		x, err := p.coordinate()
		if err != nil {
			return at, err
		}
		at[n] = x
		n++
	}
	dims[n] = true
	return at, nil
}

func (p *parser) coordinate() (float64, error) {
	sign := ""
	if p.sign("-") || p.sign("+") {
		sign = p.tok.value
		if err := p.advance(); err != nil {
			return 0, err
		}
	}
	if p.tok.kind != tokenNumber {
		return 0, p.unexpected()
	}
	x, ok := coordinate(sign + p.tok.value)
	if !ok {
		return 0, p.unexpected()
	}
	return x, p.advance()
}

func (p *parser) box(at Place) (Expr, error) {
	var n []float64
	err := p.several(func() error {
		x, err := p.coordinate()
		n = append(n, x)
		return err
	})
	if err != nil {
		return nil, err
	}
	return orError(newBox(at, n))
}
