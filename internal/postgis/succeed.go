package postgis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// SucceedFeature is a change in force: it closes a row on the date and opens the next one
// of the same code, which begins on it, and returns the next one's id. That is the row
// with the feature laid over it, or when replace is set the feature as a whole. The date
// must lie within the row's valid time, behind its first day, else the *layer.InvalidError
// is about "in_force". A revision other than ifRevision, unless that is 0, is
// layer.ErrStale. The two rows change in one transaction, or neither does.
func (s *Store) SucceedFeature(ctx context.Context, v account.Viewer, l *layer.Layer, id int64, f layer.Feature, ifRevision int64, replace bool, date geo.Date) (int64, error) {
	var next int64
	err := s.write(ctx, v, "change "+l.Name, func(tx pgx.Tx) error {
		if _, err := lockRevision(ctx, tx, v, l, id, ifRevision); err != nil {
			return err
		}
		var err error
		if next, err = succeed(ctx, tx, l, id, f, replace, date); err != nil {
			return err
		}
		return inPen(ctx, tx, v, l, next)
	})
	return next, err
}

// succeed closes a row and opens the next one, as SucceedFeature says.
func succeed(ctx context.Context, tx pgx.Tx, l *layer.Layer, id int64, f layer.Feature, replace bool, date geo.Date) (next int64, err error) {
	f, err = successor(ctx, tx, l, id, f, replace, date)
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "UPDATE "+quote(l.Name)+" SET valid_to = $2 WHERE id = $1", id, date.Time()); err != nil {
		return 0, err
	}
	sql, args, err := insertBeside(l, id, f)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, sql, args...).Scan(&next)
	return next, err
}

// successor returns the feature that follows a row: it begins on the date, whatever the
// row's own first day was that the client may have sent back.
func successor(ctx context.Context, tx pgx.Tx, l *layer.Layer, id int64, f layer.Feature, replace bool, date geo.Date) (layer.Feature, error) {
	var code string
	var from, to day
	err := tx.QueryRow(ctx, "SELECT code, valid_from, valid_to FROM "+quote(l.Name)+" WHERE id = $1", id).Scan(&code, &from, &to)
	if err != nil {
		return f, err
	}
	var faults layer.Faults
	if !from.Before(date) || !to.IsZero() && !date.Before(to.Date) {
		end := to.String()
		if to.IsZero() {
			end = "…"
		}
		faults.Add("in_force", "bản ghi có hiệu lực từ %[1]s đến %[2]s; in_force phải ở giữa, sau ngày đầu", "the row is in force from %[1]s to %[2]s; in_force must lie between, after the first day", from, end)
	}
	if given, ok := f.Properties["code"]; ok && given != code {
		faults.Add("/properties/code", "bản ghi kế tiếp giữ mã %s", "the next row keeps the code %s", code)
	}
	if given, ok := f.Properties["valid_from"].(geo.Date); ok && given.Compare(from.Date) != 0 && given.Compare(date) != 0 {
		faults.Add("/properties/valid_from", "bản ghi kế tiếp bắt đầu vào ngày in_force, %s", "the next row begins on in_force, %s", date)
	}
	f.Properties = maps.Clone(f.Properties)
	if f.Properties == nil {
		f.Properties = map[string]any{}
	}
	f.Properties["valid_from"] = date
	if replace {
		faults = append(faults, l.CheckNew(f)...)
		f = whole(l, f)
	} else {
		faults = append(faults, l.CheckPeriod(f)...)
	}
	if _, given := f.Properties["valid_to"]; !given { // the row's own will be the date by then
		f.Properties["valid_to"] = nil
		if !to.IsZero() {
			f.Properties["valid_to"] = to.Date
		}
	}
	return f, faults.Err()
}

// insertBeside writes the statement that adds a row with what a feature gives, and what
// another row has of the rest.
func insertBeside(l *layer.Layer, id int64, f layer.Feature) (sql string, args []any, err error) {
	var c conditions
	names, places, err := assignments(&c, l, f)
	if err != nil {
		return "", nil, err
	}
	for i := range l.Fields {
		if name := quote(l.Fields[i].Name); !l.Fields[i].ReadOnly && !slices.Contains(names, name) {
			names, places = append(names, name), append(places, name)
		}
	}
	if !slices.Contains(names, "geom") {
		names, places = append(names, "geom"), append(places, "geom")
	}
	sql = fmt.Sprintf("INSERT INTO %[1]s (%[2]s) SELECT %[3]s FROM %[1]s WHERE id = %[4]s RETURNING id", quote(l.Name), strings.Join(names, ", "), strings.Join(places, ", "), c.bind(id))
	return sql, c.args, nil
}
