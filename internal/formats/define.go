package formats

import (
	"fmt"
	"slices"

	"hatang/geo"
	"hatang/internal/layer"
)

// Wishes are what an officer says of the layer to be made of a file; what is left out the
// file says, or a rule.
type Wishes struct {
	Name        string
	Title, Doc  geo.Text
	Colour      string
	Code        string // the column that codes come from
	StorageSRID int    // of the system in which geometries are kept
}

// Define makes a definition of what a file holds. Columns become fields of the same kind,
// whose names are those of the columns in lower case, without marks, with _ for what is no
// letter or digit; one that is taken already, or means something else here, is called
// file_…. Columns that are called as common fields and can be these become these. Codes
// come from the column named, or from one called code whose values are all different, or
// else from the features' own ids, or their numbers in the file. The fault is that of a
// column for codes that is not there, or is no key.
func (s Survey) Define(w Wishes) (layer.Definition, layer.Faults) {
	d := layer.Definition{
		Name: w.Name, Title: w.Title, Doc: w.Doc, Colour: w.Colour, StorageSRID: w.StorageSRID,
		Geometry: s.Geometry, GeometryColumn: s.GeometryColumn, CodeOf: layer.CodeOfRow, Common: map[string]string{}, Fields: []layer.FieldDefinition{},
	}
	d.Complete(s.Title)
	var faults layer.Faults
	if s.IDs {
		d.CodeOf = layer.CodeOfID
	}
	if i := s.codeColumn(w.Code); i >= 0 {
		d.CodeOf, d.Common["code"] = layer.CodeOfColumn, s.Columns[i].Name
	} else if w.Code != "" {
		faults.Add("code", "tệp không có cột %q, hoặc cột ấy có giá trị trống hay trùng nhau", "the file has no column %q, or its values are missing or not all different", w.Code)
	}
	taken := layer.ReservedFields()
	for _, c := range s.Columns {
		name := layer.NormaliseName(c.Name)
		switch {
		case d.Common["code"] == c.Name:
			continue
		case d.Common[name] == "" && feeds(name, c.Kind):
			d.Common[name] = c.Name
			continue
		}
		name = free(name, taken)
		taken[name] = true
		d.Fields = append(d.Fields, layer.FieldDefinition{Name: name, Kind: c.Kind, Title: geo.Text{VI: c.Name, EN: c.Name}, Column: c.Name})
	}
	return d, faults
}

// codeColumn is the column that codes come from, -1 for none.
func (s Survey) codeColumn(asked string) int {
	return slices.IndexFunc(s.Columns, func(c Column) bool {
		return c.Key && (c.Name == asked || asked == "" && layer.NormaliseName(c.Name) == "code")
	})
}

// feeds reports whether a column of the kind becomes the common field of the name.
func feeds(name string, kind layer.Kind) bool {
	switch name {
	case "name", "owner_organisation", "jurisdiction", "source":
		return kind == layer.Text
	case "valid_from", "valid_to":
		return kind == layer.Date
	case "illustrative":
		return kind == layer.Boolean
	case "accuracy_m":
		return kind == layer.Number || kind == layer.Integer
	}
	return false
}

// free is the name, or one like it that is not taken.
func free(name string, taken map[string]bool) string {
	if name == "" {
		name = "field"
	}
	if taken[name] {
		name = cut("file_"+name, layer.MaxNameBytes)
	}
	other := name
	for n := 2; taken[other]; n++ {
		suffix := fmt.Sprint("_", n)
		other = cut(name, layer.MaxNameBytes-len(suffix)) + suffix
	}
	return other
}

func cut(s string, most int) string { return s[:min(len(s), most)] }
