package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Mapping says of columns what they are, against whatever they are called. It is kept as
// JSON: {"columns": {"X (m)": "@northing", "Ghi chú": ""}}.
type Mapping struct {
	// Columns are fields or targets (To…) by column; "" leaves a column out.
	Columns map[string]string `json:"columns"`
}

// ParseMapping reads a mapping; members that it does not know are an error.
func ParseMapping(data []byte) (Mapping, error) {
	var m Mapping
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return Mapping{}, fmt.Errorf("read a mapping of columns: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Mapping{}, errors.New("read a mapping of columns: something follows its end")
	}
	return m, nil
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
