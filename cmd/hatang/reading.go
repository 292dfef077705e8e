package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// readingFlags say of a file of other programs what cannot be found out, or was found out
// wrongly.
type readingFlags struct {
	HeaderRow    int    `placeholder:"ROW" help:"Row or line with the columns' names, from 1; default the one that looks like it."`
	Encoding     string `placeholder:"NAME" help:"Encoding of texts: utf-8, windows-1258, tcvn3, vni; default what makes them Vietnamese."`
	Separator    string `placeholder:"CHAR" help:"What separates the cells of a line; default what does."`
	Axis         string `enum:",xy,yx" default:"" help:"Order of coordinates: xy (east first) or yx (north first, as surveyors have it)."`
	Unshifted    *bool  `negatable:"" help:"The coordinates were made without the shift between VN-2000 and WGS 84: take it back. --no-unshifted: they were made with it, whatever known places say."`
	AllowOutside bool   `help:"Take rows outside the territory, too."`
	Mapping      string `placeholder:"NAME" help:"Which column is which field, and how else the file is read: a saved mapping (hatang mapping), or a JSON file."`
	Organisation string `placeholder:"CODE" help:"Whose saved mapping it is; default that of staff of none."`
	Corrections  string `placeholder:"FILE" help:"Write the rows that are refused to this file, CSV or, where it ends in .xlsx, a workbook, with the reasons and what is likely meant, to be filled in and sent back."`
}

// stranger returns how the file of an import is read, into a layer of that name.
func (f readingFlags) stranger(ctx context.Context, env *environment, store *postgis.Store, c *importCommand, l *layer.Layer) (stranger, error) {
	given := layer.Reading{Table: c.Table, HeaderRow: f.HeaderRow, Encoding: f.Encoding, Separator: f.Separator, CRS: c.CRS, Axis: f.Axis, Unshifted: f.Unshifted}
	saved, err := f.mapping(ctx, env, store, l)
	if err != nil {
		return stranger{}, err
	}
	s := stranger{viewer: env.viewer(), options: intake.Options{Strict: c.Strict, AllowOutside: f.AllowOutside}}
	s.reads(given.Over(saved))
	return s, nil
}

// mapping returns what --mapping says: the file of that name, or what was saved under it for
// the layer, which must have all that it names; l is nil for a layer that is yet to be made.
func (f readingFlags) mapping(ctx context.Context, env *environment, store *postgis.Store, l *layer.Layer) (layer.Reading, error) {
	if f.Mapping == "" {
		return layer.Reading{}, nil
	}
	raw, err := os.ReadFile(f.Mapping)
	if err == nil {
		reading, err := intake.ParseReading(raw)
		if err != nil {
			err = usageError{fmt.Errorf("--mapping: %w", err)}
		}
		return reading, err
	}
	if !errors.Is(err, os.ErrNotExist) {
		return layer.Reading{}, err
	}
	if l == nil {
		return layer.Reading{}, usageError{fmt.Errorf("--mapping: there is no file %s, and none is saved for a layer that is yet to be made", f.Mapping)}
	}
	m, err := store.MappingNamed(ctx, env.viewer(), layer.MappingName{Collection: l.Name, Organisation: f.Organisation, Name: norm.NFC.String(f.Mapping)})
	if errors.Is(err, layer.ErrNotFound) {
		return layer.Reading{}, usageError{fmt.Errorf("--mapping: there is no file %s, and nothing is saved under that name for %s (hatang mapping list)", f.Mapping, l.Name)}
	}
	if err != nil {
		return layer.Reading{}, err
	}
	return m.Reading, intake.CheckReading(l, m.Reading).Err()
}

// reads sets how files are read.
func (s *stranger) reads(r layer.Reading) {
	s.table.Table, s.table.HeaderRow, s.table.Encoding, s.table.Separator = r.Table, r.HeaderRow, r.Encoding, r.Separator
	s.options.CRS, s.options.Axis, s.options.Mapping = r.CRS, intake.Axis(r.Axis), intake.Mapping{Columns: r.Columns}
	if r.Unshifted != nil {
		s.options.Datum = map[bool]intake.Datum{true: intake.DatumForgotten, false: intake.DatumDeclared}[*r.Unshifted]
	}
}

