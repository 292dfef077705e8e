package permit

import (
	"bytes"
	"strconv"
	"strings"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// OutFormat is a way to write what became of rows.
type OutFormat uint8

// The formats of answers. The columns and properties of the input stay, but for
// those called as a result is: verdict, commune, district and errors; with findings
// also provisional, allowed_types, rules (those that decide), rule_set and data_date
// (and in GeoJSON findings, alternatives and rule_set instead of the last three); in full CSV also reasons.
// What is wrong with a row begins with its number, from 1, in CSV; elsewhere that is
// the member row.
const (
	OutCSV      OutFormat = iota + 1 // the lines of a CSV input with more columns
	OutGeoJSON                       // a FeatureCollection, with a summary (see Tally.AppendJSON)
	OutSequence                      // application/geo+json-seq (RFC 8142)
	OutLines                         // a Feature on each line
	OutResults                       // {"results": [an answer, or row and errors, …], "summary": …}
	OutText                          // as Batch.Text writes it; nothing of bad rows
)

// resultNames are those of CSV columns, by detail, and of properties.
var resultNames = [...][]string{
	DetailFull:     {"verdict", "commune", "district", "provisional", "allowed_types", "rules", "reasons", "rule_set", "data_date", "errors"},
	DetailFindings: {"verdict", "commune", "district", "provisional", "allowed_types", "rules", "rule_set", "data_date", "errors"},
	DetailVerdict:  {"verdict", "commune", "district", "errors"},
}

// isResultName reports whether an answer in any detail has a column or property of
// that name, so that an answer can be judged again.
func isResultName(name string) bool {
	switch name {
	case "verdict", "commune", "district", "provisional", "allowed_types", "rules", "reasons", "errors", "findings", "alternatives", "rule_set", "data_date":
		return true
	}
	return false
}

// pen writes rows in one format.
type pen struct {
	format   OutFormat
	detail   Detail
	language string
	table    *table // of a CSV input
	echo     []int  // the columns of it that are kept
	all      bool   // all are
	text     func([]byte, *Answer) []byte
}

func newPen(b *Batch, t *table) *pen {
	p := &pen{format: b.Out, detail: b.Detail, language: b.Language, table: t, all: true, text: b.Text}
	if t != nil {
		for i, c := range t.columns {
			if isResultName(strings.ToLower(c.name)) {
				p.all = false
			} else {
				p.echo = append(p.echo, i)
			}
		}
	}
	return p
}

// begin writes what stands before the first row.
func (p *pen) begin(dst []byte) []byte {
	switch p.format {
	case OutCSV:
		return p.heading(dst)
	case OutGeoJSON:
		return append(dst, `{"type":"FeatureCollection","features":[`...)
	case OutResults:
		return append(dst, `{"results":[`...)
	}
	return dst
}

// end writes what stands behind the last row: where there is room for it, the summary.
func (p *pen) end(dst []byte, t *Tally) []byte {
	switch p.format {
	case OutGeoJSON, OutResults:
		return append(t.AppendJSON(append(dst, "\n],\"summary\":"...)), "}\n"...)
	}
	return dst
}

// row writes one row.
func (p *pen) row(dst []byte, r *row) []byte {
	switch p.format {
	case OutCSV:
		return p.line(dst, r)
	case OutResults:
		return p.result(p.comma(dst, r), r)
	case OutGeoJSON:
		return p.feature(p.comma(dst, r), r)
	case OutText:
		if len(r.faults) > 0 {
			return dst
		}
		return p.text(dst, r.found.answer)
	case OutSequence:
		dst = append(dst, '\x1e')
	}
	return append(p.feature(dst, r), '\n')
}

// comma parts rows that stand in a list.
func (p *pen) comma(dst []byte, r *row) []byte {
	if r.nth > 1 {
		dst = append(dst, ',')
	}
	return append(dst, '\n')
}

// heading writes the column names.
func (p *pen) heading(dst []byte) []byte {
	t := p.table
	if t.mark {
		dst = append(dst, byteOrderMark...)
	}
	if t.named {
		dst = append(append(dst, "sep="...), t.separator, '\n')
	}
	var scratch []byte
	cells, _ := t.split(nil, t.line, &scratch)
	dst = p.echoed(dst, t.line, cells)
	for i, name := range resultNames[p.detail] {
		if i > 0 || len(p.echo) > 0 {
			dst = append(dst, t.separator)
		}
		dst = append(dst, name...)
	}
	return append(dst, '\n')
}

// echoed writes the cells of a line that are kept, as they stand in it. What is too
// few is filled up, what is too many is left out.
func (p *pen) echoed(dst, line []byte, cells []cell) []byte {
	if p.all && len(cells) == len(p.table.columns) {
		return append(dst, line...)
	}
	for i, at := range p.echo {
		if i > 0 {
			dst = append(dst, p.table.separator)
		}
		if at < len(cells) {
			from := 0
			if at > 0 {
				from = cells[at-1].end + 1
			}
			dst = append(dst, line[from:cells[at].end]...)
		}
	}
	return dst
}

// line writes a row of CSV.
func (p *pen) line(dst []byte, r *row) []byte {
	dst = p.echoed(dst, r.text, r.cells)
	cell := func(text string) {
		dst = appendCell(append(dst, p.table.separator), text, p.table.separator)
	}
	if len(p.echo) == 0 {
		dst = append(dst, r.found.verdict...)
	} else {
		cell(string(r.found.verdict))
	}
	cell(r.found.place.Commune)
	cell(r.found.place.District)
	if p.detail != DetailVerdict {
		p.answerCells(r.found.answer, cell)
	}
	dst = append(dst, p.table.separator)
	if len(r.faults) > 0 {
		dst = appendCell(dst, r.faultsText(p.language), p.table.separator)
	}
	return append(dst, '\n')
}

func (p *pen) answerCells(a *Answer, cell func(string)) {
	if a == nil {
		for range len(resultNames[p.detail]) - len(resultNames[DetailVerdict]) {
			cell("")
		}
		return
	}
	cell(strconv.FormatBool(a.Provisional))
	cell(joined(len(a.AllowedTypes), func(i int) string { return string(a.AllowedTypes[i]) }))
	deciding := a.Deciding()
	cell(joined(len(deciding), func(i int) string { return deciding[i].Rule }))
	if p.detail == DetailFull {
		cell(joined(len(deciding), func(i int) string { return deciding[i].Message.In(p.language) }))
	}
	cell(a.RuleSet)
	cell(a.Date.String())
}

// joined joins different texts, with blanks between them.
func joined(n int, text func(int) string) string {
	if n == 0 {
		return ""
	}
	if n == 1 {
		return text(0)
	}
	var b strings.Builder
	seen := make([]string, 0, 8)
next:
	for i := range n {
		t := text(i)
		for _, s := range seen {
			if s == t {
				continue next
			}
		}
		if seen = append(seen, t); len(seen) > 1 {
			b.WriteByte(' ')
		}
		b.WriteString(t)
	}
	return b.String()
}

// faultsText is what is wrong with a row in one sentence, which begins with its
// number: of a row that could not be taken apart there is nothing else to find it by.
func (r *row) faultsText(language string) string {
	parts := make([]string, len(r.faults))
	for i, f := range r.faults {
		parts[i] = f.Detail.In(language)
		if at := strings.TrimPrefix(f.At, "/"); at != "" {
			parts[i] = at + ": " + parts[i]
		}
	}
	number := geo.Text{VI: "hàng", EN: "row"}.In(language)
	return number + " " + strconv.FormatInt(r.nth, 10) + ": " + strings.Join(parts, "; ")
}

// appendCell quotes a text where a cell needs it.
func appendCell(dst []byte, text string, separator byte) []byte {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == separator || c == '"' || c == '\n' || c == '\r' {
			return appendQuoted(dst, text)
		}
	}
	return append(dst, text...)
}

