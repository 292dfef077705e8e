package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"hatang/geo"
	"hatang/geo/zoning"
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
	File                string   `type:"existingfile" help:"CSV file with a column for each of these, named as in the API (lon, lat, mast_type, height_m, …)."`
	JSON                bool     `name:"json" help:"Write the verdicts as JSON."`
}

// Run judges and prints. Findings are the exit status 1.
func (c *checkCommand) Run(ctx context.Context, g *globals, env *environment) error {
	date, err := g.referenceDate()
	if err != nil {
		return err
	}
	rows, err := c.rows()
	if err != nil {
		return err
	}
	good, faulty := parseRows(rows, date, env)
	if faulty > 0 && c.File == "" {
		return usageError{errors.New("the proposal is not complete")}
	}
	var answers []permit.Answer
	err = g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		answers, err = permit.NewChecker(s).Check(ctx, env.viewer(), good)
		return err
	})
	if err != nil {
		return err
	}
	return c.print(env, answers, faulty)
}

// parseRows reads the rows and reports the faults of those that cannot be judged.
func parseRows(rows []map[string]any, date geo.Date, env *environment) (good []zoning.Proposal, faulty int) {
	for i, row := range rows {
		raw, err := json.Marshal(row)
		var p zoning.Proposal
		if err == nil {
			p, err = permit.ParseProposal(raw, date)
		}
		if err == nil {
			good = append(good, p)
			continue
		}
		faulty++
		invalid, ok := permit.Faults(err)
		if !ok {
			fmt.Fprintf(env.stderr, "hatang: row %d: %v\n", i+1, err)
			continue
		}
		for _, f := range invalid.Faults {
			fmt.Fprintf(env.stderr, "hatang: row %d: %s: %s\n", i+1, strings.TrimPrefix(f.At, "/"), f.Detail.In(env.language))
		}
	}
	return good, faulty
}

// rows returns the proposals as JSON objects: one of flags, or a file of them.
func (c *checkCommand) rows() ([]map[string]any, error) {
	if c.File != "" {
		return csvRows(c.File)
	}
	row := map[string]any{}
	for name, value := range map[string]string{"mast_type": c.MastType, "crs": c.CRS, "structure": c.Structure, "operator": c.Operator} {
		if value != "" {
			row[name] = value
		}
	}
	for name, value := range map[string]*float64{
		"lon": c.Lon, "lat": c.Lat, "x": c.X, "y": c.Y, "height_m": c.HeightM,
		"half_width_m": c.HalfWidthM, "host_building_height_m": c.HostBuildingHeightM,
	} {
		if value != nil {
			row[name] = jsonNumber(*value)
		}
	}
	if c.Concealed != nil {
		row["concealed"] = *c.Concealed
	}
	return []map[string]any{row}, nil
}

// csvRows reads a comma-separated file whose first line names the columns.
func csvRows(path string) (rows []map[string]any, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := csv.NewReader(f)
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%s has no line of column names: %w", path, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) && len(rows) == 0 {
			return nil, fmt.Errorf("%s holds no proposals, only column names", path)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		row := map[string]any{}
		for i, cell := range record {
			if cell = strings.TrimSpace(cell); cell != "" {
				row[strings.TrimSpace(header[i])] = cellValue(strings.TrimSpace(header[i]), cell)
			}
		}
		rows = append(rows, row)
	}
}

// cellValue turns a cell into the JSON value that its column holds; what does not
// read as one stays text, so that the fault names it.
func cellValue(column, cell string) any {
	switch column {
	case "lon", "lat", "x", "y", "height_m", "half_width_m", "host_building_height_m":
		if x, err := strconv.ParseFloat(cell, 64); err == nil {
			return jsonNumber(x)
		}
	case "concealed":
		if b, err := strconv.ParseBool(cell); err == nil {
			return b
		}
	}
	return cell
}

// jsonNumber returns a number as JSON can hold it: NaN and the infinities stay
// text, so that the fault names them.
func jsonNumber(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprint(x)
	}
	return x
}

// print writes the verdicts and says by the error whether all may be built.
func (c *checkCommand) print(env *environment, answers []permit.Answer, faulty int) error {
	all := faulty == 0
	for _, a := range answers {
		all = all && (a.Verdict == zoning.Permitted || a.Verdict == zoning.Conditional)
	}
	switch {
	case c.JSON && c.File == "":
		if err := writeJSON(env.stdout, answers[0]); err != nil {
			return err
		}
	case c.JSON:
		if err := writeJSON(env.stdout, map[string]any{"results": answers}); err != nil {
			return err
		}
	default:
		for _, a := range answers {
			printAnswer(env, a)
		}
	}
	if !all {
		return errFindings
	}
	return nil
}

func printAnswer(env *environment, a permit.Answer) {
	unit := ""
	if a.Unit != nil {
		unit = fmt.Sprintf(", %s/%s", a.Unit.Commune, a.Unit.District)
	}
	fmt.Fprintf(env.stdout, "%s (%s)  %.6f, %.6f%s  %s  %s\n", a.Verdict, a.Verdict.Text().In(env.language), a.Point[0], a.Point[1], unit, a.Date, a.RuleSet)
	for _, f := range a.Findings {
		fmt.Fprintf(env.stdout, "  %-9s %-16s %s\n", f.Outcome, f.Rule, f.Message.In(env.language))
	}
	if a.Provisional {
		fmt.Fprintln(env.stdout, "  "+provisional().In(env.language))
	}
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
