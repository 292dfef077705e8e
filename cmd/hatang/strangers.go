package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/intake"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/tables"
)

// stranger reads files of whatever their makers' programs write: it finds out what their
// rows mean.
type stranger struct {
	store     *postgis.Store
	viewer    account.Viewer // by whose known places files are measured
	bytesRead *atomic.Int64  // of the file, while its rows are handed on
	date      geo.Date       // units in force on it are those that rows name
	table     tables.Options
	options   intake.Options // all but what the register tells

	// Of a file that has been read, until it is closed.
	opened  tables.Table
	meaning *intake.Meaning // nil where its rows are not understood
}

// What is known of the register when a file is read.
const (
	territoryMargin = 0.2    // degrees around the box of the provinces
	mostKnown       = 50_000 // places by which a file is measured; of a layer with more none
)

// read hands on the rows of a file as features of a layer, and returns what they were
// found to mean. *layer.InvalidError where the file as a whole is not understood. The file is the
// caller's to close.
func (s *stranger) read(ctx context.Context, path string, l *layer.Layer, add func(postgis.Incoming) error) (report *intake.Report, err error) {
	s.table.BytesRead = new(atomic.Int64)
	if s.opened, err = tables.Open(ctx, path, s.table); err != nil {
		return nil, refusedFile(err)
	}
	if err := s.learn(ctx, l); err != nil {
		return nil, err
	}
	if s.options.LonLat, err = isGeoJSON(path); err != nil {
		return nil, err
	}
	m, err := intake.Understand(ctx, s.opened, l, s.options)
	if err != nil {
		return nil, refusedFile(err)
	}
	report = m.Report()
	if !report.Ready {
		return report, s.notReady(ctx, m)
	}
	if len(report.NotTaken) == len(report.Columns) && report.Placement.Outcome == intake.NoPlace {
		if wrong := m.Unread(); wrong != nil {
			told := wrong.Layer()
			told.At = fmt.Sprintf("/rows/%d%s", wrong.Row, told.At)
			return report, layer.Faults{told}.Err()
		}
		return report, refusedFile(layer.Wrong("tệp không có cột nào của lớp %s, và không có hình nào", "the file has no column of the layer %s, and no geometry", l.Name))
	}
	if err := s.rows(ctx, m, l, add); err != nil {
		return report, refusedFile(err)
	}
	if report.Rows == 0 {
		return report, refusedFile(errNoRows())
	}
	s.meaning = m
	return report, nil
}

// mostAlong is how many faults of rows are told of a file whose columns or places are not understood.
const mostAlong = 100

// notReady says what is wrong with a file whose columns or places are not understood, and
// with its rows, as far as they are, so that all can be mended at once.
func (s *stranger) notReady(ctx context.Context, m *intake.Meaning) error {
	var faults layer.Faults
	for _, f := range m.Report().Faults {
		faults = append(faults, f.Layer())
	}
	ofFile := len(faults)
	if err := m.Read(ctx, func(*intake.Record) error { return nil }); err != nil {
		return errors.Join(faults.Err(), refusedFile(err))
	}
	ofRows := m.Report().Faults[ofFile:]
	for _, f := range ofRows[:min(len(ofRows), mostAlong)] {
		told := f.Layer()
		told.At = fmt.Sprintf("/rows/%d%s", f.Row, told.At)
		faults = append(faults, told)
	}
	if more := m.Report().FaultCount - int64(len(faults)); more > 0 {
		faults.Add("/rows", "còn %d lỗi nữa ở các dòng", "%d more faults of rows", more)
	}
	return faults.Err()
}

// close lets go of a file that has been read.
func (s *stranger) close() error {
	if s.opened == nil {
		return nil
	}
	return s.opened.Close()
}

func errNoRows() error {
	return layer.Wrong("tệp không có dòng nào, nhiều nhất là tên cột", "the file has no rows, but names of columns at most")
}

// isGeoJSON reports whether a file is a sequence of GeoJSON texts, whose coordinates are
// longitude and latitude unless it says otherwise.
func isGeoJSON(path string) (is bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	start := make([]byte, 16)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(start[:n], []byte("\ufeff")), " \t\r\n\x1e")
	return len(text) > 0 && text[0] == '{', nil
}

