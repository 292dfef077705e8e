package layer

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
)

// MaxTextBytes is the longest text a field holds.
const MaxTextBytes = 10000

// ParseText reads a value from its text form, as it stands in a query parameter or
// a spreadsheet cell. The result has the Go type of the kind (see Feature); text is
// brought to NFC. A list has one value a comma, or is a JSON array of strings.
func (f *Field) ParseText(s string) (any, error) {
	s = strings.TrimSpace(s)
	switch f.Kind {
	case Integer:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, Wrong("%q không phải số nguyên", "%q is not a whole number", s)
		}
		return n, f.check(n)
	case Number:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, Wrong("%q không phải số", "%q is not a number", s)
		}
		return x, f.check(x)
	case Boolean:
		switch strings.ToLower(s) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
		return nil, Wrong("%q không phải true hoặc false", "%q is not true or false", s)
	case Date:
		d, err := geo.ParseDate(s)
		if err != nil {
			return nil, Wrong("%q không phải ngày dạng YYYY-MM-DD", "%q is not a date of the form YYYY-MM-DD", s)
		}
		return d, nil
	case Timestamp:
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return nil, Wrong("%q không phải thời điểm theo RFC 3339", "%q is not a time of RFC 3339", s)
		}
		return at, nil
	case TextList:
		if strings.HasPrefix(s, "[") {
			var list []string
			if json.Unmarshal([]byte(s), &list) == nil {
				return textList(list)
			}
		}
		return textList(strings.Split(s, ","))
	default:
		text, err := cleanText(s)
		if err != nil {
			return nil, err
		}
		return text, f.check(text)
	}
}

// ParseJSON reads a value from its JSON form; JSON null is nil. Numbers must have
// been decoded as json.Number so that whole numbers keep every digit.
func (f *Field) ParseJSON(value any) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		if f.Kind == Integer || f.Kind == Number || f.Kind == Boolean || f.Kind == TextList {
			words := f.Kind.inWords()
			return nil, Wrong("phải là %[1]s, không phải chuỗi", "must be %[2]s, not a string", words.VI, words.EN)
		}
		return f.ParseText(v)
	case json.Number:
		if f.Kind == Integer || f.Kind == Number {
			return f.ParseText(wholeNumber(f.Kind, v))
		}
	case bool:
		if f.Kind == Boolean {
			return v, nil
		}
	case []any:
		if f.Kind == TextList {
			return jsonList(v)
		}
	}
	words := f.Kind.inWords()
	return nil, Wrong("phải là %[1]s", "must be %[2]s", words.VI, words.EN)
}

// wholeNumber writes 12.0 and 1e3 as whole numbers where the field holds those.
func wholeNumber(k Kind, n json.Number) string {
	if x, err := n.Float64(); err == nil && k == Integer && x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return strconv.FormatInt(int64(x), 10)
	}
	return n.String()
}

func jsonList(values []any) (any, error) {
	list := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok {
			return nil, Wrong("phải là danh sách chuỗi", "must be a list of strings")
		}
		list[i] = s
	}
	return textList(list)
}

func textList(values []string) (any, error) {
	list := make([]string, 0, len(values))
	for _, s := range values {
		clean, err := cleanText(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		if clean != "" {
			list = append(list, clean)
		}
	}
	return list, nil
}

// cleanText brings text to NFC and refuses what the database cannot hold.
func cleanText(s string) (string, error) {
	if len(s) > MaxTextBytes {
		return "", Wrong("dài hơn %d byte", "is longer than %d bytes", MaxTextBytes)
	}
	if strings.ContainsRune(s, 0) || !isUTF8(s) {
		return "", Wrong("không phải văn bản UTF-8 hoặc có byte 0", "is not UTF-8 text, or holds a zero byte")
	}
	return norm.NFC.String(s), nil
}

func isUTF8(s string) bool { return strings.ToValidUTF8(s, "") == s }

// check holds a value against the field's bounds and allowed values.
func (f *Field) check(value any) error {
	var x float64
	code := fmt.Sprint(value)
	switch v := value.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	}
	switch {
	case f.Min != nil && x < *f.Min, f.Max != nil && x > *f.Max:
		return Wrong("%s nằm ngoài %s", "%s is outside %s", code, f.bounds())
	case !f.Allows(code):
		allowed := make([]string, len(f.Values))
		for i, v := range f.Values {
			allowed[i] = v.Code
		}
		return Wrong("%q không phải một trong %s", "%q is not one of %s", code, strings.Join(allowed, ", "))
	}
	return nil
}

func (f *Field) bounds() string {
	low, high := "-∞", "∞"
	if f.Min != nil {
		low = strconv.FormatFloat(*f.Min, 'f', -1, 64)
	}
	if f.Max != nil {
		high = strconv.FormatFloat(*f.Max, 'f', -1, 64)
	}
	return low + " … " + high
}

func (k Kind) inWords() geo.Text {
	switch k {
	case Integer:
		return t("số nguyên", "a whole number")
	case Number:
		return t("số", "a number")
	case Boolean:
		return t("true hoặc false", "true or false")
	case Date:
		return t("ngày dạng YYYY-MM-DD", "a date of the form YYYY-MM-DD")
	case Timestamp:
		return t("thời điểm theo RFC 3339", "a time of RFC 3339")
	case TextList:
		return t("danh sách chuỗi", "a list of strings")
	default:
		return t("chuỗi", "a string")
	}
}

// ValueError says in both languages why a value is not one of its field's.
type ValueError struct{ Text geo.Text }

// Error returns the English sentence.
func (e *ValueError) Error() string { return e.Text.EN }

// Wrong makes a ValueError; the texts are formats of the same arguments.
func Wrong(vi, en string, args ...any) error {
	return &ValueError{t(fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...))}
}
