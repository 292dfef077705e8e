package permit

import (
	"strconv"

	"hatang/geo"
	"hatang/geo/zoning"
)

// DefaultNearestM is how far the nearest place is looked for where nobody says, metres.
const DefaultNearestM = 5000.0

// Nearest is the nearest place where the same mast is permitted and nothing about the
// place speaks against it: see zoning.Scene.Nearest.
type Nearest struct {
	WithinM float64         `json:"within_m"`
	Verdict *zoning.Verdict `json:"verdict"` // there; null, as all about the place, where there is none
	Lon     *float64        `json:"lon"`     // degrees, seven decimals
	Lat     *float64        `json:"lat"`
	Unit    *Unit           `json:"unit"`
	// DistanceM and BearingDeg, clockwise from true north, are from the place asked about.
	DistanceM  *float64 `json:"distance_m"`
	BearingDeg *float64 `json:"bearing_deg"`
	// StoppedAtM: beyond it there was too much to look at.
	StoppedAtM *float64 `json:"stopped_at_m,omitempty"`
	Message    geo.Text `json:"message"`
}

// Nearest looks for the nearest place where the same mast may stand, among the masts that
// are proposed beside it too.
func (s *Snapshot) Nearest(p zoning.Proposal, withinM float64) *Nearest {
	p.Date = s.date
	found := s.scene.Nearest(s.rules, p, withinM)
	n := &Nearest{WithinM: found.WithinM, StoppedAtM: found.StoppedAtM, Message: found.Message}
	if found.Place != nil {
		n.Verdict, n.Lon, n.Lat, n.DistanceM, n.BearingDeg = &found.Verdict, &found.Place[0], &found.Place[1], &found.DistanceM, &found.BearingDeg
		n.Unit = unitOf(found.At)
	}
	return n
}

func appendNearest(dst []byte, n *Nearest, sentences bool) []byte {
	dst = appendFloat(append(dst, `{"within_m":`...), n.WithinM)
	dst = append(dst, `,"verdict":`...)
	if n.Verdict == nil {
		dst = append(dst, "null"...)
	} else {
		dst = appendText(dst, string(*n.Verdict))
	}
	dst = appendNumber(append(dst, `,"lon":`...), n.Lon)
	dst = appendNumber(append(dst, `,"lat":`...), n.Lat)
	dst = appendUnit(append(dst, `,"unit":`...), n.Unit)
	dst = appendNumber(append(dst, `,"distance_m":`...), n.DistanceM)
	dst = appendNumber(append(dst, `,"bearing_deg":`...), n.BearingDeg)
	if n.StoppedAtM != nil {
		dst = appendNumber(append(dst, `,"stopped_at_m":`...), n.StoppedAtM)
	}
	if sentences {
		dst = appendMessage(append(dst, `,"message":`...), n.Message)
	}
	return append(dst, '}')
}

// ParseNearestM reads a distance for Nearest, false for one that is none.
func ParseNearestM(text string) (metres float64, ok bool) {
	m, err := strconv.ParseFloat(text, 64)
	return m, err == nil && m > 0 && m <= zoning.MaxNearestM
}
