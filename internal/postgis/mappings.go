package postgis

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
)

// mappingsSQL reads mappings as layer.Mapping has them.
const mappingsSQL = "SELECT m.id, m.layer, coalesce(m.organisation, ''), m.name, m.reading, m.saved_by, m.saved_at FROM import_mappings m"

// scanMapping scans a mapping for a viewer, who is told of people where he is staff.
func scanMapping(v account.Viewer) pgx.RowToFunc[layer.Mapping] {
	return func(row pgx.CollectableRow) (layer.Mapping, error) {
		var m layer.Mapping
		err := row.Scan(&m.ID, &m.Collection, &m.Organisation, &m.Name, &m.Reading, &m.SavedBy, &m.SavedAt)
		if !v.Staff() {
			m.SavedBy = ""
		}
		return m, err
	}
}

// mappingsOf adds the conditions on mappings m that the viewer may use them: those of his
// organisation, of none for staff who belong to none, for an administrator all; into layers
// that he may know of.
func (s *Store) mappingsOf(c *conditions, v account.Viewer) {
	switch {
	case v.Administers():
	case v.Organisation != "":
		c.add("m.organisation = %s", c.bind(v.Organisation))
	case v.Staff():
		c.add("m.organisation IS NULL")
	default:
		c.add("false")
	}
	var names []string
	for _, l := range s.layers.Seen(v).All() {
		names = append(names, l.Name)
	}
	c.add("m.layer = ANY (%s)", c.bind(names))
}

// Mappings returns the mappings that the viewer may use and the query selects, by collection
// and name; none after one that he may not. Cost: an index scan.
func (s *Store) Mappings(ctx context.Context, v account.Viewer, q layer.MappingQuery) ([]layer.Mapping, error) {
	c := &conditions{}
	s.mappingsOf(c, v)
	if q.After != 0 {
		after := &conditions{args: c.args}
		s.mappingsOf(after, v)
		after.add("m.id = %s", after.bind(q.After))
		c.args = after.args
		c.add("(m.layer, m.name, m.id) > (SELECT m.layer, m.name, m.id FROM import_mappings m%s)", after.where())
	}
	if q.Collection != "" {
		c.add("m.layer = %s", c.bind(q.Collection))
	}
	rows, err := s.pool.kept.Query(ctx, mappingsSQL+c.where()+" ORDER BY m.layer, m.name, m.id LIMIT "+c.bind(q.Limit), c.args...)
	if err != nil {
		return nil, translate("list the mappings", err)
	}
	list, err := pgx.CollectRows(rows, scanMapping(v))
	return list, translate("list the mappings", err)
}

// Mapping returns one of the mappings that Mappings lists; layer.ErrNotFound for any other.
func (s *Store) Mapping(ctx context.Context, v account.Viewer, id int64) (layer.Mapping, error) {
	return s.mapping(ctx, s.pool.kept, v, "", func(c *conditions) { c.add("m.id = %s", c.bind(id)) })
}

// MappingNamed returns one of the mappings that Mappings lists; layer.ErrNotFound for any other.
func (s *Store) MappingNamed(ctx context.Context, v account.Viewer, n layer.MappingName) (layer.Mapping, error) {
	return s.mapping(ctx, s.pool.kept, v, "", func(c *conditions) {
		c.add("m.layer = %s AND coalesce(m.organisation, '') = %s AND m.name = %s", c.bind(n.Collection), c.bind(n.Organisation), c.bind(n.Name))
	})
}

func (s *Store) mapping(ctx context.Context, q querier, v account.Viewer, lock string, which func(*conditions)) (layer.Mapping, error) {
	c := &conditions{}
	s.mappingsOf(c, v)
	which(c)
	rows, err := q.Query(ctx, mappingsSQL+c.where()+lock, c.args...)
	if err != nil {
		return layer.Mapping{}, translate("look up the mapping", err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, scanMapping(v))
	return m, translate("look up the mapping", err)
}

// AddMapping saves a mapping under a name that is new, and returns its id.
// *layer.InvalidError with all faults of it, at JSON pointers; layer.ErrForbidden for who
// does not write features of the layer as staff, or belongs to another organisation and is
// no administrator; layer.ErrConflict where the name is taken.
func (s *Store) AddMapping(ctx context.Context, v account.Viewer, n layer.MappingName, r layer.Reading) (id int64, err error) {
	l, err := s.maySave(v, n)
	if err != nil {
		return 0, err
	}
	err = s.write(ctx, v, "save the mapping", func(tx pgx.Tx) error {
		faults := checkName(n)
		known, err := knownOrganisation(ctx, tx, n.Organisation)
		if err != nil {
			return err
		}
		if !known {
			faults.Add("/organisation", "không có tổ chức này", "there is no such organisation")
		}
		if err := append(faults, readingFaults(l, r)...).Err(); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "INSERT INTO import_mappings (layer, organisation, name, reading) VALUES ($1, nullif($2, ''), $3, $4) RETURNING id", l.Name, n.Organisation, n.Name, r).Scan(&id)
	})
	return id, err
}

