package permit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
)

// byLongitude is a judge whose verdict depends on the place alone: the degree of
// longitude modulo four.
type byLongitude struct{ asked *atomic.Int64 }

func (j byLongitude) Verdict(p zoning.Proposal) (zoning.Place, zoning.Verdict) {
	if j.asked != nil {
		j.asked.Add(1)
	}
	verdicts := []zoning.Verdict{zoning.Permitted, zoning.Conditional, zoning.Refused, zoning.Undetermined}
	n := int(math.Abs(math.Floor(p.Point[0])))
	return zoning.Place{Commune: fmt.Sprintf("c%d", n), District: "d", Territory: "11"}, verdicts[n%4]
}

func (j byLongitude) Findings(p zoning.Proposal) Answer {
	place, verdict := j.Verdict(p)
	a := Answer{Point: p.Point, Unit: &Unit{place.Commune, place.District, place.Territory}, Versions: j.Versions()}
	a.Result = zoning.Result{Verdict: verdict, Date: p.Date, RuleSet: "r@1", AllowedTypes: []geo.MastType{geo.A1a, geo.A1b}, Alternatives: []zoning.Alternative{},
		Findings: []zoning.Finding{{Rule: "ZONE-b", Outcome: zoning.Fail, Binding: true, Decides: verdict != zoning.Permitted}}}
	return a
}

func (j byLongitude) Check(p zoning.Proposal) Answer {
	a := j.Findings(p)
	a.Findings[0].Message = geo.Text{VI: "không, \"được\"", EN: "no; not allowed"}
	return a
}

func (j byLongitude) Versions() layer.Versions { return layer.Versions{"mast_zones": 7} }

func (j byLongitude) Generalised() bool { return false }

func (j byLongitude) Among(Listed) Judge { return j }

func (byLongitude) Lacks(*zoning.Proposal) *layer.InvalidError { return nil }

// batchOf is a batch with that judge.
func batchOf(format RowFormat, out OutFormat, d Detail) *Batch {
	return &Batch{
		Format: format, Out: out, Detail: d, Language: "en", Date: geo.NewDate(2020, 6, 30),
		Open: func(context.Context, geo.Date) (Judge, error) { return byLongitude{}, nil },
		Few:  func(_ context.Context, p zoning.Proposal) (Answer, error) { return byLongitude{}.Check(p), nil },
		Text: func(dst []byte, a *Answer) []byte { return fmt.Appendf(dst, "%s\n", a.Verdict) },
	}
}

func runBatch(t testing.TB, b *Batch, in string) (string, Tally, error) {
	t.Helper()
	var out bytes.Buffer
	tally, err := b.Run(t.Context(), strings.NewReader(in), &out)
	return out.String(), tally, err
}

