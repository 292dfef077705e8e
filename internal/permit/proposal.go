package permit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// ParseProposal reads one proposal from JSON and returns every fault at once. lon,
// lat (or crs, x, y) and mast_type are required; a proposal without a date is
// judged on the default one. structure "camouflaged" is read as other, concealed.
// accuracy_m, 0 to 1000, is how far the place given may be from the true one; feature is the
// id of the mast that is asked about, which need not be there.
func ParseProposal(raw []byte, date geo.Date) (zoning.Proposal, error) {
	d := draft{}
	if d.readJSON(raw, date) {
		return d.Proposal, nil
	}
	return parseStrictly(raw, date)
}

// parseStrictly is ParseProposal's definition: it takes anything and says
// everything that is wrong. What reads faster must give the same.
func parseStrictly(raw []byte, date geo.Date) (zoning.Proposal, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		var faults layer.Faults
		faults.Add("", "đề nghị phải là một đối tượng JSON", "a proposal is a JSON object")
		return zoning.Proposal{}, faults.Err()
	}
	r := reader{members: members}
	p := zoning.Proposal{Date: date}
	r.point(&p)
	r.mast(&p)
	r.feature(&p)
	r.date(&p.Date)
	r.unknown()
	return p, r.faults.Err()
}

// reader takes members out of an object and collects what is wrong with them.
type reader struct {
	members map[string]json.RawMessage
	faults  layer.Faults
}

// take removes a member; null counts as not given.
func (r *reader) take(name string) (json.RawMessage, bool) {
	raw, ok := r.members[name]
	delete(r.members, name)
	return raw, ok && !bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}

func (r *reader) text(name string) (string, bool) {
	raw, ok := r.take(name)
	if !ok {
		return "", false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		r.faults.Add("/"+name, "phải là chuỗi", "must be a string")
		return "", false
	}
	return s, true
}

func (r *reader) number(name string) *float64 {
	raw, ok := r.take(name)
	if !ok {
		return nil
	}
	var x float64
	if err := json.Unmarshal(raw, &x); err != nil {
		r.faults.Add("/"+name, "phải là số", "must be a number")
		return nil
	}
	return &x
}

// date reads the day on which to judge, where one is given.
func (r *reader) date(into *geo.Date) {
	d, ok := r.text("date")
	if !ok {
		return
	}
	parsed, err := geo.ParseDate(d)
	if err != nil {
		r.faults.Add("/date", "không phải ngày dạng YYYY-MM-DD: %q", "%q is not a date of the form YYYY-MM-DD", d)
	}
	*into = parsed
}

// length reads a positive number of metres.
func (r *reader) length(name string, most float64) *float64 {
	x := r.number(name)
	if x != nil && (*x <= 0 || *x > most) {
		r.faults.Add("/"+name, "phải lớn hơn 0 và không quá %g m", "must be over 0 and at most %g m", most)
		return nil
	}
	return x
}

// PoorestPlaceM is the largest accuracy_m of a proposal, metres.
const PoorestPlaceM = 1000

// Highest values that are taken for a mast and its place rather than for a slip, metres.
const (
	highestMastM     = 1000
	widestMastM      = 100
	highestBuildingM = 1000
)

func (r *reader) mast(p *zoning.Proposal) {
	s, given := r.text("mast_type")
	switch p.MastType = geo.MastType(s); {
	case !given && !r.faultAt("/mast_type"):
		r.faults.Add("/mast_type", "bắt buộc phải có", "is required")
	case given && !p.MastType.Valid():
		r.faults.Add("/mast_type", "%q không phải một trong A1a, A1b, A2a, A2b", "%q is not one of A1a, A1b, A2a, A2b", s)
	}
	p.HeightM = r.length("height_m", highestMastM)
	p.HalfWidthM = r.length("half_width_m", widestMastM)
	p.HostBuildingHeightM = r.length("host_building_height_m", highestBuildingM)
	p.AccuracyM = r.number("accuracy_m")
	if p.AccuracyM != nil && !(*p.AccuracyM >= 0 && *p.AccuracyM <= PoorestPlaceM) {
		r.faults.Add("/accuracy_m", "phải từ 0 đến %g m", "must be from 0 to %g m", float64(PoorestPlaceM))
		p.AccuracyM = nil
	}
	if raw, ok := r.take("concealed"); ok {
		var concealed bool
		if err := json.Unmarshal(raw, &concealed); err != nil {
			r.faults.Add("/concealed", "phải là true hoặc false", "must be true or false")
		} else {
			p.Concealed = &concealed
		}
	}
	if s, ok := r.text("structure"); ok {
		r.structure(p, s)
	}
	p.Operator, _ = r.text("operator")
}

