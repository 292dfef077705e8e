package formats

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"hatang/internal/layer"
)

// openFibre writes fibre routes as a network package of the Open Fibre Data Standard 0.3
// in JSON: one network, whose spans are the routes, a span for each of a route's lines; its
// nodes are where lines end, one for each place, for the register does not say which
// exchange a route leads to. Organisations are the operators, phases those of the plan.
// Heights are left out: the standard's are above the ellipsoid, ours above the ground.
//
// The network's id is made of the layer's name and of the codes of the provinces whose rows
// are in it (RFC 4122, version 5), so that the same network always has the same.
//
// What follows the spans is kept in memory: of each place about 80 bytes.
type openFibre struct {
	stream
	sheet         Sheet
	at            map[string]int // where fields are among the values
	first         bool
	nodes         []place
	seen          map[place]bool
	phases        []string
	organisations []string
	jurisdictions []string
}

// place is a position in ten-millionths of a degree.
type place [2]int64

const ofdsSchema = "https://raw.githubusercontent.com/Open-Telecoms-Data/open-fibre-data-standard/0__3__0/schema/network-schema.json"

func newOpenFibre(s Sheet) (Writer, error) {
	s.WithZ = false
	o := &openFibre{sheet: s, at: map[string]int{}, first: true, seen: map[place]bool{}}
	for i, f := range s.Layer.Properties() {
		o.at[f.Name] = i
	}
	return o, nil
}

// Begin implements Writer.
func (o *openFibre) Begin(dst []byte) ([]byte, error) {
	return append(dst, `{"networks":[{"links":[{"href":"`+ofdsSchema+`","rel":"describedby"}],`+
		`"crs":{"name":"urn:ogc:def:crs:OGC::CRS84","uri":"http://www.opengis.net/def/crs/OGC/1.3/CRS84"}`...), nil
}

// Append implements Writer.
func (o *openFibre) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if err := o.sheet.checkRow(r); err != nil {
		return dst, err
	}
	if code := o.word(r, "jurisdiction"); code != "" {
		o.jurisdictions = addOnce(o.jurisdictions, code)
	}
	g, err := o.sheet.shape(r.Geometry)
	if err != nil {
		return dst, o.sheet.rowError(r, "", err)
	}
	id := strconv.FormatInt(r.ID, 10)
	if g == nil {
		dst, err = o.span(dst, r, id, 1)
		return append(dst, '}'), err
	}
	start, ends := 0, partEnds(g)
	for i, end := range ends {
		name := id
		if len(ends) > 1 {
			name += "-" + strconv.Itoa(i+1)
		}
		if dst, err = o.span(dst, r, name, len(ends)); err != nil {
			return dst, err
		}
		if dst, err = o.route(dst, g.FlatCoords()[start:end], g.Stride()); err != nil {
			return dst, o.sheet.rowError(r, "", err)
		}
		dst, start = append(dst, '}'), end
	}
	return dst, nil
}

// word is a row's text of a field; "" for none.
func (o *openFibre) word(r *layer.Row, field string) string {
	if at, ok := o.at[field]; ok {
		return string(r.Values[at])
	}
	return ""
}

// spanStatus is the standard's word for ours; what it has no word for is left out.
var spanStatus = map[string]string{"existing": "operational", "planned": "planned", "approved": "planned", layer.Draft: "proposed"}

// deployments are the standard's words for classes of works: in ducts or buried; on poles.
var deployments = map[string]string{"N1": "belowGround", "N2": "belowGround", "direct": "belowGround", "C1": "aboveGround", "C2": "aboveGround"}

// span begins a span with what a row says of it; parts is how many the row has.
func (o *openFibre) span(dst []byte, r *layer.Row, id string, parts int) ([]byte, error) {
	if o.first {
		dst, o.first = append(dst, `,"spans":[`...), false
	} else {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, `{"id":"`...), id...), `","transmissionMedium":["fibre"]`...)
	member := func(name, value string) {
		if value != "" {
			dst = layer.AppendString(append(append(append(dst, `,"`...), name...), `":`...), []byte(value))
		}
	}
	name := o.word(r, "name")
	if name == "" {
		name = o.word(r, "code")
	}
	member("name", name)
	member("status", spanStatus[o.word(r, "status")])
	if phase := o.word(r, "phase"); phase != "" {
		o.phases = addOnce(o.phases, phase)
		dst = append(appendReference(append(dst, `,"phase":`...), phase), '}')
	}
	if operator := o.word(r, "operator"); operator != "" {
		o.organisations = addOnce(o.organisations, operator)
		dst = append(appendReference(append(dst, `,"networkProviders":[`...), operator), "}]"...)
	}
	if deployment := deployments[o.word(r, "works_class")]; deployment != "" {
		dst = append(append(append(dst, `,"deployment":["`...), deployment...), `"]`...)
	}
	fibres, some, err := o.number(r, "fibres")
	if some {
		dst = strconv.AppendFloat(append(dst, `,"fibreCount":`...), fibres, 'f', -1, 64)
	}
	if err != nil {
		return dst, err
	}
	length, some, err := o.number(r, "declared_length_m")
	if some && parts == 1 { // it is that of the whole route
		dst = strconv.AppendFloat(append(dst, `,"fibreLength":`...), length/1000, 'f', -1, 64)
	}
	return dst, err
}

