package intake

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// evidence is what the values of a column prove about how it is written.
type evidence struct {
	point, comma      int // numbers that only one way can read
	monthFirst        int // dates that only this order can read
	marks, otherWords int // crosses and ticks, and other texts
}

// observe looks at a value.
func (e *evidence) observe(cell any) {
	s, ok := cell.(string)
	if s = strings.TrimSpace(s); !ok || s == "" {
		return
	}
	if isMark(s) {
		e.marks++
	} else {
		e.otherWords++
	}
	if provesMonthFirst(s) {
		e.monthFirst++
		return
	}
	s, _ = valueWithoutMeasure(s)
	if n, ok := readNumeral(s); ok {
		switch n.proves() {
		case CommaDecimal:
			e.comma++
		case PointDecimal:
			e.point++
		}
	}
}

// decides tells the way in which a column writes numbers, where all that prove it agree.
func (e *evidence) decides() Comma {
	switch {
	case e.comma > 0 && e.point == 0:
		return CommaDecimal
	case e.point > 0 && e.comma == 0:
		return PointDecimal
	}
	return CommaUnknown
}

// cells reads the values of a column as those of a field.
type cells struct {
	field     *layer.Field
	factor    float64
	comma     Comma
	calendar  calendar
	blankIsNo bool  // the column has crosses and blanks alone
	partDates int64 // cells of this reading that give a year or a month alone
	words     *vocabulary
}

// newCells settles how a column is read: what somebody said goes before what the column
// proves, and that before what the file as a whole is like.
func newCells(c *Column, e *evidence, l *layer.Layer, o *Options, file Comma) *cells {
	f := c.field
	r := &cells{field: f, factor: c.Factor, comma: o.DecimalComma}
	if l.Reference == nil { // whose words are its file's own
		r.words = newVocabulary(f, o.Vocabulary[f.Name])
	}
	if r.comma == CommaUnknown {
		r.comma = e.decides()
	}
	if r.comma == CommaUnknown && e.comma == 0 {
		r.comma = file
	}
	r.calendar = calendar{order: o.DateOrder, monthFirst: e.monthFirst > 0, end: f.Name == "valid_to"}
	r.blankIsNo = f.Kind == layer.Boolean && e.marks > 0 && e.otherWords == 0
	return r
}

// sheetErrors are what spreadsheet programs leave where a formula failed.
var sheetErrors = regexp.MustCompile(`^#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)$`)

// blanks are several blanks, tabs and the like in a row.
var blanks = regexp.MustCompile(`[\t \x{00a0}\x{2000}-\x{200b}\x{202f}\x{3000}\x{feff}]+`)

// plainText is a text in NFC without blanks around it and double ones in it, and without
// the apostrophe that keeps a text from being a formula.
func plainText(s string) string {
	s = strings.TrimSpace(blanks.ReplaceAllString(norm.NFC.String(s), " "))
	if bare := strings.TrimLeft(s, "'"); len(bare) < len(s) && bare != "" && strings.ContainsRune("=+-@\t\r\n", rune(bare[0])) {
		return s[1:]
	}
	return s
}

// lostLetters are what is left of a word whose letters an encoding did not have: "C?t", "Ph??ng".
var lostLetters = regexp.MustCompile(`\pL\?+\pL|\x{fffd}`)

// LostLetters is the fault of a text some of whose letters became question marks when it was
// written; nil for none. What follows a question mark in an address is a query.
func LostLetters(text string) *Fault {
	if strings.Contains(text, "://") || !lostLetters.MatchString(text) {
		return nil
	}
	return fault(RuleText, text, "mất chữ khi tệp được ghi ra (dấu ? giữa từ): %q; hãy ghi lại tệp ở UTF-8", "letters were lost when the file was written (? within words): %q; write it again in UTF-8", cut(text))
}

// strays are characters that no program shows, and that formats of XML cannot hold: control characters but the
// ends of lines and tabs, and marks that turn the direction of what follows, by which a text looks like another.
var strays = regexp.MustCompile(`[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\x{202a}-\x{202e}\x{2066}-\x{2069}]`)

