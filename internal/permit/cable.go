package permit

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/geojson"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Limits of proposals for cables.
const (
	MaxCables         = 500    // in one call
	MaxCablePositions = 10000  // of one route
	MaxCableDegrees   = 5.0    // a route is no longer than a province is wide
	maxPoleHeightM    = 100.0  // more is a slip
	deepestM          = 1000.0 // and highest, of a route's heights
)

// CableAsked says which facts about a route are wanted.
type CableAsked struct {
	Viewer  account.Viewer
	Date    geo.Date
	KnownAt time.Time // zero: now
	// Snapshot: see Asked.
	Snapshot string
	Route    orb.Bound
	ReachM   func([]RuleSet) (float64, error) // how far beside it poles matter
}

// CableFacts are all that a check of a cable is made of.
type CableFacts struct {
	zoning.CableSurroundings
	RuleSets []RuleSet
	Shown    layer.Versions
	Moment
}

// CableFinder finds them.
type CableFinder interface {
	CableFacts(ctx context.Context, asked CableAsked) (CableFacts, error)
}

// Cables answers proposals for cables. It is safe for concurrent use.
type Cables struct {
	finder CableFinder
	parser *parser
}

// NewCables returns one over the finder's facts, which it reads for every proposal.
func NewCables(f CableFinder) *Cables {
	return &Cables{f, &parser{parsed: map[string]*zoning.RuleSet{}}}
}

// CableAnswer is a verdict on a cable with what it was made from.
type CableAnswer struct {
	zoning.CableResult
	Versions layer.Versions `json:"versions,omitempty"` // none in a replay
	KnownAt  *time.Time     `json:"known_at,omitempty"` // of a replay
}

// Check judges one cable as the question's viewer may know the register.
func (c *Cables) Check(ctx context.Context, q Question, p zoning.CableProposal) (CableAnswer, error) {
	a, _, err := c.check(ctx, CableAsked{Viewer: q.Viewer, Date: p.Date, KnownAt: q.KnownAt}, p)
	return a, err
}

// check judges one cable, and returns what it is made of, too.
func (c *Cables) check(ctx context.Context, asked CableAsked, p zoning.CableProposal) (CableAnswer, CableFacts, error) {
	asked.Route = p.Line.Bound()
	asked.ReachM = func(sets []RuleSet) (float64, error) {
		rules, err := c.parser.rules(sets)
		return rules.CableReachM(), err
	}
	facts, err := c.finder.CableFacts(ctx, asked)
	if err != nil {
		return CableAnswer{}, facts, err
	}
	rules, err := c.parser.rules(facts.RuleSets)
	if err != nil {
		return CableAnswer{}, facts, err
	}
	a := CableAnswer{CableResult: zoning.CheckCable(rules, p, facts.CableSurroundings), Versions: facts.Shown}
	if !asked.KnownAt.IsZero() {
		a.Versions, a.KnownAt = nil, &asked.KnownAt
	}
	return a, facts, nil
}

// ParseCable reads one proposal from JSON and returns every fault at once. geometry (a
// LineString or MultiLineString, with heights or without) and carrier are required; a
// proposal without a date is judged on the default one.
func ParseCable(raw []byte, date geo.Date) (zoning.CableProposal, error) {
	p := zoning.CableProposal{Date: date}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		var faults layer.Faults
		faults.Add("", "đề nghị phải là một đối tượng JSON", "a proposal is a JSON object")
		return p, faults.Err()
	}
	r := reader{members: members}
	var heights []float64
	p.Line, heights = r.route()
	carrier, given := r.text("carrier")
	switch p.Carrier = zoning.Carrier(carrier); {
	case !given && !r.faultAt("/carrier"):
		r.faults.Add("/carrier", "bắt buộc phải có", "is required")
	case given && !slices.Contains(zoning.Carriers(), p.Carrier):
		r.faults.Add("/carrier", "%q không phải một trong %v", "%q is not one of %v", carrier, zoning.Carriers())
	case given && p.Carrier.Overhead() && slices.ContainsFunc(heights, func(z float64) bool { return z < 0 }):
		r.faults.Add("/carrier", "trái với geometry: tuyến có chỗ nằm dưới mặt đất", "contradicts geometry: some of the route lies below ground")
	}
	p.NewProject, p.NewPoles, p.OwnerAgreement = r.truth("new_project"), r.truth("new_poles"), r.truth("owner_agreement")
	if renovation := r.truth("renovation"); renovation != nil {
		p.Renovation = *renovation
	}
	p.PoleHeightM = r.length("pole_height_m", maxPoleHeightM)
	p.Operator, _ = r.text("operator")
	r.date(&p.Date)
	r.unknown()
	return p, r.faults.Err()
}

