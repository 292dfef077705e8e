package sharing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Proposal is a mast someone wants to put up.
type Proposal struct {
	Point    orb.Point // lon/lat
	Operator string    // "" for a newcomer who is on no mast yet
	HeightM  *float64  // above ground; nil when it is not known
}

// Rule says which masts could be shared instead.
type Rule struct {
	WithinM      float64  // at most this far from the proposal, geodesic
	MaxOperators int      // as many as a mast may carry
	Statuses     []string // the statuses that count, the preferred first
}

// Candidate is a mast that could carry the proposal's operator.
type Candidate struct {
	Mast       Mast
	DistanceM  float64    // from the proposal, geodesic
	Room       int        // how many operators more it may carry
	HighEnough Height     // as compared with the proposal
	Reasons    []geo.Text // why it is where it is in the list: distance, room, status, height
}

// Height compares a mast with the height proposed.
type Height int

// The outcomes, best first.
const (
	AsHigh  Height = iota // at least as high as proposed
	Unknown               // a height is missing
	Lower                 // lower than proposed
)

// Candidates returns the masts within reach that could carry one more operator:
// those of a status that counts, at most WithinM away (that distance included),
// with fewer than MaxOperators different operators, the proposer not among them.
// They are ranked by status, in the rule's order; then those as high as proposed,
// of unknown height, and lower ones; then by distance, by room and by ID. The
// order of the masts given does not matter. None gives nil. Points that are not on
// earth and a WithinM that is negative or not finite are errors. Cost: about 1 µs
// per mast within reach and 10 ns for each other one.
func Candidates(p Proposal, masts []Mast, r Rule) ([]Candidate, error) {
	if err := checked(r.WithinM, masts); err != nil {
		return nil, err
	}
	if !onEarth(p.Point) {
		return nil, ErrNotOnEarth
	}
	var out []Candidate
	around := boxes(normal(p.Point), r.WithinM)
	for _, m := range masts {
		if !inAny(around, normal(m.Point)) || !slices.Contains(r.Statuses, m.Status) || slices.Contains(m.Operators, p.Operator) {
			continue
		}
		c := Candidate{Mast: m, DistanceM: geo.DistanceM(p.Point, m.Point), Room: r.MaxOperators - len(distinct(m.Operators))}
		if c.DistanceM > r.WithinM || c.Room <= 0 {
			continue
		}
		c.HighEnough = height(p.HeightM, m.HeightM)
		c.Reasons = c.reasons(p, r)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(
			cmp.Compare(slices.Index(r.Statuses, a.Mast.Status), slices.Index(r.Statuses, b.Mast.Status)),
			cmp.Compare(a.HighEnough, b.HighEnough), cmp.Compare(a.DistanceM, b.DistanceM),
			cmp.Compare(b.Room, a.Room), byID(&a.Mast, &b.Mast))
	})
	return out, nil
}

func inAny(boxes []orb.Bound, p orb.Point) bool {
	return slices.ContainsFunc(boxes, func(b orb.Bound) bool { return b.Contains(p) })
}

func height(proposed, mast *float64) Height {
	switch {
	case proposed == nil || mast == nil:
		return Unknown
	case *mast >= *proposed:
		return AsHigh
	default:
		return Lower
	}
}

func (c *Candidate) reasons(p Proposal, r Rule) []geo.Text {
	operators := distinct(c.Mast.Operators)
	metres := strconv.FormatFloat(math.Round(c.DistanceM*10)/10, 'f', -1, 64)
	within := strconv.FormatFloat(r.WithinM, 'f', -1, 64)
	out := []geo.Text{{
		VI: fmt.Sprintf("cách %s m, trong phạm vi %s m", comma(metres), comma(within)),
		EN: fmt.Sprintf("%s m away, within %s m", metres, within),
	}}
	if len(operators) == 0 {
		out = append(out, geo.Text{VI: "chưa có doanh nghiệp nào trên cột", EN: "no operator on it yet"})
	} else {
		names := strings.Join(operators, ", ")
		out = append(out, geo.Text{
			VI: fmt.Sprintf("đang có %s; còn chỗ cho %d doanh nghiệp", names, c.Room),
			EN: fmt.Sprintf("carries %s; room for %d more", names, c.Room),
		})
	}
	status := statusText(c.Mast.Status)
	return append(out, c.heightReason(p), geo.Text{VI: "trạng thái: " + status.VI, EN: "status: " + status.EN})
}

func (c *Candidate) heightReason(p Proposal) geo.Text {
	if c.HighEnough == Unknown {
		return geo.Text{VI: "chưa so sánh được chiều cao", EN: "heights cannot be compared"}
	}
	mast := strconv.FormatFloat(*c.Mast.HeightM, 'f', -1, 64)
	proposed := strconv.FormatFloat(*p.HeightM, 'f', -1, 64)
	if c.HighEnough == AsHigh {
		return geo.Text{
			VI: fmt.Sprintf("cao %s m, đủ cho %s m đề xuất", comma(mast), comma(proposed)),
			EN: fmt.Sprintf("%s m high, enough for the %s m proposed", mast, proposed)}
	}
	return geo.Text{
		VI: fmt.Sprintf("cao %s m, thấp hơn %s m đề xuất", comma(mast), comma(proposed)),
		EN: fmt.Sprintf("%s m high, lower than the %s m proposed", mast, proposed)}
}

// statusText is a status in both languages; one without words of its own is given
// as it is.
func statusText(status string) geo.Text {
	switch status {
	case "existing":
		return geo.Text{VI: "hiện có", EN: "existing"}
	case "approved":
		return geo.Text{VI: "đã được chấp thuận", EN: "approved"}
	case "planned":
		return geo.Text{VI: "quy hoạch", EN: "planned"}
	}
	return geo.Text{VI: status, EN: status}
}

// comma writes a number the Vietnamese way.
func comma(number string) string { return strings.Replace(number, ".", ",", 1) }