// WrongText is the fault of a text that is not what its writer meant; nil for none.
func WrongText(text string) *Fault {
	if at := strays.FindString(text); at != "" {
		return fault(RuleText, text, "có ký tự điều khiển %U không nhìn thấy được", "has the control character %U, which nobody sees", []rune(at)[0]).likely(plainText(strays.ReplaceAllString(text, " ")))
	}
	return LostLetters(text)
}

// value reads a cell; nil for one without a value.
func (r *cells) value(cell any) (any, *Fault) {
	if s, ok := cell.(string); ok {
		s = plainText(s)
		if sheetErrors.MatchString(s) {
			return nil, fault(r.rule(), s, "bảng tính ghi lỗi %s ở đây", "the spreadsheet has the error %s here", s)
		}
		if s == "" || r.field.Kind != layer.Text && isBlank(s) {
			cell = nil
		} else {
			cell = s
		}
	}
	if cell == nil {
		if r.blankIsNo {
			return false, nil
		}
		return nil, nil
	}
	text, wrong := r.text(cell)
	if wrong == nil && (r.field.Kind == layer.Text || r.field.Kind == layer.TextList) {
		wrong = WrongText(text)
	}
	if wrong != nil {
		return nil, wrong
	}
	value, err := r.field.ParseText(text)
	if err != nil {
		f := fault(r.rule(), tables.CellText(cell), "%s", "%s", err.Error())
		var sentence *layer.ValueError
		if errors.As(err, &sentence) {
			f.Detail = sentence.Text
		}
		return nil, f
	}
	return value, nil
}

// rule is what a value that is none of the field's breaks.
func (r *cells) rule() Rule {
	switch r.field.Kind {
	case layer.Integer, layer.Number:
		return RuleNumber
	case layer.Boolean:
		return RuleBoolean
	case layer.Date, layer.Timestamp:
		return RuleDate
	}
	return RuleText
}

// text is a cell in the form in which the field reads it.
func (r *cells) text(cell any) (string, *Fault) {
	switch r.field.Kind {
	case layer.Integer, layer.Number:
		return r.number(cell)
	case layer.Boolean:
		return r.boolean(cell)
	case layer.Date:
		return r.date(cell)
	case layer.Timestamp:
		if at, ok := cell.(time.Time); ok {
			return at.Format(time.RFC3339Nano), nil
		}
		return tables.CellText(cell), nil
	case layer.TextList:
		return listText(tables.CellText(cell)), nil
	}
	s := tables.CellText(cell)
	if r.words == nil {
		return s, nil
	}
	if code, ok := r.words.read(s); ok {
		return code, nil
	}
	if r.words.closed {
		return "", r.noWord(s)
	}
	return s, nil
}

func (r *cells) noWord(s string) *Fault {
	return fault(RuleVocabulary, s, "%q không phải một trong %s", "%q is not one of %s", cut(s), r.words.list()).likely(r.words.likely(s))
}

