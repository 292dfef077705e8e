package postgis

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// AreasOptions say what more is asked of an import of areas that lie beside each other.
type AreasOptions struct {
	// Complete: the file is the whole structure from ImportOptions.InForce on, of the
	// provinces that it has units of. See Store.ImportAreas.
	Complete bool
	// AcceptGaps: a whole structure is taken although units leave gaps.
	AcceptGaps bool
	// AcceptOverlaps: areas are taken although they overlap others, or each other.
	AcceptOverlaps bool
}

// AreasReport is what an import of areas did beside what every import does, or would do.
type AreasReport = layer.AreasImported

// ImportAreas is Import into a layer whose areas lie beside each other, units or zones,
// and tells who sees all of them how they do afterwards: see Coverage, whose cost it has
// twice. Areas that the import brings, or gives another shape, class or longer validity, and
// that overlap another on any date are refused, and nothing stored, unless AcceptOverlaps is
// set; overlaps that were there before are told of alone.
//
// With Complete the file is the whole structure of units from InForce on. Units in force
// that it lacks end on that day. A code that goes on with another shape is another
// territory's: of its values those that the file lacks are empty in the new row, because
// figures are of a territory. The structure is refused, and nothing stored, where a unit
// would end of which the register does not know what it went into, where a link of the day
// leads to no unit in force, where a new unit comes from none, where a unit that the file
// lacks begins on that very day, and, unless AcceptGaps is set, where units leave gaps.
// ErrForbidden for a viewer who may not write the level everywhere.
func (s *Store) ImportAreas(ctx context.Context, v account.Viewer, l *layer.Layer, o ImportOptions, a AreasOptions, read func(add func(Incoming) error) error) (ImportSummary, AreasReport, error) {
	var summary ImportSummary
	var report AreasReport
	err := s.write(ctx, v, "import "+l.Name, func(tx pgx.Tx) (err error) {
		summary, report, err = importAreas(ctx, tx, v, l, o, a, read)
		return err
	})
	if errors.Is(err, errNotApplied) {
		err = nil
	}
	return summary, report, err
}

// importAreas is ImportAreas in a transaction; it returns errNotApplied where that is to be undone.
func importAreas(ctx context.Context, tx pgx.Tx, v account.Viewer, l *layer.Layer, o ImportOptions, a AreasOptions, read func(add func(Incoming) error) error) (ImportSummary, AreasReport, error) {
	report := AreasReport{Ended: []string{}, Structure: layer.Faults{}, Grants: []GrantConcerned{}, NewOverlaps: noDefects()}
	rule, asked := l.Coverage()
	switch {
	case !asked, a.Complete && (layer.LevelOf(l.Name) == "" || o.InForce.IsZero()):
		return ImportSummary{}, report, fmt.Errorf("import into %s: it has no areas that lie beside each other, or no day from which a structure is in force", l.Name)
	case a.Complete && !v.Pen(l.Name).All:
		return ImportSummary{}, report, fmt.Errorf("a structure of %s, %s: %w", l.Name, v.Name, layer.ErrForbidden)
	}
	im := areasImport{tx: tx, viewer: v, layer: l, o: o, a: a, report: &report, codes: map[string]bool{}}
	summary, err := im.run(ctx, rule, read)
	if err == nil && o.DryRun {
		summary.Applied, err = false, errNotApplied
	}
	return summary, report, err
}

// areasImport carries one import of areas from step to step.
type areasImport struct {
	tx     pgx.Tx
	viewer account.Viewer
	layer  *layer.Layer
	o      ImportOptions
	a      AreasOptions
	report *AreasReport
	codes  map[string]bool   // in the file
	shapes map[string][]byte // hashes of the shapes that rows had before the day, by code
}

