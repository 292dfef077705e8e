package zoning

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Difference is a place in which two rule sets differ.
type Difference struct {
	Pointer string          `json:"pointer"` // RFC 6901, in the later set; in the earlier where it is gone
	Rule    string          `json:"rule,omitempty"`
	Before  json.RawMessage `json:"before"` // null where there was nothing
	After   json.RawMessage `json:"after"`  // null where there is nothing any more
}

// Differences lists in what two rule sets differ, in the order of their members: rules and
// classes are compared by what they are called, not by where they stand. Nil where they say
// the same. An error for what is no JSON object.
func Differences(before, after []byte) ([]Difference, error) {
	a, err := decoded(before)
	if err != nil {
		return nil, err
	}
	b, err := decoded(after)
	if err != nil {
		return nil, err
	}
	var d differences
	d.members("", "", a, b)
	return d.found, d.err
}

func decoded(body []byte) (tree map[string]any, err error) {
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	return tree, in.Decode(&tree)
}

type differences struct {
	found []Difference
	err   error
}

func (d *differences) members(pointer, rule string, before, after map[string]any) {
	names := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		d.values(at, rule, before[name], after[name])
	}
}

func (d *differences) values(pointer, rule string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	switch b := before.(type) {
	case json.Number:
		if a, ok := after.(json.Number); ok && sameNumber(a, b) {
			return
		}
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			if called, ok := a["rule"].(string); ok {
				rule = called
			}
			d.members(pointer, rule, b, a)
			return
		}
	case []any:
		if a, ok := after.([]any); ok && d.entries(pointer, rule, b, a) {
			return
		}
	}
	d.add(pointer, rule, before, after)
}

// sameNumber reports whether two numbers are the same, however they are written.
func sameNumber(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// entries compares lists of objects that have names; false where they have none.
func (d *differences) entries(pointer, rule string, before, after []any) bool {
	was, ok := named(before)
	is, alsoOK := named(after)
	if !ok || !alsoOK {
		return false
	}
	for i, entry := range after {
		earlier, there := was[entryName(entry)]
		if !there {
			d.add(pointer+"/"+strconv.Itoa(i), ruleOf(entry, rule), nil, entry)
			continue
		}
		d.values(pointer+"/"+strconv.Itoa(i), rule, before[earlier], entry)
	}
	for i, entry := range before {
		if _, there := is[entryName(entry)]; !there {
			d.add(pointer+"/"+strconv.Itoa(i), ruleOf(entry, rule), entry, nil)
		}
	}
	return true
}

// named are the places in a list by the names of its entries; false where one has none, or
// two have the same.
func named(list []any) (map[string]int, bool) {
	places := make(map[string]int, len(list))
	for i, entry := range list {
		name := entryName(entry)
		if _, twice := places[name]; name == "" || twice {
			return nil, false
		}
		places[name] = i
	}
	return places, true
}

// entryName is what tells an entry from the others of its list: the rule, what it is about,
// its code. "" for none.
func entryName(entry any) string {
	object, ok := entry.(map[string]any)
	if !ok {
		return ""
	}
	var parts []string
	for _, name := range []string{"rule", "mast_type", "code"} {
		if text, ok := object[name].(string); ok {
			parts = append(parts, name+"="+text)
		}
	}
	return strings.Join(parts, " ")
}

func ruleOf(entry any, otherwise string) string {
	if object, ok := entry.(map[string]any); ok {
		if rule, ok := object["rule"].(string); ok {
			return rule
		}
	}
	return otherwise
}

func (d *differences) add(pointer, rule string, before, after any) {
	one := Difference{Pointer: pointer, Rule: rule}
	for _, side := range []struct {
		of   any
		into *json.RawMessage
	}{{before, &one.Before}, {after, &one.After}} {
		raw, err := json.Marshal(side.of)
		if err != nil && d.err == nil {
			d.err = err
		}
		*side.into = raw
	}
	d.found = append(d.found, one)
}
