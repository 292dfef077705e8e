package permit

import (
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// Detail is how much is said about a proposal.
type Detail uint8

// The details, from the whole answer to the bare verdict.
const (
	DetailFull     Detail = iota // findings with their sentences
	DetailFindings               // findings without sentences
	DetailVerdict                // the verdict and the unit
)

// ParseDetail reads the name of a detail; "" is full.
func ParseDetail(name string) (Detail, bool) {
	switch name {
	case "", "full":
		return DetailFull, true
	case "findings":
		return DetailFindings, true
	case "verdict":
		return DetailVerdict, true
	}
	return DetailFull, false
}

// AppendJSON appends the answer as JSON. In full it is what encoding/json writes,
// byte for byte (HTML left unescaped), many times faster. DetailFindings leaves the
// members measured, required and message away, DetailVerdict also all that Verdict
// does not know.
func (a *Answer) AppendJSON(dst []byte, d Detail) []byte {
	dst = append(dst, `{"verdict":`...)
	dst = appendText(dst, string(a.Verdict))
	if d != DetailVerdict {
		dst = append(dst, ',')
		dst = appendResult(dst, &a.Result, d == DetailFull)
	}
	if d == DetailVerdict {
		dst = appendDate(append(dst, `,"date":`...), a.Date)
	}
	dst = appendUnit(append(dst, `,"unit":`...), a.Unit)
	dst = appendFloat(append(dst, `,"point":[`...), a.Point[0])
	dst = appendFloat(append(dst, ','), a.Point[1])
	dst = append(dst, ']')
	if len(a.Versions) > 0 {
		dst = appendVersions(append(dst, `,"versions":`...), a.Versions)
	}
	if a.KnownAt != nil {
		dst = a.KnownAt.AppendFormat(append(dst, `,"known_at":"`...), time.RFC3339Nano)
		dst = append(dst, '"')
	}
	if a.Generalised {
		dst = append(dst, `,"generalised":true`...)
	}
	if a.Nearest != nil {
		dst = appendNearest(append(dst, `,"nearest":`...), a.Nearest, d == DetailFull)
	}
	return append(dst, '}')
}

// appendResult appends the members of a result behind its verdict.
func appendResult(dst []byte, r *zoning.Result, sentences bool) []byte {
	dst = append(dst, `"allowed_types":`...)
	dst = appendTexts(dst, r.AllowedTypes)
	dst = strconv.AppendBool(append(dst, `,"provisional":`...), r.Provisional)
	dst = append(dst, `,"findings":`...)
	dst = appendList(dst, r.Findings, func(dst []byte, f *zoning.Finding) []byte { return appendFinding(dst, f, sentences) })
	dst = append(dst, `,"alternatives":`...)
	dst = appendList(dst, r.Alternatives, func(dst []byte, a *zoning.Alternative) []byte { return appendAlternative(dst, a, sentences) })
	dst = appendDate(append(dst, `,"date":`...), r.Date)
	return appendText(append(dst, `,"rule_set":`...), r.RuleSet)
}

func appendFinding(dst []byte, f *zoning.Finding, sentences bool) []byte {
	dst = appendText(append(dst, `{"rule":`...), f.Rule)
	dst = appendText(append(dst, `,"outcome":`...), string(f.Outcome))
	dst = strconv.AppendBool(append(dst, `,"binding":`...), f.Binding)
	dst = appendText(append(dst, `,"clause":`...), f.Clause)
	dst = appendText(append(dst, `,"rule_set":`...), f.RuleSet)
	dst = appendDate(append(dst, `,"data_date":`...), f.DataDate)
	if sentences {
		dst = appendText(append(dst, `,"measured":`...), f.Measured)
		dst = appendText(append(dst, `,"required":`...), f.Required)
	}
	dst = appendNumber(append(dst, `,"margin_m":`...), f.MarginM)
	dst = appendEvidence(append(dst, `,"evidence":`...), f.Evidence)
	if sentences {
		dst = appendMessage(append(dst, `,"message":`...), f.Message)
	}
	if f.MeasuredM != nil {
		dst = appendNumber(append(dst, `,"measured_m":`...), f.MeasuredM)
	}
	if f.RequiredM != nil {
		dst = appendNumber(append(dst, `,"required_m":`...), f.RequiredM)
	}
	if len(f.AllowedTypes) > 0 {
		dst = appendTexts(append(dst, `,"allowed_types":`...), f.AllowedTypes)
	}
	if f.Strictest {
		dst = append(dst, `,"strictest":true`...)
	}
	if len(f.Missing) > 0 {
		dst = appendTexts(append(dst, `,"missing":`...), f.Missing)
	}
	if f.Notice {
		dst = append(dst, `,"notice":true`...)
	}
	dst = strconv.AppendBool(append(dst, `,"decides":`...), f.Decides)
	if f.SharingRequest != "" {
		dst = appendText(append(dst, `,"sharing_request":`...), f.SharingRequest)
	}
	if f.ReplyDays != 0 {
		dst = strconv.AppendInt(append(dst, `,"reply_days":`...), int64(f.ReplyDays), 10)
	}
	dst = appendText(append(dst, `,"source":{"instrument":`...), f.Source.Instrument)
	if f.Source.URL != "" {
		dst = appendText(append(dst, `,"url":`...), f.Source.URL)
	}
	dst = append(dst, '}')
	if f.Status != "" {
		dst = appendText(append(dst, `,"status":`...), f.Status)
	}
	return append(dst, '}')
}

func appendAlternative(dst []byte, a *zoning.Alternative, sentences bool) []byte {
	dst = appendText(append(dst, `{"kind":`...), a.Kind)
	if a.MastType != "" {
		dst = appendText(append(dst, `,"mast_type":`...), string(a.MastType))
	}
	if a.Structure != "" {
		dst = appendText(append(dst, `,"structure":`...), string(a.Structure))
	}
	if a.Evidence != nil {
		dst = appendEvidence(append(dst, `,"evidence":`...), a.Evidence)
	}
	if len(a.Operators) > 0 {
		dst = appendTexts(append(dst, `,"operators":`...), a.Operators)
	}
	if a.DistanceM != nil {
		dst = appendNumber(append(dst, `,"distance_m":`...), a.DistanceM)
	}
	if sentences {
		dst = appendMessage(append(dst, `,"message":`...), a.Message)
	}
	return append(dst, '}')
}

func appendEvidence(dst []byte, e *zoning.Evidence) []byte {
	if e == nil {
		return append(dst, "null"...)
	}
	dst = appendText(append(dst, `{"collection":`...), e.Collection)
	dst = strconv.AppendInt(append(dst, `,"id":`...), e.ID, 10)
	if e.Code != "" {
		dst = appendText(append(dst, `,"code":`...), e.Code)
	}
	if e.Status != "" {
		dst = appendText(append(dst, `,"status":`...), e.Status)
	}
	if !e.RecordedOn.IsZero() {
		dst = appendDate(append(dst, `,"recorded_on":`...), e.RecordedOn)
	}
	return append(dst, '}')
}

func appendUnit(dst []byte, u *Unit) []byte {
	if u == nil {
		return append(dst, "null"...)
	}
	dst = appendText(append(dst, `{"commune":`...), u.Commune)
	dst = appendText(append(dst, `,"district":`...), u.District)
	dst = appendText(append(dst, `,"province":`...), u.Province)
	return append(dst, '}')
}

func appendMessage(dst []byte, t geo.Text) []byte {
	dst = appendText(append(dst, `{"vi":`...), t.VI)
	dst = appendText(append(dst, `,"en":`...), t.EN)
	return append(dst, '}')
}

func appendVersions(dst []byte, versions layer.Versions) []byte {
	var room [16]string
	names := room[:0]
	for name := range versions {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, name), ':')
		dst = strconv.AppendInt(dst, versions[name], 10)
	}
	return append(dst, '}')
}