func (im *areasImport) run(ctx context.Context, rule layer.Coverage, read func(add func(Incoming) error) error) (ImportSummary, error) {
	o := im.o
	o.DryRun = false // what comes after must be seen, too
	if im.a.Complete {
		if err := im.readShapes(ctx); err != nil {
			return ImportSummary{}, err
		}
		given := read
		read = func(add func(Incoming) error) error {
			return given(func(in Incoming) error { return add(im.renewed(in)) })
		}
	}
	summary, err := importAll(ctx, im.tx, im.viewer, im.layer, o, read)
	if err != nil {
		return summary, err
	}
	if im.a.Complete {
		if err := im.complete(ctx); err != nil {
			return summary, err
		}
	}
	if err := im.lookBeside(ctx, rule); err != nil {
		return summary, err
	}
	if len(im.report.Structure) > 0 {
		summary.Applied = false
		return summary, errNotApplied
	}
	return summary, nil
}

// lookBeside finds how the areas lie beside each other, and refuses what is not accepted.
func (im *areasImport) lookBeside(ctx context.Context, rule layer.Coverage) error {
	overlaps, err := newOverlaps(ctx, im.tx, im.viewer, im.layer, rule)
	if err != nil {
		return err
	}
	im.report.NewOverlaps = overlaps
	if overlaps.Count > 0 && !im.a.AcceptOverlaps {
		im.report.Structure.Add("overlaps", "tệp gây ra %d chỗ chồng lấn, tổng cộng %.0f m²; accept_overlaps nhận cả khi chồng lấn",
			"the file makes %d overlaps, %.0f m² together; accept_overlaps takes it all the same", overlaps.Count, overlaps.AreaM2)
	}
	if !im.viewer.Sight(im.layer.Name).All {
		return nil
	}
	date := im.o.Date
	if !im.o.InForce.IsZero() {
		date = im.o.InForce
	}
	coverage, err := coverage(ctx, im.tx, im.layer, rule, date)
	if err != nil {
		return err
	}
	im.report.Coverage = &coverage
	if im.a.Complete && !im.a.AcceptGaps && coverage.Gaps.Count > 0 {
		im.report.Structure.Add("gaps", "có %d khoảng trống, tổng cộng %.0f m²; accept_gaps nhận cả khi có", "there are %d gaps, %.0f m² together; accept_gaps takes it all the same", coverage.Gaps.Count, coverage.Gaps.AreaM2)
	}
	return nil
}

// readShapes remembers the shapes of rows that a change on the day would close.
func (im *areasImport) readShapes(ctx context.Context) error {
	rows, err := im.tx.Query(ctx, fmt.Sprintf("SELECT code, sha256(ST_AsEWKB(geom)) FROM %s t WHERE %s AND valid_from < $1::date", quote(im.layer.Name), onDay("t")), im.o.InForce.Time())
	if err != nil {
		return err
	}
	im.shapes = map[string][]byte{}
	var code string
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&code, &hash}, func() error {
		im.shapes[code] = bytes.Clone(hash)
		return nil
	})
	return err
}

// renewed returns the feature with what is said of another territory emptied, where its
// code goes on with another shape.
func (im *areasImport) renewed(in Incoming) Incoming {
	code, ok := in.Feature.Properties["code"].(string)
	if !ok {
		return in
	}
	im.codes[code] = true
	raw, err := geometryOf(in.Feature)
	before, known := im.shapes[code]
	if err != nil || raw == nil || !known { // what is wrong with it the import tells
		return in
	}
	if now := sha256.Sum256(raw); bytes.Equal(now[:], before) {
		return in
	}
	in.Feature.Properties = maps.Clone(in.Feature.Properties)
	for _, f := range im.layer.Fields {
		_, given := in.Feature.Properties[f.Name]
		if !given && !f.Required && !f.ReadOnly && !slices.Contains(carriedOn, f.Name) {
			in.Feature.Properties[f.Name] = nil
		}
	}
	return in
}

// carriedOn are the optional fields that a new territory of a code does not empty: its
// name, the end of the row, and what an import says of the place by itself.
var carriedOn = []string{"name", "valid_to", "owner_organisation", "source", "illustrative", "accuracy_m"}

