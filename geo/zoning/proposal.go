package zoning

import (
	"math"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Proposal is one question: may this mast stand here, on this date? A nil field
// was not given; a rule that needs it answers unknown, and no other rule does.
type Proposal struct {
	Point               orb.Point      // longitude, latitude in degrees, WGS 84
	MastType            geo.MastType   // the type the applicant declares
	HeightM             *float64       // mast height in metres, antennas included, lightning rod not
	HalfWidthM          *float64       // mast axis to the outermost point, metres
	HostBuildingHeightM *float64       // height of the building that carries the mast, metres
	Structure           *geo.Structure // how the mast stands
	Concealed           *bool          // hidden in, or imitating, architecture
	Operator            string         // "" when not given: judged as for a newcomer
	AccuracyM           *float64       // how far Point may be from the true place, metres; nil = exact
	Date                geo.Date       // the date on which rules and zones must be in force
	Feature             int64          // id of the mast that is asked about, which no rule counts beside it; 0: none of the register
	Row                 int64          // its row among proposals checked against each other; 0: not among them
	Drafts              DraftsCounted
}

// DraftsCounted says which drafts count. Verdicts that were given by an earlier way are given
// again by it.
type DraftsCounted uint8

// The ways to count drafts, the present one first.
const (
	AllDrafts       DraftsCounted = iota // all but the Feature
	DraftsElsewhere                      // all but those in the very place of the proposal, taken for the mast itself
	DraftsByRule                         // those whose status a rule names
)

// Validate reports every field that holds an impossible value, with JSON
// pointers; nil when there is none. Whether an absent field matters is for Check.
func (p Proposal) Validate() error {
	var faults faultList
	faults.inRange("/lon", p.Point[0], -180, 180)
	faults.inRange("/lat", p.Point[1], -90, 90)
	if !p.MastType.Valid() {
		faults.add("/mast_type", faultUnknownValue, quote(string(p.MastType)), joinTypes(geo.MastTypes()))
	}
	faults.length("/height_m", p.HeightM)
	faults.length("/half_width_m", p.HalfWidthM)
	faults.length("/host_building_height_m", p.HostBuildingHeightM)
	if p.AccuracyM != nil {
		faults.inRange("/accuracy_m", *p.AccuracyM, 0, MaxAccuracyM)
	}
	if p.Structure != nil && !p.Structure.Valid() {
		faults.add("/structure", faultUnknownValue, quote(string(*p.Structure)), joinStructures(geo.Structures()))
	}
	return faults.err("proposal")
}

func (f *faultList) inRange(pointer string, v, low, high float64) {
	if math.IsNaN(v) || v < low || v > high {
		f.add(pointer, faultOutOfRange, number(low), number(high))
	}
}

func (f *faultList) length(pointer string, v *float64) {
	if v != nil && (math.IsNaN(*v) || *v <= 0 || *v > maxLengthM) {
		f.add(pointer, faultOutOfRange, "> 0", number(maxLengthM))
	}
}

// maxLengthM bounds any height or distance in a proposal or a rule set, metres: a
// quarter of the earth's circumference, so a slip of units (millimetres) is caught.
const maxLengthM = 1e7

// MaxAccuracyM bounds how poor a position may be, metres: worse ones are no place.
const MaxAccuracyM = 1e5

// isAbout reports whether this is the mast that is asked about.
func (p *Proposal) isAbout(m *Mast) bool {
	return p.Feature != 0 && p.Feature == m.ID && m.Status != Proposed
}

// accuracyM is the accuracy of the position, 0 when it is exact.
func (p *Proposal) accuracyM() float64 {
	if p.AccuracyM == nil {
		return 0
	}
	return *p.AccuracyM
}

// heightM is the height of the mast, 0 when it was not given.
func (p *Proposal) heightM() float64 {
	if p.HeightM == nil {
		return 0
	}
	return *p.HeightM
}

// Surroundings are the facts about the place, found by the database or a snapshot.
// They may hold more than is needed (zones beside the point, zones not in force,
// masts far away): the judgement is Check's. Order never matters.
type Surroundings struct {
	InTerritory       bool    // the point lies in the territory of the plan
	Commune           string  // code of the commune, "" when none
	District          string  // code of the district, "" when none
	Urban             bool    // the commune is a ward or a town (the unit's own flag)
	DenselyPopulated  bool    // the point lies in a densely populated area
	Zones             []Zone  // mast zones at or near the point
	Masts             []Mast  // existing and planned masts within RuleSet.Reach, and drafts that the viewer sees
	Areas             []Area  // special areas at or near the point
	PositionAccuracyM float64 // as Proposal.AccuracyM, known from elsewhere; the poorer of the two counts
	// TerritoryEdgeM is the distance in metres to the edge of the plan's territory,
	// UrbanEdgeM that to the nearest commune whose Urban is the other one; nil: too
	// far to matter, or not known. They count where the position is not accurate.
	TerritoryEdgeM, UrbanEdgeM *float64
}

// Zone is a mast zone: an area with a class of the rule set.
type Zone struct {
	Collection   string
	ID           int64
	Code         string // the zone's own name, shown to people
	Class        string // the class in the rule set (its code or an alias)
	Geometry     orb.MultiPolygon
	Period       geo.Period // when the zone is in force
	Illustrative bool       // drawn for the demo: judged as drawn, the verdict is provisional
	AccuracyM    *float64   // how far its edge may be from the true one, metres; nil = exact
	Phase        string     // the plan's phase, for people
	RecordedOn   geo.Date   // as Evidence.RecordedOn
}

func (z *Zone) evidence() Evidence {
	return Evidence{Collection: z.Collection, ID: z.ID, Code: z.Code, RecordedOn: z.RecordedOn}
}

// Mast is an existing or planned mast beside the proposal.
type Mast struct {
	Collection   string
	ID           int64
	Code         string
	Point        orb.Point
	MastType     geo.MastType
	HeightM      *float64
	Operators    []string // who is on it; several make it a shared site
	Status       string   // existing, planned, …: a rule says which ones count, of all but drafts
	Owner        string   // of a draft of somebody else than the viewer, whose it is; "" for all others: matters to DraftsElsewhere alone
	Illustrative bool
	RecordedOn   geo.Date // as Evidence.RecordedOn
	Built        *Built   // what Scene.Standing needs besides; nil: nothing of it is known
	// Refusals are what was refused to those who asked to share it, as far as the viewer may
	// know; nil for none.
	Refusals []Refusal
}

// Draft is the status of a mast that somebody means to propose: rules of spacing count it
// whatever statuses they name, no rule of sharing does, and none about a mast that stands or
// is planned.
const Draft = "draft"

func (m *Mast) evidence() Evidence {
	e := Evidence{Collection: m.Collection, ID: m.ID, Code: m.Code, RecordedOn: m.RecordedOn}
	switch m.Status {
	case Draft:
		e.Status = Draft
	case Proposed:
		e.ID = -m.ID
	}
	return e
}

// Refusal says that an operator asked to share a mast and was refused.
type Refusal struct {
	Operator string   // who asked
	Request  string   // number of his request
	On       geo.Date // when its owner, or the department, refused last
}

// Built is what is known of a mast that stands, or is planned, beyond what others near it
// need. A nil field is not known.
type Built struct {
	Structure           *geo.Structure
	HalfWidthM          *float64
	HostBuildingHeightM *float64
	Concealed           *bool
	Since               geo.Date // when it was built; zero: not known
}

// Of a mast that is only proposed, one of many proposals that are checked against each
// other: rules of spacing count it whatever statuses they name, no rule of sharing does.
const (
	Proposals = "proposals" // its collection
	Proposed  = "proposed"  // its status
)

// ProposedMast is the mast of a proposal, as the others of its list meet it; code is its
// name for people. The ID is the row less than nothing, so that it is no other mast's; the
// evidence has the row itself.
func ProposedMast(p Proposal, code string) Mast {
	return Mast{Collection: Proposals, ID: -p.Row, Code: code, Point: p.Point, MastType: p.MastType, HeightM: p.HeightM, Status: Proposed}
}

// DenselyPopulated is the kind of areas in which a place is densely populated, whatever its
// commune is.
const DenselyPopulated = "densely_populated"

// Area is a special area that may call for a consultation or a setback, or makes places
// densely populated.
type Area struct {
	Collection string
	ID         int64
	Code, Name string // what people call it; either may be ""
	Kind       string // border_belt, military, aviation_surface, …: a rule says which ones count
	Geometry   orb.MultiPolygon
	// MaxHeightM is the height above ground, in metres, that needs no consent under
	// this area; nil means that any height needs it.
	MaxHeightM   *float64
	Illustrative bool     // drawn for the demo: judged as drawn, the verdict is provisional
	RecordedOn   geo.Date // as Evidence.RecordedOn
	// Withheld areas are never shown: no evidence, no distance.
	Withheld bool
	// WholeCommune makes the area act on every point of the commune, whatever its
	// geometry (which may be left out).
	WholeCommune bool
}

// called is the area's name in a sentence.
func (a *Area) called() geo.Text {
	switch {
	case a.Name == "":
		return same(a.Code)
	case a.Code == "":
		return same(a.Name)
	}
	return same(a.Name + " (" + a.Code + ")")
}

func (a *Area) evidence() Evidence {
	return Evidence{Collection: a.Collection, ID: a.ID, Code: a.Code, RecordedOn: a.RecordedOn}
}
