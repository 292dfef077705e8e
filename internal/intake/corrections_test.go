package intake

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twpayne/go-geom"

	"hatang/geo"
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
	c := meaning.Corrections(&out, language)
	if err := errors.Join(meaning.Read(context.Background(), c.Add), c.Flush()); err != nil {
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
	var out bytes.Buffer
	c := newCorrections(&out, []string{"a"}, []Comma{CommaUnknown}, true, "vi")
	g := geom.NewPointFlat(geom.XY, []float64{1, 2})
	if err := c.Add(&Record{Row: 7, Cells: []any{-1.5}, Geometry: g, Faults: []Fault{{Rule: RuleUnit, Detail: geo.Text{VI: "=x", EN: "y"}, Readings: []string{"A", "B"}}}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil || out.String() != "\ufeffhàng tệp gốc,a,wkt,lý do từ chối,gợi ý sửa\n7,-1.5,POINT (1 2),'=x,: A | B\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
