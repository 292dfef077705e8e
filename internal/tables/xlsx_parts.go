package tables

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// style is what of a cell's style says what its number is.
type style struct {
	date  bool // it is shown as a date or a time
	zeros int  // it is shown with so many digits at least
}

const maxStyles = 1 << 16 // Excel's own limit

// readStyles reads how the numbers of cells are shown.
func (w *workbook) readStyles(ctx context.Context) error {
	formats := map[string]string{}
	inside := false
	return w.elements(ctx, "xl/styles.xml", func(_ *xmlStream, e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			formats[cut(attribute(e, "numFmtId"), 20)] = cut(attribute(e, "formatCode"), 255)
		case "cellXfs":
			inside = true
		case "cellStyles", "dxfs", "cellStyleXfs":
			inside = false
		case "xf":
			if !inside {
				return nil
			}
			id := attribute(e, "numFmtId")
			w.styles = append(w.styles, styleOf(id, formats[id]))
		}
		if len(w.styles) > maxStyles || len(formats) > maxStyles {
			return layer.Wrong("sổ tính có quá nhiều kiểu ô", "the workbook has too many styles")
		}
		return nil
	})
}

var (
	unshown   = regexp.MustCompile(`"[^"]*"|\\.|\[[^\]]*\]|_.|\*.`) // of a format: texts, colours, locales, blanks
	onlyZeros = regexp.MustCompile(`^0+$`)
)

// styleOf reads a number's format: one of the built-in ones, or a code.
func styleOf(id, code string) style {
	if code == "" {
		n, err := strconv.Atoi(id)
		return style{date: err == nil && (n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58)}
	}
	first, _, _ := strings.Cut(code, ";")
	plain := strings.ToLower(unshown.ReplaceAllString(first, ""))
	if onlyZeros.MatchString(plain) {
		return style{zeros: min(len(plain), 20)}
	}
	return style{date: plain != "general" && strings.ContainsAny(plain, "ymdhs")}
}

// maxShared bounds what the shared texts of a workbook take in memory, bytes.
const maxShared = 24 << 20

// sharedTexts are texts close together in blocks of a number: half of the memory that as many
// strings take, and none of it moves when there are more.
type sharedTexts struct {
	blocks []*textBlock
	count  int
	size   int
}

const blockTexts = 4096

type textBlock struct {
	bytes []byte
	ends  [blockTexts]uint32
}

// add adds a text; false where there is no room for it.
func (s *sharedTexts) add(text string) bool {
	const end = 4 // bytes
	if s.size += len(text) + end; s.size > maxShared {
		return false
	}
	if s.count%blockTexts == 0 {
		s.blocks = append(s.blocks, &textBlock{})
	}
	b := s.blocks[len(s.blocks)-1]
	b.bytes = append(b.bytes, text...)
	b.ends[s.count%blockTexts] = uint32(len(b.bytes))
	s.count++
	return true
}

// text is the text of a number from 0 on.
func (s *sharedTexts) text(i int) string {
	b, at := s.blocks[i/blockTexts], i%blockTexts
	start := uint32(0)
	if at > 0 {
		start = b.ends[at-1]
	}
	return string(b.bytes[start:b.ends[at]])
}

// readShared reads the texts that cells share.
func (w *workbook) readShared(ctx context.Context) error {
	return w.elements(ctx, "xl/sharedStrings.xml", func(x *xmlStream, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := sharedText(x)
		if err != nil {
			return err
		}
		if !w.shared.add(text) {
			return layer.Wrong("sổ tính có hơn %d MB chữ: hãy lưu thành CSV", "the workbook has more than %d MB of text: save it as CSV", maxShared>>20)
		}
		return nil
	})
}

// sharedText reads a text, of one piece or several, without how it is pronounced.
func sharedText(x *xmlStream) (string, error) {
	var b strings.Builder
	for {
		token, err := x.next()
		if err != nil {
			return "", err
		}
		switch e := token.(type) {
		case xml.EndElement:
			if e.Name.Local == "si" {
				return unescaped(b.String()), nil
			}
		case xml.StartElement:
			switch e.Name.Local {
			case "t":
				piece, err := x.text()
				if err != nil {
					return "", err
				}
				b.WriteString(piece)
			case "rPh":
				if err := x.skip(); err != nil {
					return "", err
				}
			}
		}
	}
}

// span is rows that are joined in a column.
type span struct{ first, last int64 }

const maxMerged = 100_000

var (
	mergedTag = []byte("mergeCell ")
	mergedRef = regexp.MustCompile(`ref="\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})"`)
)

// findMerged finds the cells that are joined over several rows. They are listed behind all
// rows, so the sheet is run through as bytes, which is ten times as fast as reading it.
func (w *workbook) findMerged(ctx context.Context) (err error) {
	w.merged = map[int][]span{}
	f := w.archive.find(func(n string) bool { return strings.EqualFold(n, w.sheet.part) })
	in, err := w.archive.member(f).read(ctx)
	if err != nil {
		return err
	}
	defer closing(in, &err)
	const overlap = 128
	buffer := make([]byte, 1<<16)
	kept, count := 0, 0
	for {
		n, err := io.ReadFull(in, buffer[kept:])
		text := buffer[:kept+n]
		last := err != nil
		if last && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		for {
			at := bytes.Index(text, mergedTag)
			if at < 0 || len(text)-at < overlap && !last {
				break
			}
			if count += w.merge(text[at:min(at+overlap, len(text))]); count > maxMerged {
				return layer.Wrong("trang tính có hơn %d ô gộp", "the sheet has more than %d joined cells", maxMerged)
			}
			text = text[at+len(mergedTag):]
		}
		if last {
			for _, spans := range w.merged {
				slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
			}
			if count > 0 {
				w.guesses = append(w.guesses, Guess{"joined_cells", "filled", fmt.Sprintf("%d cells are joined over several rows: each of the rows has the value", count)})
			}
			return nil
		}
		kept = copy(buffer, text[max(0, len(text)-overlap):])
	}
}

// merge notes one range of joined cells, if it has several rows below the names; it returns
// how many it noted.
func (w *workbook) merge(tag []byte) int {
	m := mergedRef.FindSubmatch(tag)
	if m == nil {
		return 0
	}
	column, ok := columnOf(string(m[1]))
	first, err1 := strconv.ParseInt(string(m[2]), 10, 64)
	last, err2 := strconv.ParseInt(string(m[4]), 10, 64)
	if !ok || err1 != nil || err2 != nil || last <= first || first <= w.header.last || column >= len(w.header.columns) {
		return 0
	}
	w.merged[column] = append(w.merged[column], span{first, last})
	return 1
}

// filler gives rows the values of the cells that are joined with cells above them.
type filler struct {
	merged map[int][]span
	next   map[int]int // by column: the first span that may still hold
	values map[int]any // by column: the value of the cells joined there
}

func (w *workbook) filler() *filler { return &filler{w.merged, map[int]int{}, map[int]any{}} }

// fill takes the rows in their order.
func (f *filler) fill(row *Row) {
	for column, spans := range f.merged {
		at := f.next[column]
		for at < len(spans) && spans[at].last < row.Number {
			at++
		}
		if f.next[column] = at; at == len(spans) || row.Number < spans[at].first {
			continue
		}
		if row.Number == spans[at].first {
			f.values[column] = row.Cells[column]
		} else if row.Cells[column] == nil {
			row.Cells[column] = f.values[column]
		}
	}
}