func TestCSVIn(t *testing.T) {
	const q = `"`
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "lon,lat,mast_type\n0,1,A2b\n1,1,A2b\n2,1,A2b\n3,1,A2b\n", `lon,lat,mast_type,verdict,commune,district,errors
0,1,A2b,permitted,c0,d,
1,1,A2b,conditional,c1,d,
2,1,A2b,refused,c2,d,
3,1,A2b,undetermined,c3,d,
`},
		{"bad rows in place", "id,lon,lat,mast_type,height_m\na,0,91,A2b,\nb,0,1,A2b,7\n,x,1,A9,-1\n0,0,1,A2b\n" + q + "d" + q + "x,0,1,A2b,\ne,0,1,A2b,1,2\nf,0,1," + q + "A2b" + q + ",\n",
			`id,lon,lat,mast_type,height_m,verdict,commune,district,errors
a,0,91,A2b,,,,,row 1: lat: must be within ±90 degrees
b,0,1,A2b,7,permitted,c0,d,
,x,1,A9,-1,,,,"row 3: lon: must be a number; mast_type: ""A9"" is not one of A1a, A1b, A2a, A2b; height_m: must be over 0 and at most 1000 m"
0,0,1,A2b,,,,,"row 4: has 4 cells, the line of column names has 5"
,,,,,,,,row 5: a quotation mark is misplaced
e,0,1,A2b,1,,,,"row 6: has 6 cells, the line of column names has 5"
f,0,1,"A2b",,permitted,c0,d,
`},
		{"semicolons, decimal commas, marks, CRLF", "\ufefflon;lat;Mast_Type;ghi chú\r\n0,5;1,5;A2b;\"a;\"\"b\"\"\r\nc\"\r\n\r\n1.5;1;A2b;\r\n",
			"\ufefflon;lat;Mast_Type;ghi chú;verdict;commune;district;errors\n0,5;1,5;A2b;\"a;\"\"b\"\"\r\nc\";permitted;c0;d;\n1.5;1;A2b;;conditional;c1;d;\n"},
		{"tabs", "lon\tlat\tmast_type\n0\t1\tA2b", "lon\tlat\tmast_type\tverdict\tcommune\tdistrict\terrors\n0\t1\tA2b\tpermitted\tc0\td\t\n"},
		{"a quotation mark that never closes costs its row alone", "code,lon,lat,mast_type\n" + q + "a,0,1,A2b\nb,0,1,A2b\nc,1,1,A2b\n",
			"code,lon,lat,mast_type,verdict,commune,district,errors\n,,,,,,,row 1: a quotation mark does not close\nb,0,1,A2b,permitted,c0,d,\nc,1,1,A2b,conditional,c1,d,\n"},
		{"an answer judged again", "verdict,lon,lat,mast_type,errors\nrefused,0,1,A2b,x\n", "lon,lat,mast_type,verdict,commune,district,errors\n0,1,A2b,permitted,c0,d,\n"},
		{"a mark inside a cell", "code,lon,lat,mast_type\n12" + q + ",0,1,A2b\nb,0,1,A2b\n", "code,lon,lat,mast_type,verdict,commune,district,errors\n12\",0,1,A2b,permitted,c0,d,\nb,0,1,A2b,permitted,c0,d,\n"},
		{"a row too long", "code,lon,lat,mast_type\n" + strings.Repeat("x", MaxRowBytes+1) + ",0,1,A2b\nb,0,1,A2b\n",
			"code,lon,lat,mast_type,verdict,commune,district,errors\n,,,,,,,row 1: is longer than 65536 bytes\nb,0,1,A2b,permitted,c0,d,\n"},
		{"a row far too long", "code,lon,lat,mast_type\na,0,1,A2b\n" + strings.Repeat("x", 5*chunkBytes) + ",0,1,A2b\nb,0,1,A2b\n",
			"code,lon,lat,mast_type,verdict,commune,district,errors\na,0,1,A2b,permitted,c0,d,\n,,,,,,,row 2: is longer than 65536 bytes\nb,0,1,A2b,permitted,c0,d,\n"},
		{"places in VN-2000", "crs,x,y,mast_type\nEPSG:9205,502943.1,2367722.634,A1a\nEPSG:1,1,1,A1a\n",
			"crs,x,y,mast_type,verdict,commune,district,errors\nEPSG:9205,502943.1,2367722.634,A1a,undetermined,c103,d,\nEPSG:1,1,1,A1a,,,,\"row 2: crs: \"\"EPSG:1\"\" is not a supported reference system\"\n"},
	} {
		got, _, err := runBatch(t, batchOf(CSV, OutCSV, DetailVerdict), tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
		// However the input comes in pieces, the answer is the same.
		var out bytes.Buffer
		if _, err := batchOf(CSV, OutCSV, DetailVerdict).Run(t.Context(), iotest.HalfReader(iotest.DataErrReader(strings.NewReader(tt.in))), &out); err != nil || out.String() != got {
			t.Errorf("%s in pieces: %v\n%s", tt.name, err, cmp.Diff(got, out.String()))
		}
	}
}