// ChangeMapping replaces what a mapping says. *layer.InvalidError with all faults of it, at
// JSON pointers; layer.ErrNotFound for one that Mapping does not return; layer.ErrForbidden
// as AddMapping.
func (s *Store) ChangeMapping(ctx context.Context, v account.Viewer, id int64, r layer.Reading) error {
	return s.changeMapping(ctx, v, id, "change the mapping", func(tx pgx.Tx, l *layer.Layer) error {
		if err := readingFaults(l, r).Err(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE import_mappings SET reading = $2 WHERE id = $1", id, r)
		return err
	})
}

// RemoveMapping removes a mapping. Errors as of ChangeMapping.
func (s *Store) RemoveMapping(ctx context.Context, v account.Viewer, id int64) error {
	return s.changeMapping(ctx, v, id, "remove the mapping", func(tx pgx.Tx, _ *layer.Layer) error {
		_, err := tx.Exec(ctx, "DELETE FROM import_mappings WHERE id = $1", id)
		return err
	})
}

// changeMapping locks a mapping that the viewer may change, and changes it.
func (s *Store) changeMapping(ctx context.Context, v account.Viewer, id int64, doing string, change func(pgx.Tx, *layer.Layer) error) error {
	return s.write(ctx, v, doing, func(tx pgx.Tx) error {
		m, err := s.mapping(ctx, tx, v, " FOR UPDATE", func(c *conditions) { c.add("m.id = %s", c.bind(id)) })
		if err != nil {
			return err
		}
		l, err := s.maySave(v, m.MappingName)
		if err != nil {
			return err
		}
		return change(tx, l)
	})
}

// maySave returns the layer of a mapping, where the viewer may save it.
func (s *Store) maySave(v account.Viewer, n layer.MappingName) (*layer.Layer, error) {
	l, ok := s.layers.Seen(v).Get(n.Collection)
	switch {
	case !ok:
		return nil, fmt.Errorf("the layer %q: %w", n.Collection, layer.ErrNotFound)
	case v.Asks(l.Name).None(), n.Organisation != v.Organisation && !v.Administers():
		return nil, fmt.Errorf("a mapping of %q into %s, %s: %w", n.Organisation, l.Name, v.Name, layer.ErrForbidden)
	}
	return l, nil
}

// knownOrganisation reports whether there is an organisation of that code, or none is meant.
func knownOrganisation(ctx context.Context, tx pgx.Tx, code string) (known bool, err error) {
	if code == "" || strings.ContainsRune(code, 0) || !utf8.ValidString(code) {
		return code == "", nil
	}
	err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM organisations WHERE code = $1)", code).Scan(&known)
	return known, err
}

// readingFaults are the faults of a reading where it stands in its mapping.
func readingFaults(l *layer.Layer, r layer.Reading) layer.Faults {
	faults := intake.CheckReading(l, r)
	for i := range faults {
		faults[i].At = "/reading" + faults[i].At
	}
	return faults
}

// mostMappingName is how many characters a name has.
const mostMappingName = 100

func checkName(n layer.MappingName) layer.Faults {
	var faults layer.Faults
	if count := utf8.RuneCountInString(n.Name); count < 1 || count > mostMappingName || n.Name != strings.TrimSpace(n.Name) || !utf8.ValidString(n.Name) || strings.ContainsRune(n.Name, 0) {
		faults.Add("/name", "phải có từ 1 đến %d ký tự dùng được, không có dấu cách ở đầu và cuối", "must have 1 to %d characters that can be used, and no blanks around them", mostMappingName)
	}
	return faults
}
