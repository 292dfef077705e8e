package permit

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/geo/zoning"
)

// reading is what was made of a row.
type reading struct {
	Proposal zoning.Proposal
	Bad      bool
}

var sameDates = cmp.Comparer(func(a, b geo.Date) bool { return a == b })

// compareReadings reads a row both ways and compares, when the fast way takes it.
func compareReadings(t *testing.T, text []byte, fast func(*row) bool, strictly func(*row)) {
	t.Helper()
	quick := &row{text: text}
	if !fast(quick) {
		return
	}
	slow := &row{text: text}
	strictly(slow)
	if diff := cmp.Diff(reading{slow.Proposal, len(slow.faults) > 0}, reading{quick.Proposal, len(quick.faults) > 0}, sameDates); diff != "" {
		t.Errorf("%q (-definition +fast)\n%s", text, diff)
	}
	if diff := cmp.Diff(slow.feature.kept, quick.feature.kept); diff != "" && len(slow.feature.kept)+len(quick.feature.kept) > 0 {
		t.Errorf("%q keeps (-definition +fast)\n%s", text, diff)
	}
}

// FuzzCSVRows: whatever text comes as CSV, every row is answered or refused in its
// place, rows end where the rule says and cells are those that encoding/csv finds where it finds any, and the fast
// way reads what the definition does.
func FuzzCSVRows(f *testing.F) {
	for _, seed := range []string{
		"lon,lat,mast_type\n0,1,A2b\n", "\ufeffid;lon;lat;mast_type;height_m\r\n\"a\"\"b\";0,5;1;A1a;7\r\n\r\n;;;;\r\n",
		"lon\tlat\tmast_type\tconcealed\n 1 \t2\tA2b\ttrue\n1\t2\n", "lon,lat,mast_type\n\"0\n\",1,A2b\n\"x,1\n", "crs,x,y,mast_type,date\nEPSG:9205,500000,2.36e6,A2b,2020-02-30\n",
		"sep=;\nlon;lat;mast_type\n0;1;A2b\n", "verdict,lon,lat,mast_type,errors\nx,+1,.5,A2b,1_0\n", "lon,lat,mast_type\n0x1p3,Inf,A2b\n1,2,A2b,\n",
		"lon,lat,mast_type\n0,1,\"abc\n0,1,\"def\n0,1,ok\n\"a\n\"x\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		tally, err := batchOf(CSV, OutCSV, DetailVerdict).Run(t.Context(), bytes.NewReader(in), &out)
		if err != nil {
			return // said why; that it is ErrNoRows is TestInputsThatCannotBeRead's
		}
		if tally.Rows != tally.Bad+tally.Permitted+tally.Conditional+tally.Refused+tally.Undetermined {
			t.Errorf("%q: %+v", in, tally)
		}
		feed := &feed{in: bytes.NewReader(in)}
		table, err := openCSV(feed)
		if err != nil {
			t.Fatal(err)
		}
		checkAnswerTable(t, in, out.Bytes(), table, tally.Rows)
		if len(in) < 4096 { // the rule by itself takes its time
			checkRule(t, string(in))
		}
		for _, line := range bytes.Split(in, []byte("\n")) {
			checkCells(t, table, line)
		}
	})
}

