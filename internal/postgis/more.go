package postgis

import (
	"context"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// HasMore reports whether the query selects more than n rows for the viewer, whatever
// its After and Limit. Cost: a scan of so many rows, in no order.
func (s *Store) HasMore(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, n int) (bool, error) {
	var more bool
	err := s.chosen(ctx, v, l, q, func(c *conditions, from string) error {
		if err := c.matching(q, l); err != nil {
			return err
		}
		sql := "SELECT EXISTS (SELECT FROM " + from + c.where() + " OFFSET " + c.bind(n) + ")"
		return s.pool.QueryRow(ctx, sql, c.args...).Scan(&more)
	})
	return more, translate("count "+l.Name, err)
}
