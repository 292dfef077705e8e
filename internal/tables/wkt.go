package tables

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"hatang/geo"
)

// maxWKT is how much of a definition of a reference system is read, bytes.
const maxWKT = 16 << 10

// wktNode is a node of well-known text: a word and what stands in brackets behind it.
type wktNode struct {
	word   string
	text   string    // the first text
	values []float64 // numbers, also those in quotation marks
	nodes  []*wktNode
}

// errWKT is returned for what is no well-known text.
var errWKT = errors.New("no well-known text")

// parseWKT reads one node and returns the rest.
func parseWKT(s string, depth int) (*wktNode, string, error) {
	open := strings.IndexAny(s, "[(")
	if open < 0 || depth > 16 {
		return nil, "", errWKT
	}
	n := &wktNode{word: strings.ToUpper(strings.TrimSpace(s[:open]))}
	s = s[open+1:]
	for {
		s = strings.TrimLeft(s, " \t\r\n,")
		if s == "" {
			return nil, "", errWKT
		}
		switch end := strings.IndexAny(s, "[(,])"); {
		case s[0] == ']' || s[0] == ')':
			return n, s[1:], nil
		case s[0] == '"':
			text, rest, ok := strings.Cut(s[1:], `"`)
			if !ok {
				return nil, "", errWKT
			}
			n.add(text, true)
			s = rest
		case end < 0:
			return nil, "", errWKT
		case s[end] == '[' || s[end] == '(':
			child, rest, err := parseWKT(s, depth+1)
			if err != nil {
				return nil, "", err
			}
			n.nodes = append(n.nodes, child)
			s = rest
		default:
			n.add(strings.TrimSpace(s[:end]), false)
			s = s[end:]
		}
	}
}

func (n *wktNode) add(text string, quoted bool) {
	if quoted && n.text == "" {
		n.text = text
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		n.values = append(n.values, v)
	}
}

// child is the first node of one of the words, nil for none.
func (n *wktNode) child(words ...string) *wktNode {
	for _, c := range n.nodes {
		for _, w := range words {
			if c.word == w {
				return c
			}
		}
	}
	return nil
}

// grid is what tells one system of ours from another.
type grid struct {
	projected                         bool
	vn2000                            bool
	web                               bool
	meridian, scale, east, north, lat float64
}

// gridOf reads a definition; false where it is of no kind that we have.
func gridOf(n *wktNode) (grid, bool) {
	g := grid{scale: 1}
	geographic := n
	if n.word == "PROJCS" {
		g.projected = true
		if geographic = n.child("GEOGCS"); geographic == nil {
			return g, false
		}
		if unit := n.child("UNIT"); unit == nil || len(unit.values) == 0 || unit.values[0] != 1 {
			return g, false
		}
	} else if n.word != "GEOGCS" {
		return g, false
	}
	datum := geographic.child("DATUM")
	if datum == nil {
		return g, false
	}
	name := letters(datum.text)
	shifted := false
	if shift := datum.child("TOWGS84"); shift != nil && len(shift.values) >= 3 {
		shifted = isShift(shift.values)
	}
	g.vn2000 = shifted || strings.Contains(name, "vietnam2000") || strings.Contains(name, "vn2000")
	if !g.vn2000 && !strings.Contains(name, "wgs1984") && !strings.Contains(name, "wgs84") {
		return g, false
	}
	return g, !g.projected || g.project(n)
}

// project reads the projection.
func (g *grid) project(n *wktNode) bool {
	projection := n.child("PROJECTION")
	if projection == nil {
		return false
	}
	switch kind := letters(projection.text); kind {
	case "mercatorauxiliarysphere", "popularvisualisationpseudomercator":
		g.web = true
	case "mercator1sp":
		g.web = strings.Contains(letters(n.text), "pseudomercator")
		if !g.web {
			return false
		}
	case "transversemercator", "gausskruger":
		for _, p := range n.nodes {
			if p.word != "PARAMETER" || len(p.values) == 0 {
				continue
			}
			to := map[string]*float64{"centralmeridian": &g.meridian, "longitudeoforigin": &g.meridian, "scalefactor": &g.scale, "falseeasting": &g.east,
				"falsenorthing": &g.north, "latitudeoforigin": &g.lat}[letters(p.text)]
			if to == nil {
				return false
			}
			*to = p.values[len(p.values)-1]
		}
	default:
		return false
	}
	return true
}

// isShift reports whether a shift of datum is that of VN-2000, by its metres: of the
// rotations there are two ways to write the signs.
func isShift(values []float64) bool {
	for i, of := range []float64{-191.90441429, -39.30318279, -111.45032835} {
		if math.Abs(values[i]-of) > 0.01 {
			return false
		}
	}
	return true
}

// letters are the letters and digits of a name, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// same reports whether two definitions are of one system.
func (g grid) same(h grid) bool {
	if g.projected != h.projected || g.vn2000 != h.vn2000 || g.web != h.web {
		return false
	}
	for _, d := range []float64{g.meridian - h.meridian, g.scale - h.scale, g.east - h.east, g.north - h.north, g.lat - h.lat} {
		if math.Abs(d) > 1e-9 {
			return false
		}
	}
	return true
}

// known is the name of the system of ours that is defined so; "" for none.
func (g grid) known() string {
	for _, c := range geo.CRSs()[1:] {
		n, _, err := parseWKT(c.WKT(), 0)
		if err != nil {
			continue
		}
		if of, ok := gridOf(n); ok && g.same(of) {
			return c.String()
		}
	}
	return ""
}

// systemOfWKT names the system that a definition in well-known text is of: by the authority
// it names, or else by its parameters; its own words where that finds none.
func systemOfWKT(text string) string {
	n, _, err := parseWKT(text, 0)
	if err != nil {
		return ownWords(text)
	}
	if id := n.child("AUTHORITY", "ID"); id != nil && id.text != "" && len(id.values) > 0 && id.values[0] > 0 && id.values[0] < 1e7 {
		return strings.ToUpper(cut(id.text, 20)) + ":" + strconv.Itoa(int(id.values[0]))
	}
	if g, ok := gridOf(n); ok {
		if name := g.known(); name != "" {
			return name
		}
	}
	return ownWords(text)
}

// ownWords is how a file names a system that is not found, in one line.
func ownWords(text string) string {
	return cut(strings.Join(strings.Fields(strings.ToValidUTF8(text, "\ufffd")), " "), 1000)
}