// feature reads which mast is asked about.
func (r *reader) feature(p *zoning.Proposal) {
	x := r.number("feature")
	if x == nil {
		return
	}
	var ok bool
	if p.Feature, ok = idOf(*x); !ok {
		r.faults.Add("/feature", "phải là id của một cột ăng ten: số nguyên dương", "must be the id of a mast: a whole number above 0")
	}
}

// idOf is a number as an id, false for one that is none. JSON holds whole numbers below 2^53.
func idOf(x float64) (int64, bool) {
	if x < 1 || x >= 1<<53 || x != math.Trunc(x) {
		return 0, false
	}
	return int64(x), true
}

func (r *reader) structure(p *zoning.Proposal, s string) {
	structure := geo.Structure(s)
	if s == "camouflaged" {
		structure = geo.OtherStructure
		if p.Concealed != nil && !*p.Concealed {
			r.faults.Add("/concealed", "trái với structure \"camouflaged\"", "contradicts structure \"camouflaged\"")
		}
		concealed := true
		p.Concealed = &concealed
	}
	if !structure.Valid() {
		r.faults.Add("/structure", "%q không phải kết cấu đã biết: %v", "%q is not one of %v", s, geo.Structures())
		return
	}
	p.Structure = &structure
}

// point reads lon and lat, or a position in another reference system.
func (r *reader) point(p *zoning.Proposal) {
	lon, lat, x, y := r.number("lon"), r.number("lat"), r.number("x"), r.number("y")
	name, hasCRS := r.text("crs")
	if hasCRS && lon == nil && lat == nil {
		r.projected(p, name, x, y)
		return
	}
	if x != nil || y != nil || hasCRS {
		r.faults.Add("/crs", "cho lon và lat, hoặc crs với x và y", "give lon and lat, or crs with x and y")
	}
	p.Point = orb.Point{r.ordinate("lon", lon, 180), r.ordinate("lat", lat, 90)}
}

func (r *reader) ordinate(name string, value *float64, limit float64) float64 {
	if value == nil {
		if !r.faultAt("/" + name) {
			r.faults.Add("/"+name, "bắt buộc phải có", "is required")
		}
		return 0
	}
	if math.Abs(*value) > limit {
		r.faults.Add("/"+name, "phải nằm trong ±%g độ", "must be within ±%g degrees", limit)
	}
	return *value
}

func (r *reader) projected(p *zoning.Proposal, name string, x, y *float64) {
	for _, o := range []struct {
		name  string
		value *float64
	}{{"x", x}, {"y", y}} {
		if o.value == nil && !r.faultAt("/"+o.name) {
			r.faults.Add("/"+o.name, "bắt buộc phải có cùng crs", "is required with crs")
		}
	}
	crs, err := geo.ParseCRS(name)
	if err != nil {
		r.faults.Add("/crs", "hệ toạ độ không được hỗ trợ: %q", "%q is not a supported reference system", name)
	}
	if err != nil || x == nil || y == nil {
		return
	}
	if p.Point, err = crs.Inverse(orb.Point{*x, *y}); err != nil {
		r.faults.Add("/x", "không nằm trong hệ toạ độ %s: %v", "is outside %s: %v", name, err)
	}
}

func (r *reader) faultAt(at string) bool {
	for _, f := range r.faults {
		if f.At == at {
			return true
		}
	}
	return false
}

// unknown reports what is left: a misspelt member must not be passed over.
func (r *reader) unknown() {
	names := make([]string, 0, len(r.members))
	for name := range r.members {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		r.faults.Add("/"+name, "không phải trường của đề nghị", "is no member of a proposal")
	}
}

// Faults returns the faults in an error of ParseProposal.
func Faults(err error) (*layer.InvalidError, bool) {
	var invalid *layer.InvalidError
	ok := errors.As(err, &invalid)
	return invalid, ok
}

// errNoRules says that no rule set could be used.
func errNoRules(label string, err error) error {
	return fmt.Errorf("rule set %s cannot be used: %w", label, err)
}
