package httpapi

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"
	"github.com/twpayne/go-geom"
	geomewkb "github.com/twpayne/go-geom/encoding/ewkb"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/papers"
)

// Limits of a map on a paper.
const (
	mapEvidence   = 60     // features that findings rest on
	mapUnits      = 400    // of each level
	mapCommunesTo = 250000 // the smallest scale at which communes are drawn, one to so many
	mapReachDeg   = 0.15   // evidence farther from the subject does not widen the map
)

// subjectColour is what a paper is about, on its map.
var subjectColour = papers.Colour{R: 176, G: 16, B: 48}

// paperMap gathers what the map of a paper shows; nil where it has no place to show. It notes
// the names of the units that it comes across.
func (a *api) paperMap(r *request, s *papers.Setting, date geo.Date, subject []papers.Feature, evidence []zoning.Evidence) (*papers.Map, error) {
	var box orb.Bound
	found := false
	for _, f := range subject {
		switch {
		case f.Geometry == nil:
		case !found:
			box, found = f.Geometry.Bound(), true
		default:
			box = box.Union(f.Geometry.Bound())
		}
	}
	if !found {
		return nil, nil
	}
	m := &papers.Map{}
	near := box.Pad(mapReachDeg)
	for i, e := range evidence {
		if i == mapEvidence {
			break
		}
		f, row, err := a.shape(r, e.Collection, e.ID)
		if err != nil {
			return nil, err
		}
		if row == nil {
			continue
		}
		if bound := f.Geometry.Bound(); f.Geometry.Dimensions() < 2 && near.Contains(bound.Min) && near.Contains(bound.Max) {
			box = box.Union(bound)
		}
		m.Features = append(m.Features, f)
	}
	m.Frame = papers.NewFrame(box, papers.Grid(s.Heading))
	if err := a.paperUnits(r, s, date, m); err != nil {
		return nil, err
	}
	m.Features = append(m.Features, subject...)
	return m, nil
}

// shape is a feature for a map, as the viewer is shown it; no row where he sees none.
func (a *api) shape(r *request, collection string, id int64) (papers.Feature, *layer.Row, error) {
	l, ok := r.layers.Get(collection)
	if !ok {
		return papers.Feature{}, nil, nil
	}
	row, err := a.Store.Feature(r.Context(), r.viewer, l, id)
	if errors.Is(err, layer.ErrNotFound) || err == nil && row.Geometry == nil {
		return papers.Feature{}, nil, nil
	}
	if err != nil {
		return papers.Feature{}, nil, err
	}
	f := papers.Feature{Role: papers.Evidence, Legend: l.Title.In(r.language()), Label: valueOf(l, row, "code")}
	if f.Geometry, err = geometryOf(row.Geometry); err != nil {
		return f, nil, fmt.Errorf("draw row %d of %s: %w", id, collection, err)
	}
	f.Colour, _ = papers.ParseColour(l.Colour)
	if by, ok := l.Field(l.ColourBy); ok {
		value := valueOf(l, row, by.Name)
		for _, v := range by.Values {
			if c, ok := papers.ParseColour(v.Colour); ok && v.Code == value {
				f.Colour, f.Legend = c, f.Legend+": "+v.Title.In(r.language())
			}
		}
	}
	return f, row, nil
}

// paperUnits adds the borders of the units around, and notes their names.
func (a *api) paperUnits(r *request, s *papers.Setting, date geo.Date, m *papers.Map) error {
	for _, name := range []string{"communes", "districts", "provinces"} {
		l, ok := r.layers.Get(name)
		if !ok {
			continue
		}
		code, _ := l.Field("code")
		title, _ := l.Field("name")
		drawn := name != "communes" || m.Frame.Scale() <= mapCommunesTo
		q := layer.Query{Date: date, Boxes: []orb.Bound{m.Frame.Box()}, Fields: []*layer.Field{code, title}, Limit: mapUnits, NoGeometry: !drawn}
		err := a.Store.Features(r.Context(), r.viewer, l, q, func(row *layer.Row) error {
			f := papers.Feature{Role: papers.Border, Legend: l.Title.In(r.language()), Colour: papers.Colour{R: 70, G: 70, B: 70}}
			unit := string(row.Values[1])
			s.Units[name+"/"+string(row.Values[0])] = unit
			if name == "communes" {
				f.Role, f.Label, f.Colour = papers.Unit, unit, papers.Colour{R: 120, G: 120, B: 120}
			}
			if row.Geometry == nil {
				return nil
			}
			var err error
			f.Geometry, err = geometryOf(row.Geometry)
			m.Features = append(m.Features, f)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// geometryOf reads a geometry, its heights left aside. It shares no memory with the bytes.
func geometryOf(raw []byte) (orb.Geometry, error) {
	const z, m = 0x80000000, 0x40000000
	if len(raw) < 5 {
		return nil, errors.New("the geometry ends too early")
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if raw[0] == 0 {
		order = binary.BigEndian
	}
	if order.Uint32(raw[1:])&(z|m) == 0 {
		g, _, err := ewkb.Unmarshal(raw)
		return g, err
	}
	g, err := geomewkb.Unmarshal(raw)
	if err != nil {
		return nil, err
	}
	lines, ok := g.(*geom.MultiLineString)
	if !ok {
		return nil, fmt.Errorf("%T with heights is not drawn", g)
	}
	flat := make(orb.MultiLineString, lines.NumLineStrings())
	for i := range flat {
		for _, at := range lines.LineString(i).Coords() {
			flat[i] = append(flat[i], orb.Point{at[0], at[1]})
		}
	}
	return flat, nil
}
