package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/formats"
	"hatang/internal/httpapi"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// publication is a file to be made a reference layer, by the terminal or by HTTP.
type publication struct {
	path, source string // where it is, and what it is called
	table        string // of a GeoPackage
	crs          string // "" for what the file says
	wishes       formats.Wishes
	staffOnly    bool
	jurisdiction string // "" for the only one there is
	date         geo.Date
	dryRun       bool
	goodRows     bool
	mostRows     int                               // 0 for any number
	mostRefused  int                               // rows with faults, until the file is read no further; 0 for any number
	strict       bool                              // refuse a file with columns that are not taken
	watch        func(*os.File) (io.Reader, error) // see formats.Open
	reading      stranger                          // what is said of how the file is to be understood
}

// publishedFile is what became of it.
type publishedFile struct {
	definition layer.Definition
	survey     formats.Survey
	summary    postgis.ImportSummary
	refused    []postgis.Refused // as they were read
	report     *intake.Report    // what the file was found to mean
}

// publish surveys the file, makes a layer of what it holds, and brings it in. Whatever is
// wrong with what was wished is told at once. Fields of GeoJSON and GeoPackage are typed as they
// are there; what else such a file may mean is found out as of any other.
func publish(ctx context.Context, store *postgis.Store, v account.Viewer, p publication) (made publishedFile, err error) {
	p.reading.store, p.reading.date = store, p.date
	p.reading.table.Table, p.reading.options.CRS = p.table, p.crs
	source, err := formats.Open(ctx, p.path, p.table, p.watch)
	if errors.Is(err, formats.ErrUnknownFormat) {
		return publishRestated(ctx, store, v, p)
	}
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	made.survey, err = source.Survey(ctx, p.wishes.Code)
	if errors.Is(err, formats.ErrFollowed) { // a feature a line
		return publishRestated(ctx, store, v, p)
	}
	if err != nil {
		return made, err
	}
	places, err := p.reading.places(ctx, p.path)
	made.report = places.report
	if err != nil {
		return made, err
	}
	if places.oldFont {
		return publishRestated(ctx, store, v, p)
	}
	system, err := places.system(cmp.Or(p.crs, made.survey.CRS))
	if err != nil {
		return made, err
	}
	return publishSource(ctx, store, v, p, source, system, places.guard, made)
}

// publishRestated publishes a file of another format by way of a GeoJSON file that says the same.
func publishRestated(ctx context.Context, store *postgis.Store, v account.Viewer, p publication) (made publishedFile, err error) {
	path, report, err := p.reading.restate(ctx, p.path, cmp.Or(p.wishes.StorageSRID, layer.SRID), p.mostRows)
	made.report = report
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	source, err := formats.Open(ctx, path, "", nil)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if made.survey, err = source.Survey(ctx, p.wishes.Code); err != nil {
		return made, err
	}
	system, err := systemOf(made.survey.CRS)
	if err != nil {
		return made, err
	}
	return publishSource(ctx, store, v, p, source, system, nil, made)
}

// publishSource makes a layer of a file that is surveyed and whose reference system is known,
// held to the guard, if there is one.
func publishSource(ctx context.Context, store *postgis.Store, v account.Viewer, p publication, source formats.Source, system formats.System, guard func() *intake.Guard, made publishedFile) (publishedFile, error) {
	var faults layer.Faults
	made.definition, faults = made.survey.Define(p.wishes)
	faults = append(faults, made.definition.Faults()...)
	if p.strict && len(made.survey.NotTaken) > 0 {
		faults.Add("columns", "không nhận các cột %q", "the columns %q are not taken", made.survey.NotTaken)
	}
	defaults, err := newRows(ctx, store, p, made.definition.Common["jurisdiction"], &faults)
	if err == nil {
		err = faults.Err()
	}
	if err != nil {
		return made, err
	}
	made.summary, err = store.PublishLayer(ctx, v, postgis.Publishing{
		Definition: made.definition, StaffOnly: p.staffOnly,
		ImportOptions: postgis.ImportOptions{Date: p.date, OnConflict: postgis.UpdateExisting, DryRun: p.dryRun, GoodRows: p.goodRows, Defaults: defaults},
		Read: func(l *layer.Layer, add func(postgis.Incoming) error) error {
			var g *intake.Guard
			if guard != nil {
				g = guard()
				defer g.End()
			}
			return source.Read(ctx, l, func(string) (formats.System, error) { return system, nil }, func(r formats.Record) error {
				if g != nil {
					r.Faults = g.Add(int64(r.Row), &r.Feature, r.Faults)
				}
				if err := p.within(r, &made); err != nil {
					return err
				}
				return add(postgis.Incoming{Row: r.Row, Feature: r.Feature, Faults: r.Faults})
			})
		},
	})
	if errors.Is(err, errEnoughFaults) {
		made.summary.Refused, err = made.refused, nil
	}
	return made, err
}

// errEnoughFaults ends the reading of a file that is refused anyway.
var errEnoughFaults = errors.New("enough faults")

func tooManyFeatures(most int) error {
	return layer.Faults{{Detail: geo.Text{VI: fmt.Sprintf("tệp có hơn %d đối tượng", most), EN: fmt.Sprintf("the file has more than %d features", most)}}}.Err()
}

