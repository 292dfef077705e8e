package papers

import (
	"fmt"
	"strings"

	"github.com/paulmach/orb"
)

// A4, and what is left white of it, millimetres.
const (
	pageWidth, pageHeight = 210, 297
	marginLeft            = 25
	marginRight           = 15
	marginTop             = 18
	marginBottom          = 20
	bodyWidth             = pageWidth - marginLeft - marginRight
	bodyEnd               = pageHeight - marginBottom
)

// Sizes of type, points, and the distance of lines in sizes.
const (
	textSize  = 10.0
	smallSize = 8.5
	tinySize  = 7.0
	leading   = 1.32
)

// bookmark is a place in the file that its contents list.
type bookmark struct {
	title string
	page  int // from 1
	y     float64
}

// setter sets a paper on pages, from above.
type setter struct {
	paper     *Paper
	faces     *[3]face
	pages     []Drawing
	y         float64
	bookmarks []bookmark
	left      int // how many facts, texts, items and rows are yet to be set
}

// set sets a paper that was limited; the pages have their numbers.
func set(p *Paper) (*setter, error) {
	all, err := faces()
	if err != nil {
		return nil, err
	}
	s := &setter{paper: p, faces: &all, left: p.parts()}
	s.breakPage()
	s.head()
	for i := range p.Sections {
		if err := s.section(&p.Sections[i]); err != nil {
			return nil, err
		}
	}
	if err := s.seal(); err != nil {
		return nil, err
	}
	s.foot()
	return s, nil
}

func (s *setter) page() *Drawing { return &s.pages[len(s.pages)-1] }

func (s *setter) breakPage() {
	s.pages = append(s.pages, Drawing{Width: pageWidth, Height: pageHeight})
	s.y = marginTop
}

// room begins a page where so much does not fit on this one.
func (s *setter) room(height float64) {
	if s.y+height > bodyEnd && s.y > marginTop {
		s.breakPage()
	}
}

func lineHeight(size float64) float64 { return size * leading * pointMM }

// block is some text of one kind between two margins.
type block struct {
	x, width float64
	size     float64
	style    Style
	colour   Colour
	anchor   Anchor
	href     string
}

// lines breaks a text as the block has it.
func (s *setter) lines(b block, text string) []string {
	return s.faces[b.style].wrap(text, b.size, b.width)
}

// draw puts lines on the page from a height on and returns where they end; it breaks no page.
func (s *setter) draw(b block, lines []string, y float64) float64 {
	x := b.x
	switch b.anchor {
	case Middle:
		x += b.width / 2
	case End:
		x += b.width
	}
	for _, line := range lines {
		s.page().text(Text{At: orb.Point{x, y + b.size*pointMM}, Line: line, Size: b.size, Style: b.style, Colour: b.colour, Anchor: b.anchor, Href: b.href})
		y += lineHeight(b.size)
	}
	return y
}

// flow puts a text on the pages, line by line; below its last ones so much room is kept.
func (s *setter) flow(b block, text string, below float64) {
	lines := s.lines(b, text)
	for i, line := range lines {
		s.room(s.keeping(i, len(lines), lineHeight(b.size), below))
		s.y = s.draw(b, []string{line}, s.y)
	}
}

// parts is how many facts, texts, items and rows a paper has.
func (p *Paper) parts() int {
	n := len(p.Seal.Facts)
	for i := range p.Sections {
		part := &p.Sections[i]
		n += len(part.Facts) + len(part.Texts) + len(part.Items)
		for j := range part.Tables {
			n += len(part.Tables[j].Rows)
		}
	}
	return n
}

// below is how much room is kept below the next part: for the signature, below the last one,
// so that it never stands alone on a page.
func (s *setter) below() float64 {
	if s.left--; s.left == 0 {
		return s.signatureHeight() + afterTable
	}
	return 0
}

// keeping is the room that line i of n needs: two lines at least stay with what is kept below.
func (s *setter) keeping(i, n int, line, below float64) float64 {
	if i == max(n-2, 0) {
		return float64(n-i)*line + below
	}
	return line
}

// body is a block across the page.
func body(size float64, style Style) block {
	return block{x: marginLeft, width: bodyWidth, size: size, style: style}
}

