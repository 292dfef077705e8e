package postgis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/filter"
	"hatang/internal/layer"
)

// This file is the one place where rights become SQL: which rows of a layer a viewer
// sees, and which values of them. Every statement on features takes its rows from
// view, under the alias t.

// publications says how the public sees sites, by province, as of a version.
type publications struct {
	version int64
	of      map[string]publication // of provinces where it is not exactly
}

// publication is nil cells for places that are hidden.
type publication struct{ cellDegrees *float64 }

// general reports whether the public sees any place otherwise than exactly.
func (p *publications) general() bool { return p != nil && len(p.of) > 0 }

// view returns what stands behind FROM: rows of the layer, or of another source with
// its columns, with the values that the viewer may see. The conditions on rows are
// added to c. Settings of publication matter to the public alone. Only rows that the
// viewer sees near by need be there, and others may be: the caller asks for them by the
// places in the view.
func (c *conditions) view(v account.Viewer, l *layer.Layer, p *publications, from string, by near) string {
	s := v.Sight(l.Name)
	c.visible(s, l)
	if !l.PublishedAsSet || s.Exact {
		p = nil
	}
	if p.general() {
		c.shownAs = p.version
		c.add("jurisdiction <> ALL (%s)", c.bind(p.hidden()))
	}
	masked := false
	columns := []string{"id"}
	for i := range l.Fields {
		f := &l.Fields[i]
		name := quote(f.Name)
		switch {
		case f.Confidential && !s.All:
			masked = true
			name = fmt.Sprintf("CASE WHEN %s THEN %s END AS %s", c.own(s), name, name)
		case f.Name == "accuracy_m" && p.general():
			name = p.accuracy() + " AS " + name
		case f.Name == "commune_code" && p.general():
			name = p.commune() + " AS " + name
		}
		columns = append(columns, name)
	}
	if !masked && !p.general() {
		return from + " AS t"
	}
	geometry := "geom"
	var around conditions
	if p.general() {
		geometry = p.geometry() + " AS geom"
		for _, boxes := range by {
			if len(boxes) > 0 {
				around.sql = append(around.sql, c.within(boxes, p.farthest()))
			}
		}
	}
	return fmt.Sprintf("(SELECT %s, %s FROM %s AS t%s) AS t", strings.Join(columns, ", "), geometry, from, around.where())
}

// near are lists of boxes: as it is shown, a row meets one of each that is not empty.
type near [][]orb.Bound

// nearOf is where the rows are that a query selects.
func nearOf(q layer.Query) near {
	by := near{q.Boxes}
	f, ok := q.Filter.(*filter.Filter)
	if !ok {
		return by
	}
	boxes, bounded := f.Boxes()
	if !bounded {
		return by
	}
	var around []orb.Bound
	for _, b := range boxes {
		around = append(around, orb.Bound{Min: orb.Point(b.Min[:2]), Max: orb.Point(b.Max[:2])})
	}
	return append(by, around)
}

// within is the condition on rows whose box meets any of the boxes, each widened by so
// many degrees.
func (c *conditions) within(boxes []orb.Bound, byDegrees float64) string {
	var in []string
	for _, b := range boxes {
		in = append(in, "geom && "+c.bindBox(b.Pad(byDegrees)))
	}
	return "(" + strings.Join(in, " OR ") + ")"
}

// visible adds the conditions on the rows that the viewer sees.
func (c *conditions) visible(s account.Sight, l *layer.Layer) {
	if s.All {
		return
	}
	if l.StaffOnly() && !s.Withheld {
		c.add("false") // who may not know of the layer is shown nothing of it, whoever asks for him
		return
	}
	if l.WithheldField != "" && !s.Withheld {
		c.add("%s <> ALL (%s)", quote(l.WithheldField), c.bind(l.WithheldValues))
	}
	if l.HasDrafts() {
		c.add("(status <> %s OR %s)", c.bind(layer.Draft), c.draft(s, l))
	}
}

// draft is the condition on drafts that the viewer sees: his own, and those that his
// agency is asked about, in a proposal until that is over.
func (c *conditions) draft(s account.Sight, l *layer.Layer) string {
	own := c.own(s)
	if s.Consulted == "" {
		return own
	}
	return fmt.Sprintf("(%s OR t.id IN (SELECT feature FROM consultations WHERE layer = %s AND agency = %s AND withdrawn_at IS NULL AND over_at IS NULL))", own, c.bind(l.Name), c.bind(s.Consulted))
}