// Rows of as many bytes as may be are judged, one byte more is a bad row.
func TestRowsAtTheirLimit(t *testing.T) {
	for format, row := range map[RowFormat]string{
		CSV: "PAD,0,1,A2b", FeatureCollection: `{"type":"Feature","geometry":{"type":"Point","coordinates":[0,1]},"properties":{"mast_type":"A2b","note":"PAD"}}`,
		FeatureSequence: `{"type":"Feature","geometry":{"type":"Point","coordinates":[0,1]},"properties":{"mast_type":"A2b","note":"PAD"}}`,
	} {
		for extra, bad := range map[int]int64{-1: 0, 0: 0, 1: 1} {
			in := strings.Replace(row, "PAD", strings.Repeat("x", MaxRowBytes+extra-len(row)+len("PAD")), 1)
			out := OutSequence
			switch format {
			case CSV:
				in, out = "note,lon,lat,mast_type\n"+in+"\n", OutCSV
			case FeatureCollection:
				in = `{"type":"FeatureCollection","features":[` + in + `]}`
			case FeatureSequence:
				in += "\n"
			}
			_, tally, err := runBatch(t, batchOf(format, out, DetailVerdict), in)
			if err != nil || tally.Rows != 1 || tally.Bad != bad {
				t.Errorf("format %v, limit%+d: %+v, %v", format, extra, tally, err)
			}
		}
	}
}

func TestCSVDetails(t *testing.T) {
	const in = "lon,lat,mast_type\n2,1,A2b\n0,99,A2b\n"
	got, tally, err := runBatch(t, batchOf(CSV, OutCSV, DetailFindings), in)
	want := "lon,lat,mast_type,verdict,commune,district,provisional,allowed_types,rules,rule_set,data_date,errors\n2,1,A2b,refused,c2,d,false,A1a A1b,ZONE-b,r@1,2020-06-30,\n0,99,A2b,,,,,,,,,row 2: lat: must be within ±90 degrees\n"
	if err != nil || got != want || tally.Rows != 2 || tally.Bad != 1 || tally.Refused != 1 || len(tally.Faults) != 1 || tally.Faults[0].Row != 2 {
		t.Errorf("%v, %+v\n%s", err, tally, cmp.Diff(want, got))
	}
	full := batchOf(CSV, OutCSV, DetailFull)
	full.Language = "vi"
	got, _, err = runBatch(t, full, in)
	want = "lon,lat,mast_type,verdict,commune,district,provisional,allowed_types,rules,reasons,rule_set,data_date,errors\n2,1,A2b,refused,c2,d,false,A1a A1b,ZONE-b,\"không, \"\"được\"\"\",r@1,2020-06-30,\n0,99,A2b,,,,,,,,,,hàng 2: lat: phải nằm trong ±90 độ\n"
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
}

func TestInputsThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		format   RowFormat
		in, says string
	}{
		{CSV, "", "no line of column names"},
		{CSV, "\ufeff\n\n", "no line of column names"},
		{CSV, "a,b\n1,2\n", "mast_type"},
		{CSV, "lon,lat,lat,mast_type\n", "twice"},
		{CSV, "l\x00o\x00n\x00", "UTF-8"},
		{CSV, "\"lon,lat\nmast_type", "close"},
		{CSV, strings.Repeat("lon,lat,mast_type,", MaxRowBytes), "too long"},
		{CSV, "lon,lat,mast_type" + strings.Repeat(",x", 200) + "\n", "at most 200"},
		{FeatureCollection, "", "empty"},
		{FeatureCollection, "[]", "not GeoJSON"},
		{FeatureCollection, `{"type":"FeatureCollection"}`, "lacks"},
		{FeatureCollection, `{"type":"Topology","features":[]}`, "FeatureCollection"},
		{FeatureCollection, `{"type":"FeatureCollection","features":[`, "breaks off"},
		{FeatureCollection, `{"type":"FeatureCollection","features":[]`, "breaks off"},
		{FeatureCollection, `{"type":"FeatureCollection","features":[]} x`, "follows"},
		{FeatureCollection, `{"type":"FeatureCollection","features":{}}`, "not a list"},
		{FeatureCollection, `{"type":"FeatureCollection","features":[}`, "does not close"},
		{FeatureCollection, `{"type":"FeatureCollection","features":[],"crs":{"properties":{"name":"EPSG:9205"}}}`, "after the features"},
		{FeatureCollection, `{"crs":{"properties":{"name":"EPSG:1"}}}`, "not a supported"},
		{FeatureCollection, `{type:1}`, "broken"},
		{FeatureCollection, `{"a":"` + strings.Repeat("x", 3*MaxRowBytes), "breaks off"},
		{FeatureSequence, " \n", "empty"},
	} {
		out := OutSequence
		if tt.format == CSV {
			out = OutCSV
		}
		_, _, err := runBatch(t, batchOf(tt.format, out, DetailVerdict), tt.in)
		if !errors.Is(err, ErrNoRows) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.60q: %v, want %q", tt.in, err, tt.says)
		}
		if text, ok := NoRowsText(err); ok && text.VI == "" {
			t.Errorf("%.60q is not said in Vietnamese", tt.in)
		}
	}
}

