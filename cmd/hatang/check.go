package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
)

type checkCommand struct {
	MastType            string   `help:"Mast type: A1a, A1b, A2a or A2b."`
	Lon                 *float64 `help:"Longitude, degrees, WGS 84."`
	Lat                 *float64 `help:"Latitude, degrees, WGS 84."`
	CRS                 string   `name:"crs" placeholder:"EPSG:9205" help:"Reference system of --x and --y."`
	X                   *float64 `help:"Easting, metres."`
	Y                   *float64 `help:"Northing, metres."`
	HeightM             *float64 `name:"height-m" help:"Height of the mast, metres."`
	Structure           string   `help:"self_supporting, guyed, rooftop, wall or other."`
	HalfWidthM          *float64 `name:"half-width-m" help:"Axis to outermost point, metres."`
	HostBuildingHeightM *float64 `name:"host-building-height-m" help:"Height of the building that carries it, metres."`
	Concealed           *bool    `help:"Hidden in or imitating architecture."`
	Operator            string   `help:"Code of the operator that asks."`
	AccuracyM           *float64 `name:"accuracy-m" help:"How far the place given may be from the true one, metres."`
	Feature             int64    `placeholder:"ID" help:"Id of the mast site that is asked about, which is not counted beside itself: its draft that is to be moved, say."`
	File                string   `type:"existingfile" help:"Rows instead, - for standard input: CSV or a workbook (.xlsx) with a column for each of these, named as in the API (lon, lat, mast_type, height_m, …), or GeoJSON: a FeatureCollection of points with the same names as properties, or a Feature on each line."`
	EachOther           bool     `help:"Check the rows of --file against each other, too: at most 10 000."`
	KnownAt             string   `name:"known-at" placeholder:"TIME" help:"Judge by what the register held then, as 2026-01-31T08:00:00Z; default now."`
	Record              bool     `help:"Record the verdict: it is numbered, signed and kept."`
	Nearest             nearestM `placeholder:"METRES" help:"Tell the nearest place, so far away at the most (5000 without a number, at most 20000), where the same mast is permitted and nothing about the place speaks against it."`
	Network             string   `placeholder:"OPERATOR" help:"Instead: judge every mast of the operator that stands or is planned. Written as CSV or, with --json, as JSON, or to --out as .csv, .xlsx, .json or .ndjson; a summary by district and rule goes to standard error."`
	Detail              string   `enum:",verdict,findings,full" default:"" help:"How much is said of each row: verdict, findings or full (default)."`
	Out                 string   `type:"path" placeholder:"FILE" help:"Write the rows with their verdicts to a file, - for standard output: CSV for CSV, .xlsx or CSV for a workbook, GeoJSON for GeoJSON; .geojson and .geojsonl take either."`
	JSON                bool     `name:"json" help:"Write the verdicts as JSON."`
}

// Run judges and prints. Findings are the exit status 1.
func (c *checkCommand) Run(ctx context.Context, g *globals, env *environment) error {
	knownAt, err := c.knownAt()
	if err != nil {
		return err
	}
	if c.Network != "" {
		return c.runNetwork(ctx, g, env, knownAt)
	}
	if c.File != "" && c.Record {
		return usageError{errors.New("one verdict is recorded at a time: --record goes without --file")}
	}
	if (c.File != "" || c.Record) && c.Nearest > 0 {
		return usageError{errors.New("--nearest goes with a single place, and is no part of what --record keeps")}
	}
	if c.File != "" {
		return c.runFile(ctx, g, env, knownAt)
	}
	if c.Record && c.KnownAt != "" {
		return usageError{errors.New("what is recorded is judged by what the register holds now: --record goes without --known-at")}
	}
	if c.Out != "" || c.EachOther {
		return usageError{errors.New("--out and --each-other go with --file")}
	}
	raw, err := json.Marshal(c.members())
	if err != nil {
		return err
	}
	proposal, err := permit.ParseProposal(raw, geo.Date{})
	if invalid, ok := permit.Faults(err); ok {
		printFaults(env, 1, invalid.Faults)
		return usageError{errors.New("the proposal is not complete")}
	}
	if err != nil {
		return err
	}
	return g.withStore(ctx, env, func(db *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		if c.Record {
			return c.record(ctx, g, env, db, s, raw, date())
		}
		answer, err := permit.NewChecker(s).Ask(ctx, permit.Question{Viewer: env.viewer(), Date: date(), KnownAt: knownAt, NearestM: float64(c.Nearest)}, proposal)
		if lacks, ok := permit.Faults(err); ok {
			printFaults(env, 1, lacks.Faults)
			return errFindings
		}
		if err != nil {
			return err
		}
		return c.print(env, &answer)
	})
}