// own is the condition on rows of which the viewer sees everything: his organisation's,
// and those that meet his territories.
func (c *conditions) own(s account.Sight) string {
	var any []string
	if s.Organisation != "" {
		any = append(any, "coalesce(owner_organisation = "+c.bind(s.Organisation)+", false)")
	}
	for _, code := range s.Territories {
		// As a statement of its own the shape of the unit is fetched once.
		any = append(any, "coalesce(ST_Intersects((SELECT hatang_territory("+c.bind(code)+")), t.geom), false)")
	}
	if len(any) == 0 {
		return "false"
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

func (p *publications) hidden() []string {
	hidden := []string{}
	for _, code := range slices.Sorted(maps.Keys(p.of)) {
		if p.of[code].cellDegrees == nil {
			hidden = append(hidden, code)
		}
	}
	return hidden
}

// each writes an expression for every province with rounded places.
func (p *publications) each(otherwise string, expression func(cell float64) string) string {
	var b strings.Builder
	for _, code := range slices.Sorted(maps.Keys(p.of)) {
		if cell := p.of[code].cellDegrees; cell != nil {
			fmt.Fprintf(&b, " WHEN %s THEN %s", literal(code), expression(*cell))
		}
	}
	if b.Len() == 0 {
		return otherwise
	}
	return "CASE jurisdiction" + b.String() + " ELSE " + otherwise + " END"
}

// geometry rounds places to multiples of the cell.
func (p *publications) geometry() string {
	return p.each("geom", func(cell float64) string { return fmt.Sprintf("ST_SnapToGrid(geom, %v)", cell) })
}

// farthest is how far rounding moves a place along an axis, degrees, and a little more. By
// it the index on true places finds all that can be in a box as they are shown: what
// is in it the shown places alone decide.
func (p *publications) farthest() float64 {
	const rounding = 1e-9 // of the arithmetic, degrees; far more than it errs by
	widest := 0.0
	for _, of := range p.of {
		if of.cellDegrees != nil {
			widest = max(widest, *of.cellDegrees)
		}
	}
	return widest/2 + rounding
}

// halfDiagonalM is how far a place can be moved by rounding to cells of one degree,
// metres: √½ of the longest degree there is, of latitude at the poles.
const halfDiagonalM = 79_000

func (p *publications) accuracy() string {
	return p.each("accuracy_m", func(cell float64) string { return fmt.Sprintf("greatest(accuracy_m, %v)", cell*halfDiagonalM) })
}

// commune leaves out in which commune a place is said to be: that can be much smaller than
// the cell.
func (p *publications) commune() string {
	return p.each("commune_code", func(float64) string { return "NULL" })
}

// generalised reports whether the viewer is shown other places than there are.
func generalised(v account.Viewer, p *publications) bool { return !v.Known() && p.general() }

// readPublications reads the settings that are in force in a transaction or now.
func readPublications(ctx context.Context, q querier) (*publications, error) {
	p := &publications{of: map[string]publication{}}
	rows, err := q.Query(ctx, `SELECT v.version, p.jurisdiction, p.cell_degrees FROM layer_versions v
		LEFT JOIN publications p ON p.exactness <> 'exact' WHERE v.layer = 'publications' AND v.audience = 'public'`)
	if err != nil {
		return nil, err
	}
	var code *string
	var cell *float64
	_, err = pgx.ForEachRow(rows, []any{&p.version, &code, &cell}, func() error {
		if code != nil {
			kept := cell
			if cell != nil {
				value := *cell
				kept = &value
			}
			p.of[*code] = publication{kept}
		}
		return nil
	})
	return p, err
}

// publishedAnew is the SQLSTATE of a statement made by settings that are past.
const publishedAnew = "HT001"

// mostTries is how often a statement is made again because the settings have changed.
const mostTries = 5

// seen runs a read of a layer as the viewer sees it. For the public it is made by the
// settings of publication read last, and proves, in the same statement, that they are
// those in force: else it is made anew. read must do nothing before its first row. It
// asks for rows near by, which without boxes are all.
func (s *Store) seen(ctx context.Context, v account.Viewer, l *layer.Layer, by near, read func(c *conditions, from string) error) error {
	c := &conditions{}
	if !l.PublishedAsSet || v.Sight(l.Name).Exact {
		return read(c, c.view(v, l, nil, quote(l.Name), by))
	}
	var err error
	for range mostTries {
		p := s.published.Load()
		if p == nil {
			if p, err = readPublications(ctx, s.pool); err != nil {
				return err
			}
			s.published.Store(p)
		}
		c = &conditions{}
		c.add("(SELECT hatang_published_as(%s))", c.bind(p.version))
		err = read(c, c.view(v, l, p, quote(l.Name), by))
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != publishedAnew {
			return err
		}
		s.published.CompareAndSwap(p, nil)
	}
	return fmt.Errorf("the settings of publication kept changing: %w: %w", layer.ErrUnavailable, err)
}