// rows hands on the rows of a file that is understood.
func (s *stranger) rows(ctx context.Context, m *intake.Meaning, l *layer.Layer, add func(postgis.Incoming) error) error {
	before := s.table.BytesRead.Load() // to find out what they mean
	return m.Read(ctx, func(r *intake.Record) error {
		s.bytesRead.Store(s.table.BytesRead.Load() - before)
		in := postgis.Incoming{Row: int(r.Row), Feature: r.Feature}
		for _, f := range r.Faults {
			in.Faults = append(in.Faults, f.Layer())
		}
		governItself(l, in.Feature)
		return add(in)
	})
}

// governItself says of a province that it governs itself, where nothing else is said.
func governItself(l *layer.Layer, f layer.Feature) {
	if code, ok := f.Properties["code"]; ok && l.Name == "provinces" && f.Properties["jurisdiction"] == nil {
		f.Properties["jurisdiction"] = code
	}
}

// refusedFile is what a file's sender is told of an error that is the file's.
func refusedFile(err error) error {
	var value *layer.ValueError
	if !errors.As(err, &value) {
		return err
	}
	return layer.Faults{{Detail: value.Text}}.Err()
}

// learn adds to the options what the register tells of the territory, of its units and of
// where rows of the layer are known to lie.
func (s *stranger) learn(ctx context.Context, l *layer.Layer) error {
	v := account.Terminal("import")
	units, err := s.units(ctx, v)
	if err != nil {
		return err
	}
	s.options.Gazetteer, s.options.Date = intake.NewGazetteer(units), s.date
	provinces, ok := s.store.Layers().Get("provinces")
	if !ok || l.Name == provinces.Name {
		return nil
	}
	bound, _, known, err := s.store.Extent(ctx, v, provinces, s.date)
	if err != nil || !known {
		return err
	}
	s.options.Territory = &intake.Territory{Bound: bound, Margin: territoryMargin}
	return s.known(ctx, l)
}

// units are the units of all levels and times.
func (s *stranger) units(ctx context.Context, v account.Viewer) (units []intake.Unit, err error) {
	for _, level := range []struct {
		layer, parent string
		level         intake.Level
	}{{"provinces", "", intake.Province}, {"districts", "province_code", intake.District}, {"communes", "district_code", intake.Commune}} {
		l, ok := s.store.Layers().Get(level.layer)
		if !ok {
			return nil, fmt.Errorf("the registry has no layer %s", level.layer)
		}
		err := s.store.Features(ctx, v, l, layer.Query{NoGeometry: true}, func(r *layer.Row) error {
			u := intake.Unit{Code: l.TextOf(r, "code"), Name: l.TextOf(r, "name"), Level: level.level, Parent: l.TextOf(r, level.parent)}
			if f, ok := l.Field("aliases"); ok {
				if aliases := l.TextOf(r, f.Name); aliases != "" {
					list, err := f.ParseText(aliases)
					if err != nil {
						return fmt.Errorf("aliases of %s: %w", u.Code, err)
					}
					u.Aliases, _ = list.([]string)
				}
			}
			var err, other error
			if u.Period.From, err = dateOrNone(l.TextOf(r, "valid_from")); err == nil {
				u.Period.To, other = dateOrNone(l.TextOf(r, "valid_to"))
			}
			units = append(units, u)
			return errors.Join(err, other)
		})
		if err != nil {
			return nil, err
		}
	}
	return units, nil
}

// dateOrNone reads a date, the zero one of "".
func dateOrNone(text string) (geo.Date, error) {
	if text == "" {
		return geo.Date{}, nil
	}
	return geo.ParseDate(text)
}

// known makes the places of the rows in force that the viewer sees known by their codes: how
// far a file is off them is told.
func (s *stranger) known(ctx context.Context, l *layer.Layer) error {
	if l.Geometry != layer.Point {
		return nil
	}
	places := map[string]orb.Point{}
	err := s.store.Features(ctx, s.viewer, l, layer.Query{Date: s.date, Limit: mostKnown + 1}, func(r *layer.Row) error {
		if l.TextOf(r, "illustrative") == "true" || r.Geometry == nil { // drawn, not measured
			return nil
		}
		g, _, err := ewkb.Unmarshal(r.Geometry)
		if p, ok := g.(orb.Point); ok {
			places[l.TextOf(r, "code")] = p
		}
		return err
	})
	if err != nil || len(places) > mostKnown {
		return err
	}
	s.options.Known = func(code string) (orb.Point, bool) {
		p, ok := places[code]
		return p, ok
	}
	return nil
}
