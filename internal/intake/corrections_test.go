package intake

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/twpayne/go-geom"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// corrections are the rows of a table that are refused, as a file.
func corrections(t testing.TB, m *table, language string) []byte {
	t.Helper()
	meaning, err := Understand(context.Background(), m, layerNamed(t, "bts_sites"), Options{Territory: province()})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c, err := meaning.Correct(context.Background(), nil)
	if err == nil {
		err = c.WriteCSV(&out, language)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCorrectionsComeBack: the rows that are refused are written as they stood, with reasons;
// filled in, the file is read as the first was.
func TestCorrectionsComeBack(t *testing.T) {
	for _, language := range []string{"vi", "en"} {
		again := csvTable(t, corrections(t, badSites(), language), ',')
		if len(again.rows) != 4 || again.rows[0].Cells[1] != "S2" || again.rows[3].Cells[1] != "'=S5" || again.rows[2].Cells[4] != "12,3450" || !strings.Contains(tables.CellText(again.rows[0].Cells[10]), "Loại cột: ") {
			t.Fatalf("%+v", again.rows)
		}
		report, records := understood(t, again, "bts_sites", Options{Territory: province(), Strict: true})
		if !report.Ready || report.Rows != 4 || report.FaultCount != 10 {
			t.Errorf("%d faults, %+v", report.FaultCount, report.Faults)
		}
		if got := records[3].Feature.Properties["code"]; got != "=S5" {
			t.Errorf("the code comes back as %q", got)
		}
		for _, fill := range []struct {
			row, cell int
			text      string
		}{{0, 3, "A2b"}, {0, 4, "45"}, {0, 5, "1/3/2020"}, {0, 6, "có"}, {0, 7, "103°02'01\"Đ"}, {1, 4, "12,34"}, {1, 8, "21,38"}, {2, 7, "103,5"}, {2, 9, "1/1/2021"}, {3, 9, "1/1/2021"}} {
			again.rows[fill.row].Cells[fill.cell] = fill.text
		}
		if report, _ = understood(t, again, "bts_sites", Options{Territory: province(), Strict: true}); report.Sound != 4 {
			t.Errorf("filled in: %+v", report.Faults)
		}
	}
}

// TestCorrectionsOfTheStore: what the store finds is told of the column that it is about; what would
// be a formula is none; where there is no room for more rows they are counted.
func TestCorrectionsOfTheStore(t *testing.T) {
	g := geom.NewPointFlat(geom.XY, []float64{1, 2})
	row, err := corrected(&Record{Row: 7, Cells: []any{-1.5}, Geometry: g}, []Fault{{Rule: RuleUnit, Detail: geo.Text{VI: "=x", EN: "y"}, Readings: []string{"A", "B"}}}, []Comma{CommaUnknown}, true)
	if err != nil {
		t.Fatal(err)
	}
	c := &Corrections{Columns: []string{"a", "wkt"}}
	c.add(row)
	for name, tt := range map[string]struct {
		write func(io.Writer, string) error
		want  string
	}{
		"CSV":  {c.WriteCSV, "\ufeffhàng tệp gốc,a,wkt,lý do từ chối,gợi ý sửa\n7,-1.5,POINT (1 2),'=x,A | B\n"},
		"rows": {c.WriteRows, "hàng tệp gốc,a,wkt,lý do từ chối,gợi ý sửa\n7,-1.5,POINT (1 2),=x,A | B\n"},
	} {
		var out bytes.Buffer
		if err := tt.write(&out, "vi"); err != nil || out.String() != tt.want {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
	}
	for cell, want := range map[string]string{"=1+1": "'=1+1", "'=1+1": "'=1+1", "-1,5": "-1,5", "'": "'", "": ""} {
		if got := guarded(cell); got != want || plainText(got) != plainText(cell) {
			t.Errorf("%q is written as %q", cell, got)
		}
	}
	for n := len(c.Rows) + 1; n <= layer.MostCorrections+1; n++ {
		c.add(row)
		if len(c.Rows) != min(n, layer.MostCorrections) {
			t.Fatalf("of %d rows %d", n, len(c.Rows))
		}
	}
	for size, rows := range map[int]int{layer.MostCorrectionsBytes - 1: 2, layer.MostCorrectionsBytes: 1, layer.MostCorrectionsBytes + 1: 0} {
		c := &Corrections{}
		c.add(CorrectedRow{Cells: []string{strings.Repeat("x", size)}})
		if c.add(CorrectedRow{Cells: []string{"x"}}); len(c.Rows) != rows {
			t.Errorf("of %d bytes and one more %d rows are kept", size, len(c.Rows))
		}
	}

	sound := csvTable(t, []byte("Mã;Trạng thái;Loại cột;Kinh độ;Vĩ độ\nS1;existing;A2b;103,01;21,40\nS2;existing;A2b;103,02;21,41\n"), ';')
	meaning, err := Understand(context.Background(), sound, layerNamed(t, "bts_sites"), Options{Territory: province()})
	if err != nil {
		t.Fatal(err)
	}
	found, err := meaning.Correct(context.Background(), map[int64]layer.Faults{3: {{At: "/properties/code", Detail: geo.Text{VI: "đã có", EN: "is there already"}}}})
	if err != nil || len(found.Rows) != 1 || found.Rows[0].Row != 3 || found.Rows[0].Cells[0] != "S2" || found.Rows[0].Reasons.EN != "Mã: is there already" {
		t.Errorf("%+v, %v", found, err)
	}
}
