package intake

import (
	"github.com/paulmach/orb"

	"hatang/geo"
)

// offset is how far the reading that is taken is off known places; nil where they say nothing:
// too few are known, or the points are off each in its own way.
func (p *Placement) offset() *Offset {
	for i := range p.Readings {
		r := &p.Readings[i]
		if o := r.Offset; same(r.crs, p.crs) && r.Axis == p.Axis && o != nil && (o.Systematic || o.SpreadM <= tellingM) {
			return o
		}
	}
	return nil
}

// shift looks at what known places say of the datum, and of the reading that is taken.
func (d *Declared) shift(p *Placement, s *Sample) {
	p.Unshifted = d.Datum == DatumForgotten
	o := p.offset()
	switch {
	case o == nil && d.Datum == DatumUnknown:
		p.untold(s)
	case o == nil:
	case p.Unshifted && o.WithoutShiftM > tellingM:
		p.notice("Không kể phần chuyển giữa VN-2000 và WGS 84, các điểm lệch %.1f m so với %d vị trí đã biết, và %.1f m nếu kể cả phần đó.",
			"Without the shift between VN-2000 and WGS 84 the points are %.1f m off %d known places, and %.1f m with it.", o.WithoutShiftM, o.Points, o.DistanceM)
	case p.Unshifted || !o.Systematic:
	case d.Datum == DatumDeclared:
		p.notice("Các điểm cùng lệch %.1f m so với %d vị trí đã biết: %.1f m về phía Đông, %.1f m về phía Bắc.",
			"The points are all %.1f m off %d known places: %.1f m to the east, %.1f m to the north.", o.DistanceM, o.Points, o.EastM, o.NorthM)
	case o.ShiftForgotten:
		p.asks("Các điểm lệch %.1f m so với %d vị trí đã biết, còn %.1f m nếu số liệu được lập mà quên chuyển giữa VN-2000 và WGS 84: hãy nêu unshifted là có hay không.",
			"The points are %.1f m off %d known places, and %.1f m if the numbers were made without the shift between VN-2000 and WGS 84: say which is meant, unshifted or not.", o.DistanceM, o.Points, o.WithoutShiftM)
	default:
		p.asks("Các điểm cùng lệch %.1f m so với %d vị trí đã biết (%.1f m về phía Đông, %.1f m về phía Bắc), như khi chúng ở một hệ quy chiếu khác; nếu các điểm thật ở đó, hãy nêu unshifted là không.",
			"The points are all %.1f m off %d known places (%.1f m to the east, %.1f m to the north), as if they were on another datum: if they are meant to lie there, say that they are not unshifted.", o.DistanceM, o.Points, o.EastM, o.NorthM)
	}
}

// untold says that the datum cannot be seen, and how far its other reading lies.
func (p *Placement) untold(s *Sample) {
	var x, y []float64
	for _, k := range s.kept {
		x, y = append(x, k.at[0]), append(y, k.at[1])
	}
	at, err := p.LonLat(orb.Point{median(x), median(y)}) // whatever single points are
	if err != nil {
		return
	}
	without, err := withoutShift(p.crs, at)
	if err != nil {
		return
	}
	p.notice("Không đo được hệ quy chiếu, vì không có %d dòng nào mà vị trí theo mã đã được biết đủ chính xác: các điểm nằm trong lãnh thổ cả khi số liệu được lập mà quên chuyển giữa VN-2000 và WGS 84, cách đó %.1f m (khi ấy hãy nêu unshifted), và cả khi chúng ở hệ cũ hơn (Indian 1960, HN-72), cách hàng trăm mét.",
		"The datum cannot be measured, because there are not %d rows whose places are known well enough by their codes: the points are in the territory, too, if the numbers were made without the shift between VN-2000 and WGS 84, %.1f m from there (then say unshifted), or on an older datum (Indian 1960, HN-72), hundreds of metres from there.",
		knownPoints, geo.DistanceM(at, without))
}

func (p *Placement) notice(vi, en string, args ...any) {
	text := sentence(vi, en, args...)
	p.Notice = &text
}
