package papers

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits of a paper. What is left out is said on it.
const (
	// MaxRows is how many rows of tables a paper has, all together.
	MaxRows = 1000
	// MaxTextRunes is how long one text of it is, characters.
	MaxTextRunes = 5000
)

// Paper is a paper in one language. Its texts may be any; they are made fit to be set.
type Paper struct {
	Language string // vi or en
	Head     Head
	Number   string
	Dated    string // place and date, as they stand on papers
	Title    string
	Subtitle string
	Result   Result
	Notices  []string
	Sections []Section
	Seal     Seal
	// Made is when what it says was decided: the PDF says that it is of then.
	Made time.Time
}

// Head is what stands at the top, in the paper's language; empty lines are left out.
type Head struct {
	Above, Agency string // who issues it, and what that is part of
	State, Motto  string
}

// Result is what was decided, in words.
type Result struct {
	Text string
	Tone Tone
}

// Tone is how good a result is; papers say it in words, too.
type Tone string

// The tones.
const (
	Good    Tone = "good"
	Bad     Tone = "bad"
	Mixed   Tone = "mixed"
	Unclear Tone = "unclear"
	Plain   Tone = ""
)

// Section is a part of a paper with what it has, in this order.
type Section struct {
	Title  string
	Map    *Map
	Facts  []Fact
	Texts  []string // paragraphs
	Items  []string // numbered
	Tables []Table
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Table is a table whose rows may each have notes across them.
type Table struct {
	Title   string // above it; "" for none
	Columns []Column
	Rows    []Row
}

// Column is a column, so many millimetres wide on paper.
type Column struct {
	Title string
	Width float64
	Right bool // numbers
}

// Row is a row: as many cells as there are columns. It is not broken across pages where it
// fits on one.
type Row struct {
	Cells []Cell
	Notes []string
}

// Cell is what stands in a cell: a first line that is bold, and more.
type Cell struct {
	Strong, Text string
	Tone         Tone
}

// Seal is the block at the end: what proves the paper, where to ask, and the place for a
// signature.
type Seal struct {
	Title   string
	Facts   []Fact
	Ask     string // sentence about Address
	Address string // behind the QR code
	Signer  string // whose signature, in capitals
	Hint    string
}

// words are those of papers that are no one's own.
type words struct{ page, leftOut string }

func (p *Paper) words() words {
	if p.Language == "vi" {
		return words{"Trang %d/%d", "… và %d dòng nữa, xem bản JSON."}
	}
	return words{"Page %d/%d", "… and %d more rows, which the JSON form has."}
}

// Limit makes a paper fit to be set, its texts clean and no longer, its tables no larger than
// the limits. Both forms are made of a paper that was limited.
func (p *Paper) Limit() {
	for _, text := range []*string{&p.Head.Above, &p.Head.Agency, &p.Head.State, &p.Head.Motto, &p.Number, &p.Dated, &p.Title, &p.Subtitle, &p.Result.Text,
		&p.Seal.Title, &p.Seal.Ask, &p.Seal.Address, &p.Seal.Signer, &p.Seal.Hint} {
		fit(text)
	}
	fitAll(p.Notices)
	fitFacts(p.Seal.Facts)
	left := MaxRows
	for i := range p.Sections {
		s := &p.Sections[i]
		fit(&s.Title)
		fitFacts(s.Facts)
		fitAll(s.Texts)
		fitAll(s.Items)
		if s.Map != nil {
			fitAll(s.Map.Captions)
		}
		for j := range s.Tables {
			s.Tables[j].limit(&left, p.words().leftOut)
		}
	}
}

// limit shortens a table to the rows that are left to the paper.
func (t *Table) limit(left *int, leftOut string) {
	fit(&t.Title)
	for i := range t.Columns {
		fit(&t.Columns[i].Title)
	}
	if more := len(t.Rows) - *left; more > 0 {
		t.Rows = append(t.Rows[:*left:*left], Row{Notes: []string{fmt.Sprintf(leftOut, more)}})
	}
	*left = max(*left-len(t.Rows), 0)
	for _, row := range t.Rows {
		for i := range row.Cells {
			fit(&row.Cells[i].Strong)
			fit(&row.Cells[i].Text)
		}
		fitAll(row.Notes)
	}
}

func fit(text *string) {
	if utf8.RuneCountInString(*text) > MaxTextRunes {
		*text = string([]rune(*text)[:MaxTextRunes]) + "…"
	}
	*text = Clean(*text)
}

func fitAll(texts []string) {
	for i := range texts {
		fit(&texts[i])
	}
}

func fitFacts(facts []Fact) {
	for i := range facts {
		fit(&facts[i].Name)
		fit(&facts[i].Value)
	}
}
