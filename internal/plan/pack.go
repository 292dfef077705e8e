package plan

import (
	"encoding/json"
	"io/fs"
	"slices"

	"hatang/geo"
	"hatang/internal/permit"
)

// Pack is a plan as data: everything Hatang must know of one province's plan. It is
// made by Parse, which has checked it, and is read only from then on.
//
// Numbers that the plan states are json.Number, the plan's own digits; money is a
// decimal string. Nothing here is computed from the map.
type Pack struct {
	Format       int      `json:"format"` // 1
	ID           string   `json:"id"`
	Version      int      `json:"version"`
	Title        geo.Text `json:"title"`
	Territory    Unit     `json:"territory"`
	Jurisdiction string   `json:"jurisdiction"` // code of the province that governs the rows
	Period       Span     `json:"period"`       // both days belong to it
	InForceFrom  geo.Date `json:"in_force_from"`
	LegalBasis   string   `json:"legal_basis"`
	// ReferenceDate is the date that answers are for when the pack is the demo.
	ReferenceDate geo.Date         `json:"reference_date"`
	ServiceRadius RadiusRule       `json:"service_radius"`
	Official      []OfficialFigure `json:"official_figures"`
	Phases        []Phase          `json:"phases"` // in order of time, not overlapping
	Orientation   *Orientation     `json:"orientation"`
	Operators     []Operator       `json:"operators"`
	Agencies      []Agency         `json:"agencies"`
	CRS           CRSList          `json:"crs"`
	Papers        *PaperStyle      `json:"papers,omitempty"` // nil: they have no heading but the territory's name
	permit.Calendar
	HolidayNames  []HolidayName `json:"holiday_names,omitempty"`
	Basemap       *string       `json:"basemap"` // URL template of a base map; nil for none
	Indicators    []Indicator   `json:"indicators"`
	Projects      Projects      `json:"projects"`
	Tables        []Table       `json:"tables"`
	Discrepancies []Discrepancy `json:"discrepancies"`

	rules    json.RawMessage
	features []LayerFile
}

// Rules returns the body of the pack's rule set, byte for byte as in rules.json.
// Only geo/zoning knows what it means. The slice must not be changed.
func (p *Pack) Rules() json.RawMessage { return p.rules }

// Features returns the files of the pack's features in the order in which they must
// be loaded: provinces, districts, communes, then by the registry's order.
func (p *Pack) Features() []LayerFile { return p.features }

// LayerFile is the GeoJSON of one layer of a pack.
type LayerFile struct {
	Layer string
	Open  func() (fs.File, error)
}

// HolidayName is what some of the single days off are called.
type HolidayName struct {
	Name geo.Text   `json:"name"`
	Days []geo.Date `json:"days"` // each one of Calendar.Holidays
}

// NameOfDayOff is what a single day off is called; a general name where the pack has none.
func (p *Pack) NameOfDayOff(d geo.Date) geo.Text {
	for _, n := range p.HolidayNames {
		if slices.ContainsFunc(n.Days, d.Equal) {
			return n.Name
		}
	}
	return geo.Text{VI: "Ngày nghỉ lễ, tết", EN: "Public holiday"}
}

// Unit names the administrative unit that a pack is for.
type Unit struct {
	Level string   `json:"level"` // province, district or commune
	Code  string   `json:"code"`
	Name  geo.Text `json:"name"`
}

// Span is a span of days, both included.
type Span struct {
	From geo.Date `json:"from"`
	To   geo.Date `json:"to"`
}

// Phase is one phase of the plan; both days belong to it.
type Phase struct {
	ID    string   `json:"id"`
	Title geo.Text `json:"title"`
	From  geo.Date `json:"from"`
	To    geo.Date `json:"to"`
}

// Orientation is the outlook after the plan's period.
type Orientation struct {
	Title geo.Text `json:"title"`
	To    geo.Date `json:"to"`
}

// RadiusRule says how the plan computed mean service radii, r = sqrt(S/(pi*N)).
type RadiusRule struct {
	Pi     json.Number    `json:"pi"` // as the plan rounded it
	Source geo.Text       `json:"source"`
	Stated []StatedRadius `json:"stated"`
}

// StatedRadius is a radius printed in the plan, with what it was computed from.
type StatedRadius struct {
	Of       string      `json:"of"` // layer that is counted
	Operator string      `json:"operator,omitempty"`
	Basis    string      `json:"basis"` // position, site or plan
	Stage    string      `json:"stage"` // built or with_planned
	Date     geo.Date    `json:"date"`
	Count    int         `json:"count"`
	StatedKm json.Number `json:"stated_km"` // kilometres, as printed
}

// OfficialFigure is an official area and population of a unit in a year.
type OfficialFigure struct {
	UnitCode   string      `json:"unit_code"`
	Year       int         `json:"year"`
	AreaM2     json.Number `json:"area_m2"`              // square metres
	Population *int64      `json:"population,omitempty"` // nil where no figure is known
	Source     string      `json:"source"`
}

// Operator is an enterprise of the plan.
type Operator struct {
	Code       string   `json:"code"`
	Name       geo.Text `json:"name"`
	NameInPlan string   `json:"name_in_plan,omitempty"`
	Sectors    []string `json:"sectors"` // mobile, transmission, postal
}

// Agency is an authority that rows and rules refer to by code.
type Agency struct {
	Code string   `json:"code"`
	Name geo.Text `json:"name"`
}

// CRSList lists the coordinate systems offered, by EPSG code.
type CRSList struct {
	Preferred int   `json:"preferred"` // the province's own
	List      []CRS `json:"list"`
}

// CRS is one coordinate system.
type CRS struct {
	EPSG int    `json:"epsg"`
	Name string `json:"name"`
}

// PaperStyle says what stands at the top of the papers that the plan's authority issues.
type PaperStyle struct {
	State  geo.Text `json:"state"`           // name of the state
	Motto  geo.Text `json:"motto"`           // the line below it
	Agency string   `json:"agency"`          // code of the agency that issues them
	Above  string   `json:"above,omitempty"` // code of the agency that it is part of; "" for none
	Place  geo.Text `json:"place"`           // where they are issued
}

// Heading is what stands at the top of papers, ready to be printed; texts that a plan does
// not give are empty.
type Heading struct {
	State, Motto, Above, Agency, Place geo.Text

	Grid int    // EPSG code of the grid that the plan prefers; 0 for none
	Zone string // time zone of the register; "" is permit.DefaultZone
}