// record judges, records and prints.
func (c *checkCommand) record(ctx context.Context, g *globals, env *environment, db *database, s *postgis.Store, raw json.RawMessage, date geo.Date) error {
	recorded, err := g.record(ctx, env, db, s, permit.Placement, raw, date)
	if err != nil {
		return err
	}
	var a permit.Answer
	if err := json.Unmarshal(recorded.answer, &a); err != nil {
		return err
	}
	if err := recorded.print(env, c.JSON); err != nil {
		return err
	}
	if c.JSON {
		return verdictStatus(a.Verdict)
	}
	return c.print(env, &a)
}

// knownAt is the record time asked for; zero: now.
func (c *checkCommand) knownAt() (time.Time, error) {
	if c.KnownAt == "" {
		return time.Time{}, nil
	}
	known, err := time.Parse(time.RFC3339, c.KnownAt)
	if err != nil {
		return known, usageError{fmt.Errorf("--known-at %s is not a time of the form 2026-01-31T08:00:00Z", c.KnownAt)}
	}
	if known.After(time.Now()) {
		return known, usageError{fmt.Errorf("--known-at %s is not in the past", c.KnownAt)}
	}
	return known, nil
}

// members are the proposal of the flags, as the API would be sent it.
func (c *checkCommand) members() map[string]any {
	members := map[string]any{}
	for name, value := range map[string]string{"mast_type": c.MastType, "crs": c.CRS, "structure": c.Structure, "operator": c.Operator} {
		if value != "" {
			members[name] = value
		}
	}
	for name, value := range map[string]*float64{
		"lon": c.Lon, "lat": c.Lat, "x": c.X, "y": c.Y, "height_m": c.HeightM,
		"half_width_m": c.HalfWidthM, "host_building_height_m": c.HostBuildingHeightM, "accuracy_m": c.AccuracyM,
	} {
		if value != nil {
			members[name] = jsonNumber(*value)
		}
	}
	if c.Feature != 0 {
		members["feature"] = c.Feature
	}
	if c.Concealed != nil {
		members["concealed"] = *c.Concealed
	}
	return members
}

// print writes one answer and says by the error whether the mast may be built.
func (c *checkCommand) print(env *environment, a *permit.Answer) error {
	text := appendAnswer(nil, a, env.language)
	if c.JSON {
		detail, _ := permit.ParseDetail(c.Detail) // kong has checked it
		text = append(a.AppendJSON(nil, detail), '\n')
	}
	if _, err := env.stdout.Write(text); err != nil {
		return err
	}
	return verdictStatus(a.Verdict)
}

// verdictStatus says by the error whether what was asked may be built.
func verdictStatus(v zoning.Verdict) error {
	if v != zoning.Permitted && v != zoning.Conditional {
		return errFindings
	}
	return nil
}

// nearestM is how far the nearest place is looked for, metres; 0: not. As a flag it may
// stand without a number.
type nearestM float64

// IsBool makes the number optional: see kong.BoolMapperValue.
func (nearestM) IsBool() bool { return true }

// Decode reads --nearest or --nearest=METRES.
func (n *nearestM) Decode(ctx *kong.DecodeContext) error {
	*n = permit.DefaultNearestM
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	text := fmt.Sprint(ctx.Scan.Pop().Value)
	m, ok := permit.ParseNearestM(text)
	if !ok {
		return fmt.Errorf("%s is not a number of metres above 0, at most %.0f", text, zoning.MaxNearestM)
	}
	*n = nearestM(m)
	return nil
}

// printFaults tells on standard error why a row could not be judged.
func printFaults(env *environment, row int64, faults layer.Faults) {
	for _, f := range faults {
		at := strings.TrimPrefix(f.At, "/")
		if at != "" {
			at += ": "
		}
		fmt.Fprintf(env.stderr, "hatang: row %d: %s%s\n", row, at, f.Detail.In(env.language))
	}
}

// jsonNumber returns a number as JSON can hold it: NaN and the infinities stay
// text, so that the fault names them.
func jsonNumber(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprint(x)
	}
	return x
}

// appendAnswer writes an answer for people.
func appendAnswer(dst []byte, a *permit.Answer, language string) []byte {
	unit := ""
	if a.Unit != nil {
		unit = fmt.Sprintf(", %s/%s", a.Unit.Commune, a.Unit.District)
	}
	dst = fmt.Appendf(dst, "%s (%s)  %.6f, %.6f%s  %s  %s\n", a.Verdict, a.Verdict.Text().In(language), a.Point[0], a.Point[1], unit, a.Date, a.RuleSet)
	for _, f := range a.Findings {
		dst = fmt.Appendf(dst, "  %-9s %-16s %s\n", f.Outcome, f.Rule, f.Message.In(language))
	}
	if a.Nearest != nil {
		dst = fmt.Appendf(dst, "  %-9s %-16s %s\n", "nearest", "", a.Nearest.Message.In(language))
	}
	if a.Provisional {
		dst = append(append(append(dst, "  "...), provisional().In(language)...), '\n')
	}
	return dst
}

func provisional() geo.Text {
	return geo.Text{VI: "Kết quả tạm thời: có vùng hoặc vị trí chỉ mang tính minh họa.", EN: "Provisional: some zones or places are illustrative."}
}

// writeJSON writes a value for a program to read.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
