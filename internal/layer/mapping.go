package layer

import (
	"cmp"
	"time"
)

// Reading says how files of one kind are read, beside what they say themselves; the zero
// value leaves everything to be found out.
type Reading struct {
	// Columns are fields, or targets of package intake, by column; "" leaves a column out.
	Columns   map[string]string `json:"columns,omitempty"`
	Table     string            `json:"table,omitempty"`      // sheet of a workbook, table of a GeoPackage, file of an archive, layer of a drawing
	HeaderRow int               `json:"header_row,omitempty"` // row with the columns' names, from 1; -1 for none, 0 to be found
	Encoding  string            `json:"encoding,omitempty"`   // of texts: "utf-8", "windows-1258", "tcvn3", "vni"
	Separator string            `json:"separator,omitempty"`  // of the cells of a line: one character
	CRS       string            `json:"crs,omitempty"`        // of the places
	Axis      string            `json:"axis,omitempty"`       // of the places: "xy" (east first) or "yx" (north first)
	Unshifted *bool             `json:"unshifted,omitempty"`  // the places were made without the shift between VN-2000 and WGS 84, or with it whatever known places say; nil: to be found out
}

// Over returns the reading with what it does not say taken from another.
func (r Reading) Over(other Reading) Reading {
	if r.Columns == nil {
		r.Columns = other.Columns
	}
	r.Table, r.HeaderRow = cmp.Or(r.Table, other.Table), cmp.Or(r.HeaderRow, other.HeaderRow)
	r.Encoding, r.Separator = cmp.Or(r.Encoding, other.Encoding), cmp.Or(r.Separator, other.Separator)
	r.CRS, r.Axis = cmp.Or(r.CRS, other.CRS), cmp.Or(r.Axis, other.Axis)
	r.Unshifted = cmp.Or(r.Unshifted, other.Unshifted)
	return r
}

// MappingName is what a mapping is found by.
type MappingName struct {
	Collection   string `json:"collection"`
	Organisation string `json:"organisation"` // code; "" for staff who belong to none
	Name         string `json:"name"`         // 1 to 100 characters, without blanks around them
}

// Mapping is how files of one kind are read into a layer, saved by an organisation under a
// name, to be used again.
type Mapping struct {
	ID int64 `json:"id"`
	MappingName
	Reading Reading   `json:"reading"`
	SavedBy string    `json:"saved_by,omitempty"` // as the history records it; "" for who is told of no people
	SavedAt time.Time `json:"saved_at"`
}

// MappingQuery selects mappings.
type MappingQuery struct {
	Collection string // "" for all
	After      int64  // id of the one behind which the list goes on; 0 for its start
	Limit      int
}
