package layer

import (
	"github.com/paulmach/orb"

	"hatang/geo"
)

// SearchQuery asks for features by what they are called.
type SearchQuery struct {
	Text   string   // not empty
	Layers []*Layer // in these; those named first come first among equals
	Date   geo.Date // in force on it
	Limit  int      // at most this many
}

// Hit is a feature that was found, as its viewer sees it.
type Hit struct {
	Layer  *Layer
	ID     int64
	Code   string
	Name   string     // "" for none
	Centre *orb.Point // a point of the geometry; nil where there is none
	Bound  orb.Bound  // of the geometry
	// Commune and District are the units in force that the centre lies in, nil for none.
	// Units have those above them.
	Commune, District *Unit
}

// Unit is the code and the name of an administrative unit.
type Unit struct {
	Code string `json:"code"`
	Name string `json:"name"`
}