const (
	goodFeature = `{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[0.5,1]},"properties":{"mast_type":"A2b","name":"Mường Thanh","lon":99,"verdict":"x"}}`
	goodAnswer  = `{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[0.5,1]},"properties":{"mast_type":"A2b","name":"Mường Thanh","lon":99,"verdict":"permitted","commune":"c0","district":"d"}}`
)

func TestGeoJSONIn(t *testing.T) {
	collection := func(features ...string) string {
		return `{"name":"x","type":"FeatureCollection","bbox":[1,2,3,4],"features":[` + strings.Join(features, ",\n ") + "],\"more\":{\"features\":[1]}}\n"
	}
	long := `{"type":"Feature","properties":{"x":"` + strings.Repeat("]}", 4*chunkBytes) + `"}}`
	for _, tt := range []struct {
		name   string
		format RowFormat
		in     string
		want   []string // of each row: its answer, or the places of its faults
	}{
		{"a collection", FeatureCollection, collection(goodFeature, goodFeature), []string{goodAnswer, goodAnswer}},
		{"an empty one", FeatureCollection, collection(), nil},
		{"a single feature", FeatureCollection, " " + strings.ReplaceAll(goodFeature, ",", ",\n") + "\n", []string{goodAnswer}},
		{"bad rows", FeatureCollection, collection(`null`, `5`, `{"type":"Feature","geometry":null,"properties":{"mast_type":"A9"}}`, goodFeature,
			`{"type":"Feature","geometry":{"type":"LineString","coordinates":[[1,2]]},"properties":null}`,
			`{"type":"Feature","geometry":{"type":"Point","coordinates":[1,91]},"properties":{"mast_type":"A2b","height_m":"x"}}`,
			`{"type":"Feature","geometry":{"type":"Point","coordinates":[1]},"properties":[]}`, `{"a":}`, goodFeature),
			[]string{"", "", "/geometry /properties/mast_type", goodAnswer, "/geometry/type /properties/mast_type", "/geometry/coordinates/1 /properties/height_m",
				"/properties /geometry/coordinates /properties/mast_type", "", goodAnswer}},
		{"a feature far too long", FeatureCollection, collection(goodFeature, long, goodFeature), []string{goodAnswer, "", goodAnswer}},
		{"VN-2000", FeatureCollection, `{"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::9205"}},"type":"FeatureCollection","features":[` +
			`{"type":"Feature","geometry":{"type":"Point","coordinates":[502943.1,2367722.634]},"properties":{"mast_type":"A1a"}},` +
			`{"type":"Feature","geometry":{"type":"Point","coordinates":[1e99,2367722.634]},"properties":{"mast_type":"A1a"}}]}`,
			[]string{`undetermined c103`, "/geometry/coordinates/0"}},
		{"lines", FeatureSequence, goodFeature + "\n\n" + goodFeature + "\r\n{\n" + goodFeature, []string{goodAnswer, goodAnswer, "", goodAnswer}},
		{"a sequence", FeatureSequence, "\x1e" + goodFeature + "\n\x1e\x1e" + strings.ReplaceAll(goodFeature, ",", ",\n") + "\n\x1e{\n\x1e" + goodFeature + "\n", []string{goodAnswer, goodAnswer, "", goodAnswer}},
		{"a line far too long", FeatureSequence, goodFeature + "\n" + long + "\n" + goodFeature + "\n", []string{goodAnswer, "", goodAnswer}},
	} {
		for _, reader := range []io.Reader{strings.NewReader(tt.in), iotest.HalfReader(strings.NewReader(tt.in))} {
			var out bytes.Buffer
			if _, err := batchOf(tt.format, OutGeoJSON, DetailVerdict).Run(t.Context(), reader, &out); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if diff := cmp.Diff(tt.want, summaries(t, out.Bytes(), goodAnswer)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.name, diff)
			}
		}
	}
}

