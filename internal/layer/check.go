package layer

import (
	"regexp"
	"strings"
)

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// unitSuffixes are the endings that a number's name has for each unit.
var unitSuffixes = map[string]string{"m": "_m", "m2": "_m2", "1": "_ratio"}

// checkLayer returns the faults of one literal.
func checkLayer(l *Layer, known map[string]*Layer) Faults {
	var faults Faults
	fault := func(at, en string) { faults.Add(at, "%s", "%s", en) }
	if !identifier.MatchString(l.Name) {
		fault(l.Name, "a layer's name is lower-case letters, digits and underscores")
	}
	if _, twice := known[l.Name]; twice {
		fault(l.Name, "the layer is listed twice")
	}
	if l.Title.VI == "" || l.Title.EN == "" || l.Doc.VI == "" || l.Doc.EN == "" {
		fault(l.Name, "a layer has title and documentation in Vietnamese and English")
	}
	if l.ColourBy != "" && !l.Has(l.ColourBy) {
		fault(l.Name, "ColourBy names no field")
	}
	if l.WithheldField != "" && !l.Has(l.WithheldField) {
		fault(l.Name, "WithheldField names no field")
	}
	seen := map[string]bool{"id": true, "geom": true}
	for i := range l.Fields {
		f := &l.Fields[i]
		if seen[f.Name] {
			fault(l.Name+"."+f.Name, "the field is listed twice")
		}
		seen[f.Name] = true
		faults = append(faults, checkField(l, f)...)
	}
	return faults
}

// checkField returns the faults of one field.
func checkField(l *Layer, f *Field) Faults {
	var faults Faults
	fault := func(en string) { faults.Add(l.Name+"."+f.Name, "%s", "%s", en) }
	if !identifier.MatchString(f.Name) {
		fault("a field's name is lower-case letters, digits and underscores")
	}
	if f.Title.VI == "" || f.Title.EN == "" || f.Doc.VI == "" || f.Doc.EN == "" {
		fault("a field has title and documentation in Vietnamese and English")
	}
	if f.Unit != "" && !strings.HasSuffix(f.Name, unitSuffixes[f.Unit]) {
		fault("the name of a field with a unit ends in it")
	}
	if f.Kind == Number && f.Unit == "" && l.Reference == nil {
		fault("a number has a unit")
	}
	return faults
}
