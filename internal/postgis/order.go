package postgis

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"hatang/internal/layer"
)

// This file is the order of rows, and where in it a page begins. A page is found by the
// keys of the row before it, which need not be there any more: page 10 000 costs what
// page 1 does. By id that is an index scan of the page alone; by other keys the database
// looks at all rows selected behind the position, and sorts no more than a page of them.

// sortColumn is what a key is compared by; it is unknown where the row has no value.
func sortColumn(k layer.SortKey) string {
	name := "t." + quote(k.Field.Name)
	if k.Field.Kind == layer.Text {
		return fmt.Sprintf("left(%s, %d)", name, layer.SortedCharacters)
	}
	return name
}

// sortExpression is sortColumn with the order of its values: texts as people of any
// language expect, whatever the database's own order is.
func sortExpression(k layer.SortKey) string {
	if k.Field.Kind == layer.Text {
		return sortColumn(k) + ` COLLATE "und-x-icu"`
	}
	return sortColumn(k)
}

// orderBy writes the order of a query.
func orderBy(keys []layer.SortKey) string {
	var b strings.Builder
	b.WriteString(" ORDER BY ")
	for _, k := range keys {
		b.WriteString(sortExpression(k))
		if k.Descending {
			b.WriteString(" DESC")
		}
		b.WriteString(" NULLS LAST, ")
	}
	b.WriteString("t.id")
	return b.String()
}

// behind adds the condition on rows behind the query's position, if it has one.
func (c *conditions) behind(q layer.Query) error {
	if q.After == 0 {
		return nil
	}
	if len(q.AfterKeys) != len(q.Sort) {
		return fmt.Errorf("a position of %d keys in an order by %d", len(q.AfterKeys), len(q.Sort))
	}
	condition := "t.id > " + c.bind(q.After)
	for i := len(q.Sort) - 1; i >= 0; i-- {
		var err error
		if condition, err = c.behindKey(q.Sort[i], q.AfterKeys[i], condition); err != nil {
			return err
		}
	}
	c.add("%s", condition)
	return nil
}

// behindKey is the condition on rows whose key is behind a value, or is the value while
// the rest of them is behind, too. Rows without a value are behind all others.
func (c *conditions) behindKey(k layer.SortKey, value []byte, rest string) (string, error) {
	column := sortExpression(k)
	if value == nil {
		return fmt.Sprintf("(%s IS NULL AND %s)", column, rest), nil
	}
	v, err := fromWire(k.Field.Kind, value)
	if err != nil {
		return "", fmt.Errorf("the position's %s: %w", k.Field.Name, err)
	}
	place := c.bind(v) + "::" + k.Field.Kind.Column()
	operator := ">"
	if k.Descending {
		operator = "<"
	}
	missing := " OR " + column + " IS NULL"
	if k.Field.Required {
		missing = ""
	}
	return fmt.Sprintf("(%[1]s %[2]s %[3]s%[4]s OR %[1]s = %[3]s AND %[5]s)", column, operator, place, missing, rest), nil
}

// fromWire turns a value in wire form into one that pgx sends back as it was.
func fromWire(kind layer.Kind, value []byte) (any, error) {
	if !kind.ValidWire(value) {
		return nil, fmt.Errorf("%d bytes are no %s", len(value), kind)
	}
	switch kind {
	case layer.Integer:
		return int64(binary.BigEndian.Uint64(value)), nil
	case layer.Number:
		return math.Float64frombits(binary.BigEndian.Uint64(value)), nil
	case layer.Boolean:
		return value[0] != 0, nil
	case layer.Date:
		days := int32(binary.BigEndian.Uint32(value))
		return pgtype.Date{Time: epoch.AddDate(0, 0, int(days)), InfinityModifier: infinity(int64(days), math.MinInt32, math.MaxInt32), Valid: true}, nil
	case layer.Timestamp:
		at := int64(binary.BigEndian.Uint64(value))
		end := infinity(at, math.MinInt64, math.MaxInt64)
		if end != pgtype.Finite {
			at = 0
		}
		return pgtype.Timestamptz{Time: time.UnixMicro(epoch.UnixMicro() + at), InfinityModifier: end, Valid: true}, nil
	default:
		return string(value), nil
	}
}

// epoch is the day from which PostgreSQL counts.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// infinity tells the two values that stand for no end from all others.
func infinity(n, lowest, highest int64) pgtype.InfinityModifier {
	switch n {
	case lowest:
		return pgtype.NegativeInfinity
	case highest:
		return pgtype.Infinity
	}
	return pgtype.Finite
}
