package intake

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// Outcome says what becomes of a file's reference system.
type Outcome string

// The outcomes.
const (
	Taken   Outcome = "taken"   // the places are read so
	Asks    Outcome = "asks"    // somebody must say which reading is meant
	Refused Outcome = "refused" // what is said of the file cannot be
	NoPlace Outcome = "none"    // the file tells no places
)

// Datum says whether numbers were made with the shift between VN-2000 and WGS 84.
type Datum string

// The answers.
const (
	DatumUnknown   Datum = ""
	DatumDeclared  Datum = "as_declared"     // whatever known places say
	DatumForgotten Datum = "shift_forgotten" // take it back
)

// Declared is what is said of a file's places.
type Declared struct {
	CRS   *geo.CRS // nil where nobody says
	Words string   // the words that were said; "" for none
	By    string   // who says: "option", "file", "note"
	// AxesOpen: the columns are called X and Y, which is east and north to some and north and
	// east to surveyors.
	AxesOpen bool
	// Degrees: the columns are called longitude and latitude, or the file is GeoJSON or KML, which
	// are in these on WGS 84 unless they say otherwise.
	Degrees bool
	Axis    Axis // "" where it is as the columns say
	Datum   Datum
}

// says reports whether an order of axes is one that the file, or somebody, says.
func (d *Declared) says(axis Axis) bool {
	switch {
	case d.Axis != "":
		return axis == d.Axis
	case d.AxesOpen:
		return true
	}
	return axis == EastFirst
}

// Placement is how the places of a file are read, and why.
type Placement struct {
	Outcome   Outcome  `json:"outcome"`
	CRS       string   `json:"crs,omitempty"`  // of the reading taken or proposed
	Axis      Axis     `json:"axis,omitempty"` // of the same
	Unshifted bool     `json:"unshifted,omitempty"`
	Declared  string   `json:"declared,omitempty"` // in the words of who said it
	By        string   `json:"declared_by,omitempty"`
	Why       geo.Text `json:"why"`
	// Notice is what known places say of a reading that is taken, or that none are known; nil
	// where they confirm it, or somebody has said the datum and they say nothing.
	Notice   *geo.Text `json:"notice,omitempty"`
	Points   int64     `json:"points"`
	Readings []Reading `json:"readings"` // the best first

	crs geo.CRS
}

// Place decides in which reference system, and in which order, the numbers of a file are.
//
//	declared       declared fits   others that fit     outcome
//	a system       yes             none                taken
//	a system       yes             some                taken; the others are listed
//	a system       no              some                refused, with the readings
//	a system       no              none                refused: nothing fits
//	unknown words  –               some or none        asks, with the readings
//	degrees        WGS 84 does     whatever            taken: the columns are lon and lat, or the format
//	                                                   is in these; a system has not been named
//	degrees        no              some                refused, with the readings
//	nothing        –               one                 asks, proposing it
//	nothing        –               several             asks, with all of them
//	nothing        –               none                refused
//
// A declared system fits in the order that the file names (longitude and latitude, east and
// north, and every geometry); where the columns are X and Y, in the one order of the two
// that fits, and where both do, it asks. A reading fits when at least half of the points lie
// in the territory with its margin, and nine tenths of what the best reading has there; and,
// where places are known and some reading puts the points on them, when it is as near to
// these within 60 m. Where the points are off known places as one, as far as a forgotten
// datum shift makes them or otherwise, it asks, until somebody says which datum is meant;
// where nothing is known by which that could be seen, a notice says so. With outside, what is declared is taken wherever it lies, and degrees are where no other
// reading puts them in the territory.
func (d *Declared) Place(s *Sample, readings []Reading, outside bool) Placement {
	p := Placement{Declared: d.Words, By: d.By, Points: s.Count(), Readings: readings}
	switch {
	case s.Count() == 0:
		p.Outcome, p.Why = NoPlace, geo.Text{VI: "Tệp không có vị trí nào.", EN: "The file tells no places."}
	case d.CRS != nil:
		d.asDeclared(&p, outside)
	case d.Words != "":
		d.unknown(&p)
	default:
		d.undeclared(&p, outside)
	}
	if p.Outcome == Taken {
		d.shift(&p, s)
	}
	return p
}

// asDeclared places what somebody has named the system of.
func (d *Declared) asDeclared(p *Placement, outside bool) {
	var fits []*Reading
	for i := range p.Readings {
		r := &p.Readings[i]
		if same(r.crs, *d.CRS) && r.Fits && d.says(r.Axis) {
			fits = append(fits, r)
		}
	}
	others := p.fitting()
	switch {
	case len(fits) == 1 && len(others) == 1:
		p.take(fits[0], "%s nêu %s và chỉ cách đọc này đặt các điểm vào lãnh thổ.", "The %s says %s, and no other reading puts the points in the territory.", d.who(), d.CRS)
	case len(fits) == 1:
		p.take(fits[0], "%s nêu %s và các điểm nằm trong lãnh thổ; cách đọc khác cũng vậy.", "The %s says %s, and the points are in the territory; so they are by other readings.", d.who(), d.CRS)
	case len(fits) > 1:
		p.asks("Không rõ X là Đông hay Bắc: cả hai thứ tự trục đều đặt các điểm vào lãnh thổ.", "X may be east or north: both orders put the points in the territory.")
	case outside && (d.Axis != "" || !d.AxesOpen):
		p.take(&Reading{crs: *d.CRS, CRS: d.CRS.String(), Axis: cmp.Or(d.Axis, EastFirst)}, "%s nêu %s; các điểm được phép nằm ngoài lãnh thổ.", "The %s says %s, and points may lie outside the territory.", d.who(), d.CRS)
	case len(others) > 0:
		p.refuse("%s nêu %s nhưng các điểm không nằm trong lãnh thổ; chúng nằm trong đó nếu là %s.", "The %s says %s, but the points are not in the territory; they are if it is %s.", d.who(), d.CRS, list(others))
	default:
		p.refuse("%s nêu %s nhưng các điểm không nằm trong lãnh thổ, và không cách đọc nào khác đặt chúng vào đó.", "The %s says %s, but the points are not in the territory, nor are they by any other reading.", d.who(), d.CRS)
	}
}

