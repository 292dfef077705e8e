package zoning

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"hatang/geo"
)

// fields reads the members of one JSON object and remembers which were asked
// for, so that the others can be reported as unknown.
type fields struct {
	pointer string
	object  *object
	faults  *faultList
	known   []string
}

// newFields reads v as an object; anything else is a fault and reads as empty.
func newFields(v any, pointer string, faults *faultList) (*fields, bool) {
	o, ok := v.(*object)
	if !ok {
		faults.add(pointer, faultNotObject)
		return nil, false
	}
	return &fields{pointer: pointer, object: o, faults: faults}, true
}

func (f *fields) at(name string) string { return child(f.pointer, name) }

// get returns the member; a null counts as absent.
func (f *fields) get(name string) (any, bool) {
	f.known = append(f.known, name)
	v := f.object.values[name]
	return v, v != nil
}

// require is get for a member that must be there.
func (f *fields) require(name string) (any, bool) {
	v, ok := f.get(name)
	if !ok {
		f.faults.add(f.at(name), faultMissing)
	}
	return v, ok
}

// done reports every member nobody asked for, in the document's order.
func (f *fields) done() {
	for _, key := range f.object.keys {
		if slices.Contains(f.known, key) {
			continue
		}
		_, isNumber := f.object.values[key].(json.Number)
		unit := slices.IndexFunc(f.known, func(k string) bool { return strings.HasPrefix(k, key+"_") })
		if isNumber && unit >= 0 {
			f.faults.add(f.at(key), faultNoUnit, f.known[unit])
			continue
		}
		f.faults.add(f.at(key), faultUnknownField)
	}
}

// optionalString reads a string, "" when absent.
func (f *fields) optionalString(name string) string {
	v, ok := f.get(name)
	if !ok {
		return ""
	}
	s, isString := v.(string)
	if !isString {
		f.faults.add(f.at(name), faultNotString)
	}
	return s
}

// str reads a string that must be there and not blank.
func (f *fields) str(name string) string {
	v, ok := f.require(name)
	if !ok {
		return ""
	}
	s, isString := v.(string)
	switch {
	case !isString:
		f.faults.add(f.at(name), faultNotString)
	case strings.TrimSpace(s) == "":
		f.faults.add(f.at(name), faultEmpty)
	}
	return s
}

// boolean reads true or false; absent is false.
func (f *fields) boolean(name string) bool {
	v, ok := f.get(name)
	if !ok {
		return false
	}
	b, isBool := v.(bool)
	if !isBool {
		f.faults.add(f.at(name), faultNotBoolean)
	}
	return b
}

// optionalNumber reads a number from low to high, nil when absent.
func (f *fields) optionalNumber(name string, low, high float64) *float64 {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	n, isNumber := v.(json.Number)
	if !isNumber {
		f.faults.add(f.at(name), faultNotNumber)
		return nil
	}
	x, err := n.Float64()
	if err != nil || math.IsInf(x, 0) || x < low || x > high {
		f.faults.add(f.at(name), faultOutOfRange, number(low), number(high))
		return nil
	}
	return &x
}

// number reads a number that must be there.
func (f *fields) number(name string, low, high float64) float64 {
	if _, ok := f.require(name); !ok {
		return 0
	}
	if x := f.optionalNumber(name, low, high); x != nil {
		return *x
	}
	return 0
}

// integer reads a whole number that must be there.
func (f *fields) integer(name string, low, high int) int {
	before := len(*f.faults)
	x := f.number(name, float64(low), float64(high))
	if len(*f.faults) == before && x != math.Trunc(x) {
		f.faults.add(f.at(name), faultNotInteger)
	}
	return int(x)
}

// text reads {"vi", "en"}, both required.
func (f *fields) text(name string) geo.Text {
	v, ok := f.require(name)
	if !ok {
		return geo.Text{}
	}
	t, ok := newFields(v, f.at(name), f.faults)
	if !ok {
		return geo.Text{}
	}
	defer t.done()
	return geo.Text{VI: t.str("vi"), EN: t.str("en")}
}

// date reads a date that must be there.
func (f *fields) date(name string) geo.Date {
	if _, ok := f.require(name); !ok {
		return geo.Date{}
	}
	return f.optionalDate(name)
}

// optionalDate reads a date, the zero date when absent.
func (f *fields) optionalDate(name string) geo.Date {
	v, ok := f.get(name)
	if !ok {
		return geo.Date{}
	}
	s, _ := v.(string)
	d, err := geo.ParseDate(s)
	if err != nil {
		f.faults.add(f.at(name), faultBadDate)
	}
	return d
}

// list calls read for each item of a list; absent is no item.
func (f *fields) list(name string, read func(v any, pointer string)) {
	v, ok := f.get(name)
	if !ok {
		return
	}
	items, isList := v.([]any)
	if !isList {
		f.faults.add(f.at(name), faultNotList)
		return
	}
	for i, item := range items {
		read(item, f.at(name)+"/"+strconv.Itoa(i))
	}
}

// objects calls read for each object of a list, reporting its unknown members.
func (f *fields) objects(name string, read func(item *fields)) {
	f.list(name, func(v any, pointer string) {
		if item, ok := newFields(v, pointer, f.faults); ok {
			read(item)
			item.done()
		}
	})
}

// requiredObjects is objects for a list that must be there and not be empty.
func (f *fields) requiredObjects(name string, read func(item *fields)) {
	v, ok := f.require(name)
	if !ok {
		return
	}
	if items, isList := v.([]any); isList && len(items) == 0 {
		f.faults.add(f.at(name), faultEmpty)
	}
	f.objects(name, read)
}

// words reads a list of different strings; with accepted, only those.
func words[S ~string](f *fields, name string, accepted []S) []S {
	var out []S
	f.list(name, func(v any, pointer string) {
		s, isString := v.(string)
		switch {
		case !isString:
			f.faults.add(pointer, faultNotString)
		case s == "":
			f.faults.add(pointer, faultEmpty)
		case accepted != nil && !slices.Contains(accepted, S(s)):
			f.faults.add(pointer, faultUnknownValue, quote(s), joinStrings(accepted))
		case slices.Contains(out, S(s)):
			f.faults.add(pointer, faultDuplicate, quote(s), f.at(name)+"/"+strconv.Itoa(slices.Index(out, S(s))))
		default:
			out = append(out, S(s))
		}
	})
	return out
}

// requiredWords is words for a list that must be there and not be empty.
func requiredWords[S ~string](f *fields, name string, accepted []S) []S {
	v, ok := f.require(name)
	if !ok {
		return nil
	}
	if items, isList := v.([]any); isList && len(items) == 0 {
		f.faults.add(f.at(name), faultEmpty)
	}
	return words(f, name, accepted)
}

// word reads one of the accepted strings, which must be there.
func word[S ~string](f *fields, name string, accepted []S) S {
	s := f.str(name)
	if s != "" && !slices.Contains(accepted, S(s)) {
		f.faults.add(f.at(name), faultUnknownValue, quote(s), joinStrings(accepted))
	}
	return S(s)
}
