package postgis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// EndSummary is what the end of a level did, or would do.
type EndSummary struct {
	Ended []string `json:"ended"` // codes of the units that end
	// Detached are how many communes had a row that named one of them, and have one from the
	// day on that names none.
	Detached int              `json:"detached"`
	Grants   []GrantConcerned `json:"grants_concerned"`
	Applied  bool             `json:"applied"`
}

// EndDistricts ends the level of districts on a day: those in force end, and communes in
// force or to come belong to none from then on. Their shapes and everything else stay, so
// that figures of districts go on being answered for the days on which there were any.
// *layer.InvalidError where a district begins on the day or later: then the level does not
// end on it. ErrForbidden for a viewer who may not write both levels everywhere.
func (s *Store) EndDistricts(ctx context.Context, v account.Viewer, day geo.Date, dryRun bool) (EndSummary, error) {
	var summary EndSummary
	if !v.Pen("districts").All || !v.Pen("communes").All {
		return summary, fmt.Errorf("the end of districts, %s: %w", v.Name, layer.ErrForbidden)
	}
	communes, ok := s.layers.Get("communes")
	if !ok {
		return summary, errors.New("the registry has no layer communes")
	}
	err := s.write(ctx, v, "end the districts", func(tx pgx.Tx) (err error) {
		if summary, err = endDistricts(ctx, tx, communes, day); err == nil && dryRun {
			err = errNotApplied
		}
		return err
	})
	if errors.Is(err, errNotApplied) {
		return summary, nil
	}
	summary.Applied = err == nil
	return summary, err
}

func endDistricts(ctx context.Context, tx pgx.Tx, communes *layer.Layer, day geo.Date) (EndSummary, error) {
	summary := EndSummary{Ended: []string{}, Grants: []GrantConcerned{}}
	var later []string
	if err := tx.QueryRow(ctx, "SELECT ARRAY(SELECT code FROM districts WHERE valid_from >= $1::date ORDER BY code)", day.Time()).Scan(&later); err != nil {
		return summary, err
	}
	if len(later) > 0 {
		var faults layer.Faults
		faults.Add("date", "các huyện này bắt đầu từ ngày đó hoặc sau: %s", "districts begin on the day or later: %s", strings.Join(later, ", "))
		return summary, faults.Err()
	}
	rows, err := tx.Query(ctx, "WITH ended AS (UPDATE districts t SET valid_to = $1::date WHERE "+onDay("t")+" RETURNING code) SELECT code FROM ended ORDER BY code", day.Time())
	if err != nil {
		return summary, err
	}
	if summary.Ended, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return summary, err
	}
	if summary.Detached, err = detach(ctx, tx, communes, day); err != nil {
		return summary, err
	}
	summary.Grants, err = grantsConcerned(ctx, tx, "districts", day)
	return summary, err
}

// detach opens communes anew that name a district, without one; those that begin on the day
// or later are corrected.
func detach(ctx context.Context, tx pgx.Tx, communes *layer.Layer, day geo.Date) (int, error) {
	if _, err := tx.Exec(ctx, "CREATE TEMP TABLE detached ON COMMIT DROP AS SELECT * FROM communes t WHERE district_code IS NOT NULL AND valid_from < $1::date AND "+onDay("t"), day.Time()); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, "UPDATE communes t SET valid_to = $1::date FROM detached d WHERE t.id = d.id", day.Time()); err != nil {
		return 0, err
	}
	names, places := []string{"geom"}, []string{"geom"}
	for _, f := range communes.Fields {
		if f.ReadOnly {
			continue
		}
		place := quote(f.Name)
		switch f.Name {
		case "valid_from":
			place = "$1::date"
		case "district_code":
			place = "NULL"
		}
		names, places = append(names, quote(f.Name)), append(places, place)
	}
	opened, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO communes (%s) SELECT %s FROM detached ORDER BY id", strings.Join(names, ", "), strings.Join(places, ", ")), day.Time())
	if err != nil {
		return 0, err
	}
	corrected, err := tx.Exec(ctx, "UPDATE communes SET district_code = NULL WHERE district_code IS NOT NULL AND valid_from >= $1::date", day.Time())
	return int(opened.RowsAffected() + corrected.RowsAffected()), err
}
