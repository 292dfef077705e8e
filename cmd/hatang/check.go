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
	File                string   `type:"existingfile" help:"CSV file with a column for each of these, named as in the API (lon, lat, mast_type, height_m, …)."`
	JSON                bool     `name:"json" help:"Write the verdicts as JSON."`
}

// checkedRow is one proposal of the command line or a file, with what became of it.
type checkedRow struct {
	proposal zoning.Proposal
	faults   layer.Faults // when there are any, it was not judged
	answer   permit.Answer
}

// Run judges and prints. Findings are the exit status 1.
func (c *checkCommand) Run(ctx context.Context, g *globals, env *environment) error {
	raw, err := c.rows()
	if err != nil {
		return err
	}
	rows, err := parseRows(raw)
	if err != nil {
		return err
	}
	if c.File == "" && len(rows[0].faults) > 0 {
		printFaults(env, rows)
		return usageError{errors.New("the proposal is not complete")}
	}
	err = g.withStore(ctx, env, func(_ *database, s *postgis.Store) error {
		date, err := g.referenceDate(ctx, s)
		if err != nil {
			return err
		}
		return judge(ctx, env, permit.NewChecker(s), rows, date())
	})
	if err != nil {
		return err
	}
	printFaults(env, rows)
	return c.print(env, rows)
}

// parseRows reads the rows; the faults of one that cannot be judged stay with it.
func parseRows(raw []map[string]any) ([]checkedRow, error) {
	rows := make([]checkedRow, len(raw))
	for i, row := range raw {
		body, err := json.Marshal(row)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		rows[i].proposal, err = permit.ParseProposal(body, geo.Date{})
		if invalid, ok := permit.Faults(err); ok {
			rows[i].faults = invalid.Faults
		} else if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return rows, nil
}

// judge has the rows without faults judged, on the date where they name none.
func judge(ctx context.Context, env *environment, checker *permit.Checker, rows []checkedRow, date geo.Date) error {
	var good []zoning.Proposal
	var which []int
	for i, row := range rows {
		if len(row.faults) > 0 {
			continue
		}
		if row.proposal.Date.IsZero() {
			row.proposal.Date = date
		}
		good, which = append(good, row.proposal), append(which, i)
	}
	answers, err := checker.Check(ctx, env.viewer(), good)
	if err != nil {
		return err
	}
	for i, at := range which {
		rows[at].answer = answers[i]
	}
	return nil
}

// printFaults tells on standard error which rows could not be judged, and why.
func printFaults(env *environment, rows []checkedRow) {
	for i, row := range rows {
		for _, f := range row.faults {
			fmt.Fprintf(env.stderr, "hatang: row %d: %s: %s\n", i+1, strings.TrimPrefix(f.At, "/"), f.Detail.In(env.language))
		}
	}
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
func (c *checkCommand) print(env *environment, rows []checkedRow) error {
	all := true
	results := make([]any, len(rows))
	for i, row := range rows {
		results[i] = row.answer
		if len(row.faults) > 0 {
			results[i] = map[string]any{"row": i + 1, "errors": row.faults}
		} else if !c.JSON {
			printAnswer(env, row.answer)
		}
		all = all && (row.answer.Verdict == zoning.Permitted || row.answer.Verdict == zoning.Conditional)
	}
	if c.JSON {
		var document any = map[string]any{"results": results}
		if c.File == "" {
			document = results[0]
		}
		if err := writeJSON(env.stdout, document); err != nil {
			return err
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
