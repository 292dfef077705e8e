package tables

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hatang/internal/layer"
)

// What a cell of a sheet holds.
const (
	nothing = iota
	aText
	aValue // a number, a boolean, a date
	aFault
	aFormula // that nobody has computed
)

// value is a cell of a sheet.
type value struct {
	what int
	text string
	is   any // int64, float64, bool, time.Time
}

// String is the value as it is shown, or nearly.
func (v value) String() string {
	switch is := v.is.(type) {
	case nil:
		return v.text
	case time.Time:
		return is.Format(time.DateOnly)
	case float64:
		return strconv.FormatFloat(is, 'f', -1, 64)
	default:
		return fmt.Sprint(is)
	}
}

// rows hands on the rows of the sheet, each with the cells that it has.
func (w *workbook) rows(ctx context.Context, each func(number int64, cells []value) error) (err error) {
	x, closer, err := w.part(ctx, w.sheet.part)
	if err != nil {
		return err
	}
	if x == nil {
		return layer.Wrong("sổ tính không có trang %q mà nó nêu", "the workbook lacks the sheet %q that it lists", w.sheet.name)
	}
	defer closing(closer, &err)
	number := int64(0)
	for {
		x.open()
		token, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "row" {
			continue
		}
		number++
		if r, err := strconv.ParseInt(attribute(e, "r"), 10, 64); err == nil && r > 0 {
			number = r
		}
		if number > MaxSheetRows {
			return layer.Wrong("trang tính có hơn %d dòng", "the sheet has more than %d rows", MaxSheetRows)
		}
		cells, err := w.cells(x)
		if err != nil {
			return err
		}
		if err := each(number, cells); err != nil {
			return err
		}
	}
}

// cells reads the cells of the row that has just begun.
func (w *workbook) cells(x *xmlStream) ([]value, error) {
	var cells []value
	at := -1
	for {
		token, err := x.next()
		if err != nil {
			return nil, err
		}
		switch e := token.(type) {
		case xml.EndElement:
			if e.Name.Local == "row" {
				return cells, nil
			}
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			at++
			if column, ok := columnOf(attribute(e, "r")); ok {
				at = column
			}
			v, err := w.cell(x, e)
			if err != nil {
				return nil, err
			}
			if v.what == nothing {
				continue
			}
			if at >= MaxSheetColumns {
				return nil, layer.Wrong("trang tính có hơn %d cột", "the sheet has more than %d columns", MaxSheetColumns)
			}
			for len(cells) <= at {
				cells = append(cells, value{})
			}
			cells[at] = v
		}
	}
}

// columnOf is the column of a cell's name, from 0.
func columnOf(name string) (int, bool) {
	column := 0
	for i := 0; i < len(name) && i < 4 && name[i] >= 'A' && name[i] <= 'Z'; i++ {
		column = column*26 + int(name[i]-'A') + 1
	}
	return column - 1, column > 0
}

// cell reads the cell that has just begun.
func (w *workbook) cell(x *xmlStream, c xml.StartElement) (value, error) {
	kind, styled := attribute(c, "t"), attribute(c, "s")
	var text strings.Builder
	formula := false
	for {
		token, err := x.next()
		if err != nil {
			return value{}, err
		}
		switch e := token.(type) {
		case xml.EndElement:
			if e.Name.Local == "c" && formula && text.Len() == 0 && kind != "str" { // of that the result is an empty text
				return value{what: aFormula}, nil
			}
			if e.Name.Local == "c" {
				return w.value(kind, styled, text.String())
			}
		case xml.StartElement:
			var err error
			switch e.Name.Local {
			case "v", "t":
				var piece string
				piece, err = x.text()
				text.WriteString(piece)
			case "f":
				formula = true
				err = x.skip()
			case "rPh":
				err = x.skip()
			}
			if err != nil {
				return value{}, err
			}
		}
	}
}

// value reads a cell of a kind.
func (w *workbook) value(kind, styled, text string) (value, error) {
	if text == "" {
		return value{}, nil
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(text)
		if err != nil || i < 0 || i >= w.shared.count {
			return value{what: aFault, text: "shared text " + cut(text, 20)}, nil
		}
		return value{what: aText, text: w.shared.text(i)}, nil
	case "inlineStr", "str":
		return value{what: aText, text: unescaped(text)}, nil
	case "b":
		return value{what: aValue, is: isTrue(text)}, nil
	case "e":
		return value{what: aFault, text: text}, nil
	case "d":
		for _, form := range []string{time.DateOnly, "2006-01-02T15:04:05", time.RFC3339Nano} {
			if t, err := time.Parse(form, text); err == nil {
				return value{what: aValue, is: t.UTC()}, nil
			}
		}
		return value{what: aFault, text: text}, nil
	}
	of := style{}
	if i, err := strconv.Atoi(styled); err == nil && i >= 0 && i < len(w.styles) {
		of = w.styles[i]
	}
	return number(text, of, w.is1904), nil
}

// number reads a number in its style: one that is shown as a date is a date, one that is
// shown with zeros before it (a code) the text that is shown.
func number(text string, of style, is1904 bool) value {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return value{what: aFault, text: text}
	}
	if of.date {
		return day(f, is1904)
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
			return value{what: aValue, is: f}
		}
		i = int64(f) // Excel writes 1E5 for it, and 30 for 30.0
	}
	if of.zeros > 1 && i >= 0 {
		return value{what: aText, text: fmt.Sprintf("%0*d", of.zeros, i)}
	}
	return value{what: aValue, is: i}
}

// day is the date, or the time of a day, that Excel counts so.
func day(f float64, is1904 bool) value {
	const most = 2958466 // the end of 9999
	if f < 0 || f >= most {
		return value{what: aFault, text: strconv.FormatFloat(f, 'f', -1, 64)}
	}
	base := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case is1904:
		base = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case f >= 60 && f < 61:
		return value{what: aFault, text: "29/02/1900"}
	case f < 60: // Excel has a 29 February 1900, which there was not
		base = base.AddDate(0, 0, 1)
	}
	whole := math.Floor(f)
	seconds := time.Duration(math.Round((f-whole)*86400)) * time.Second
	if whole == 0 {
		return value{what: aText, text: base.Add(seconds).Format(time.TimeOnly)}
	}
	return value{what: aValue, is: base.AddDate(0, 0, int(whole)).Add(seconds)}
}

// hexEscape is how a workbook writes what XML cannot: _x000D_.
var hexEscape = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)

func unescaped(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return hexEscape.ReplaceAllStringFunc(s, func(m string) string {
		r, err := strconv.ParseUint(m[2:6], 16, 16)
		if err != nil {
			return m
		}
		return string(rune(r))
	})
}
