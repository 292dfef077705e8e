package intake

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"hatang/geo"
	"hatang/internal/layer"
)

// dienBien are the units of the province.
func dienBien(t testing.TB) []Unit {
	t.Helper()
	var units []Unit
	for code, f := range communeFacts(t) {
		units = append(units, Unit{Code: code, Name: f.name, Level: Commune, Parent: f.district})
	}
	for _, row := range csvTable(t, dataFile(t, "tables", "dienbien_districts.csv"), ',').rows {
		code, _ := row.Cells[0].(string)
		name, _ := row.Cells[1].(string)
		units = append(units, Unit{Code: code, Name: name, Level: District, Parent: "11"})
	}
	return units
}

// TestNamesOfAFile: every name of a file with all the ways to write them is the right commune.
func TestNamesOfAFile(t *testing.T) {
	g := NewGazetteer(dienBien(t))
	file := geoJSONTable(t, dataFile(t, "messy", "geojson_names_messy.geojson"))
	for _, row := range file.rows {
		name, _ := row.Cells[2].(string)
		for _, as := range []string{name, norm.NFD.String(name), strings.ToLower(name), strings.ReplaceAll(name, " ", "_")} {
			u, how, f := g.Find(Named{Level: Commune, Name: as})
			if f != nil || u.Code != row.Cells[3] || how != UnitByName {
				t.Errorf("%q is %q (%s), %+v; want %v", as, u.Code, how, f, row.Cells[3])
			}
		}
	}
	if len(file.rows) != 130 {
		t.Errorf("%d names", len(file.rows))
	}
}

// TestNamesWithoutMarks: with the district they are the right ones, but for those that differ
// in marks alone; without it, two are told apart by nobody.
func TestNamesWithoutMarks(t *testing.T) {
	g := NewGazetteer(dienBien(t))
	for code, f := range communeFacts(t) {
		for _, name := range []string{layer.Bare(f.name), strings.ToUpper(layer.Bare(f.name)), strings.Join(strings.Fields(layer.Bare(strings.ToLower(f.name)))[1:], "")} {
			if strings.HasPrefix(fold(f.name), "thi tran") && !strings.Contains(name, " ") {
				continue // "tran…" is no name
			}
			u, _, wrong := g.Find(Named{Level: Commune, Name: name, District: f.district})
			if wrong != nil || u.Code != code {
				t.Errorf("%q in %s is %q, %+v; want %s", name, f.district, u.Code, wrong, code)
			}
		}
	}
	_, _, f := g.Find(Named{Level: Commune, Name: "xa Na Tong"})
	if f == nil || !slices.Equal(f.Readings, []string{"03263 Xã Nà Tòng (099)", "03365 Xã Na Tông (100)"}) {
		t.Errorf("%+v", f)
	}
}