// complete ends the units that the file lacks, and looks whether the links of the day hold
// what changed together.
func (im *areasImport) complete(ctx context.Context) error {
	units, day := quote(im.layer.Name), im.o.InForce.Time()
	codes := slices.Collect(maps.Keys(im.codes))
	lacking := "t.code <> ALL ($2) AND t.jurisdiction IN (SELECT jurisdiction FROM " + units + " u WHERE u.code = ANY ($2) AND " + onDay("u") + ")"
	early, err := im.list(ctx, "SELECT code FROM "+units+" t WHERE valid_from = $1::date AND "+lacking+" ORDER BY 1", day, codes)
	if err != nil {
		return err
	}
	im.fault(early, "tệp thiếu đơn vị bắt đầu đúng ngày này", "the file lacks units that begin on that very day")
	if im.report.Ended, err = im.list(ctx, "UPDATE "+units+" t SET valid_to = $1::date WHERE valid_from < $1::date AND "+onDay("t")+" AND "+lacking+" RETURNING code", day, codes); err != nil {
		return err
	}
	slices.Sort(im.report.Ended)
	if err := im.lookBehind(ctx); err != nil {
		return err
	}
	return im.concerned(ctx)
}

// lookBehind compares what ended and began on the day with the links of the day.
func (im *areasImport) lookBehind(ctx context.Context) error {
	// Rows of the layer that end or begin on the day, with no row of the code beside them.
	ending := `SELECT t.code FROM %[1]s t WHERE t.valid_to = $1::date AND NOT EXISTS (SELECT FROM %[1]s n WHERE n.code = t.code AND n.valid_from = $1::date)`
	beginning := `SELECT t.code FROM %[1]s t WHERE t.valid_from = $1::date AND NOT EXISTS (SELECT FROM %[1]s o WHERE o.code = t.code AND o.valid_to = $1::date)
		AND EXISTS (SELECT FROM %[1]s o WHERE o.valid_to = $1::date)`
	for _, look := range []struct{ vi, en, sql string }{
		{
			"các đơn vị này kết thúc mà không rõ nhập vào đâu; hãy nạp bảng (hatang units lineage) trước",
			"units would end and nothing says what became of them; bring in the table (hatang units lineage) first",
			ending + " AND NOT EXISTS (SELECT FROM unit_lineage n WHERE n.level = $2 AND n.predecessor_code = t.code AND n.changed_on = $1::date) ORDER BY 1",
		},
		{
			"các đơn vị này mới có mà không rõ từ đâu", "new units come from none",
			beginning + " AND NOT EXISTS (SELECT FROM unit_lineage n WHERE n.level = $2 AND n.successor_code = t.code AND n.changed_on = $1::date) ORDER BY 1",
		},
		{
			"bảng nói nhập vào các đơn vị này mà ngày đó không có", "the table says that units went into these, which are not in force on the day",
			"SELECT DISTINCT n.successor_code FROM unit_lineage n WHERE n.level = $2 AND n.changed_on = $1::date AND NOT EXISTS (SELECT FROM %[1]s t WHERE t.code = n.successor_code AND " + onDay("t") + ") ORDER BY 1",
		},
	} {
		found, err := im.list(ctx, fmt.Sprintf(look.sql, quote(im.layer.Name)), im.o.InForce.Time(), layer.LevelOf(im.layer.Name))
		if err != nil {
			return err
		}
		im.fault(found, look.vi, look.en)
	}
	return nil
}

// concerned finds what else the change touches.
func (im *areasImport) concerned(ctx context.Context) (err error) {
	if im.layer.Name == "communes" {
		if im.report.ZonesKept, err = keepZones(ctx, im.tx, im.o.InForce); err != nil {
			return err
		}
	}
	im.report.Grants, err = grantsConcerned(ctx, im.tx, im.layer.Name, im.o.InForce)
	return err
}

func (im *areasImport) list(ctx context.Context, sql string, args ...any) ([]string, error) {
	rows, err := im.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// fault says what is wrong with some units, if there are any.
func (im *areasImport) fault(codes []string, vi, en string) {
	const most = 20
	if len(codes) == 0 {
		return
	}
	shown := strings.Join(codes[:min(len(codes), most)], ", ")
	if len(codes) > most {
		shown += ", …"
	}
	im.report.Structure.Add("structure", vi+" (%d): %s", en+" (%d): %s", len(codes), shown)
}
