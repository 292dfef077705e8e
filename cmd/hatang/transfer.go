package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/paulmach/orb"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

type importCommand struct {
	Layer string `arg:"" help:"Layer to bring the features into; with --as the file alone is named."`
	File  string `arg:"" optional:"" type:"existingfile" help:"File: GeoJSON, GeoPackage, CSV, XLSX, Shapefile (also zipped), KML, KMZ, FlatGeobuf, MIF or DXF."`

	As         string `placeholder:"NAME" help:"Publish the file as a new reference layer of this name: its columns become the fields."`
	Title      string `help:"Title of the new layer, Vietnamese; default the file's own, or the name."`
	TitleEN    string `name:"title-en" placeholder:"TITLE" help:"The same in English; default the Vietnamese."`
	Code       string `placeholder:"COLUMN" help:"Column whose values are the features' codes in the new layer; default one called code, else the features' ids."`
	StorageCRS string `name:"storage-crs" placeholder:"EPSG:3405" help:"Reference system that the new layer is kept in; default longitude, latitude on WGS 84."`
	StaffOnly  bool   `help:"Nobody but staff shall know of the new layer."`
	Table      string `placeholder:"TABLE" help:"Table of a GeoPackage, sheet of a workbook, file of an archive or layer of a drawing, where there are several."`

	CRS          string `name:"crs" placeholder:"EPSG:9205" help:"Reference system of the coordinates; default what the file, its format or its columns say (longitude and latitude: WGS 84); else it is asked."`
	Jurisdiction string `placeholder:"CODE" help:"Code of the province that governs new rows; default the plan's, else the only province there is."`
	DryRun       bool   `help:"Say what would change; change nothing."`
	Changes      string `placeholder:"FILE" help:"Write what becomes of each row to this GeoJSON file: insert, update, unchanged, skipped or refused, where it lies, and the fields that change before and after."`
	Correct      bool   `xor:"mode" help:"Correct the rows in force and keep their valid time (default)."`
	InForce      string `xor:"mode" placeholder:"DATE" help:"Close the rows in force on this date and open new ones."`
	OnConflict   string `enum:"update,skip,fail" default:"update" help:"What to do with a code that is there already: ${enum}."`
	GoodRows     bool   `help:"Take the good rows when some are refused; default all or nothing."`
	OwnSites     string `placeholder:"TYPE" enum:",A1a,A1b,A2a,A2b" default:"" help:"Positions of operators that name no site get one of their own, with a mast of this type: A1a, A1b, A2a or A2b."`
	Strict       bool   `help:"Refuse a file with columns that the layer does not have."`
	JSON         bool   `name:"json" help:"Write the summary as JSON."`

	Areas   areaFlags    `embed:""`
	Reading readingFlags `embed:""`
}

// report is what an import tells.
type report struct {
	Layer string `json:"layer"`
	postgis.ImportSummary
	NotTaken []string             `json:"columns_not_taken"`
	Areas    *postgis.AreasReport `json:"areas,omitempty"` // of units and zones
	File     *intake.Report       `json:"file,omitempty"`  // what a file of other programs was found to mean
	Request  string               `json:"request"`         // by which what it did is found in the history, and reverted
	// CorrectionsLeftOut is how many refused rows the file of --corrections had no room for.
	CorrectionsLeftOut int `json:"corrections_left_out,omitempty"`

	// Of a new layer.
	Fields         []fieldReport `json:"fields,omitempty"`
	HeightsDropped bool          `json:"heights_dropped,omitempty"`
}

// Run imports the file.
func (c *importCommand) Run(ctx context.Context, g *globals, env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	return g.withStore(ctx, env, func(db *database, store *postgis.Store) error {
		if c.As != "" {
			return c.asNewLayer(ctx, g, env, store)
		}
		l, err := db.layer(c.Layer)
		if err != nil {
			return err
		}
		options, err := c.options(ctx, g, store)
		if err != nil {
			return err
		}
		r := report{Layer: l.Name, NotTaken: []string{}, Request: env.request}
		unwritten, err := c.bring(ctx, env, store, l, options, &r)
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		if told := c.tell(env, r); unwritten == nil {
			return told
		}
		return fmt.Errorf("%s: %w", c.Reading.Corrections, unwritten)
	})
}

