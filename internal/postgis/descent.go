package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Descent returns where the unit of a code came from and what became of it: the row of the
// code in force on the date, else the last that has ended by then, else the first to come.
// Predecessors are those of the changes from the row's first day to the date, successors
// those of the changes after it, to the day after the row's last. An empty level is that of
// the lowest level that has the code. layer.ErrNotFound where none has. The cost is four
// look-ups by index.
func (s *Store) Descent(ctx context.Context, v account.Viewer, level, code string, date geo.Date) (layer.Descent, error) {
	levels := []string{"commune", "district", "province"}
	if level != "" {
		levels = []string{level}
	}
	for _, level := range levels {
		l, ok := s.layers.Get(layer.UnitsOf(level))
		if !ok {
			continue
		}
		versions, err := s.unitVersions(ctx, v, l, []string{code})
		if err != nil {
			return layer.Descent{}, translate("read versions of "+l.Name, err)
		}
		if len(versions) == 0 {
			continue
		}
		descent := layer.Descent{Unit: atOrBeside(versions, date)}
		err = s.addKin(ctx, v, l, &descent, date)
		return descent, translate("read the lineage of "+l.Name, err)
	}
	return layer.Descent{}, fmt.Errorf("unit %q: %w", code, layer.ErrNotFound)
}

// atOrBeside is the version in force on the date, else the last before it, else the first
// after it; versions are in their order, and not none.
func atOrBeside(versions []layer.UnitVersion, date geo.Date) layer.UnitVersion {
	found := versions[0]
	for _, version := range versions {
		if !date.Before(version.From) {
			found = version
		}
	}
	return found
}

// unitVersions reads the rows of codes, by first day.
func (s *Store) unitVersions(ctx context.Context, v account.Viewer, l *layer.Layer, codes []string) ([]layer.UnitVersion, error) {
	var versions []layer.UnitVersion
	err := s.seen(ctx, v, l, nil, func(c *conditions, from string) error {
		c.add("code = ANY (%s)", c.bind(codes))
		rows, err := s.pool.Query(ctx, "SELECT id, code, coalesce(name, ''), valid_from, valid_to FROM "+from+c.where()+" ORDER BY valid_from, id", c.args...)
		if err != nil {
			return err
		}
		versions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (layer.UnitVersion, error) {
			version := layer.UnitVersion{Level: layer.LevelOf(l.Name)}
			var from, to day
			err := row.Scan(&version.ID, &version.Code, &version.Name, &from, &to)
			version.Period = geo.Period{From: from.Date, To: to.Date}
			return version, err
		})
		return err
	})
	return versions, err
}

// addKin adds predecessors and successors, each with its own row.
func (s *Store) addKin(ctx context.Context, v account.Viewer, l *layer.Layer, d *layer.Descent, date geo.Date) error {
	links, err := s.links(ctx, layer.LevelOf(l.Name), d.Unit)
	if err != nil || len(links) == 0 {
		return err
	}
	var codes []string
	for _, k := range links {
		codes = append(codes, k.Predecessor, k.Successor)
	}
	versions, err := s.unitVersions(ctx, v, l, codes)
	if err != nil {
		return err
	}
	// The date within the row's time that the question is about.
	at := date
	if at.Before(d.Unit.From) {
		at = d.Unit.From
	} else if !d.Unit.To.IsZero() && !at.Before(d.Unit.To) {
		at = geo.DateOf(d.Unit.To.Time().AddDate(0, 0, -1))
	}
	for _, k := range links {
		if k.Predecessor == d.Unit.Code && at.Before(k.On) {
			d.Successors = append(d.Successors, layer.Kin{Lineage: k, Version: inForceOn(versions, k.Successor, k.On, false)})
		}
		if k.Successor == d.Unit.Code && !at.Before(k.On) {
			d.Predecessors = append(d.Predecessors, layer.Kin{Lineage: k, Version: inForceOn(versions, k.Predecessor, k.On, true)})
		}
	}
	return nil
}

// inForceOn is the version of a code that begins on the day or is in force on it, or, the
// day before it, that ends on it or is in force; nil for none.
func inForceOn(versions []layer.UnitVersion, code string, on geo.Date, before bool) *layer.UnitVersion {
	for i, version := range versions {
		begun, over := !on.Before(version.From), !version.To.IsZero() && !on.Before(version.To)
		if before {
			begun, over = version.From.Before(on), !version.To.IsZero() && version.To.Before(on)
		}
		if version.Code == code && begun && !over {
			return &versions[i]
		}
	}
	return nil
}

// links reads the links of a code that fall into the time of a row, its first day and the
// one after its last included.
func (s *Store) links(ctx context.Context, level string, unit layer.UnitVersion) ([]layer.Lineage, error) {
	var end any
	if !unit.To.IsZero() {
		end = unit.To.Time()
	}
	rows, err := s.pool.Query(ctx, `SELECT level, predecessor_code, successor_code, changed_on, part, coalesce(act, ''), coalesce(note, ''), source FROM unit_lineage
		WHERE level = $1 AND (predecessor_code = $2 OR successor_code = $2) AND changed_on >= $3::date AND ($4::date IS NULL OR changed_on <= $4::date)
		ORDER BY changed_on, predecessor_code, successor_code`, level, unit.Code, unit.From.Time(), end)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (layer.Lineage, error) {
		var k layer.Lineage
		var on day
		err := row.Scan(&k.Level, &k.Predecessor, &k.Successor, &on, &k.Part, &k.Act, &k.Note, &k.Source)
		k.On = on.Date
		return k, err
	})
}
