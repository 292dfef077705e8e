package postgis

import (
	"context"
	"strings"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// TileRows hands the rows of a layer whose box meets the lon/lat box, which the query
// selects and the viewer may see, to each, in no order; the query's Boxes, After and
// Limit are not looked at. A row has the values of the fields alone, and is valid until
// each returns, whose error ends the reading and is returned as it is. Cost: an index
// scan, or one of the table where the box holds most of it, and one pass over the bytes.
func (s *Store) TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	q.Boxes = nil
	err := s.seen(ctx, v, l, append(nearOf(q), []orb.Bound{box}), func(c *conditions, from string) error {
		if err := c.matching(q, l); err != nil {
			return err
		}
		// What of a row is in a tile is decided by whoever draws it: its box is enough here.
		c.sql = append(c.sql, c.within([]orb.Bound{box}, 0))
		return hand(ctx, s.pool, tileColumns(fields)+from+c.where(), c.args, 0, each)
	})
	return notHanded("read the tile of "+l.Name, err)
}

// tileColumns begins the statement that reads rows as tiles have them: their geometry as
// all layers have it, whatever is stored beside it.
func tileColumns(fields []*layer.Field) string {
	var b strings.Builder
	b.WriteString("SELECT id, revision, geom")
	for _, f := range fields {
		b.WriteString(", ")
		b.WriteString(quote(f.Name))
	}
	b.WriteString(" FROM ")
	return b.String()
}