// bring reads the file, brings it into the layer and writes what there is to be corrected; unwritten
// says why not, of an import that is done all the same.
func (c *importCommand) bring(ctx context.Context, env *environment, store *postgis.Store, l *layer.Layer, o postgis.ImportOptions, r *report) (unwritten, err error) {
	reading, err := c.Reading.stranger(ctx, env, store, c, l)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reading.close()) }()
	shown, err := showImport(env.stderr, c.File)
	if err != nil {
		return nil, err
	}
	o.Progress = &shown.progress
	reading.store, reading.date, reading.bytesRead = store, o.Date, &shown.bytes
	err = c.previewed(env, &o, func() (err error) {
		r.ImportSummary, r.Areas, err = c.Areas.into(ctx, env, store, l, o, func(add func(postgis.Incoming) error) error {
			if r.File, err = reading.read(ctx, c.File, l, add); r.File != nil {
				r.NotTaken = r.File.NotTaken
			}
			return err
		})
		return err
	})
	shown.end(err == nil && !c.DryRun && r.Applied)
	if err == nil {
		r.CorrectionsLeftOut, unwritten = c.Reading.correct(ctx, env, reading.meaning, r.ImportSummary)
	}
	return unwritten, err
}

// previewed runs an import with what becomes of each row written to the file of --changes, if there is one.
func (c *importCommand) previewed(env *environment, o *postgis.ImportOptions, run func() error) error {
	if c.Changes == "" {
		return run()
	}
	const mode = fs.FileMode(0o600) // it may tell what the public is not told
	return writeFile(env, c.Changes, mode, func(out io.Writer) error {
		b, between := bufio.NewWriter(out), ""
		o.Preview = func(r layer.ImportedRow) error {
			feature, err := r.GeoJSON()
			if err != nil {
				return err
			}
			_, err = b.WriteString(between + string(feature))
			between = ",\n"
			return err
		}
		_, _ = b.WriteString(`{"type":"FeatureCollection","features":[` + "\n") // the buffer keeps its first error, which Flush returns
		if err := run(); err != nil {
			return err
		}
		_, _ = b.WriteString("\n]}\n")
		return b.Flush()
	})
}

// check refuses flags that do not go together.
func (c *importCommand) check() error {
	switch {
	case c.As == "" && c.File == "":
		return usageError{errors.New("a layer and a file are needed, or --as NAME and a file")}
	case c.As == "" && (c.Title != "" || c.TitleEN != "" || c.Code != "" || c.StorageCRS != "" || c.StaffOnly):
		return usageError{errors.New("--title, --title-en, --code, --storage-crs and --staff-only are for a new layer: they go with --as")}
	case c.Reading.Corrections != "" && sameFile(c.Reading.Corrections, c.File):
		return usageError{errors.New("--corrections is the file itself: its other rows would be lost")}
	case c.Reading.Corrections != "" && c.As != "":
		return usageError{errors.New("--corrections is for a layer that is there: it does not go with --as")}
	case c.OwnSites != "" && c.Layer != "operator_positions":
		return usageError{errors.New("--own-sites is for operator_positions")}
	case c.As != "" && c.Changes != "":
		return usageError{errors.New("--changes is for a layer that is there: it does not go with --as")}
	case c.As != "" && c.File != "":
		return usageError{errors.New("with --as NAME the file alone is named")}
	case c.As != "" && (c.InForce != "" || c.OnConflict != string(postgis.UpdateExisting)):
		return usageError{errors.New("--in-force and --on-conflict are for a layer that is there: they do not go with --as")}
	}
	return c.Areas.check(c.InForce, c.As)
}

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// options turns the flags into what the store does.
func (c *importCommand) options(ctx context.Context, g *globals, store *postgis.Store) (postgis.ImportOptions, error) {
	date, err := g.referenceDate(ctx, store)
	if err != nil {
		return postgis.ImportOptions{}, err
	}
	wishes := layer.ImportWishes{OwnSites: c.OwnSites, OnConflict: c.OnConflict, GoodRows: c.GoodRows, DryRun: c.DryRun, Jurisdiction: c.Jurisdiction}
	if c.InForce != "" {
		if wishes.InForce, err = geo.ParseDate(c.InForce); err != nil {
			return postgis.ImportOptions{}, usageError{fmt.Errorf("--in-force: %w", err)}
		}
	}
	return rowOptions(ctx, store, date(), wishes, filepath.Base(c.File))
}