// unknown asks about a system that is named in words that nobody here knows.
func (d *Declared) unknown(p *Placement) {
	if fits := p.fitting(); len(fits) > 0 {
		p.asks("%s nêu hệ toạ độ %q mà hệ thống không biết; các điểm nằm trong lãnh thổ nếu là %s: hãy chọn.", "The %s names the reference system %q, which is not known here; the points are in the territory if it is %s: choose.", d.who(), d.Words, list(fits))
		return
	}
	p.asks("%s nêu hệ toạ độ %q mà hệ thống không biết.", "The %s names the reference system %q, which is not known here.", d.who(), d.Words)
}

// undeclared places what nobody has named the system of.
func (d *Declared) undeclared(p *Placement, outside bool) {
	fits := p.fitting()
	for _, r := range fits {
		if d.Degrees && r.crs.SRID() == geo.SRID && d.says(r.Axis) {
			p.take(r, "Kinh độ và vĩ độ, được hiểu là WGS 84.", "Longitude and latitude, taken for WGS 84.")
			return
		}
	}
	if d.Degrees && len(fits) > 0 {
		p.refuse("Các điểm nằm ngoài lãnh thổ nếu là kinh độ, vĩ độ; chúng nằm trong đó nếu là %s.", "As longitude and latitude the points are not in the territory; they are if it is %s.", list(fits))
		return
	}
	if wgs84, ok := geo.LookupCRS(geo.SRID); ok && d.Degrees && outside {
		p.take(&Reading{crs: wgs84, CRS: wgs84.String(), Axis: cmp.Or(d.Axis, EastFirst)}, "Kinh độ và vĩ độ, được hiểu là WGS 84; các điểm được phép nằm ngoài lãnh thổ.", "Longitude and latitude, taken for WGS 84; points may lie outside the territory.")
		return
	}
	switch len(fits) {
	case 0:
		p.refuse("Không cách đọc nào đặt các điểm vào lãnh thổ.", "No reading puts the points in the territory.")
	case 1:
		p.take(fits[0], "Tệp không nêu hệ toạ độ; chỉ %s đặt các điểm vào lãnh thổ: hãy xác nhận.", "The file names no reference system, and only %s puts the points in the territory: say so if it is meant.", list(fits))
		p.Outcome = Asks
	default:
		p.asks("Tệp không nêu hệ toạ độ; các điểm nằm trong lãnh thổ nếu là %s: hãy chọn.", "The file names no reference system; the points are in the territory if it is %s: choose.", list(fits))
	}
}

// who says the system.
func (d *Declared) who() geo.Text {
	switch d.By {
	case "option":
		return geo.Text{VI: "Người nhập", EN: "import's option"}
	case "note":
		return geo.Text{VI: "Ghi chú trong tệp", EN: "file's own note"}
	}
	return geo.Text{VI: "Tệp", EN: "file"}
}

// fitting are the readings that fit.
func (p *Placement) fitting() []*Reading {
	var fits []*Reading
	for i := range p.Readings {
		if p.Readings[i].Fits {
			fits = append(fits, &p.Readings[i])
		}
	}
	return fits
}

func (p *Placement) take(r *Reading, vi, en string, args ...any) {
	p.Outcome, p.CRS, p.Axis, p.crs = Taken, r.CRS, r.Axis, r.crs
	p.Why = sentence(vi, en, args...)
}

func (p *Placement) asks(vi, en string, args ...any) {
	p.Outcome = Asks
	p.Why = sentence(vi, en, args...)
}

func (p *Placement) refuse(vi, en string, args ...any) {
	p.Outcome = Refused
	p.Why = sentence(vi, en, args...)
}

// list names readings, three at most, and how many of the points each puts in the territory.
func list(readings []*Reading) geo.Text {
	var vi, en []string
	for _, r := range readings[:min(3, len(readings))] {
		name := fmt.Sprintf("%s (%s)", r.CRS, r.Name)
		share := fmt.Sprintf("%.3g %%", 100*r.InsideRatio)
		if r.Axis == NorthFirst {
			vi, en = append(vi, name+" với số thứ nhất là hướng Bắc, "+share), append(en, name+" with north first, "+share)
			continue
		}
		vi, en = append(vi, name+", "+share), append(en, name+", "+share)
	}
	return geo.Text{VI: strings.Join(vi, " hoặc "), EN: strings.Join(en, " or ")}
}

// LonLat takes a point of the file to longitude and latitude on WGS 84, where the outcome is
// Taken. Errors are those of geo.CRS.Inverse.
func (p *Placement) LonLat(at orb.Point) (orb.Point, error) {
	q, err := p.crs.Inverse(p.Axis.inOrder(at))
	if err != nil || !p.Unshifted {
		return q, err
	}
	return withoutShift(p.crs, q)
}