// number is a row's number of a field; false for none.
func (o *openFibre) number(r *layer.Row, field string) (x float64, some bool, err error) {
	at, ok := o.at[field]
	if !ok {
		return 0, false, nil
	}
	text, some, err := o.sheet.Layer.Properties()[at].Kind.AppendText(nil, r.Values[at])
	if some && err == nil {
		x, err = strconv.ParseFloat(string(text), 64)
	}
	if err != nil {
		return 0, false, o.sheet.rowError(r, field, err)
	}
	return x, some, nil
}

// appendReference begins an object of an id, which is its name, too.
func appendReference(dst []byte, id string) []byte {
	dst = layer.AppendString(append(dst, `{"id":`...), []byte(id))
	return layer.AppendString(append(dst, `,"name":`...), []byte(id))
}

// route writes a line and the nodes at its ends.
func (o *openFibre) route(dst []byte, flat []float64, stride int) ([]byte, error) {
	start, end := o.node(flat), o.node(flat[len(flat)-stride:])
	dst = append(append(append(dst, `,"start":"`...), start.id()...), `","end":"`...)
	dst = append(append(dst, end.id()...), `","route":{"type":"LineString","coordinates":[`...)
	for at := 0; at < len(flat); at += stride {
		if at > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendPosition(append(dst, '['), flat[at:at+2], o.sheet.textDecimals()); err != nil {
			return dst, err
		}
		dst = append(dst, ']')
	}
	return append(dst, "]}"...), nil
}

const placesPerDegree = 1e7

// node is the place of a position, kept if it is new.
func (o *openFibre) node(position []float64) place {
	p := place{int64(math.Round(position[0] * placesPerDegree)), int64(math.Round(position[1] * placesPerDegree))}
	if !o.seen[p] {
		o.seen[p], o.nodes = true, append(o.nodes, p)
	}
	return p
}

func (p place) position() []float64 {
	return []float64{float64(p[0]) / placesPerDegree, float64(p[1]) / placesPerDegree}
}

// id names a node by where it is.
func (p place) id() []byte {
	text, _ := appendPosition(nil, p.position(), decimalsDegrees) // degrees are never too large
	return bytes.ReplaceAll(text, []byte(","), []byte(" "))
}

// End implements Writer.
func (o *openFibre) End(dst []byte) ([]byte, error) {
	if !o.first {
		dst = append(dst, ']')
	}
	if len(o.nodes) > 0 {
		dst = append(dst, `,"nodes":[`...)
		for i, node := range o.nodes {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, `{"id":"`...), node.id()...), `","location":{"type":"Point","coordinates":[`...)
			var err error
			if dst, err = appendPosition(dst, node.position(), decimalsDegrees); err != nil {
				return dst, err
			}
			dst = append(dst, "]}}"...)
		}
		dst = append(dst, ']')
	}
	dst = appendReferences(dst, "phases", o.phases, "")
	dst = appendReferences(dst, "organisations", o.organisations, `,"roles":["networkProvider"]`)
	dst = layer.AppendString(append(dst, `,"name":`...), []byte(o.sheet.Layer.Title.In(o.sheet.Language)))
	return append(append(append(dst, `,"id":"`...), o.id()...), `"}]}`...), nil
}

func appendReferences(dst []byte, member string, ids []string, rest string) []byte {
	if len(ids) == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), member...), `":[`...)
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(appendReference(dst, id), rest...), '}')
	}
	return append(dst, ']')
}

// id is the network's.
func (o *openFibre) id() string {
	name := []byte("urn:x-hatang:" + o.sheet.Layer.Name)
	slices.Sort(o.jurisdictions)
	for _, code := range o.jurisdictions {
		name = append(append(name, ':'), code...)
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, name).String()
}
