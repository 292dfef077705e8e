package intake

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/tables"
)

// taken is what the columns go to, in their order.
func taken(c Columns) string {
	list := make([]string, len(c))
	for i := range c {
		list[i] = c[i].To
	}
	return strings.Join(list, " ")
}

// TestMatchOfFiles has the columns of files that offices send.
func TestMatchOfFiles(t *testing.T) {
	for name, tt := range map[string]struct{ layer, columns, want, factors string }{
		"surveyors' table":         {"communes", "STT|Mã xã|Tên xã|X (m)|Y (m)|Ghi chú", "@nothing code name @x @y ", ""},
		"the same of sites":        {"bts_sites", "STT|Mã xã|Tên xã|X (m)|Y (m)|Ghi chú", "@nothing commune_code @commune @x @y ", ""},
		"degrees":                  {"communes", "Mã|Tên|Kinh độ|Vĩ độ", "code name @lon @lat", ""},
		"wrong meridian":           {"communes", "code|full_name|E|N", "code name @easting @northing", ""},
		"districts, laundered":     {"districts", "ma|ten|loai|ten_day_du|dt_km2|dan_so", "code  kind name official_area_m2 population", "1e6"},
		"communes in TCVN3":        {"communes", "MAXA|TENXA|TENHUYEN|DANSO", "code name @district population", ""},
		"our table of communes":    {"communes", "code|full_name|name|type|name_gso|name_ascii|district_code|district_full_name|province_code|area_km2|pop_2019|area_ha_hist|pop_hist|lon|lat|vn2000_e|vn2000_n", "code name  kind   district_code @district province_code     @lon @lat  ", ""},
		"our table of districts":   {"districts", "code|full_name|name|type|n_communes|pop_2019|area_km2_official|area_km2_polygon|lon|lat", "code name  kind   official_area_m2  @lon @lat", "1e6"},
		"operator's list":          {"operator_positions", "STT|Mã vị trí|Tên trạm|Nhà mạng|Công nghệ|Tình trạng|Toạ độ|Xã/Phường/TT|Quận/Huyện", "@nothing site_code name operator technologies status @position @commune @district", ""},
		"operator's masts":         {"bts_sites", "MÃ TRẠM|TÊN TRẠM|LOẠI CỘT|CHIỀU CAO (m)|KINH ĐỘ|VĨ ĐỘ|XÃ|HUYỆN", "code name mast_type height_m @lon @lat @commune @district", ""},
		"without marks":            {"bts_sites", "ma tram|ten_tram|loai_cot|CHIEU_CAO|kinh do|vi do|ket cau", "code name mast_type height_m @lon @lat structure", ""},
		"titles":                   {"bts_sites", "Mã|Tên|Loại cột|Chiều cao (m)|Chiều cao công trình (m)|Nửa bề rộng (m)|Hiệu lực từ", "code name mast_type height_m host_building_height_m half_width_m valid_from", ""},
		"titles in English":        {"bts_sites", "Code|Name|Mast type|Height (m)|Host building height (m)|Half width (m)|Valid from", "code name mast_type height_m host_building_height_m half_width_m valid_from", ""},
		"required before an alias": {"operator_positions", "Mã|Mã vị trí cột|DOANH_NGHIEP", "code site_code operator", ""},
		"dBase":                    {"bts_sites", "code|host_build|service_ra|half_width|commune_co|owner_orga|technologi|wkt", "code host_building_height_m service_radius_m half_width_m commune_code owner_organisation technologies @wkt", ""},
		"dBase with twins":         {"communes", "code|population|populati_1|official_a|district_c", "code population population_year official_area_m2 district_code", ""},
		"metres of kilometres":     {"fibre_routes", "code|Chiều dài (km)", "code declared_length_m", "1000"},
		"a field of the server":    {"communes", "code|revision|updated_at", "code @nothing @nothing", ""},
		"surveyors name the axes":  {"communes", "ma|X (Bắc)|Y (Đông)", "code @northing @easting", ""},
		"NFD":                      {"communes", "Ma\u0303|Te\u0302n xa\u0303", "code name", ""},
	} {
		c, faults := Match(strings.Split(tt.columns, "|"), layerNamed(t, tt.layer), Mapping{}, false)
		if got := taken(c); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		for _, f := range faults {
			t.Errorf("%s: %+v", name, f)
		}
		var want float64 = 1
		if tt.factors != "" {
			if err := json.Unmarshal([]byte(tt.factors), &want); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.ContainsFunc(c, func(c Column) bool { return c.To != "" && c.Factor == want }) {
			t.Errorf("%s: no column has the factor %v", name, want)
		}
	}
}

// TestEveryFieldIsKnown: each field of each layer is recognised by its name, by both titles
// and by every alias, as they are, in capitals, without marks and with underscores, unless
// these are another field's own name.
func TestEveryFieldIsKnown(t *testing.T) {
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range registry.All() {
		lexicon := newLexicon(l)
		for _, f := range l.Fields {
			if f.ReadOnly {
				continue
			}
			if c := lexicon.recognise(f.Name); c.To != f.Name || c.How != ByName {
				t.Errorf("%s.%s: %+v", l.Name, f.Name, c)
			}
			for _, title := range []string{f.Title.VI, f.Title.EN} {
				for _, as := range []string{title, strings.ToUpper(title), strings.ReplaceAll(title, " ", "_"), " " + title + " "} {
					if c := lexicon.recognise(as); c.To != f.Name && !sharesTitle(l, f.Name, c.To) {
						t.Errorf("%s.%s: its title %q is taken for %q (%s)", l.Name, f.Name, as, c.To, c.How)
					}
				}
			}
			for _, alias := range f.Aliases {
				if c := lexicon.recognise(alias); c.To != f.Name {
					t.Errorf("%s.%s: its alias %q is taken for %q", l.Name, f.Name, alias, c.To)
				}
			}
		}
	}
}

// sharesTitle reports whether the title of a field is one of another's names, too.
func sharesTitle(l *layer.Layer, name, other string) bool {
	f, _ := l.Field(name)
	o, ok := l.Field(other)
	if !ok {
		return false
	}
	for _, as := range append(o.ImportNames(), o.Title.VI, o.Title.EN) {
		if a, _ := withoutMeasure(as); key(a) == key(f.Title.VI) || key(a) == key(f.Title.EN) || key(as) == key(f.Title.VI) {
			return true
		}
	}
	return false
}

func TestMisspeltColumns(t *testing.T) {
	sites := layerNamed(t, "bts_sites")
	for column, want := range map[string]string{
		"mast_tpye": "mast_type", "n" + "mae": "name", "mean": "", "nama": "", "heigth_m": "height_m", "Chieu cqo (m)": "height_m", "owner_organization": "", "comune_code": "commune_code",
		"Kinh đô": "", "Kinnh độ": ToLon, "loai_cott": "mast_type", "phase2": "", "x2": "", "Tần số": "", "Chiều caoo (m)": "height_m", "Ðộ chính xácc": "accuracy_m", "nguồnn": "source", "hoàn toàn khác": "", "màu": "",
	} {
		c, faults := Match([]string{"code", column}, sites, Mapping{}, false)
		if c[1].Likely != want || (want != "") != (len(faults) == 1) {
			t.Errorf("%q: likely %q, %d faults; want %q", column, c[1].Likely, len(faults), want)
		}
	}
	// What the file has already cannot be meant.
	c, faults := Match([]string{"mast_type", "mast_tpye"}, sites, Mapping{}, false)
	if c[1].To != "" || len(faults) != 0 {
		t.Errorf("%+v, %v", c, faults)
	}
}

func TestStrictAndUnits(t *testing.T) {
	sites := layerNamed(t, "bts_sites")
	_, faults := Match([]string{"code", "STT", "ten", "full_name", "màu sơn"}, sites, Mapping{}, true)
	if len(faults) != 1 || faults[0].Rule != RuleColumnUnknown || faults[0].Column != "màu sơn" {
		t.Errorf("strict: %+v", faults)
	}
	_, faults = Match([]string{"code", "Chiều cao (km2)"}, sites, Mapping{}, false)
	if len(faults) != 1 || faults[0].Rule != RuleColumnUnit {
		t.Errorf("a height in square kilometres: %+v", faults)
	}
}

func TestMapping(t *testing.T) {
	sites := layerNamed(t, "bts_sites")
	read, err := ParseReading([]byte(`{"columns": {"A": "code", "cao (km)": "height_m", "name": "", "Y": "@northing", "X": "@easting"}}`))
	if err != nil {
		t.Fatal(err)
	}
	m := Mapping{Columns: read.Columns}
	c, faults := Match([]string{"A", "code", "cao (km)", "name", "X", "Y"}, sites, m, false)
	if got := taken(c); got != "code  height_m @nothing @easting @northing" || len(faults) > 0 || c[2].Factor != 1000 || c[1].Instead != "A" {
		t.Errorf("%q, %v, %+v", got, faults, c)
	}
	again, faults := Match([]string{"A", "code", "cao (km)", "name", "X", "Y"}, sites, c.Mapping(), true)
	if taken(again) != "code @nothing height_m @nothing @easting @northing" || len(faults) > 0 {
		t.Errorf("the mapping that was found out: %q, %v", taken(again), faults)
	}
	saved, err := json.Marshal(c.Mapping())
	if err != nil {
		t.Fatal(err)
	}
	if loaded, err := ParseReading(saved); err != nil || len(loaded.Columns) != 6 {
		t.Errorf("%v, %v", loaded, err)
	}
	_, faults = Match([]string{"A", "B"}, sites, Mapping{Columns: map[string]string{"A": "code", "B": "code", "C": "name", "D": "x"}}, false)
	if len(faults) != 3 {
		t.Errorf("%+v", faults)
	}
	_, faults = Match([]string{"A", "B"}, sites, Mapping{Columns: map[string]string{"A": "revision", "B": "nothing of ours"}}, false)
	if len(faults) != 2 {
		t.Errorf("%+v", faults)
	}
	for _, bad := range []string{"", "[]", `{"column": {}}`, `{"columns": {}} {}`, `{"columns": {"A": 1}}`} {
		if _, err := ParseReading([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A reading names what the layer has and what files can be read by, all faults of it at once.
func TestCheckReading(t *testing.T) {
	sites := layerNamed(t, "bts_sites")
	good := layer.Reading{Columns: map[string]string{"Mã": "code", "X (m)": "@northing", "Y (m)": "@easting", "Ghi chú": "", "STT": "@nothing", "Màu": ""},
		Table: "Sheet1", HeaderRow: 3, Encoding: "TCVN3", Separator: ";", CRS: "EPSG:9205", Axis: "yx", Unshifted: new(true)}
	for _, r := range []layer.Reading{{}, good, {HeaderRow: -1, CRS: "VN-2000 / TM-3 103-00"}} {
		if faults := CheckReading(sites, r); len(faults) > 0 {
			t.Errorf("%+v: %+v", r, faults)
		}
	}
	bad := layer.Reading{Columns: map[string]string{"A": "revision", "B/C": "nothing", "D": "code", "E": "code", "": "name", "F\x00": "height_m"},
		Table: strings.Repeat("x", 501), HeaderRow: 1001, Encoding: "klingon", Separator: ";;", CRS: "EPSG:1", Axis: "zx"}
	var at []string
	for _, f := range CheckReading(sites, bad) {
		if at = append(at, f.At); f.Detail.VI == "" || f.Detail.EN == "" {
			t.Errorf("%+v", f)
		}
	}
	want := []string{"/header_row", "/encoding", "/separator", "/columns/", "/columns/A", "/columns/B~1C", "/columns/E", "/columns/F\x00", "/table", "/crs", "/axis"}
	if !slices.Equal(at, want) {
		t.Errorf("%q, want %q", at, want)
	}
	many := layer.Reading{Columns: map[string]string{}}
	for i := range 1001 {
		many.Columns[fmt.Sprint(i)] = ""
	}
	if faults := CheckReading(sites, many); len(faults) != 1 || faults[0].At != "/columns" {
		t.Errorf("%d columns: %+v", len(many.Columns), faults)
	}
	delete(many.Columns, "0")
	if faults := CheckReading(sites, many); len(faults) != 0 {
		t.Errorf("%d columns: %+v", len(many.Columns), faults)
	}
}

// What a reading does not say is taken from the one that it lies over.
func TestReadingsLieOverOthers(t *testing.T) {
	saved := layer.Reading{Columns: map[string]string{"A": "code"}, Table: "a", HeaderRow: 2, Encoding: "vni", Separator: ";", CRS: "EPSG:9205", Axis: "yx", Unshifted: new(true)}
	if got := (layer.Reading{}).Over(saved); !reflect.DeepEqual(got, saved) {
		t.Errorf("%+v", got)
	}
	given := layer.Reading{Columns: map[string]string{"B": "code"}, Table: "b", HeaderRow: 1, Encoding: "utf-8", Separator: ",", CRS: "EPSG:4326", Axis: "xy", Unshifted: new(true)}
	if got := given.Over(saved); !reflect.DeepEqual(got, given) {
		t.Errorf("%+v", got)
	}
}

func TestReferenceLayersKnowTheirFilesColumns(t *testing.T) {
	r := layer.Reference{Definition: layer.Definition{Name: "schools", Geometry: layer.Point, Common: map[string]string{"code": "Mã trường"},
		Fields: []layer.FieldDefinition{{Name: "si_so", Kind: layer.Integer, Column: "Sĩ số"}}}}
	l := r.Layer()
	c, faults := Match([]string{"Mã trường", "Sĩ số", "SI SO", "ten_day_du", "Kinh độ", "Vĩ độ"}, &l, Mapping{}, false)
	if got := taken(c); got != "code si_so   @lon @lat" || len(faults) > 0 {
		t.Errorf("%q, %v", got, faults)
	}
}

// A layer that has rows' own ids or their numbers for codes is brought up to date by a file
// that has no other codes, either.
func TestCodesThatAFileHasNoColumnFor(t *testing.T) {
	for what, tt := range map[string]struct {
		codeOf  string
		columns []string
		codes   []any // of two rows
	}{
		"ids":                          {layer.CodeOfID, []string{"id", "Sĩ số"}, []any{"7", "9"}},
		"keys of a GeoPackage":         {layer.CodeOfID, []string{"fid", "Sĩ số"}, []any{"7", "9"}},
		"a column that counts rows":    {layer.CodeOfID, []string{"stt", "Sĩ số"}, []any{nil, nil}},
		"ids beside codes":             {layer.CodeOfID, []string{"id", "code"}, []any{"1", "2"}},
		"numbers":                      {layer.CodeOfRow, []string{"id", "Sĩ số"}, []any{"1", "2"}},
		"rows that were sent back":     {layer.CodeOfRow, []string{"Hàng tệp gốc", "Sĩ số"}, []any{nil, nil}},
		"codes of a column that lacks": {layer.CodeOfColumn, []string{"id", "Sĩ số"}, []any{nil, nil}},
	} {
		l := layer.Reference{Definition: layer.Definition{Name: "schools", Geometry: layer.Point, CodeOf: tt.codeOf, Common: map[string]string{},
			Fields: []layer.FieldDefinition{{Name: "si_so", Kind: layer.Integer, Column: "Sĩ số"}}}}.Layer()
		file := &table{columns: tt.columns, rows: []tables.Row{{Number: 2, Cells: []any{int64(7), int64(1)}}, {Number: 3, Cells: []any{int64(9), int64(2)}}}}
		_, records := understoodAs(t, file, &l, Options{})
		for i, want := range tt.codes {
			if got := records[i].Feature.Properties["code"]; got != want {
				t.Errorf("%s: the code of row %d is %v, want %v", what, i+1, got, want)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abcd", "abd", 1}, {"kitten", "sitting", 3}, {"abcdef", "ghijkl", 4}, {"ca", "abc", 3}} {
		if got := distance(tt.a, tt.b, 3); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a, 3); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestFolds(t *testing.T) {
	if key("Mã_Xã ") != "maxa" || fold("  TT.  Tủa  Chùa") != "tt tua chua" || key("Đông") != "dong" {
		t.Error(key("Mã_Xã "), fold("  TT.  Tủa  Chùa"), key("Đông"))
	}
	if toned("Toả Tình") != toned("TỎA TÌNH") || toned("Nà Tòng") == toned("Na Tông") || toned("Nậm") == toned("Nặm") {
		t.Error("tones")
	}
	if loose("Pá Mỳ") != loose("Pa Mi") || loose("Lay") == loose("Lai") {
		t.Error("y and i")
	}
}
