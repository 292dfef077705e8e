package intake

import (
	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

// Options say what a file does not, and against what it is held; the zero value guesses
// what can be guessed, and refuses the rest.
type Options struct {
	Mapping Mapping // of columns, against what they are called
	Strict  bool    // columns of which nothing is taken are faults

	DecimalComma Comma     // of all numbers
	DateOrder    DateOrder // of all dates in digits
	// Vocabulary are the values that are allowed, or known, of fields beside those that the
	// layer says: the operators of a plan, by field.
	Vocabulary map[string][]layer.Value

	CRS    string // of the places, in any form of geo.ParseCRS or in words; "" where the file tells
	Axis   Axis   // of the places; "" where columns and format tell
	Datum  Datum  // whether the shift between VN-2000 and WGS 84 has been forgotten
	LonLat bool   // the format has longitude and latitude on WGS 84 unless it says otherwise: GeoJSON, KML

	Territory    *Territory // where rows should lie; nil for anywhere on earth
	AllowOutside bool       // rows outside it are taken, too
	// Known returns where the row with a code is known to lie, to measure a file as a whole;
	// nil where nothing is known. It must be quick.
	Known func(code string) (orb.Point, bool)

	Gazetteer *Gazetteer // of the units that rows name; nil where names of units are not taken
	Date      geo.Date   // units in force on it; zero for any

	MaxFaults int // how many faults the report keeps; 0 is a thousand. All are counted.
}

// territory is where rows should lie.
func (o *Options) territory() Territory {
	if o.Territory == nil {
		return Territory{Bound: orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}}
	}
	return *o.Territory
}
