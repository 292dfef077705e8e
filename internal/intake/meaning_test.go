package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// understood reads a table as rows of a layer.
func understood(t testing.TB, m *table, layerName string, o Options) (*Report, []Record) {
	t.Helper()
	return understoodAs(t, m, layerNamed(t, layerName), o)
}

func understoodAs(t testing.TB, m *table, l *layer.Layer, o Options) (*Report, []Record) {
	t.Helper()
	meaning, err := Understand(context.Background(), m, l, o)
	if err != nil {
		t.Fatal(err)
	}
	var records []Record
	if err := meaning.Read(context.Background(), func(r *Record) error {
		records = append(records, *r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return meaning.Report(), records
}

// sound fails the test where something was refused.
func sound(t *testing.T, what string, r *Report) {
	t.Helper()
	if !r.Ready || r.FaultCount > 0 || r.Sound != r.Rows {
		t.Errorf("%s: ready %t, %d of %d rows sound, %s, %+v", what, r.Ready, r.Sound, r.Rows, r.Placement.Why.EN, r.Faults[:min(3, len(r.Faults))])
	}
}

// TestPlacesOfFiles: the files of offices that tell places put every commune where it is.
func TestPlacesOfFiles(t *testing.T) {
	facts := communeFacts(t)
	g := NewGazetteer(dienBien(t))
	for _, tt := range []struct {
		file    string
		options Options
		metres  float64 // what its digits are good for
	}{
		{"toado_vn2000_kttt103.csv", Options{}, 0.1}, // its note tells the grid
		{"toado_vn2000_kttt103.csv", Options{CRS: "EPSG:9205", Known: knownPlaces(t)}, 0.1},
		{"toado_vn2000_kttt105_sai.csv", Options{CRS: "VN-2000 / TM-3 zone 482"}, 0.1},
		{"diem_dms_cp1258.csv", Options{}, 2.2},
	} {
		tt.options.Territory, tt.options.Gazetteer = province(), g
		file := messyCSV(t, tt.file)
		report, records := understood(t, file, "commune_centres", tt.options)
		sound(t, tt.file, report)
		for _, r := range records {
			code, _ := r.Feature.Properties["commune_code"].(string)
			if code == "" {
				code, _ = r.Feature.Properties["code"].(string)
			}
			p, ok := r.Feature.Geometry.(orb.Point)
			if d := geo.DistanceM(p, facts[code].at); !ok || !(d <= tt.metres) {
				t.Errorf("%s: %s lies at %v, %.2f m off", tt.file, code, p, d)
			}
		}
		if len(records) != len(file.rows) || len(records) < 25 {
			t.Errorf("%s: %d rows", tt.file, len(records))
		}
	}
}

func TestFilesThatAreNotWhatTheySay(t *testing.T) {
	for name, tt := range map[string]struct {
		table   *table
		options Options
		outcome Outcome
	}{
		"wrong meridian":               {messyCSV(t, "toado_vn2000_kttt105_sai.csv"), Options{CRS: "EPSG:9205"}, Refused},
		"nothing said":                 {messyCSV(t, "toado_vn2000_kttt105_sai.csv"), Options{}, Asks},
		"latitude first":               {geoJSONTable(t, dataFile(t, "messy", "geojson_latlon_swapped.geojson")), Options{LonLat: true}, Refused},
		"an old crs that is not meant": {geoJSONTable(t, dataFile(t, "messy", "geojson_crs_epsg9205.geojson")), Options{CRS: "EPSG:3405", LonLat: true}, Refused},
		"a system nobody knows":        {messyCSV(t, "toado_vn2000_kttt105_sai.csv"), Options{CRS: "HN-72"}, Asks},
	} {
		tt.options.Territory = province()
		report, records := understood(t, tt.table, "communes", tt.options)
		if name == "wrong meridian" || name == "nothing said" || name == "a system nobody knows" {
			report, records = understood(t, tt.table, "commune_centres", tt.options)
		}
		if report.Ready || report.Placement.Outcome != tt.outcome || report.FaultsByRule[RuleCRS] != 1 {
			t.Errorf("%s: %s, ready %t, %v", name, report.Placement.Outcome, report.Ready, report.FaultsByRule)
		}
		for _, r := range records {
			if r.Feature.Geometry != nil {
				t.Fatalf("%s: a place was taken", name)
			}
		}
	}
	swapped := geoJSONTable(t, dataFile(t, "messy", "geojson_latlon_swapped.geojson"))
	report, records := understood(t, swapped, "communes", Options{LonLat: true, Axis: NorthFirst, Territory: province()})
	sound(t, "latitude first, said so", report)
	old := geoJSONTable(t, dataFile(t, "messy", "geojson_crs_epsg9205.geojson"))
	report, metres := understood(t, old, "communes", Options{LonLat: true, Territory: province()})
	sound(t, "an old crs member", report)
	for i, r := range records {
		a, okA := r.Feature.Geometry.(orb.MultiPolygon)
		b, okB := metres[i].Feature.Geometry.(orb.MultiPolygon)
		if !okA || !okB || geo.DistanceM(a[0][0][0], b[0][0][0]) > 0.02 {
			t.Fatalf("row %d: %v and %v", r.Row, a[0][0][0], b[0][0][0])
		}
	}
}

// TestUnitsOfRows: communes that a file only names get the codes of these.
func TestUnitsOfRows(t *testing.T) {
	file := geoJSONTable(t, dataFile(t, "messy", "geojson_names_messy.geojson"))
	want := make([]any, len(file.rows))
	for i := range file.rows {
		want[i] = file.rows[i].Cells[3]
		file.rows[i].Cells = file.rows[i].Cells[2:3]
		file.rows[i].Geometry = nil
	}
	file.columns = []string{"ten"}
	report, records := understood(t, file, "communes", Options{Gazetteer: NewGazetteer(dienBien(t))})
	sound(t, "names", report)
	for i, r := range records {
		if r.Feature.Properties["code"] != want[i] {
			t.Errorf("row %d is %v, not %v", r.Row, r.Feature.Properties["code"], want[i])
		}
		if _, named := r.Feature.Properties["name"]; named {
			t.Errorf("row %d: the name in capitals would be stored", r.Row)
		}
	}
	if report.Units[UnitByName] != 130 || report.Placement.Outcome != NoPlace {
		t.Errorf("%v, %s", report.Units, report.Placement.Outcome)
	}

	sites := &table{columns: []string{"Mã trạm", "Xã", "Huyện", "Mã xã"}, rows: []tables.Row{
		{Number: 2, Cells: []any{"A", "Na Tong", "Tuần Giáo", nil}}, {Number: 3, Cells: []any{"B", "Na Tông", "H. Điện Biên", nil}}, {Number: 4, Cells: []any{"C", "na tong", nil, nil}},
		{Number: 5, Cells: []any{"D", "Him Lam", "TP ĐBP", nil}}, {Number: 6, Cells: []any{"E", nil, nil, 3127.0}}, {Number: 7, Cells: []any{"F", nil, nil, nil}},
	}}
	report, records = understood(t, sites, "bts_sites", Options{Gazetteer: NewGazetteer(dienBien(t))})
	var got []string
	for _, r := range records {
		got = append(got, fmt.Sprintf("%v/%d", r.Feature.Properties["commune_code"], len(r.Faults)))
	}
	if s := strings.Join(got, " "); s != "03263/0 03365/0 <nil>/1 03127/1 03127/0 <nil>/0" {
		t.Error(s, report.Faults)
	}
	if len(report.UnitGuesses) != 2 || report.UnitGuesses[1] != (UnitGuess{"3127", "03127", "Phường Him Lam", UnitByPaddedCode, 1}) {
		t.Errorf("%+v", report.UnitGuesses)
	}
	report, records = understood(t, sites, "bts_sites", Options{})
	if len(report.NotTaken) != 2 || records[0].Feature.Properties["commune_code"] != nil {
		t.Errorf("without units: %q", report.NotTaken)
	}
}

// badSites is a table with a fault of every kind, and two sound rows.
func badSites() *table {
	rows := [][]any{
		{"S1", "Trạm 1", "A2b", "45,5", "5/3/2020", "có", "103,033544", "21,385460", nil},
		{"S2", "Trạm 2", "A2d", "cao", "30/2/2020", "có lẽ", "103°02'61\"Đ", "21,38", nil},
		{"S3", "Trạm 3", "A1a", "1.234", "2020", nil, "103,03", nil, nil},
		{"S4", "Trạm 4", "A1a", 12.345, time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC), true, "10,5", "21,38", "2019"},
		{"=S5", "Trạm 5", "a1a", "12", "1-2-2020", "x", 103.033544, 21.38546, "1/1/2019"},
		{"S1", "Trạm 6", "A1a", nil, nil, nil, "103,033544", "21,385460", nil},
	}
	t := &table{columns: []string{"Mã trạm", "Tên trạm", "Loại cột", "Chiều cao (m)", "Hiệu lực từ", "Ngụy trang", "Kinh độ", "Vĩ độ", "Hiệu lực đến"}}
	for i, cells := range rows {
		t.rows = append(t.rows, tables.Row{Number: int64(i + 2), Cells: cells})
	}
	return t
}

func TestEveryFaultAtOnce(t *testing.T) {
	report, records := understood(t, badSites(), "bts_sites", Options{Territory: province()})
	want := map[int64]string{
		2: "", 3: "mast_type:vocabulary height_m:number valid_from:date concealed:boolean @lon:position", 4: "height_m:number @lat:position",
		5: "valid_to:date_readings @lon:outside", 6: "valid_to:period", 7: "",
	}
	for _, r := range records {
		var got []string
		for _, f := range r.Faults {
			i := indexOf(badSites().columns, f.Column)
			got = append(got, report.Columns[i].To+":"+string(f.Rule))
			if f.Row != r.Row || f.Detail.VI == "" || f.Detail.EN == "" || strings.Contains(f.Detail.EN+f.Detail.VI, "%!") {
				t.Errorf("%+v", f)
			}
		}
		if s := strings.Join(got, " "); s != want[r.Row] {
			t.Errorf("row %d: %q, want %q", r.Row, s, want[r.Row])
		}
	}
	if !report.Ready || report.Rows != 6 || report.Sound != 2 || report.FaultCount != 10 || len(report.Faults) != 10 || report.FaultsByRule[RulePosition] != 2 {
		t.Errorf("%+v", report)
	}
	if len(report.Duplicates) != 2 || report.Duplicates[0].By != "code" || report.Duplicates[1].By != "place" {
		t.Errorf("%+v", report.Duplicates)
	}
	report, _ = understood(t, badSites(), "bts_sites", Options{Territory: province(), MaxFaults: 3})
	if report.FaultCount != 10 || len(report.Faults) != 3 {
		t.Errorf("%d faults, %d kept", report.FaultCount, len(report.Faults))
	}
	report, records = understood(t, badSites(), "bts_sites", Options{Territory: province(), AllowOutside: true})
	if report.FaultsByRule[RuleOutside] != 0 || records[3].Feature.Geometry != (orb.Point{10.5, 21.38}) {
		t.Errorf("outside was not allowed: %v", report.FaultsByRule)
	}
}

// TestReportsAreTheSame: reading again gives the same report, and it is JSON with every list there.
func TestReportsAreTheSame(t *testing.T) {
	var texts []string
	for range 2 {
		meaning, err := Understand(context.Background(), badSites(), layerNamed(t, "bts_sites"), Options{Territory: province(), Gazetteer: NewGazetteer(dienBien(t))})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := meaning.Read(context.Background(), func(*Record) error { return nil }); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(meaning.Report())
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(text))
		}
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%s\nis not\n%s", text, texts[0])
		}
	}
	if strings.Contains(texts[0], "null") {
		t.Errorf("a list is null: %s", texts[0])
	}
}

// TestRowsWithoutAPlace: where others tell one, they are told of.
func TestRowsWithoutAPlace(t *testing.T) {
	file := csvTable(t, []byte("code,name,status,lon,lat\nA,x,existing,103.01,21.4\nB,y,existing,,\nC,z,existing,103.02,21.41\n"), ',')
	report, records := understood(t, file, "kiosks", Options{Territory: province()})
	if report.Unplaced != 1 || len(report.UnplacedRows) != 1 || report.UnplacedRows[0] != 3 || len(records) != 3 {
		t.Errorf("%d rows without a place: %v", report.Unplaced, report.UnplacedRows)
	}
	report, _ = understood(t, csvTable(t, []byte("code,name\nA,x\nB,y\n"), ','), "kiosks", Options{Territory: province()})
	if report.Unplaced != 0 {
		t.Errorf("%d of a file that tells no places", report.Unplaced)
	}
}
