package papers

import (
	"bytes"
	"fmt"

	"codeberg.org/go-pdf/fpdf"
	"github.com/paulmach/orb"
)

// family is the name of the fonts in files.
const family = "DejaVuSerifCondensed"

// styles are the faces as the library names them.
var styles = [3]string{Regular: "", Bold: "B", Italic: "I"}

// PDF makes the file of a paper that was limited: A4, with a title, its language and
// contents. The same paper gives the same bytes.
func (p *Paper) PDF() ([]byte, error) {
	s, err := set(p)
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(p.Made.UTC())
	pdf.SetModificationDate(p.Made.UTC())
	pdf.SetTitle(p.Title+" "+p.Number, true)
	pdf.SetAuthor(p.Head.Agency, true)
	pdf.SetLang(p.Language)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(0, 0, 0)
	for style, face := range s.faces {
		pdf.AddUTF8FontFromBytes(family, styles[style], bytes.Clone(face.file)) // the library keeps, and may change, what it is given
	}
	next := 0
	for i := range s.pages {
		pdf.AddPage()
		pdf.SetFont(family, "", textSize) // bookmarks are written as the font in use is
		for ; next < len(s.bookmarks) && s.bookmarks[next].page == i+1; next++ {
			level := 1
			if next == 0 {
				level = 0
			}
			pdf.Bookmark(s.bookmarks[next].title, level, s.bookmarks[next].y)
		}
		for j := range s.pages[i].Shapes {
			s.pages[i].Shapes[j].pdf(pdf)
		}
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("make the PDF: %w", err)
	}
	return out.Bytes(), nil
}

func (s *Shape) pdf(pdf *fpdf.Fpdf) {
	if s.Text != nil {
		s.Text.pdf(pdf)
		return
	}
	if s.Fill != nil {
		pdf.SetFillColor(int(s.Fill.R), int(s.Fill.G), int(s.Fill.B))
		if s.Opaque > 0 {
			pdf.SetAlpha(s.Opaque, "Normal")
		}
		s.trace(pdf)
		pdf.DrawPath("f*")
		if s.Opaque > 0 {
			pdf.SetAlpha(1, "Normal")
		}
	}
	if s.Stroke == nil {
		return
	}
	pdf.SetDrawColor(int(s.Stroke.R), int(s.Stroke.G), int(s.Stroke.B))
	pdf.SetLineWidth(s.Width)
	pdf.SetLineJoinStyle("round")
	s.trace(pdf)
	pdf.DrawPath("D")
}

// trace writes the path that is drawn next.
func (s *Shape) trace(pdf *fpdf.Fpdf) {
	for _, path := range s.Paths {
		for i, p := range path {
			if i == 0 {
				pdf.MoveTo(p[0], p[1])
			} else {
				pdf.LineTo(p[0], p[1])
			}
		}
		if s.Closed {
			pdf.ClosePath()
		}
	}
}

func (t *Text) pdf(pdf *fpdf.Fpdf) {
	if t.Line == "" {
		return
	}
	pdf.SetFont(family, styles[t.Style], t.Size)
	at := t.At
	width := pdf.GetStringWidth(t.Line)
	switch t.Anchor {
	case Middle:
		at[0] -= width / 2
	case End:
		at[0] -= width
	}
	if t.Halo {
		pdf.SetDrawColor(255, 255, 255)
		pdf.SetLineWidth(0.5)
		pdf.SetLineJoinStyle("round")
		pdf.SetTextColor(255, 255, 255)
		pdf.SetTextRenderingMode(2)
		pdf.Text(at[0], at[1], t.Line)
		pdf.SetTextRenderingMode(0)
	}
	pdf.SetTextColor(int(t.Colour.R), int(t.Colour.G), int(t.Colour.B))
	pdf.Text(at[0], at[1], t.Line)
	if t.Href != "" {
		height := t.Size * pointMM
		corner := orb.Point{at[0], at[1] - height}
		pdf.LinkString(corner[0], corner[1], width, height*1.2, t.Href)
	}
}
