package main

import (
	"fmt"
	"os"
	"strings"

	"hatang/geo"
	"hatang/internal/intake"
	"hatang/internal/postgis"
	"hatang/internal/tables"
)

// readingFlags say of a file of other programs what cannot be found out, or was found out
// wrongly.
type readingFlags struct {
	HeaderRow    int    `placeholder:"ROW" help:"Row or line with the columns' names, from 1; default the one that looks like it."`
	Encoding     string `placeholder:"NAME" help:"Encoding of texts: utf-8, windows-1258, tcvn3, vni; default what makes them Vietnamese."`
	Separator    string `placeholder:"CHAR" help:"What separates the cells of a line; default what does."`
	Axis         string `enum:",xy,yx" default:"" help:"Order of coordinates: xy (east first) or yx (north first, as surveyors have it)."`
	Unshifted    bool   `help:"The coordinates were made without the shift between VN-2000 and WGS 84: take it back."`
	AllowOutside bool   `help:"Take rows outside the territory, too."`
	Mapping      string `type:"existingfile" placeholder:"FILE" help:"JSON file that says which column is which field."`
	Corrections  string `placeholder:"FILE" help:"Write the rows with faults to this CSV file, with the reasons, to be filled in and sent back."`
}

// stranger returns how the file of an import is read.
func (f readingFlags) stranger(c *importCommand) (stranger, error) {
	s := stranger{
		table:       tables.Options{Table: c.Table, HeaderRow: f.HeaderRow, Encoding: f.Encoding, Separator: f.Separator},
		options:     intake.Options{CRS: c.CRS, Strict: c.Strict, Axis: intake.Axis(f.Axis), AllowOutside: f.AllowOutside},
		corrections: f.Corrections,
	}
	if f.Unshifted {
		s.options.Datum = intake.DatumForgotten
	}
	if f.Mapping == "" {
		return s, nil
	}
	raw, err := os.ReadFile(f.Mapping)
	if err != nil {
		return s, err
	}
	if s.options.Mapping, err = intake.ParseMapping(raw); err != nil {
		return s, usageError{fmt.Errorf("--mapping: %w", err)}
	}
	return s, nil
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
	for _, d := range r.Duplicates {
		fmt.Fprintf(env.stdout, "twice by %s: rows %s\n", d.By, strings.Trim(fmt.Sprint(d.Rows), "[]"))
	}
}