// summaries says of each feature of an answer that it is the good one, or its
// verdict, or where its faults are.
func summaries(t *testing.T, raw []byte, good string) (list []string) {
	t.Helper()
	var doc struct {
		Features []json.RawMessage
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	for _, f := range doc.Features {
		var one struct {
			Properties struct {
				Verdict, Commune string
				Errors           []struct{ At string }
			}
		}
		var compact bytes.Buffer
		if err := errors.Join(json.Unmarshal(f, &one), json.Compact(&compact, f)); err != nil {
			t.Fatal(err)
		}
		var places []string
		for _, e := range one.Properties.Errors {
			places = append(places, e.At)
		}
		switch {
		case compact.String() == good:
			list = append(list, good)
		case one.Properties.Verdict != "":
			list = append(list, one.Properties.Verdict+" "+one.Properties.Commune)
		default:
			list = append(list, strings.Join(places, " "))
		}
	}
	return list
}

func TestSequencesAndLinesHaveAFeatureOnEachLine(t *testing.T) {
	in := "\x1e" + strings.ReplaceAll(goodFeature, ",", ",\r\n") + "\n\x1e{}\n"
	for out, prefix := range map[OutFormat]string{OutSequence: "\x1e", OutLines: ""} {
		got, _, err := runBatch(t, batchOf(FeatureSequence, out, DetailFull), in)
		lines := strings.Split(got, "\n")
		if err != nil || len(lines) != 3 || lines[2] != "" {
			t.Fatalf("%v, %q", err, got)
		}
		for _, line := range lines[:2] {
			if !strings.HasPrefix(line, prefix) || !json.Valid([]byte(line[len(prefix):])) {
				t.Errorf("%q", line)
			}
		}
	}
}

// The results are those of the API, with the row's name in front.
func TestResults(t *testing.T) {
	in := "id,lon,lat,mast_type\nk,2,1,A2b\n,0,99,A2b\n"
	for d, want := range map[Detail]string{
		DetailVerdict: `{"results":[
{"id":"k","verdict":"refused","date":"2020-06-30","unit":{"commune":"c2","district":"d","province":"11"},"point":[2,1],"versions":{"mast_zones":7}},
{"row":2,"id":"","errors":[{"at":"/lat","detail":{"vi":"phải nằm trong ±90 độ","en":"must be within ±90 degrees"}}]}
],"summary":{"rows":2,"permitted":0,"conditional":0,"refused":1,"undetermined":0,"not_judged":1}}
`,
		DetailFull: "",
	} {
		got, _, err := runBatch(t, batchOf(CSV, OutResults, d), in)
		if err != nil || want != "" && got != want || !json.Valid([]byte(got)) {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
	}
}

func TestCSVBecomesGeoJSON(t *testing.T) {
	got, tally, err := runBatch(t, batchOf(CSV, OutLines, DetailVerdict), "id;lon;lat;mast_type;note;concealed\n7;0,5;1;A2b;x;1\n")
	want := `{"type":"Feature","id":"7","geometry":{"type":"Point","coordinates":[0.5,1]},"properties":{"id":"7","lon":0.5,"lat":1,"mast_type":"A2b","note":"x","concealed":true,"verdict":"permitted","commune":"c0","district":"d"}}` + "\n"
	if err != nil || got != want || cmp.Diff(tally.Ignored, []string{"note"}) != "" {
		t.Errorf("%v, %v\n%s", err, tally.Ignored, cmp.Diff(want, got))
	}
}