// correct writes the rows that were refused, the store's with its faults among them, to the file of
// --corrections, if there is one; it returns how many there was no room for.
func (f readingFlags) correct(ctx context.Context, env *environment, m *intake.Meaning, s postgis.ImportSummary) (leftOut int, err error) {
	if f.Corrections == "" || m == nil {
		return 0, nil
	}
	c, err := m.Correct(ctx, s.KeptRefusals)
	if err != nil {
		return 0, err
	}
	const mode = fs.FileMode(0o600) // like the file that they are of, it may tell what the public is not told
	return s.RefusedRows - len(c.Rows), writeFile(env, f.Corrections, mode, func(out io.Writer) error {
		if strings.EqualFold(filepath.Ext(f.Corrections), ".xlsx") {
			return formats.WriteTable(out, c.Sheet(env.language), func(rows io.Writer) error { return c.WriteRows(rows, env.language) })
		}
		return c.WriteCSV(out, env.language)
	})
}

// printElsewhere writes which rows lie elsewhere than in the unit that they declare.
func printElsewhere(env *environment, s postgis.ImportSummary) {
	for i, e := range s.Elsewhere {
		if i == maxShownRefusals {
			break
		}
		lies := geo.Text{VI: "không nằm trong xã nào", EN: "lies in no commune"}
		if e.LiesIn != "" {
			lies = geo.Text{VI: "nằm trong xã " + e.LiesIn, EN: "lies in the commune " + e.LiesIn}
		}
		if e.Illustrative {
			lies.VI, lies.EN = lies.VI+" (theo ranh giới minh hoạ)", lies.EN+" (by an illustrative boundary)"
		}
		fmt.Fprintf(env.stdout, "row %d (%s): declares the commune %s, but %s\n", e.Row, e.Code, e.Declared, lies.In(env.language))
	}
	if s.ElsewhereRows > 0 {
		fmt.Fprintf(env.stdout, "%d rows lie elsewhere than in the commune that they declare\n", s.ElsewhereRows)
	}
}

// printMeaning writes what a file was found to mean; nothing of one that needs no finding out.
func printMeaning(env *environment, r *intake.Report) {
	if r == nil {
		return
	}
	for _, g := range r.File {
		fmt.Fprintf(env.stdout, "%s: %s (%s)\n", g.What, g.Value, g.Why)
	}
	for _, g := range r.Guesses {
		fmt.Fprintf(env.stdout, "%s: %s (%s)\n", g.What, g.Value, g.Why.In(env.language))
	}
	for _, c := range r.Columns {
		if c.To != "" && c.To != c.Name {
			fmt.Fprintf(env.stdout, "column %q is %s (%s)\n", c.Name, c.To, c.How)
		}
	}
	if p := r.Placement; p.Outcome == intake.Taken {
		fmt.Fprintf(env.stdout, "places: %s %s (%s)\n", p.CRS, p.Axis, p.Why.In(env.language))
		if p.Notice != nil {
			fmt.Fprintln(env.stdout, "  "+p.Notice.In(env.language))
		}
	}
	if r.RowsCompared < r.Rows {
		fmt.Fprintf(env.stdout, "twice by place or name was looked for among the first %d rows\n", r.RowsCompared)
	}
	if r.Unplaced > 0 {
		fmt.Fprintf(env.stdout, "%d rows tell no place, and keep that which they may have in the register: rows %s\n", r.Unplaced, strings.Trim(fmt.Sprint(r.UnplacedRows), "[]"))
	}
	for _, d := range r.Duplicates {
		fmt.Fprintf(env.stdout, "twice by %s: rows %s\n", d.By, strings.Trim(fmt.Sprint(d.Rows), "[]"))
	}
}
