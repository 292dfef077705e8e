package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
)

// cell is a value as a page shows it; the zero cell is one that is not there.
type cell struct {
	Text   string
	Code   string // as data has it, where Text is its title
	Time   string // as machines read it, where Text is a date or an instant
	Number bool
}

// showValue is a value of a field, in JSON, as people of a language write it.
func showValue(f *layer.Field, value []byte, language string) (cell, error) {
	if string(value) == "null" || value == nil {
		return cell{}, nil
	}
	switch f.Kind {
	case layer.Integer, layer.Number:
		return titled(f, cell{Text: localNumber(string(value), language), Number: true}, string(value), language), nil
	case layer.Boolean:
		return cell{Text: pageTexts["value."+string(value)].In(language)}, nil
	case layer.TextList:
		var list []string
		err := json.Unmarshal(value, &list)
		return cell{Text: strings.Join(list, ", ")}, wrongValue(f, err)
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return cell{}, wrongValue(f, err)
	}
	switch f.Kind {
	case layer.Date:
		return cell{Text: localDate(s, language), Time: s}, nil
	case layer.Timestamp:
		return cell{Text: localTime(s, language), Time: s}, nil
	}
	return titled(f, cell{Text: s}, s, language), nil
}

func wrongValue(f *layer.Field, err error) error {
	if err != nil {
		return fmt.Errorf("show %s: %w", f.Name, err)
	}
	return nil
}

// titled has the title of an allowed value in its place.
func titled(f *layer.Field, plain cell, code, language string) cell {
	for i := range f.Values {
		if f.Values[i].Code == code {
			return cell{Text: f.Values[i].Title.In(language), Code: code}
		}
	}
	return plain
}

// fieldTitle is a field's title with its unit.
func fieldTitle(f *layer.Field, language string) string {
	title := f.Title.In(language)
	if f.Unit == "" || strings.Contains(title, "(") {
		return title
	}
	return title + " (" + strings.NewReplacer("2", "²", "3", "³").Replace(f.Unit) + ")"
}

// localNumber writes a decimal number with the signs of a language: thousands apart from
// five digits on, as years and codes are no thousands.
func localNumber(s, language string) string {
	thousand, point := ",", "."
	if language == "vi" {
		thousand, point = ".", ","
	}
	whole, fraction, broken := strings.Cut(s, ".")
	sign := ""
	if rest, ok := strings.CutPrefix(whole, "-"); ok {
		sign, whole = "−", rest
	}
	if len(whole) > 4 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + thousand + whole[i:]
		}
	}
	if broken {
		whole += point + fraction
	}
	return sign + whole
}

// localDate writes a date: 31/12/2020 in Vietnamese, 31 Dec 2020 in English.
func localDate(s, language string) string {
	d, err := geo.ParseDate(s)
	if err != nil {
		return s
	}
	if language == "vi" {
		return d.Time().Format("02/01/2006")
	}
	return d.Time().Format("2 Jan 2006")
}

// localTime writes an instant in UTC, to the second.
func localTime(s, language string) string {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	at = at.UTC()
	return localDate(at.Format(time.DateOnly), language) + " " + at.Format("15:04:05") + " UTC"
}