func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(text); i++ {
		if text[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

// result writes a row as one of the API's results, with the row's own name.
func (p *pen) result(dst []byte, r *row) []byte {
	dst = append(dst, '{')
	if len(r.faults) > 0 {
		dst = strconv.AppendInt(append(dst, `"row":`...), r.nth, 10)
		dst = append(dst, ',')
	}
	dst = r.appendID(dst)
	if len(r.faults) > 0 {
		return append(appendFaults(append(dst, `"errors":`...), r.faults), '}')
	}
	at := len(dst)
	dst = r.found.answer.AppendJSON(dst, p.detail)
	return append(dst[:at], dst[at+1:]...) // its members stand in our brackets
}

// appendID appends the member id with a comma, if the row has a name.
func (r *row) appendID(dst []byte) []byte {
	switch {
	case r.where != nil && r.where.id >= 0 && r.where.id < len(r.cells):
		dst = appendText(append(dst, `"id":`...), string(trim(r.cells[r.where.id].text)))
	case r.feature.id != nil:
		dst = append(append(dst, `"id":`...), r.feature.id...)
	default:
		return dst
	}
	return append(dst, ',')
}

func appendFaults(dst []byte, faults layer.Faults) []byte {
	return appendList(dst, faults, func(dst []byte, f *layer.Fault) []byte {
		dst = appendText(append(dst, `{"at":`...), f.At)
		dst = appendMessage(append(dst, `,"detail":`...), f.Detail)
		return append(dst, '}')
	})
}

// feature writes a row as a Feature.
func (p *pen) feature(dst []byte, r *row) []byte {
	dst = append(dst, `{"type":"Feature",`...)
	dst = r.appendID(dst)
	dst = p.geometry(append(dst, `"geometry":`...), r)
	dst = p.kept(append(dst, `,"properties":{`...), r)
	if len(r.faults) > 0 {
		dst = strconv.AppendInt(append(dst, `"verdict":null,"row":`...), r.nth, 10)
		return append(appendFaults(append(dst, `,"errors":`...), r.faults), "}}"...)
	}
	dst = appendText(append(dst, `"verdict":`...), string(r.found.verdict))
	dst = appendText(append(dst, `,"commune":`...), r.found.place.Commune)
	dst = appendText(append(dst, `,"district":`...), r.found.place.District)
	if p.detail != DetailVerdict {
		dst = appendFound(append(dst, ','), &r.found.answer.Result, p.detail == DetailFull)
	}
	return append(dst, "}}"...)
}

// appendFound appends the members of a result behind its verdict; the date is the
// row's own.
func appendFound(dst []byte, r *zoning.Result, sentences bool) []byte {
	dst = appendTexts(append(dst, `"allowed_types":`...), r.AllowedTypes)
	dst = strconv.AppendBool(append(dst, `,"provisional":`...), r.Provisional)
	dst = append(dst, `,"findings":`...)
	dst = appendList(dst, r.Findings, func(dst []byte, f *zoning.Finding) []byte { return appendFinding(dst, f, sentences) })
	dst = append(dst, `,"alternatives":`...)
	dst = appendList(dst, r.Alternatives, func(dst []byte, a *zoning.Alternative) []byte { return appendAlternative(dst, a, sentences) })
	return appendText(append(dst, `,"rule_set":`...), r.RuleSet)
}

// geometry writes the place on WGS 84: as the input has it where it can.
func (p *pen) geometry(dst []byte, r *row) []byte {
	switch {
	case len(r.faults) > 0:
		return append(dst, "null"...)
	case r.feature.geometry != nil && !r.moved:
		return appendCompact(dst, r.feature.geometry)
	}
	dst = appendFloat(append(dst, `{"type":"Point","coordinates":[`...), r.Point[0])
	dst = appendFloat(append(dst, ','), r.Point[1])
	return append(dst, "]}"...)
}

// kept writes the properties of the input, each with a comma behind it.
func (p *pen) kept(dst []byte, r *row) []byte {
	for _, both := range r.feature.kept {
		dst = append(appendCompact(dst, both), ',')
	}
	if p.table == nil || len(r.cells) != len(p.table.columns) {
		return dst
	}
	for _, at := range p.echo {
		dst = append(appendText(dst, p.table.columns[at].name), ':')
		dst = append(p.table.appendValue(dst, p.table.columns[at].member, r.cells[at].text), ',')
	}
	return dst
}

// appendValue writes a cell as the JSON that its column holds.
func (t *table) appendValue(dst []byte, m member, text []byte) []byte {
	if text = trim(text); len(text) == 0 {
		return append(dst, "null"...)
	}
	switch value := t.cellValue(m, string(text)).(type) {
	case float64:
		return appendFloat(dst, value)
	case bool:
		return strconv.AppendBool(dst, value)
	default:
		return appendText(dst, string(text))
	}
}

// appendCompact appends JSON without the ends of its lines, which would part the
// rows; within strings there are none.
func appendCompact(dst, raw []byte) []byte {
	from := len(dst)
	dst = append(dst, raw...)
	for i := bytes.IndexByte(raw, '\n'); i >= 0 && i < len(raw); i++ {
		if raw[i] == '\n' || raw[i] == '\r' {
			dst[from+i] = ' '
		}
	}
	return dst
}