// truth reads true or false, nil when not given.
func (r *reader) truth(name string) *bool {
	raw, ok := r.take(name)
	if !ok {
		return nil
	}
	var yes bool
	if err := json.Unmarshal(raw, &yes); err != nil {
		r.faults.Add("/"+name, "phải là true hoặc false", "must be true or false")
		return nil
	}
	return &yes
}

// route reads the geometry: the line on the map, and its heights where it has them.
func (r *reader) route() (orb.MultiLineString, []float64) {
	raw, ok := r.take("geometry")
	if !ok {
		r.faults.Add("/geometry", "bắt buộc phải có", "is required")
		return nil, nil
	}
	line, heights, err := ParseRoute(raw)
	if err != nil {
		r.faults.AddError("/geometry", err)
	}
	return line, heights
}

// ParseRoute reads a LineString or MultiLineString in GeoJSON: the line on the map, and the
// heights of its positions where they have some. Errors are *layer.ValueError.
func ParseRoute(raw []byte) (orb.MultiLineString, []float64, error) {
	var shape geom.T
	if err := geojson.Unmarshal(raw, &shape); err != nil {
		return nil, nil, layer.Wrong("không phải hình học GeoJSON đúng", "is no valid GeoJSON geometry")
	}
	var parts []*geom.LineString
	switch g := shape.(type) {
	case *geom.LineString:
		parts = append(parts, g)
	case *geom.MultiLineString:
		for i := range g.NumLineStrings() {
			parts = append(parts, g.LineString(i))
		}
	default:
		return nil, nil, layer.Wrong("phải là LineString hoặc MultiLineString", "must be a LineString or a MultiLineString")
	}
	if shape.Layout() != geom.XY && shape.Layout() != geom.XYZ {
		return nil, nil, layer.Wrong("mỗi vị trí có hai hoặc ba số", "a position has two or three numbers")
	}
	var line orb.MultiLineString
	var heights []float64
	positions := 0
	for _, part := range parts {
		var out orb.LineString
		for i := range part.NumCoords() {
			at := part.Coord(i)
			out = append(out, orb.Point{at[0], at[1]})
			if len(at) > 2 {
				heights = append(heights, at[2])
			}
		}
		positions += len(out)
		line = append(line, out)
	}
	return line, heights, checkRoute(line, heights, positions)
}

func checkRoute(line orb.MultiLineString, heights []float64, positions int) error {
	if positions > MaxCablePositions {
		return layer.Wrong("tuyến có %d vị trí, nhiều nhất là %d", "the route has %d positions, at most %d are taken", positions, MaxCablePositions)
	}
	for _, part := range line {
		if len(part) < 2 {
			return layer.Wrong("mỗi đoạn phải có ít nhất hai vị trí", "each line needs two positions at least")
		}
		for _, p := range part {
			if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
				return layer.Wrong("có vị trí ngoài ±180 và ±90 độ", "a position lies outside ±180 and ±90 degrees")
			}
		}
	}
	if slices.ContainsFunc(heights, func(z float64) bool { return !(math.Abs(z) <= deepestM) }) {
		return layer.Wrong("có độ cao ngoài ±%g m", "a height lies outside ±%g m", deepestM)
	}
	box := line.Bound()
	if len(line) == 0 || geo.LengthM(line) == 0 {
		return layer.Wrong("tuyến không có chiều dài", "the route has no length")
	}
	if box.Max[0]-box.Min[0] > MaxCableDegrees || box.Max[1]-box.Min[1] > MaxCableDegrees {
		return layer.Wrong("tuyến rộng hơn %g độ; hãy chia ra", "the route is wider than %g degrees; split it", MaxCableDegrees)
	}
	return nil
}

// Answers judges many proposals as they came, in order.
func (c *Cables) Answers(ctx context.Context, q Question, bodies []json.RawMessage) ([]JSONAnswer, error) {
	answers := make([]JSONAnswer, len(bodies))
	for i, raw := range bodies {
		p, err := ParseCable(raw, q.Date)
		if invalid, ok := Faults(err); ok {
			answers[i].Invalid = invalid
			continue
		}
		if err != nil {
			return nil, err
		}
		a, err := c.Check(ctx, q, p)
		if err != nil {
			return nil, err
		}
		if answers[i].Answer, err = cableJSON(a); err != nil {
			return nil, err
		}
		answers[i].Verdict = a.Verdict
	}
	return answers, nil
}