// systemOf is the reference system of that name; WGS 84 where there is none.
func systemOf(name string) (formats.System, error) {
	switch name {
	case "":
		return formats.System{}, nil
	case formats.UndefinedCRS:
		return formats.System{}, errNoCRS
	}
	crs, err := geo.ParseCRS(name)
	if err != nil {
		return formats.System{}, fmt.Errorf("reference system %q: %w", name, err)
	}
	if crs.SRID() == layer.SRID {
		return formats.System{}, nil // files hold longitude first whatever the authority says
	}
	return formats.System{SRID: crs.SRID(), ToWGS84: func(x, y float64) (float64, float64, error) {
		p, err := crs.Inverse(orb.Point{x, y})
		return p[0], p[1], err
	}}, nil
}

// errNoCRS says that a file knows no reference system, and nobody has named one.
var errNoCRS = fmt.Errorf("%w: the file does not say in which its coordinates are; name it with --crs", geo.ErrUnknownCRS)

// watching shows how much of a file has been read, each time that it is. done is called at
// the end.
func watching(out io.Writer, name string) (watch func(*os.File) (io.Reader, error), done func(ok bool)) {
	last := func(bool) {}
	watch = func(f *os.File) (io.Reader, error) {
		last(true)
		in, done, err := progress(out, f, name)
		if err != nil {
			last = func(bool) {}
			return nil, err
		}
		last = done
		return in, nil
	}
	return watch, func(ok bool) { last(ok) }
}

// progress shows how much of a file has been read: a bar on a terminal, else one
// line at the start and the end.
func progress(out io.Writer, f *os.File, name string) (io.Reader, func(ok bool), error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	terminal, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		fmt.Fprintf(out, "Reading %s (%d bytes)\n", name, info.Size())
		return f, func(ok bool) {
			if ok {
				fmt.Fprintf(out, "Read %s\n", name)
			}
		}, nil
	}
	bars := mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
	bar := bars.AddBar(info.Size(),
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), decor.Name(" "), decor.Percentage()))
	return bar.ProxyReader(f), func(ok bool) {
		if ok {
			bar.SetTotal(-1, true)
		} else {
			bar.Abort(false)
		}
		bars.Wait()
	}, nil
}

// maxShownRefusals keeps a file of nonsense from filling the terminal.
const maxShownRefusals = 50

// tell writes the summary; refused rows are exit status 1.
func (c *importCommand) tell(env *environment, r report) error {
	if c.JSON {
		if err := writeJSON(env.stdout, r); err != nil {
			return err
		}
	} else {
		c.print(env, r)
	}
	if len(r.Refused) > 0 || areasRefused(r.Areas) {
		return errFindings
	}
	return nil
}

func (c *importCommand) print(env *environment, r report) {
	for i, refused := range r.Refused {
		if i == maxShownRefusals {
			fmt.Fprintf(env.stdout, "… and %d more rows refused (--json lists more)\n", r.RefusedRows-i)
			break
		}
		for _, f := range refused.Faults {
			fmt.Fprintf(env.stdout, "row %d (%s)%s: %s\n", refused.Row, refused.Code, f.At, f.Detail.In(env.language))
		}
	}
	printMeaning(env, r.File)
	if len(r.NotTaken) > 0 {
		fmt.Fprintf(env.stdout, "columns not taken: %s\n", strings.Join(r.NotTaken, ", "))
	}
	if r.HeightsDropped {
		fmt.Fprintln(env.stdout, "heights were dropped: the layer is flat")
	}
	for _, f := range r.Fields {
		fmt.Fprintf(env.stdout, "  %s: %s, from column %s\n", f.Name, f.Kind, f.Column)
	}
	fmt.Fprintf(env.stdout, "%s: %d read, %d inserted, %d updated, %d unchanged, %d skipped, %d refused\n",
		r.Layer, r.Read, r.Inserted, r.Updated, r.Unchanged, r.Skipped, max(r.RefusedRows, len(r.Refused)))
	if r.CorrectionsLeftOut > 0 {
		fmt.Fprintf(env.stdout, "%s: %d more rows were refused than it has room for\n", c.Reading.Corrections, r.CorrectionsLeftOut)
	}
	printElsewhere(env, r.ImportSummary)
	printAreas(env, r.Areas)
	printSites(env, r.Sites)
	switch {
	case c.DryRun:
		fmt.Fprintln(env.stdout, "Dry run: nothing was changed.")
	case areasRefused(r.Areas):
		fmt.Fprintln(env.stdout, "Nothing was changed, because the areas do not hold together.")
	case !r.Applied:
		fmt.Fprintln(env.stdout, "Nothing was changed, because rows were refused; --good-rows takes the others.")
	case c.As == "" && r.Inserted+r.Updated > 0:
		fmt.Fprintf(env.stdout, "To take it back: hatang revert --request %s\n", r.Request)
	}
}