// checkAnswerTable: the answer is CSV again, with as many rows as were read and as
// many cells in each.
func checkAnswerTable(t *testing.T, in, out []byte, table *table, rows int64) {
	t.Helper()
	again := &feed{in: bytes.NewReader(out)}
	back, err := openCSV(again)
	if err != nil {
		t.Fatalf("%q: the answer %q: %v", in, out, err)
	}
	c, n := &chunk{}, int64(0)
	for {
		some, err := again.fill(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !some {
			break
		}
		for _, r := range c.rows {
			n++
			var scratch []byte
			cells, whole := back.split(nil, c.in[r.from:r.to], &scratch)
			if r.flaw != flawless || !whole || len(cells) != len(back.columns) {
				t.Errorf("%q: row %d of the answer %q is broken", in, n, out)
			}
		}
	}
	if n != rows {
		t.Errorf("%q: %d rows, %d answers: %q", in, rows, n, out)
	}
}

func checkCells(t *testing.T, table *table, line []byte) {
	t.Helper()
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 || bytes.ContainsRune(line, '\r') {
		return // encoding/csv reads line ends within cells its own way
	}
	reader := csv.NewReader(bytes.NewReader(line))
	reader.Comma = rune(table.separator)
	want, err := reader.Read()
	var scratch []byte
	cells, whole := table.split(nil, line, &scratch)
	if err == nil {
		var got []string
		for _, c := range cells {
			got = append(got, string(c.text))
		}
		if diff := cmp.Diff(want, got); diff != "" || !whole {
			t.Errorf("%q (-encoding/csv +ours)\n%s", line, diff)
		}
	}
	if whole && len(cells) == len(table.columns) {
		compareReadings(t, line, func(r *row) bool {
			r.cells, _ = table.split(nil, line, &r.scratch)
			return table.readFast(r, geo.NewDate(2020, 6, 30))
		}, func(r *row) {
			r.cells, _ = table.split(nil, line, &r.scratch)
			table.readStrictly(r, geo.NewDate(2020, 6, 30))
		})
	}
}

// FuzzFeatureRows: whatever text comes as features, in a collection, a sequence or
// lines, the answer is GeoJSON with a feature for each, and the fast way reads what
// the definition does.
func FuzzFeatureRows(f *testing.F) {
	for _, seed := range []string{
		goodFeature, `{"type":"FeatureCollection","features":[` + goodFeature + `,{},null]}`, "\x1e" + goodFeature + "\n\x1e{\n", goodFeature + "\n" + goodFeature + "\n[\n",
		`{"features":[{"type":"Feature","id":"\u00e9","bbox":[1],"geometry":{"coordinates":[1e1,-2,3],"type":"Point"},"properties":{"mast_type":"A1b","structure":"camouflaged","a":{"b":[1,"]"]},"\u0061":null}}],"type":"FeatureCollection"}`,
		`{"crs":{"properties":{"name":"EPSG:9205"}},"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[5e5,2e6]},"properties":{"mast_type":"A1a"}}]}`,
		`{"type":"Feature","Type":"x","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"mast_type":"A1a","mast_type":"A2b"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, format := range []RowFormat{FeatureCollection, FeatureSequence} {
			var out bytes.Buffer
			tally, err := batchOf(format, OutGeoJSON, DetailFindings).Run(t.Context(), bytes.NewReader(in), &out)
			if err != nil {
				continue
			}
			var doc struct{ Features []json.RawMessage }
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil || int64(len(doc.Features)) != tally.Rows {
				t.Errorf("%q: %d rows, %v in %q", in, tally.Rows, err, out.Bytes())
			}
			lines, _, err := runBatch(t, batchOf(format, OutLines, DetailVerdict), string(in))
			if n := int64(strings.Count(lines, "\n")); err != nil || n != tally.Rows {
				t.Errorf("%q: %d rows, %d lines, %v", in, tally.Rows, n, err)
			}
		}
		for _, crs := range []*geo.CRS{nil, projected(t)} {
			fs := &features{crs: crs, ignored: map[string]bool{}}
			compareReadings(t, in, func(r *row) bool { return fs.readFast(r, geo.NewDate(2020, 6, 30)) },
				func(r *row) { fs.readStrictly(r, geo.NewDate(2020, 6, 30)) })
		}
	})
}

func projected(t *testing.T) *geo.CRS {
	t.Helper()
	crs, err := geo.ParseCRS("EPSG:9205")
	if err != nil {
		t.Fatal(err)
	}
	return &crs
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]RowFormat{
		"": 0, "\n": 0, "lon,lat\n": CSV, "\ufefflon;lat": CSV, "sep=;\nlon;lat": CSV, "\x1e{}": FeatureSequence, `{"type":"FeatureCollection"`: FeatureCollection,
		goodFeature: FeatureCollection, goodFeature + "\n": FeatureCollection, goodFeature + "\n" + goodFeature: FeatureSequence, "{\n": FeatureCollection,
	} {
		if got := Sniff([]byte(text)); got != want {
			t.Errorf("%.40q: %d, want %d", text, got, want)
		}
	}
}

// The number of lines that a quotation mark may swallow is bounded, and so is the
// work for it.
func TestAnOpenQuotationMarkBeforeManyLines(t *testing.T) {
	in := "code,lon,lat,mast_type\n" + strings.Repeat("\"a,0,1,A2b\nb,0,1,A2b\n", 1) + strings.Repeat("c,0,1,A2b\n", 3*MaxRowBytes/10)
	_, tally, err := runBatch(t, batchOf(CSV, OutCSV, DetailVerdict), in)
	if err != nil || tally.Bad != 1 || tally.Permitted != int64(1+3*MaxRowBytes/10) {
		t.Errorf("%v, %+v", err, tally)
	}
}

// A reader that gives nothing for ever is not asked for ever.
func TestAReaderWithoutProgress(t *testing.T) {
	for _, format := range []RowFormat{CSV, FeatureCollection} {
		if _, err := batchOf(format, OutGeoJSON, DetailVerdict).Run(t.Context(), nothing{}, io.Discard); err == nil {
			t.Error("no error")
		}
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }
