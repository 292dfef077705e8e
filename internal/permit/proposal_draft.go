package permit

import (
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/geo/zoning"
)

// member is one of the names that a proposal may have.
type member uint8

const (
	foreign member = iota // no name of a proposal
	lon
	lat
	crsName
	x
	y
	mastType
	heightM
	halfWidthM
	hostHeightM
	accuracyM
	featureID
	structure
	concealed
	operator
	date
	members // how many there are
)

// memberOf finds a member by its name in the API.
func memberOf(name []byte) member {
	switch string(name) {
	case "lon":
		return lon
	case "lat":
		return lat
	case "crs":
		return crsName
	case "x":
		return x
	case "y":
		return y
	case "mast_type":
		return mastType
	case "height_m":
		return heightM
	case "half_width_m":
		return halfWidthM
	case "host_building_height_m":
		return hostHeightM
	case "accuracy_m":
		return accuracyM
	case "feature":
		return featureID
	case "structure":
		return structure
	case "concealed":
		return concealed
	case "operator":
		return operator
	case "date":
		return date
	}
	return foreign
}

// isNumber reports whether the member holds a number.
func (m member) isNumber() bool {
	switch m {
	case lon, lat, x, y, heightM, halfWidthM, hostHeightM, accuracyM, featureID:
		return true
	}
	return false
}

// IsNumber reports whether a member of a proposal, or a column called so, holds a number.
func IsNumber(name string) bool { return memberOf([]byte(strings.ToLower(name))).isNumber() }

// isPlace reports whether the member says where the mast is to stand.
func (m member) isPlace() bool { return m >= lon && m <= y }

// draft is a proposal being read the fast way: it takes what is well formed, and
// gives up, which is no fault, at anything else. It holds what the pointers of the
// proposal point to, so that one draft reads many rows without allocating; a
// proposal taken from it is good until the next row.
type draft struct {
	zoning.Proposal
	given       [members]bool
	number      [members]float64
	structure   geo.Structure
	concealed   bool
	camouflaged bool
	crs         geo.CRS

	// What the last row said, because the next one says the same as a rule.
	lastCRS, lastDate string
	knownDate         geo.Date
}

// start forgets the last row.
func (d *draft) start(onDate geo.Date) {
	operator := d.Operator // kept for setText
	d.Proposal = zoning.Proposal{Date: onDate, Operator: operator}
	d.given = [members]bool{}
	d.camouflaged = false
}

// setNumber takes a number.
func (d *draft) setNumber(m member, value float64) {
	d.given[m], d.number[m] = true, value
}

// setText takes a text of plain ASCII; false when it cannot be taken.
func (d *draft) setText(m member, text []byte) bool {
	d.given[m] = true
	switch m {
	case mastType:
		return d.setMastType(text)
	case structure:
		return d.setStructure(text)
	case operator:
		if d.Operator != string(text) {
			d.Operator = string(text)
		}
		return true
	case date:
		return d.setDate(text)
	case crsName:
		return d.setCRS(text)
	}
	return false
}

func (d *draft) setMastType(text []byte) bool {
	for _, t := range [...]geo.MastType{geo.A1a, geo.A1b, geo.A2a, geo.A2b} {
		if string(text) == string(t) {
			d.MastType = t
			return true
		}
	}
	return false
}

func (d *draft) setStructure(text []byte) bool {
	if string(text) == "camouflaged" {
		d.structure, d.camouflaged = geo.OtherStructure, true
		return true
	}
	for _, s := range [...]geo.Structure{geo.SelfSupporting, geo.Guyed, geo.Rooftop, geo.Wall, geo.OtherStructure} {
		if string(text) == string(s) {
			d.structure = s
			return true
		}
	}
	return false
}

func (d *draft) setDate(text []byte) bool {
	if d.lastDate != string(text) {
		parsed, err := geo.ParseDate(string(text))
		if err != nil {
			return false
		}
		d.lastDate, d.knownDate = string(text), parsed
	}
	d.Date = d.knownDate
	return true
}

