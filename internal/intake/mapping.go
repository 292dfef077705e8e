package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hatang/internal/layer"
	"hatang/internal/tables"
)

// Mapping says of columns what they are, against whatever they are called.
type Mapping struct {
	// Columns are fields or targets (To…) by column; "" leaves a column out.
	Columns map[string]string `json:"columns"`
}

// ParseReading reads how files are read, from JSON: {"columns": {"X (m)": "@northing",
// "Ghi chú": ""}, "separator": ";"}. Members that it does not know are an error.
func ParseReading(data []byte) (layer.Reading, error) {
	var r layer.Reading
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return layer.Reading{}, fmt.Errorf("read a mapping of columns: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return layer.Reading{}, errors.New("read a mapping of columns: something follows its end")
	}
	return NormalReading(r), nil
}

// NormalReading returns a reading with its names in NFC, as files are read.
func NormalReading(r layer.Reading) layer.Reading {
	columns := r.Columns
	if r.Table = norm.NFC.String(r.Table); columns != nil {
		r.Columns = map[string]string{}
	}
	for name, to := range columns {
		r.Columns[norm.NFC.String(name)] = norm.NFC.String(to)
	}
	return r
}

// mostName is how many characters the name of a column or a table has in a reading.
const mostName = 500

// CheckReading returns everything that is wrong with a reading of whatever file into a
// layer, at JSON pointers: fields that the layer does not have, or has no more; two columns
// for one; what no file can be read by.
func CheckReading(l *layer.Layer, r layer.Reading) layer.Faults {
	faults := tables.Options{HeaderRow: r.HeaderRow, Encoding: r.Encoding, Separator: r.Separator}.Faults()
	if len(r.Columns) > tables.MaxColumns {
		faults.Add("/columns", "có quá %d cột", "are more than %d columns", tables.MaxColumns)
		return faults
	}
	x, fed := newLexicon(l), map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.Columns)) {
		at, to := "/columns/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(cut(name)), r.Columns[name]
		other, twice := fed[to]
		switch {
		case name == "" || !namable(name):
			faults.Add(at, "tên cột phải có từ 1 đến %d ký tự dùng được", "a column's name has 1 to %d characters that can be used", mostName)
		case !x.known(to):
			faults.Add(at, "lớp %s không có trường %q để nhận, và không có đích nào tên như vậy", "the layer %s has no field %q to take it, and no target is called so", l.Name, cut(to))
		case twice && to != "" && to != ToNothing:
			faults.Add(at, "%q đã nhận từ cột %q", "%q is taken from the column %q already", to, cut(other))
		}
		fed[to] = name
	}
	if !namable(r.Table) {
		faults.Add("/table", "tên bảng có nhiều nhất %d ký tự dùng được", "the name of a table has at most %d characters that can be used", mostName)
	}
	if _, ok := crsInWords(r.CRS); r.CRS != "" && !ok {
		faults.Add("/crs", "không có hệ tọa độ %q", "there is no reference system %q", cut(r.CRS))
	}
	if r.Axis != "" && r.Axis != string(EastFirst) && r.Axis != string(NorthFirst) {
		faults.Add("/axis", "phải là %s hoặc %s", "must be %s or %s", EastFirst, NorthFirst)
	}
	return faults
}

// namable reports whether a text can be the name of a column or a table.
func namable(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= mostName && !strings.ContainsRune(s, 0)
}

// faults are what the file or the layer does not bear out, by column.
func (m Mapping) faults(columns []string, x *lexicon) []Fault {
	var faults []Fault
	fed := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m.Columns)) {
		to := m.Columns[name]
		var f *Fault
		switch other, twice := fed[to]; {
		case !slices.Contains(columns, name):
			f = fault(RuleMapping, "", "tệp không có cột %q", "the file has no column %q", name)
		case !x.known(to):
			f = fault(RuleMapping, to, "lớp %s không có trường %q để nhận, và không có đích nào tên như vậy", "the layer %s has no field %q to take it, and no target is called so", x.layer.Name, to)
		case twice && to != "" && to != ToNothing:
			f = fault(RuleMapping, to, "%q đã nhận từ cột %q", "%q is taken from the column %q already", to, other)
		default:
			fed[to] = name
			continue
		}
		faults = append(faults, f.in(0, name))
	}
	return faults
}

// Mapping returns what was found out about the columns as a mapping that says so of the
// next file of the kind.
func (c Columns) Mapping() Mapping {
	m := Mapping{Columns: map[string]string{}}
	for i := range c {
		m.Columns[c[i].Name] = c[i].To
		if c[i].To == ToNothing {
			m.Columns[c[i].Name] = ""
		}
	}
	return m
}