// head sets the top of the first page.
func (s *setter) head() {
	p := s.paper
	left := block{x: marginLeft, width: 70, size: textSize, anchor: Middle}
	right := block{x: marginLeft + 72, width: bodyWidth - 72, size: textSize, style: Bold, anchor: Middle}
	y, z := s.y, s.y
	if p.Head.Above != "" {
		y = s.draw(left, s.lines(left, strings.ToUpper(p.Head.Above)), y)
	}
	left.style = Bold
	y = s.underlined(left, strings.ToUpper(p.Head.Agency), y, 0.4)
	if p.Head.State != "" {
		z = s.draw(right, s.lines(right, strings.ToUpper(p.Head.State)), z)
	}
	z = s.underlined(right, p.Head.Motto, z, 1)
	y, z = max(y, z)+2, max(y, z)+2
	left.style, right.style = Regular, Italic
	s.y = max(s.draw(left, s.lines(left, p.Number), y), s.draw(right, s.lines(right, p.Dated), z)) + 5
	title, under := body(14, Bold), body(11, Bold)
	title.anchor, under.anchor = Middle, Middle
	s.bookmarks = append(s.bookmarks, bookmark{p.Title, len(s.pages), s.y})
	s.flow(title, strings.ToUpper(p.Title), 0)
	if p.Subtitle != "" {
		s.flow(under, p.Subtitle, 0)
	}
	s.y += 3
	s.result()
	for _, notice := range p.Notices {
		s.flow(body(smallSize, Italic), notice, 0)
		s.y++
	}
}

// underlined draws a text with a rule below it, as long as a share of its last line.
func (s *setter) underlined(b block, text string, y, share float64) float64 {
	if text == "" {
		return y
	}
	lines := s.lines(b, text)
	y = s.draw(b, lines, y)
	long := s.faces[b.style].width(lines[len(lines)-1], b.size) * share
	middle := b.x + b.width/2
	s.page().line(orb.Point{middle - long/2, y + 0.3}, orb.Point{middle + long/2, y + 0.3}, black, 0.25)
	return y + 1
}

// tones are the colours of what has a tone.
func (t Tone) colour() Colour {
	switch t {
	case Good:
		return Colour{20, 100, 40}
	case Bad:
		return Colour{170, 20, 20}
	case Mixed:
		return Colour{150, 90, 0}
	case Unclear:
		return Colour{70, 70, 110}
	}
	return black
}

// result sets what was decided, in a frame.
func (s *setter) result() {
	r := s.paper.Result
	if r.Text == "" {
		return
	}
	b := body(12, Bold)
	b.anchor, b.colour = Middle, r.Tone.colour()
	b.x, b.width = b.x+4, b.width-8
	lines := s.lines(b, strings.ToUpper(r.Text))
	height := float64(len(lines))*lineHeight(b.size) + 4
	s.room(height)
	colour := r.Tone.colour()
	s.page().add(Shape{Paths: [][]orb.Point{rectangle(marginLeft, s.y, bodyWidth, height)}, Closed: true, Fill: &white, Stroke: &colour, Width: 0.5})
	s.draw(b, lines, s.y+2)
	s.y += height + 3
}

// section sets a part; its title stands above something of it.
func (s *setter) section(part *Section) error {
	title := body(11, Bold)
	lines := s.lines(title, part.Title)
	above := float64(len(lines))*lineHeight(title.size) + 4
	var drawn Drawing
	first := 3 * lineHeight(textSize)
	if part.Map != nil {
		var err error
		if drawn, err = part.Map.Draw(); err != nil {
			return err
		}
		first = drawn.Height
		if s.left == 0 { // the paper ends with it
			for _, caption := range part.Map.Captions {
				first += float64(len(s.lines(body(tinySize, Italic), caption))) * lineHeight(tinySize)
			}
			first += afterTable + s.signatureHeight()
		}
	} else if len(part.Tables) > 0 && len(part.Facts)+len(part.Texts)+len(part.Items) == 0 {
		first = s.beginning(&part.Tables[0])
	}
	s.room(above + first)
	s.y += 2.5
	s.bookmarks = append(s.bookmarks, bookmark{part.Title, len(s.pages), s.y})
	s.y = s.draw(title, lines, s.y) + 1
	if part.Map != nil {
		s.page().put(drawn, marginLeft, s.y)
		s.y += drawn.Height + 1
		for _, caption := range part.Map.Captions {
			s.flow(body(tinySize, Italic), caption, 0)
		}
		s.y++
	}
	for _, f := range part.Facts {
		s.fact(f, textSize)
	}
	for _, text := range part.Texts {
		s.flow(body(textSize, Regular), text, s.below())
		s.y += 0.8
	}
	for i, item := range part.Items {
		s.item(i+1, item)
	}
	for i := range part.Tables {
		s.table(&part.Tables[i])
	}
	return nil
}

// factBlocks are where a name and its value stand, beside each other.
func factBlocks(size float64) (name, value block) {
	const names = 45
	return block{x: marginLeft, width: names - 2, size: size, colour: grey}, block{x: marginLeft + names, width: bodyWidth - names, size: size}
}