func (d *draft) setCRS(text []byte) bool {
	if d.lastCRS == "" || d.lastCRS != string(text) {
		parsed, err := geo.ParseCRS(string(text))
		if err != nil {
			return false
		}
		d.lastCRS, d.crs = string(text), parsed
	}
	return true
}

// setConcealed takes a boolean.
func (d *draft) setConcealed(value bool) { d.given[concealed], d.concealed = true, value }

// finish puts the proposal together; false when anything is missing or impossible.
func (d *draft) finish() bool {
	if !d.given[operator] {
		d.Operator = ""
	}
	if !d.given[mastType] || !d.place() ||
		!d.length(heightM, &d.HeightM, highestMastM) || !d.length(halfWidthM, &d.HalfWidthM, widestMastM) ||
		!d.length(hostHeightM, &d.HostBuildingHeightM, highestBuildingM) {
		return false
	}
	if d.given[accuracyM] {
		d.AccuracyM = &d.number[accuracyM]
		if !(*d.AccuracyM >= 0 && *d.AccuracyM <= PoorestPlaceM) {
			return false
		}
	}
	if d.given[featureID] {
		var ok bool
		if d.Feature, ok = idOf(d.number[featureID]); !ok {
			return false
		}
	}
	if d.given[structure] {
		d.Structure = &d.structure
		if d.camouflaged {
			if d.given[concealed] && !d.concealed {
				return false
			}
			d.setConcealed(true)
		}
	}
	if d.given[concealed] {
		d.Concealed = &d.concealed
	}
	return true
}

func (d *draft) place() bool {
	if d.given[lon] && d.given[lat] {
		d.Point = orb.Point{d.number[lon], d.number[lat]}
		return !d.given[x] && !d.given[y] && !d.given[crsName] && math.Abs(d.Point[0]) <= 180 && math.Abs(d.Point[1]) <= 90
	}
	if d.given[lon] || d.given[lat] || !d.given[crsName] || !d.given[x] || !d.given[y] {
		return false
	}
	p, err := d.crs.Inverse(orb.Point{d.number[x], d.number[y]})
	d.Point = p
	return err == nil
}

func (d *draft) length(m member, at **float64, most float64) bool {
	if !d.given[m] {
		return true
	}
	*at = &d.number[m]
	return d.number[m] > 0 && d.number[m] <= most
}

// powersOfTen are exact as floats.
var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// numberAt reads the JSON number that text begins with, correctly rounded, and
// returns how long it is: 0 for none, or one that no float holds. point is the
// decimal sign: '.' in JSON.
func numberAt(text []byte, point byte) (value float64, n int) {
	i := 0
	if i < len(text) && text[i] == '-' {
		i++
	}
	first := i
	mantissa := uint64(0)
	for i < len(text) && isDigit(text[i]) {
		mantissa = mantissa*10 + uint64(text[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 || digits > 1 && text[first] == '0' {
		return 0, 0
	}
	fraction := 0
	if i < len(text) && text[i] == point {
		from := i + 1
		for i = from; i < len(text) && isDigit(text[i]); i++ {
			mantissa = mantissa*10 + uint64(text[i]-'0')
		}
		if fraction = i - from; fraction == 0 {
			return 0, 0
		}
	}
	exponent := i < len(text) && (text[i] == 'e' || text[i] == 'E')
	if exponent || digits+fraction > 15 {
		return hardNumber(text, i, point)
	}
	// An integer below 2^53 over an exact power of ten rounds once, as it must.
	value = float64(mantissa) / powersOfTen[fraction]
	if first == 1 {
		value = -value
	}
	return value, i
}

// hardNumber reads a number with an exponent or many digits, whose part before the
// exponent ends at i.
func hardNumber(text []byte, i int, point byte) (value float64, n int) {
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		from := i
		for i < len(text) && isDigit(text[i]) {
			i++
		}
		if i == from {
			return 0, 0
		}
	}
	plain := string(text[:i])
	if point != '.' {
		b := []byte(plain)
		for j := range b {
			if b[j] == point {
				b[j] = '.'
			}
		}
		plain = string(b)
	}
	value, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return 0, 0
	}
	return value, i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
