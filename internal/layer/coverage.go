package layer

// Coverage says how the areas of a layer lie beside each other on any one date.
type Coverage struct {
	// Among names the field within whose values areas do not overlap; "" for among all.
	// Zones of one class overlap by mistake, those of two classes as the plan has it.
	Among string
	// Whole: the areas leave no gap in the province that they belong to.
	Whole bool
}

// Coverage returns how the areas of the layer ought to lie beside each other; false for a
// layer of which nothing is asked. Units cover the level above, and so do mast zones: where
// there is none no mast can be judged.
func (l *Layer) Coverage() (Coverage, bool) {
	switch l.Group {
	case GroupUnits:
		return Coverage{Whole: true}, true
	case GroupZones:
		return Coverage{Among: l.ColourBy, Whole: l.Name == "mast_zones"}, true
	}
	return Coverage{}, false
}

// CoverageReport is what is wrong with how the areas of a layer lie beside each other.
type CoverageReport struct {
	Overlaps Defects `json:"overlaps"` // what two areas share is one
	Gaps     Defects `json:"gaps"`     // a part of the province that no area covers is one
}

// Clean reports whether nothing is wrong.
func (r CoverageReport) Clean() bool { return r.Overlaps.Count+r.Gaps.Count == 0 }

// Defects are all defects of a kind, and the largest of them.
type Defects struct {
	Count   int      `json:"count"`
	AreaM2  float64  `json:"area_m2"` // of all together, geodesic, square metres
	Largest []Defect `json:"largest"` // the largest first
	// Slivers are what is too small or too narrow to be one of them.
	Slivers Slivers `json:"slivers"`
}

// Slivers are overlaps or gaps that are none in earnest: they are rounding, and are told of alone.
type Slivers struct {
	Count  int     `json:"count"`
	AreaM2 float64 `json:"area_m2"` // of all together, geodesic, square metres
	// What is no larger than BelowM2, square metres, or than the mean width BelowWidthM, metres.
	BelowM2     float64 `json:"below_m2"`
	BelowWidthM float64 `json:"below_width_m"`
}

// Defect is a place where areas overlap or leave a gap.
type Defect struct {
	Codes  []string   `json:"codes,omitempty"` // of the areas that overlap
	AreaM2 float64    `json:"area_m2"`         // geodesic, square metres
	At     [2]float64 `json:"at"`              // a point in it: longitude, latitude
}

// AreasImported is what an import of areas that lie beside each other did beside what every
// import does, or would do.
type AreasImported struct {
	Ended []string `json:"ended"` // codes of units that the file of a whole structure lacks
	// Structure is why the areas were not taken as they are: nothing is stored then.
	Structure Faults           `json:"structure"`
	ZonesKept int              `json:"zones_kept"` // mast zones that no longer follow their commune
	Grants    []GrantConcerned `json:"grants_concerned"`
	// NewOverlaps are those on any date that the import makes: of areas that it brought, or
	// changed in shape, class or validity; none where rows were refused.
	NewOverlaps Defects `json:"new_overlaps"`
	// Coverage is how the areas lie beside each other after the import; nil where rows were
	// refused, and for who does not see all areas.
	Coverage *CoverageReport `json:"coverage"`
}

// GrantConcerned is a unit that rights are limited to, and how many grants are. The unit
// has ended or has another territory now, and whoever keeps the rights should look whether
// they still are what was meant.
type GrantConcerned struct {
	Territory string `json:"territory"`
	Grants    int    `json:"grants"`
}