// factHeight is how high a fact is.
func (s *setter) factHeight(f Fact, size float64) float64 {
	name, value := factBlocks(size)
	return float64(max(len(s.lines(name, f.Name)), len(s.lines(value, f.Value))))*lineHeight(size) + 0.5
}

// fact sets a name and its value beside it.
func (s *setter) fact(f Fact, size float64) {
	name, value := factBlocks(size)
	left, right := s.lines(name, f.Name), s.lines(value, f.Value)
	h, n, below := lineHeight(size), max(len(left), len(right)), s.below()
	s.room(float64(min(n, 4)) * h)
	for i := range n {
		s.room(s.keeping(i, n, h, below))
		if i < len(left) {
			s.draw(name, left[i:i+1], s.y)
		}
		if i < len(right) {
			s.draw(value, right[i:i+1], s.y)
		}
		s.y += h
	}
	s.y += 0.5
}

// item sets a numbered text.
func (s *setter) item(n int, text string) {
	number := block{x: marginLeft, width: 8, size: textSize}
	b := block{x: marginLeft + 8, width: bodyWidth - 8, size: textSize}
	lines, below := s.lines(b, text), s.below()
	for i, line := range lines {
		s.room(s.keeping(i, len(lines), lineHeight(textSize), below))
		if i == 0 {
			s.draw(number, []string{fmt.Sprintf("%d.", n)}, s.y)
		}
		s.y = s.draw(b, []string{line}, s.y)
	}
	s.y += 0.8
}

// The block at the end: how wide its code is, and how high it is at least, millimetres.
const codeWidth, signature = 30.0, 42.0

// askBlock is what stands beside the code.
func askBlock() block { return block{x: marginLeft + codeWidth + 2, width: 63, size: smallSize} }

// signatureHeight is how high the block with the code and the signature is.
func (s *setter) signatureHeight() float64 {
	n := len(s.lines(askBlock(), s.paper.Seal.Ask)) + len(s.lines(askBlock(), s.paper.Seal.Address))
	return max(signature, float64(n)*lineHeight(smallSize)) + 4
}

// seal sets the end of the paper: what proves it stands on one page with the signature where
// it fits.
func (s *setter) seal() error {
	seal := &s.paper.Seal
	title := body(11, Bold)
	if len(seal.Facts) > 0 {
		proof := 24.0
		for _, f := range seal.Facts {
			proof += s.factHeight(f, smallSize)
		}
		if all := proof + s.signatureHeight(); all < (bodyEnd-marginTop)/2 {
			proof = all
		} else {
			proof = 24
		}
		s.room(proof)
		s.y += 2.5
		s.bookmarks = append(s.bookmarks, bookmark{seal.Title, len(s.pages), s.y})
		s.y = s.draw(title, s.lines(title, seal.Title), s.y) + 1
		for _, f := range seal.Facts {
			s.fact(f, smallSize)
		}
	}
	ask := askBlock()
	signer := block{x: marginLeft + 98, width: bodyWidth - 98, size: textSize, style: Bold, anchor: Middle}
	lines, address := s.lines(ask, seal.Ask), s.lines(ask, seal.Address)
	s.room(s.signatureHeight())
	s.y += 3
	if seal.Address != "" {
		if len(seal.Address) <= MaxQR {
			picture, err := QR(seal.Address, codeWidth)
			if err != nil {
				return err
			}
			s.page().put(picture, marginLeft, s.y)
		}
		y := s.draw(ask, lines, s.y+2)
		ask.href, ask.colour = seal.Address, Colour{20, 50, 140}
		s.draw(ask, address, y+1)
	}
	y := s.draw(signer, s.lines(signer, strings.ToUpper(seal.Signer)), s.y+1)
	signer.style, signer.size = Italic, smallSize
	s.draw(signer, s.lines(signer, seal.Hint), y)
	s.y += signature
	return nil
}

// foot puts the number of the paper and of the page below each page.
func (s *setter) foot() {
	for i := range s.pages {
		y := bodyEnd + 7.0
		d := &s.pages[i]
		d.line(orb.Point{marginLeft, y - 4}, orb.Point{pageWidth - marginRight, y - 4}, faint, 0.2)
		d.text(Text{At: orb.Point{marginLeft, y}, Line: s.paper.Number, Size: tinySize, Colour: grey})
		d.text(Text{At: orb.Point{pageWidth - marginRight, y}, Line: fmt.Sprintf(s.paper.words().page, i+1, len(s.pages)), Size: tinySize, Colour: grey, Anchor: End})
	}
}