// within ends the reading of a file that has too many features, or enough faults.
func (p publication) within(r formats.Record, made *publishedFile) error {
	if p.mostRows > 0 && r.Row > p.mostRows {
		return tooManyFeatures(p.mostRows)
	}
	if p.mostRefused > 0 && len(r.Faults) > 0 {
		if made.refused = append(made.refused, postgis.Refused{Row: r.Row, Faults: r.Faults}); len(made.refused) == p.mostRefused {
			return errEnoughFaults
		}
	}
	return nil
}

// newRows is what rows have that the file says nothing of; column is the one, if any, that
// says which province governs them.
func newRows(ctx context.Context, store *postgis.Store, p publication, column string, faults *layer.Faults) (map[string]any, error) {
	defaults := map[string]any{"valid_from": p.date, "source": p.source, "jurisdiction": p.jurisdiction}
	if p.jurisdiction != "" {
		return defaults, nil
	}
	code, err := store.OnlyJurisdiction(ctx)
	if code == "" && column == "" && err == nil {
		faults.Add("jurisdiction", "phải nêu mã tỉnh quản lý, vì sổ đăng ký không có đúng một tỉnh", "the code of the province that governs the rows is needed, because the register has not exactly one")
	}
	if defaults["jurisdiction"] = code; code == "" {
		defaults["jurisdiction"] = nil
	}
	return defaults, err
}

// publisher publishes for the API.
type publisher struct {
	store *postgis.Store
	date  func() geo.Date
}

// Publish implements httpapi.Publisher.
func (p publisher) Publish(ctx context.Context, v account.Viewer, f httpapi.File) (httpapi.Published, error) {
	reading := stranger{viewer: v, options: intake.Options{AllowOutside: f.AllowOutside}}
	reading.reads(f.Reading)
	made, err := publish(ctx, p.store, v, publication{
		reading: reading,
		path:    f.Path, source: f.Source, table: f.Table, crs: f.CRS, staffOnly: f.StaffOnly, jurisdiction: f.Jurisdiction, date: p.date(), mostRows: httpapi.MaxFileFeatures, mostRefused: httpapi.MaxFileFaults,
		wishes: formats.Wishes{Name: f.Name, Title: f.Title, Doc: f.Doc, Colour: f.Colour, Code: f.Code, StorageSRID: f.StorageSRID},
	})
	if err != nil {
		return httpapi.Published{}, err
	}
	out := httpapi.Published{Definition: made.definition, StaffOnly: f.StaffOnly, Read: made.summary.Read, NotTaken: made.survey.NotTaken, HeightsDropped: made.survey.Heights, File: made.report}
	for _, refused := range made.summary.Refused {
		for _, fault := range refused.Faults {
			fault.At = fmt.Sprintf("/features/%d%s", refused.Row-1, fault.At)
			out.Faults = append(out.Faults, fault)
		}
	}
	return out, nil
}

// ChangeLayer implements httpapi.Publisher.
func (p publisher) ChangeLayer(ctx context.Context, v account.Viewer, name string, c layer.ReferenceChange) error {
	return p.store.ChangeLayer(ctx, v, name, c)
}

// WithdrawLayer implements httpapi.Publisher.
func (p publisher) WithdrawLayer(ctx context.Context, v account.Viewer, name string) error {
	return p.store.WithdrawLayer(ctx, v, name)
}

// asNewLayer publishes the file of an import command.
func (c *importCommand) asNewLayer(ctx context.Context, g *globals, env *environment, store *postgis.Store) error {
	date, err := g.referenceDate(ctx, store)
	if err != nil {
		return err
	}
	watch, done := watching(env.stderr, filepath.Base(c.Layer))
	storage, err := geo.ParseCRS(cmp.Or(c.StorageCRS, "EPSG:4326"))
	if err != nil {
		return usageError{fmt.Errorf("--storage-crs: %w", err)}
	}
	reading, err := c.Reading.stranger(ctx, env, store, c, nil)
	if err != nil {
		return err
	}
	made, err := publish(ctx, store, env.viewer(), publication{reading: reading,
		path: c.Layer, source: filepath.Base(c.Layer), table: c.Table, crs: c.CRS, staffOnly: c.StaffOnly, jurisdiction: c.Jurisdiction, date: date(),
		wishes: formats.Wishes{Name: c.As, Title: geo.Text{VI: c.Title, EN: c.TitleEN}, Code: c.Code, StorageSRID: storage.SRID()},
		dryRun: c.DryRun, goodRows: c.GoodRows, strict: c.Strict, watch: watch,
	})
	done(err == nil)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Layer, err)
	}
	return c.tell(env, report{
		Layer: c.As, Request: env.request, File: made.report, ImportSummary: made.summary, NotTaken: append([]string{}, made.survey.NotTaken...),
		Fields: fieldsOf(made.definition), HeightsDropped: made.survey.Heights,
	})
}

// fieldReport is a field of a new layer.
type fieldReport struct {
	Name   string     `json:"name"`
	Kind   layer.Kind `json:"kind"`
	Column string     `json:"column"`
}

// fieldsOf lists the fields that a definition takes from columns of the file.
func fieldsOf(d layer.Definition) []fieldReport {
	l := layer.Reference{Definition: d}.Layer()
	fields := []fieldReport{}
	for _, f := range l.Fields {
		own := slices.IndexFunc(d.Fields, func(own layer.FieldDefinition) bool { return own.Name == f.Name })
		switch {
		case d.Common[f.Name] != "":
			fields = append(fields, fieldReport{f.Name, f.Kind, d.Common[f.Name]})
		case own >= 0:
			fields = append(fields, fieldReport{f.Name, f.Kind, d.Fields[own].Column})
		}
	}
	return fields
}