func TestUnits(t *testing.T) {
	g := NewGazetteer(append(dienBien(t),
		Unit{Code: "00001", Name: "Xã Cũ", Level: Commune, Parent: "100", Period: geo.Period{From: geo.NewDate(2000, 1, 1), To: geo.NewDate(2010, 1, 1)}},
		Unit{Code: "00002", Name: "Xã Mới", Aliases: []string{"Xã Cũ"}, Level: Commune, Parent: "100", Period: geo.Period{From: geo.NewDate(2010, 1, 1)}},
		Unit{Code: "00003", Name: "Phường Trung Thu", Level: Commune, Parent: "094"}))
	for _, tt := range []struct {
		named    Named
		code     string
		how      HowUnit
		readings []string
		likely   string
	}{
		{Named{Level: Commune, Code: "03136"}, "03136", UnitByCode, nil, ""},
		{Named{Level: Commune, Code: "3136"}, "03136", UnitByPaddedCode, nil, ""},
		{Named{Level: District, Code: "94"}, "094", UnitByPaddedCode, nil, ""},
		{Named{Level: District, Code: "03136"}, "", "", nil, ""},
		{Named{Level: Commune, Code: "03136", Name: "P. Muong Thanh"}, "03136", UnitByCode, nil, ""},
		{Named{Level: Commune, Code: "03136", Name: "Phường Him Lam"}, "", "", []string{"03136 Phường Mường Thanh (094)", "03127 Phường Him Lam (094)"}, ""},
		{Named{Level: Commune, Code: "99999", Name: "Phường Him Lam"}, "", "", nil, "03127"},
		{Named{Level: Commune, Name: "Nà Tòng"}, "03263", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "03263"}, "03263", UnitByCode, nil, ""},
		{Named{Level: Commune, Name: "3263"}, "03263", UnitByPaddedCode, nil, ""},
		{Named{Level: Commune, Name: "Na Tông"}, "03365", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "Na Tong", District: "099"}, "03263", UnitByBareName, nil, ""},
		{Named{Level: Commune, Name: "Na Tông", District: "099"}, "", "", []string{"03263 Xã Nà Tòng (099)", "03365 Xã Na Tông (100)"}, ""},
		{Named{Level: Commune, Name: "Him Lam", District: "100"}, "", "", []string{"03127 Phường Him Lam (094)"}, ""},
		{Named{Level: Commune, Name: "Toả Tình"}, "03280", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "Pá Mì"}, "03159", UnitByLooseName, nil, ""},
		{Named{Level: Commune, Name: "Sipaphin"}, "03199", UnitByLooseName, nil, ""},
		{Named{Level: Commune, Name: "Xa Dung"}, "03373", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "X. Xa Dung"}, "03373", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "Xá Tổng"}, "03178", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "xã Trung Thu"}, "03238", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "P.Trung Thu"}, "00003", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "Trung Thu"}, "", "", []string{"00003 Phường Trung Thu (094)", "03238 Xã Trung Thu (098)"}, ""},
		{Named{Level: Commune, Name: "Xã Him Lam"}, "", "", []string{"03127 Phường Him Lam (094)"}, "Phường Him Lam"},
		{Named{Level: Commune, Name: "Mường Thanhh"}, "", "", []string{"03136 Phường Mường Thanh (094)"}, "Phường Mường Thanh"},
		{Named{Level: Commune, Name: "Mường Ðăng"}, "03286", UnitByName, nil, ""},
		{Named{Level: Commune, Name: strings.Repeat("Xã ", 100)}, "", "", nil, ""},
		{Named{Level: Commune, Name: "Hà Nội"}, "", "", nil, ""},
		{Named{Level: Commune, Name: " "}, "", "", nil, "nothing"},
		{Named{Level: District, Name: "huyện Điện Biên"}, "100", UnitByName, nil, ""},
		{Named{Level: District, Name: "Điện Biên Đông"}, "101", UnitByName, nil, ""},
		{Named{Level: District, Name: "TP. Điện Biên Phủ"}, "094", UnitByName, nil, ""},
		{Named{Level: District, Name: "TP Dien Bien Phu"}, "094", UnitByBareName, nil, ""},
		{Named{Level: District, Name: "TX Mường Lay"}, "095", UnitByName, nil, ""},
		{Named{Level: District, Name: "TP Điện Biên"}, "", "", []string{"100 Huyện Điện Biên (11)"}, "Huyện Điện Biên"},
		{Named{Level: Commune, Name: "Xã Cũ", Date: geo.NewDate(2005, 1, 1)}, "00001", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "Xã Cũ", Date: geo.NewDate(2015, 1, 1)}, "00002", UnitByName, nil, ""},
		{Named{Level: Commune, Name: "Xã Cũ"}, "", "", []string{"00001 Xã Cũ (100)", "00002 Xã Mới (100)"}, ""},
		{Named{Level: Commune, Code: "00001", Date: geo.NewDate(2015, 1, 1)}, "", "", nil, ""},
	} {
		u, how, f := g.Find(tt.named)
		if tt.likely == "nothing" {
			if f != nil || u.Code != "" {
				t.Errorf("%+v: %+v, %+v", tt.named, u, f)
			}
			continue
		}
		if u.Code != tt.code || how != tt.how || (f == nil) != (tt.code != "") {
			t.Errorf("%+v: %q (%s), %+v; want %q (%s)", tt.named, u.Code, how, f, tt.code, tt.how)
			continue
		}
		if f != nil && (!slices.Equal(f.Readings, tt.readings) || f.Correction != tt.likely || f.Detail.VI == "" || strings.Contains(f.Detail.EN, "%!")) {
			t.Errorf("%+v: %+v; want %q, %q", tt.named, f, tt.readings, tt.likely)
		}
	}
}
