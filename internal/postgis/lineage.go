package postgis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// LineageOptions say how links between units come into the register.
type LineageOptions struct {
	// Complete: the file has all that happened at its levels on its days; links of these
	// that it lacks are removed.
	Complete bool
	// Merge: the change is put into force, too. See Store.ImportLineage.
	Merge  bool
	DryRun bool // find out everything, change nothing
}

// LineageSummary is what an import of links did, or would do.
type LineageSummary struct {
	Read      int `json:"read"`
	Inserted  int `json:"inserted"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Removed   int `json:"removed"`
	// NamesDiffer are predecessors that the file calls otherwise than the register does, which
	// may be another spelling, or a wrong code.
	NamesDiffer []NameDiffers `json:"names_differ"`
	// Pending are codes of successors of which the register has no unit in force on the day.
	Pending []string  `json:"pending"`
	Refused []Refused `json:"refused"`
	// Of a change put into force: how many communes began and ended, which districts
	// follow them, and whose rights it concerns.
	Opened    int              `json:"opened"`
	Ended     int              `json:"ended"`
	Districts []string         `json:"districts"`
	ZonesKept int              `json:"zones_kept"` // mast zones that no longer follow their commune
	Grants    []GrantConcerned `json:"grants_concerned"`
	Applied   bool             `json:"applied"`
}

// NameDiffers is a unit that a file calls otherwise than the register does.
type NameDiffers struct {
	Row      int    `json:"row"`
	Code     string `json:"code"`
	File     string `json:"file"`
	Register string `json:"register"`
}

// ImportLineage brings links between units and their successors into the register, in one
// transaction, all or nothing: a link that is there is brought up to date. Refused are
// links that stand twice, a unit that goes whole into one and also into another, and
// predecessors that were not in force the day before. Successors need not be there yet: a
// table may come before the boundaries; they are named as pending.
//
// With Merge the communes follow: see restructure. ErrForbidden for a viewer who may not
// write the units of all levels concerned everywhere. The cost is a COPY and a few
// set-based statements; of a merge, the union of the shapes that change.
func (s *Store) ImportLineage(ctx context.Context, v account.Viewer, o LineageOptions, changes []layer.UnitChange) (LineageSummary, error) {
	var summary LineageSummary
	err := s.write(ctx, v, "import the lineage of units", func(tx pgx.Tx) (err error) {
		summary, err = importLineage(ctx, tx, v, s.layers, o, changes)
		return err
	})
	if errors.Is(err, errNotApplied) {
		err = nil
	}
	return summary, err
}

func importLineage(ctx context.Context, tx pgx.Tx, v account.Viewer, layers *layer.Registry, o LineageOptions, changes []layer.UnitChange) (LineageSummary, error) {
	li := lineageImporter{tx: tx, layers: layers, o: o, changes: changes, refused: map[int]layer.Faults{}}
	li.summary = LineageSummary{Read: len(changes), Pending: []string{}, NamesDiffer: []NameDiffers{}, Refused: []Refused{}, Districts: []string{}, Grants: []GrantConcerned{}}
	if err := li.allow(v); err != nil {
		return li.summary, err
	}
	li.refuseAlone()
	for _, step := range []func(context.Context) error{li.stage, li.refuseUnknown, li.compareNames, li.refuseHalves, li.removeRest, li.store, li.restructure, li.pending} {
		if err := step(ctx); err != nil {
			return li.summary, err
		}
	}
	for _, row := range slices.Sorted(maps.Keys(li.refused)) {
		li.summary.Refused = append(li.summary.Refused, Refused{Row: row, Code: li.codeOf(row), Faults: li.refused[row]})
	}
	if o.DryRun || len(li.summary.Refused) > 0 {
		return li.summary, errNotApplied
	}
	li.summary.Applied = true
	return li.summary, nil
}

// lineageImporter carries one import of links from step to step.
type lineageImporter struct {
	tx      pgx.Tx
	layers  *layer.Registry
	o       LineageOptions
	changes []layer.UnitChange
	refused map[int]layer.Faults
	summary LineageSummary
}

// allow refuses viewers who may not write the units everywhere.
func (li *lineageImporter) allow(v account.Viewer) error {
	for _, c := range li.changes {
		if name := layer.UnitsOf(c.Level); name != "" && !v.Pen(name).All {
			return fmt.Errorf("the lineage of %s, %s: %w", name, v.Name, layer.ErrForbidden)
		}
	}
	return nil
}

func (li *lineageImporter) codeOf(row int) string {
	i := slices.IndexFunc(li.changes, func(c layer.UnitChange) bool { return c.Row == row })
	if i < 0 {
		return ""
	}
	return li.changes[i].Predecessor
}

func (li *lineageImporter) fault(row int, at, vi, en string, args ...any) {
	faults := li.refused[row]
	faults.Add(at, vi, en, args...)
	li.refused[row] = faults
}

// refuseAlone finds what is wrong with the file, whatever the register holds.
func (li *lineageImporter) refuseAlone() {
	type link struct {
		level, from, to string
		on              geo.Date
	}
	type source struct {
		level, code string
		on          geo.Date
	}
	seen, wholes, all := map[link]int{}, map[source]int{}, map[source]int{}
	for _, c := range li.changes {
		from := source{c.Level, c.Predecessor, c.On}
		all[from]++
		if c.Part == layer.Whole {
			wholes[from]++
		}
		seen[link{c.Level, c.Predecessor, c.Successor, c.On}]++
	}
	for _, c := range li.changes {
		if len(c.Faults) > 0 {
			li.refused[c.Row] = append(li.refused[c.Row], c.Faults...)
			continue
		}
		from := source{c.Level, c.Predecessor, c.On}
		if seen[link{c.Level, c.Predecessor, c.Successor, c.On}] > 1 {
			li.fault(c.Row, "successor_code", "%s → %s có nhiều lần trong tệp", "%s → %s stands in the file more than once", c.Predecessor, c.Successor)
		} else if wholes[from] > 0 && all[from] > 1 {
			li.fault(c.Row, "part", "%s đã nhập toàn bộ vào một đơn vị thì không thể vào đơn vị khác", "%s goes whole into one unit and also into another", c.Predecessor)
		}
	}
}

// stage makes the temporary table of the links that are sound by themselves.
func (li *lineageImporter) stage(ctx context.Context) error {
	_, err := li.tx.Exec(ctx, `CREATE TEMP TABLE lineage_staging (row int NOT NULL, level text NOT NULL, predecessor_code text NOT NULL, successor_code text NOT NULL,
		changed_on date NOT NULL, part text NOT NULL, act text, note text, source text NOT NULL, predecessor_name text, name text, kind text, district_code text, illustrative boolean NOT NULL) ON COMMIT DROP`)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, c := range li.changes {
		if len(li.refused[c.Row]) == 0 {
			rows = append(rows, []any{c.Row, c.Level, c.Predecessor, c.Successor, c.On.Time(), c.Part, orNull(c.Act), orNull(c.Note), c.Source, orNull(c.PredecessorName), orNull(c.Name), orNull(c.Kind), orNull(c.District), c.Illustrative})
		}
	}
	_, err = li.tx.CopyFrom(ctx, pgx.Identifier{"lineage_staging"}, []string{"row", "level", "predecessor_code", "successor_code", "changed_on", "part", "act", "note", "source", "predecessor_name", "name", "kind", "district_code", "illustrative"}, pgx.CopyFromRows(rows))
	return err
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// wasInForce is the condition on a row of units u that it was in force on the day before
// the link n.
const wasInForce = "u.code = n.predecessor_code AND u.valid_from < n.changed_on AND (u.valid_to IS NULL OR u.valid_to >= n.changed_on)"

// refuseUnknown finds predecessors that the register does not know as such.
func (li *lineageImporter) refuseUnknown(ctx context.Context) error {
	for _, level := range layer.UnitLevels() {
		err := li.refuse(ctx, "predecessor_code", "không có đơn vị %s có hiệu lực đến ngày thay đổi", "no unit %s was in force until the day of the change",
			fmt.Sprintf("SELECT n.row, n.predecessor_code FROM lineage_staging n WHERE n.level = $1 AND NOT EXISTS (SELECT FROM %s u WHERE %s) ORDER BY n.row", layer.UnitsOf(level), wasInForce), level)
		if err != nil {
			return err
		}
	}
	return nil
}

// compareNames finds predecessors whose code is known under another name, whatever the
// case and the marks of letters.
func (li *lineageImporter) compareNames(ctx context.Context) error {
	for _, level := range layer.UnitLevels() {
		rows, err := li.tx.Query(ctx, fmt.Sprintf(`SELECT n.row, n.predecessor_code, n.predecessor_name, u.name FROM lineage_staging n JOIN %s u ON %s
			WHERE n.level = $1 AND hatang_fold(n.predecessor_name) <> ALL (SELECT hatang_fold(known) FROM unnest(u.aliases || u.name) known WHERE known IS NOT NULL) AND u.name IS NOT NULL ORDER BY n.row`,
			layer.UnitsOf(level), wasInForce), level)
		if err != nil {
			return err
		}
		differ, err := pgx.CollectRows(rows, pgx.RowToStructByPos[NameDiffers])
		if err != nil {
			return err
		}
		li.summary.NamesDiffer = append(li.summary.NamesDiffer, differ...)
	}
	return nil
}

// refuseHalves finds units that go whole into one unit while the register has, or the
// file says, that they went into another.
func (li *lineageImporter) refuseHalves(ctx context.Context) error {
	if li.o.Complete {
		return nil // what the register has beside the file is removed
	}
	return li.refuse(ctx, "part", "sổ đăng ký đã có: nhập vào %s", "the register has it going into %s",
		`SELECT DISTINCT ON (n.row) n.row, r.successor_code FROM lineage_staging n JOIN unit_lineage r USING (level, predecessor_code, changed_on)
			WHERE (n.part = 'whole' OR r.part = 'whole') AND NOT EXISTS (SELECT FROM lineage_staging o
				WHERE (o.level, o.predecessor_code, o.successor_code, o.changed_on) = (r.level, r.predecessor_code, r.successor_code, r.changed_on)) ORDER BY n.row, r.successor_code`)
}

// refuse marks the rows that a statement returns (row number, detail) with a fault, and
// takes them out of what is stored.
func (li *lineageImporter) refuse(ctx context.Context, at, vi, en, sql string, args ...any) error {
	rows, err := li.tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	var row int
	var detail string
	_, err = pgx.ForEachRow(rows, []any{&row, &detail}, func() error {
		li.fault(row, at, vi, en, detail)
		return nil
	})
	return err
}

// removeRest removes links of the file's levels and days that it lacks. Rows that were
// refused are not removed: then nothing is stored.
func (li *lineageImporter) removeRest(ctx context.Context) error {
	if !li.o.Complete || len(li.refused) > 0 {
		return nil
	}
	tag, err := li.tx.Exec(ctx, `DELETE FROM unit_lineage r WHERE EXISTS (SELECT FROM lineage_staging n WHERE n.level = r.level AND n.changed_on = r.changed_on)
		AND NOT EXISTS (SELECT FROM lineage_staging n WHERE (n.level, n.predecessor_code, n.successor_code, n.changed_on) = (r.level, r.predecessor_code, r.successor_code, r.changed_on))`)
	li.summary.Removed = int(tag.RowsAffected())
	return err
}

// store writes the links and counts them.
func (li *lineageImporter) store(ctx context.Context) error {
	if len(li.refused) > 0 {
		return nil
	}
	const same = "(n.level, n.predecessor_code, n.successor_code, n.changed_on) = (r.level, r.predecessor_code, r.successor_code, r.changed_on)"
	updated, err := li.tx.Exec(ctx, `UPDATE unit_lineage r SET part = n.part, act = n.act, note = n.note, source = n.source FROM lineage_staging n
		WHERE `+same+` AND (r.part, r.act, r.note, r.source) IS DISTINCT FROM (n.part, n.act, n.note, n.source)`)
	if err != nil {
		return err
	}
	inserted, err := li.tx.Exec(ctx, `INSERT INTO unit_lineage (level, predecessor_code, successor_code, changed_on, part, act, note, source)
		SELECT level, predecessor_code, successor_code, changed_on, part, act, note, source FROM lineage_staging n WHERE NOT EXISTS (SELECT FROM unit_lineage r WHERE `+same+`) ORDER BY n.row`)
	li.summary.Inserted, li.summary.Updated = int(inserted.RowsAffected()), int(updated.RowsAffected())
	li.summary.Unchanged = li.summary.Read - li.summary.Inserted - li.summary.Updated
	return err
}

// pending lists the successors that are not in the register.
func (li *lineageImporter) pending(ctx context.Context) error {
	for _, level := range layer.UnitLevels() {
		rows, err := li.tx.Query(ctx, fmt.Sprintf(`SELECT DISTINCT n.successor_code FROM lineage_staging n WHERE n.level = $1 AND NOT EXISTS (
			SELECT FROM %s u WHERE u.code = n.successor_code AND u.valid_from <= n.changed_on AND (u.valid_to IS NULL OR u.valid_to > n.changed_on)) ORDER BY 1`, layer.UnitsOf(level)), level)
		if err != nil {
			return err
		}
		codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		li.summary.Pending = append(li.summary.Pending, codes...)
	}
	return nil
}
