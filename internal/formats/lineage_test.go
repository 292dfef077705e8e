package formats_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// The table of the real change of 2025, as it was published: one row a commune.
func TestReadLineageOfAPublishedTable(t *testing.T) {
	in, err := os.Open(filepath.Join(testdb.TestData(t), "tables", "dienbien_official_merge_2025.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	day, err := geo.ParseDate("2025-07-01")
	if err != nil {
		t.Fatal(err)
	}
	changes, notTaken, err := formats.ReadLineage(in, layer.Lineage{Level: "commune", On: day, Act: "1661/NQ-UBTVQH15", Source: "table"})
	if err != nil || len(changes) != 129 || len(notTaken) != 0 {
		t.Fatalf("%d rows, not taken %v, %v", len(changes), notTaken, err)
	}
	first := changes[0]
	want := layer.Lineage{Level: "commune", Predecessor: "03127", Successor: "03127", On: day, Part: layer.Whole, Act: "1661/NQ-UBTVQH15", Source: "table"}
	if first.Lineage != want || first.Name != "Phường Điện Biên Phủ" || first.PredecessorName != "Phường Him Lam" || first.Row != 1 {
		t.Errorf("the first row: %+v", first)
	}
	for _, c := range changes {
		if len(c.Faults) > 0 {
			t.Errorf("row %d: %v", c.Row, c.Faults)
		}
	}
}

// Headings and words as offices write them.
func TestReadLineageInVietnamese(t *testing.T) {
	const text = "\uFEFFMã cũ;TÊN CŨ;Mã mới;Tên mới;Phạm vi;Ngày hiệu lực;Nghị quyết;Ghi chú;Dân số\r\n" +
		"03144;Xã Tà Lèng;03145;Xã Thanh Minh;Toàn bộ;1/1/2020;815/NQ-UBTVQH14;;100\r\n" +
		"03328;Xã Thanh Luông;03328;Xã Thanh Luông;Một phần;2020-01-01;815/NQ-UBTVQH14;đường mới chưa có;\r\n"
	changes, notTaken, err := formats.ReadLineage(strings.NewReader(text), layer.Lineage{Level: "commune", Source: "x"})
	if err != nil || len(changes) != 2 || strings.Join(notTaken, ",") != "Dân số" {
		t.Fatalf("%v, %v, %v", changes, notTaken, err)
	}
	if c := changes[0]; c.Part != layer.Whole || c.On.String() != "2020-01-01" || c.Act != "815/NQ-UBTVQH14" || len(c.Faults) > 0 {
		t.Errorf("%+v", c)
	}
	if c := changes[1]; c.Part != layer.Part || c.Note != "đường mới chưa có" || len(c.Faults) > 0 {
		t.Errorf("%+v", c)
	}
}

// All that is wrong with the rows is told at once, where it is wrong.
func TestReadLineageNamesEveryFault(t *testing.T) {
	const text = "old_code,new_code,merge_type,date,level\n,B,full,2020-01-01,\nA,,half,2020-13-01,village\nA,B,,,\n"
	changes, _, err := formats.ReadLineage(strings.NewReader(text), layer.Lineage{Level: "commune"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"predecessor_code", "level part changed_on successor_code", "part changed_on"} {
		var at []string
		for _, f := range changes[i].Faults {
			at = append(at, f.At)
		}
		if got := strings.Join(at, " "); got != want {
			t.Errorf("row %d: faults at %s, want %s", i+1, got, want)
		}
	}
}

func TestReadLineageOfSomethingElse(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no codes": "a,b\n1,2\n", "no rows": "old_code,new_code\n", "not UTF-8": "old_code,new_code\n\xff,2\n", "quote": "old_code,new_code\n\"a,b\n", "NUL": "old_code,new_code\na\x00,b\n",
	} {
		if _, _, err := formats.ReadLineage(strings.NewReader(text), layer.Lineage{}); !errors.Is(err, formats.ErrNoLineage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
