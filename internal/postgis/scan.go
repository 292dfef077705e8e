package postgis

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/geo"
)

// day scans a date column into a geo.Date; null is the zero date.
type day struct{ geo.Date }

// ScanDate implements pgtype.DateScanner.
func (d *day) ScanDate(v pgtype.Date) error {
	d.Date = geo.Date{}
	if v.Valid && v.InfinityModifier == pgtype.Finite {
		d.Date = geo.DateOf(v.Time.In(time.UTC))
	}
	return nil
}

// decode2D reads an EWKB geometry of a 2D layer. orb would read heights as
// garbage without an error, so a geometry that has any is refused here.
func decode2D(raw []byte) (orb.Geometry, error) {
	if len(raw) < 5 {
		return nil, fmt.Errorf("%d bytes are no geometry", len(raw))
	}
	kind := binary.LittleEndian.Uint32(raw[1:])
	if raw[0] == 0 {
		kind = binary.BigEndian.Uint32(raw[1:])
	}
	const hasZ, hasM = 0x80000000, 0x40000000
	if kind&(hasZ|hasM) != 0 {
		return nil, fmt.Errorf("a geometry with heights or measures where a flat one belongs")
	}
	g, _, err := ewkb.Unmarshal(raw)
	return g, err
}

// decodeArea reads a MultiPolygon.
func decodeArea(raw []byte) (orb.MultiPolygon, error) {
	g, err := decode2D(raw)
	if err != nil {
		return nil, err
	}
	switch area := g.(type) {
	case orb.MultiPolygon:
		return area, nil
	case orb.Polygon:
		return orb.MultiPolygon{area}, nil
	}
	return nil, fmt.Errorf("a %s where an area belongs", g.GeoJSONType())
}

// decodePoint reads a Point.
func decodePoint(raw []byte) (orb.Point, error) {
	g, err := decode2D(raw)
	if err != nil {
		return orb.Point{}, err
	}
	p, ok := g.(orb.Point)
	if !ok {
		return orb.Point{}, fmt.Errorf("a %s where a point belongs", g.GeoJSONType())
	}
	return p, nil
}

// encode writes a flat geometry as EWKB.
func encode(g orb.Geometry, srid int) ([]byte, error) {
	raw, err := ewkb.Marshal(g, srid)
	if err != nil {
		return nil, fmt.Errorf("encode the geometry: %w", err)
	}
	return raw, nil
}
