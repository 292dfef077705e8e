package papers

import (
	"fmt"
	"strings"

	"github.com/paulmach/orb"
)

// Drawing is a picture in millimetres from its upper left corner: shapes, the later above the
// earlier.
type Drawing struct {
	Width, Height float64
	Shapes        []Shape
}

// Colour is red, green and blue.
type Colour struct{ R, G, B uint8 }

// Colours of papers.
var (
	black = Colour{}
	grey  = Colour{96, 96, 96}
	faint = Colour{190, 190, 190}
	pale  = Colour{238, 238, 238}
	white = Colour{255, 255, 255}
)

// Hex writes a colour as #rrggbb.
func (c Colour) Hex() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// dark is a colour as letters have it, to be read on white.
func (c Colour) dark() Colour {
	const share = 0.5
	return Colour{uint8(float64(c.R) * share), uint8(float64(c.G) * share), uint8(float64(c.B) * share)}
}

// ParseColour reads #rrggbb; false for anything else.
func ParseColour(s string) (c Colour, ok bool) {
	n, err := fmt.Sscanf(s, "#%02x%02x%02x", &c.R, &c.G, &c.B)
	return c, err == nil && n == 3 && len(s) == 7
}

// Shape is a path or a text.
type Shape struct {
	Paths  [][]orb.Point // lines, one beside the other; with Fill areas and their holes
	Closed bool
	Fill   *Colour
	Opaque float64 // of the filling; 0 is 1
	Stroke *Colour
	Width  float64 // of the stroke
	Text   *Text
}

// Text is a line of text.
type Text struct {
	At     orb.Point // on the base line
	Line   string    // clean
	Size   float64   // points
	Style  Style
	Colour Colour
	Anchor Anchor
	Halo   bool   // white around it, to be read on a map
	Href   string // where it leads; "" for nowhere
}

// Anchor says which part of a text is at its place.
type Anchor uint8

// The anchors.
const (
	Start Anchor = iota
	Middle
	End
)

func (d *Drawing) add(s Shape) { d.Shapes = append(d.Shapes, s) }

// text adds a line of text.
func (d *Drawing) text(t Text) { d.add(Shape{Text: &t}) }

// line adds a straight line.
func (d *Drawing) line(a, b orb.Point, colour Colour, width float64) {
	d.add(Shape{Paths: [][]orb.Point{{a, b}}, Stroke: &colour, Width: width})
}

// rectangle is the outline of one.
func rectangle(x, y, width, height float64) []orb.Point {
	return []orb.Point{{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}}
}

// put adds another drawing with its corner at a place.
func (d *Drawing) put(other Drawing, x, y float64) {
	move := func(p orb.Point) orb.Point { return orb.Point{p[0] + x, p[1] + y} }
	for _, s := range other.Shapes {
		paths := make([][]orb.Point, len(s.Paths))
		for i, path := range s.Paths {
			for _, p := range path {
				paths[i] = append(paths[i], move(p))
			}
		}
		s.Paths = paths
		if s.Text != nil {
			t := *s.Text
			t.At = move(t.At)
			s.Text = &t
		}
		d.add(s)
	}
}

// SVG writes the drawing as an element of a page that says what it shows. It has no style of
// its own but attributes, which pages may hold that run nothing.
func (d Drawing) SVG(title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-label="%s" font-family="'Times New Roman', 'Liberation Serif', 'DejaVu Serif', serif">`,
		decimal(d.Width), decimal(d.Height), escape(title))
	for i := range d.Shapes {
		d.Shapes[i].svg(&b)
	}
	b.WriteString("</svg>")
	return b.String()
}

// decimal writes a length to a hundredth of a millimetre.
func decimal(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
}

// escape makes a text fit for an attribute and between elements.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(s)
}

func (s *Shape) svg(b *strings.Builder) {
	if s.Text != nil {
		s.Text.svg(b)
		return
	}
	b.WriteString(`<path d="`)
	for _, path := range s.Paths {
		for i, p := range path {
			b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
			b.WriteString(decimal(p[0]) + " " + decimal(p[1]))
		}
		if s.Closed {
			b.WriteString("Z")
		}
	}
	b.WriteString(`" fill="`)
	if s.Fill == nil {
		b.WriteString(`none"`)
	} else {
		b.WriteString(s.Fill.Hex() + `" fill-rule="evenodd"`)
		if s.Opaque > 0 {
			fmt.Fprintf(b, ` fill-opacity="%s"`, decimal(s.Opaque))
		}
	}
	if s.Stroke != nil {
		fmt.Fprintf(b, ` stroke="%s" stroke-width="%s" stroke-linejoin="round"`, s.Stroke.Hex(), decimal(s.Width))
	}
	b.WriteString("/>")
}

func (t *Text) svg(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" fill="%s"`, decimal(t.At[0]), decimal(t.At[1]), decimal(t.Size*pointMM), t.Colour.Hex())
	switch t.Anchor {
	case Middle:
		b.WriteString(` text-anchor="middle"`)
	case End:
		b.WriteString(` text-anchor="end"`)
	}
	switch t.Style {
	case Bold:
		b.WriteString(` font-weight="bold"`)
	case Italic:
		b.WriteString(` font-style="italic"`)
	}
	if t.Halo {
		b.WriteString(` stroke="#ffffff" stroke-width="0.5" paint-order="stroke"`)
	}
	b.WriteString(">" + escape(t.Line) + "</text>")
}