// appendList appends a list; nil is null, as encoding/json has it.
func appendList[T any](dst []byte, items []T, one func([]byte, *T) []byte) []byte {
	if items == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, &items[i])
	}
	return append(dst, ']')
}

func appendTexts[T ~string](dst []byte, texts []T) []byte {
	return appendList(dst, texts, func(dst []byte, t *T) []byte { return appendText(dst, string(*t)) })
}

func appendDate(dst []byte, d geo.Date) []byte {
	if d.IsZero() {
		return append(dst, "null"...)
	}
	dst = d.Time().AppendFormat(append(dst, '"'), time.DateOnly)
	return append(dst, '"')
}

func appendNumber(dst []byte, x *float64) []byte {
	if x == nil {
		return append(dst, "null"...)
	}
	return appendFloat(dst, *x)
}

// appendFloat writes a number as encoding/json does; JSON has no NaN or infinity,
// which are written as null.
func appendFloat(dst []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(dst, "null"...)
	}
	if size := math.Abs(x); size != 0 && (size < 1e-6 || size >= 1e21) {
		dst = strconv.AppendFloat(dst, x, 'e', -1, 64)
		if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' { // e-09 is e-9
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
		return dst
	}
	return strconv.AppendFloat(dst, x, 'f', -1, 64)
}

const hexDigits = "0123456789abcdef"

// appendText writes a string as encoding/json does with HTML left unescaped.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start, valid := 0, utf8.ValidString(s)
	for i := 0; i < len(s); {
		c := s[i]
		// 0xE2 begins the two line separators, which are escaped.
		if c >= ' ' && c != '"' && c != '\\' && (c < utf8.RuneSelf || valid && c != 0xE2) {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || size > 1) && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscaped(dst, s[i:i+size])
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// appendEscaped writes one character that a JSON string cannot or should not hold.
func appendEscaped(dst []byte, s string) []byte {
	switch c := s[0]; {
	case s == "\u2028":
		return append(dst, `\u2028`...)
	case s == "\u2029":
		return append(dst, `\u2029`...)
	case c >= utf8.RuneSelf:
		return append(dst, `\ufffd`...)
	case c == '"', c == '\\':
		return append(dst, '\\', c)
	case c == '\b':
		return append(dst, `\b`...)
	case c == '\f':
		return append(dst, `\f`...)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\t':
		return append(dst, `\t`...)
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}
