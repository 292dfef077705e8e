package postgis

import (
	"context"
	"fmt"
	"strings"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// past is view, of rows as they were at any time: those of which the viewer sees the history.
// It is nobody's whom settings of publication matter to. What an agency is asked about is
// the row as it is; and of images the id is none of a row's.
func (c *conditions) past(v account.Viewer, l *layer.Layer, from string) string {
	rows := c.view(v.Unconsulted(), l, nil, from, nil)
	if p := v.Past(l.Name); !p.All {
		c.add("%s", c.own(account.Sight{Organisation: p.Organisation}))
	}
	return rows
}

// images are the forms that rows had, as far as the viewer sees them, by a number that
// says which.
type images map[int64]image

type image struct {
	row   *layer.Row
	asked bool // it is what the query asks for
}

// The numbers of the images before and after a record, and of the last one of a row that
// is no more.
func imageBefore(record int64) int64 { return 2 * record }
func imageAfter(record int64) int64  { return 2*record + 1 }
func imageLast(feature int64) int64  { return -feature }

// imagesSQL is every image of the records %[3]s of a layer and the last ones of the rows
// %[4]s that are no more, with the columns of the layer, and its number for the id. The
// image after a change is the one before the next, or the row as it is.
const imagesSQL = `(SELECT i.number AS id, %[1]s, i.geom FROM (
		SELECT 2 * h.id AS number, h.before, h.before_geom AS geom FROM history h WHERE h.id = ANY (%[3]s)
		UNION ALL SELECT 2 * h.id + 1, n.before, n.before_geom FROM history h CROSS JOIN LATERAL (
			SELECT before, before_geom FROM history n WHERE n.layer = h.layer AND n.feature_id = h.feature_id AND n.id > h.id ORDER BY n.id LIMIT 1) n
			WHERE h.id = ANY (%[3]s) AND h.operation IN ('insert', 'update')
		UNION ALL SELECT -f.id, l.before, l.before_geom FROM unnest(%[4]s::bigint[]) f (id) CROSS JOIN LATERAL (
			SELECT before, before_geom FROM history l WHERE l.layer = %[5]s AND l.feature_id = f.id ORDER BY l.id DESC LIMIT 1) l) i
		CROSS JOIN LATERAL jsonb_populate_record(NULL::%[2]s, i.before) r WHERE i.before IS NOT NULL
	UNION ALL SELECT 2 * h.id + 1, %[6]s, t.geom FROM history h JOIN %[2]s t ON t.id = h.feature_id
		WHERE h.id = ANY (%[3]s) AND h.operation IN ('insert', 'update')
			AND NOT EXISTS (SELECT FROM history n WHERE n.layer = h.layer AND n.feature_id = h.feature_id AND n.id > h.id))`

// images reads the images of records of one layer.
func (h *history) images(ctx context.Context, l *layer.Layer, heads []head) (images, error) {
	var records, gone []int64
	for _, r := range heads {
		records = append(records, r.id)
		if r.gone {
			gone = append(gone, r.feature)
		}
	}
	var was, is []string
	for _, f := range l.Fields {
		was, is = append(was, "r."+quote(f.Name)), append(is, "t."+quote(f.Name))
	}
	c := &conditions{}
	from := fmt.Sprintf(imagesSQL, strings.Join(was, ", "), quote(l.Name), c.bind(records), c.bind(gone), c.bind(l.Name), strings.Join(is, ", "))
	from = c.past(h.viewer, l, from)
	asked := &conditions{args: c.args}
	if h.query.Code != "" {
		asked.add("code = %s", asked.bind(h.query.Code))
	}
	if len(h.query.Boxes) > 0 {
		asked.add("%s", asked.meets("geom", h.query.Boxes))
	}
	asked.add("true")
	rows, err := h.tx.Query(ctx, "SELECT "+columns(l, layer.Query{})+", "+strings.Join(asked.sql, " AND ")+" FROM "+from+c.where(), inBinary(asked.args)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	seen := images{}
	for rows.Next() {
		var shown layer.Row
		if err := scanRow(rows, 0, &shown); err != nil {
			return nil, err
		}
		row := shown.Clone()
		number, last := row.ID, len(row.Values)-1
		is := image{row, row.Values[last] != nil && row.Values[last][0] != 0}
		row.Values = row.Values[:last]
		seen[number] = is
	}
	return seen, rows.Err()
}