// romans are the levels of things as they are often written.
var romans = map[string]string{"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "cap i": "1", "cap ii": "2", "cap iii": "3", "cap iv": "4", "cap v": "5", "cap 1": "1", "cap 2": "2", "cap 3": "3", "cap 4": "4", "cap 5": "5"}

func (r *cells) number(cell any) (string, *Fault) {
	whole := r.field.Kind == layer.Integer
	s, isText := cell.(string)
	if n, isWhole := cell.(int64); isWhole && (r.factor == 0 || r.factor == 1) {
		return strconv.FormatInt(n, 10), nil // all the digits, more than a float64 has
	}
	if !isText {
		x, ok := numberOf(cell)
		if !ok {
			s = tables.CellText(cell)
			return "", fault(RuleNumber, s, "%q không phải số", "%q is not a number", s)
		}
		return r.scaled(x, r.factor), nil
	}
	if level, ok := romans[fold(s)]; ok && whole {
		return level, nil
	}
	if r.words != nil && r.words.closed {
		if code, ok := r.words.read(s); ok {
			return code, nil
		}
		if _, ok := readNumeral(s); !ok {
			return "", r.noWord(s)
		}
	}
	bare, unit := valueWithoutMeasure(s)
	factor := r.factor
	if unit != "" {
		var ok bool
		if factor, ok = factorTo(unit, r.field.Unit); !ok {
			return "", fault(RuleNumber, s, "%q có đơn vị không hợp với trường %s", "%q is in a unit that the field %s does not have", s, r.field.Name)
		}
	}
	return r.numeral(s, bare, factor)
}

// numeral reads a number without its unit; s is the cell.
func (r *cells) numeral(s, bare string, factor float64) (string, *Fault) {
	n, ok := readNumeral(bare)
	if !ok {
		return "", fault(RuleNumber, s, "%q không phải số", "%q is not a number", cut(s))
	}
	if r.field.Kind == layer.Integer && r.comma == CommaUnknown {
		n = n.wholeOnly()
	}
	text, ok := n.in(r.comma)
	if !ok {
		return "", twoNumbers(s, n)
	}
	if r.field.Kind == layer.Integer && strings.Trim(text, "+-0123456789") == "" {
		return text, nil // all the digits, more than a float64 has
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", fault(RuleNumber, s, "%q quá lớn", "%q is too large", cut(s))
	}
	if r.field.Kind == layer.Integer && x != math.Trunc(x) {
		f := fault(RuleNumber, s, "%q không phải số nguyên", "%q is not a whole number", s)
		if other := n.wholeOnly(); n.point != "" && n.comma != "" && (other.point == "" || other.comma == "") {
			f.likely(other.point + other.comma)
		}
		return "", f
	}
	return r.scaled(x, factor), nil
}

// scaled is a number in the field's unit, as decimal people would multiply it: 6.427 km² is
// 6427000 m², not 6426999.999999999.
func (r *cells) scaled(x, factor float64) string {
	if factor == 0 || factor == 1 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(mustParse(strconv.FormatFloat(x*factor, 'g', 15, 64)), 'f', -1, 64)
}

// mustParse reads what strconv has written.
func mustParse(s string) float64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

func (r *cells) boolean(cell any) (string, *Fault) {
	switch v := cell.(type) {
	case bool:
		return strconv.FormatBool(v), nil
	case string:
		words := fold(v)
		switch {
		case isMark(v), slices.Contains(yes(), words):
			return "true", nil
		case slices.Contains(no(), words):
			return "false", nil
		}
	default:
		if x, ok := numberOf(cell); ok && (x == 0 || x == 1) {
			return strconv.FormatBool(x == 1), nil
		}
	}
	s := tables.CellText(cell)
	return "", fault(RuleBoolean, s, "%q không phải có hoặc không", "%q is neither yes nor no", cut(s))
}

func (r *cells) date(cell any) (string, *Fault) {
	switch v := cell.(type) {
	case time.Time:
		return geo.DateOf(v).String(), nil
	case string:
		return r.dateText(v)
	}
	s := tables.CellText(cell)
	if x, ok := numberOf(cell); ok && x == math.Trunc(x) {
		if x >= 1900 && x <= 2200 {
			return r.dateText(s)
		}
		if day, ok := dayOfSheet(x); ok {
			return "", noDate(s).likely(day.String())
		}
	}
	return "", noDate(s)
}

func (r *cells) dateText(s string) (string, *Fault) {
	d, f := r.calendar.read(s)
	if f == nil && partOfDate(s) {
		r.partDates++
	}
	return d.String(), f
}

// listText has commas for the signs that people put between the parts of a list.
func listText(s string) string {
	if strings.HasPrefix(s, "[") {
		return s
	}
	return listSigns.Replace(s)
}

var listSigns = strings.NewReplacer(";", ",", "|", ",", "/", ",", "+", ",", "\n", ",")

// numberOf is the number in a cell that is one.
func numberOf(cell any) (float64, bool) {
	switch v := cell.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case int64:
		return float64(v), true
	}
	return 0, false
}
