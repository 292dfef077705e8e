package intake

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tables"
)

// column makes a reader of a layer's field, of a column that has these values.
func column(t testing.TB, layerName, field string, o Options, values ...any) *cells {
	t.Helper()
	l := layerNamed(t, layerName)
	c, faults := Match([]string{field}, l, Mapping{}, true)
	if len(faults) > 0 || c[0].field == nil {
		t.Fatalf("%s.%s: %+v", layerName, field, faults)
	}
	var e evidence
	for _, v := range values {
		e.observe(v)
	}
	return newCells(&c[0], &e, l, &o, CommaUnknown)
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		text  string
		comma Comma
		want  float64
		rule  Rule
	}{
		{"2.365.624,080", "", 2365624.08, ""}, {"2,365,624.080", "", 2365624.08, ""}, {"503.281,977", "", 503281.977, ""},
		{"295872.167", "", 295872.167, ""}, {"12,5", "", 12.5, ""}, {"12.5", "", 12.5, ""}, {"0.125", "", 0.125, ""}, {"0,125", "", 0.125, ""},
		{"1234", "", 1234, ""}, {"1 234 567,5", "", 1234567.5, ""}, {"1\u00a0234", "", 1234, ""}, {"1’234.5", "", 1234.5, ""}, {"−3,5", "", -3.5, ""}, {"-.5", "", -0.5, ""}, {"1e3", "", 1000, ""},
		{"1.234", "", 0, RuleNumberReadings}, {"1,234", "", 0, RuleNumberReadings}, {"12.345.678", "", 12345678, ""},
		{"1.234", CommaDecimal, 1234, ""}, {"1.234", PointDecimal, 1.234, ""}, {"1,234", CommaDecimal, 1.234, ""}, {"1,234", PointDecimal, 1234, ""},
		{"12.5", CommaDecimal, 12.5, ""}, {"12,5", PointDecimal, 12.5, ""},
		{"", "", 0, RuleNumber}, {"abc", "", 0, RuleNumber}, {"1.2.3", "", 0, RuleNumber}, {"1,2,3", "", 0, RuleNumber}, {"12 34", "", 0, RuleNumber},
		{"e5", "", 0, RuleNumber}, {"1e999", "", 0, RuleNumber}, {"1.23.456", "", 0, RuleNumber}, {"NaN", "", 0, RuleNumber}, {"0x10", "", 0, RuleNumber}, {"--1", "", 0, RuleNumber},
	} {
		got, f := ReadNumber(tt.text, tt.comma)
		if f == nil && (tt.rule != "" || got != tt.want) || f != nil && f.Rule != tt.rule {
			t.Errorf("%q (%q): %v, %+v; want %v, %q", tt.text, tt.comma, got, f, tt.want, tt.rule)
		}
		if tt.rule == RuleNumberReadings && len(f.Readings) != 2 {
			t.Errorf("%q: readings %q", tt.text, f.Readings)
		}
	}
}

func TestDates(t *testing.T) {
	for _, tt := range []struct {
		text       string
		calendar   calendar
		want       string
		rule       Rule
		correction string
	}{
		{"05/03/2020", calendar{}, "2020-03-05", "", ""}, {"5-3-2020", calendar{}, "2020-03-05", "", ""}, {"5.3.2020", calendar{}, "2020-03-05", "", ""},
		{"2020-03-05", calendar{}, "2020-03-05", "", ""}, {"2020/3/5", calendar{}, "2020-03-05", "", ""}, {"2020", calendar{}, "2020-01-01", "", ""}, {"năm 2020", calendar{}, "2020-01-01", "", ""},
		{"03/2020", calendar{}, "2020-03-01", "", ""}, {"tháng 3/2020", calendar{}, "2020-03-01", "", ""}, {"ngày 5 tháng 3 năm 2020", calendar{}, "2020-03-05", "", ""},
		{"25/03/2020", calendar{}, "2020-03-25", "", ""}, {"03/25/2020", calendar{}, "2020-03-25", "", ""}, {"05/03/2020 00:00:00", calendar{}, "2020-03-05", "", ""}, {"2020-03-05T00:00:00Z", calendar{}, "2020-03-05", "", ""},
		{"29/02/2020", calendar{}, "2020-02-29", "", ""},
		{"05/03/2020", calendar{order: MonthFirst}, "2020-05-03", "", ""}, {"05/03/2020", calendar{monthFirst: true}, "", RuleDateReadings, ""}, {"05/05/2020", calendar{monthFirst: true}, "2020-05-05", "", ""},
		{"05/03/2020", calendar{order: DayFirst, monthFirst: true}, "2020-03-05", "", ""},
		{"03/25/2020", calendar{order: DayFirst}, "", RuleDate, "2020-03-25"}, {"25/03/2020", calendar{order: MonthFirst}, "", RuleDate, "2020-03-25"},
		{"05/03/20", calendar{}, "", RuleDate, "2020-03-05"}, {"30/02/2020", calendar{}, "", RuleDate, ""}, {"29/02/2019", calendar{}, "", RuleDate, ""}, {"32/13/2020", calendar{}, "", RuleDate, ""},
		{"2020-13-01", calendar{}, "", RuleDate, ""}, {"0000", calendar{}, "", RuleDate, ""}, {"hôm qua", calendar{}, "", RuleDate, ""}, {"05/03/2020 13:45", calendar{}, "", RuleDate, ""},
		{"2020", calendar{end: true}, "", RuleDateReadings, ""}, {"03/2020", calendar{end: true}, "", RuleDateReadings, ""}, {"31/12/2020", calendar{end: true}, "2020-12-31", "", ""},
	} {
		d, f := tt.calendar.read(tt.text)
		if d.String() != tt.want || (f == nil) != (tt.rule == "") || f != nil && (f.Rule != tt.rule || f.Correction != tt.correction) {
			t.Errorf("%q (%+v): %v, %+v", tt.text, tt.calendar, d, f)
		}
	}
	_, f := calendar{monthFirst: true}.read("05/03/2020")
	if !slices.Equal(f.Readings, []string{"2020-03-05", "2020-05-03"}) {
		t.Errorf("readings %q", f.Readings)
	}
	if _, f := (calendar{end: true}).read("2020"); !slices.Equal(f.Readings, []string{"2020-01-01", "2021-01-01"}) {
		t.Errorf("readings %q", f.Readings)
	}
}

func TestCellsOfFields(t *testing.T) {
	at := time.Date(2020, 3, 5, 0, 0, 0, 0, time.UTC)
	date, err := geo.ParseDate("2020-03-05")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		layer, field string
		cell         any
		want         any
		rule         Rule
		correction   string
	}{
		{"bts_sites", "height_m", "45,5", 45.5, "", ""}, {"bts_sites", "height_m", "45 m", 45.0, "", ""}, {"bts_sites", "height_m", "0,045 km", 45.0, "", ""}, {"bts_sites", "height_m", 45.5, 45.5, "", ""}, {"bts_sites", "height_m", int64(45), 45.0, "", ""},
		{"bts_sites", "height_m", "", nil, "", ""}, {"bts_sites", "height_m", "-", nil, "", ""}, {"bts_sites", "height_m", nil, nil, "", ""}, {"bts_sites", "height_m", "-5", nil, RuleNumber, ""}, {"bts_sites", "height_m", "45 ha", nil, RuleNumber, ""},
		{"bts_sites", "height_m", "#N/A", nil, RuleNumber, ""}, {"bts_sites", "height_m", true, nil, RuleNumber, ""}, {"bts_sites", "height_m", "cao", nil, RuleNumber, ""},
		{"bts_sites", "concealed", "Có", true, "", ""}, {"bts_sites", "concealed", "không", false, "", ""}, {"bts_sites", "concealed", "X", true, "", ""}, {"bts_sites", "concealed", "KO", false, "", ""}, {"bts_sites", "concealed", 1.0, true, "", ""}, {"bts_sites", "concealed", int64(0), false, "", ""}, {"bts_sites", "concealed", "✓", true, "", ""},
		{"bts_sites", "concealed", "có lẽ", nil, RuleBoolean, ""}, {"bts_sites", "concealed", 2.0, nil, RuleBoolean, ""}, {"bts_sites", "concealed", "yes", true, "", ""}, {"bts_sites", "concealed", true, true, "", ""},
		{"bts_sites", "mast_type", "a2b", "A2b", "", ""}, {"bts_sites", "mast_type", "A2b – cồng kềnh, trên mặt đất", "A2b", "", ""}, {"bts_sites", "mast_type", "A2C", nil, RuleVocabulary, ""}, {"bts_sites", "mast_type", "A2bb", nil, RuleVocabulary, "A2b"}, {"bts_sites", "mast_type", "trên mặt đất", "A2b", "", ""}, {"bts_sites", "mast_type", "cồng kềnh", nil, RuleVocabulary, ""},
		{"bts_sites", "structure", "Tự đứng", "self_supporting", "", ""}, {"bts_sites", "structure", "COT DAY CO", "guyed", "", ""}, {"bts_sites", "structure", "self-supporting", "self_supporting", "", ""}, {"bts_sites", "structure", "self_suporting", nil, RuleVocabulary, "self_supporting"}, {"bts_sites", "structure", "dây cò", "guyed", "", ""},
		{"bts_sites", "status", "Hiện trạng", "existing", "", ""}, {"bts_sites", "status", "hien co", "existing", "", ""}, {"bts_sites", "status", "hiện cóa", nil, RuleVocabulary, "existing"}, {"bts_sites", "status", "Planned", "planned", "", ""},
		{"operator_positions", "operator", "Vinaphone", "VNPT", "", ""}, {"operator_positions", "operator", "viettel", "VIETTEL", "", ""}, {"operator_positions", "operator", "Gtel", "Gtel", "", ""},
		{"bts_sites", "technologies", "2G/3G;4G", []string{"2G", "3G", "4G"}, "", ""}, {"bts_sites", "name", "  PHƯỜNG  HIM LAM ", "PHƯỜNG HIM LAM", "", ""}, {"bts_sites", "name", "Ca\u0302y", "Cây", "", ""},
		{"bts_sites", "code", 3124.0, "3124", "", ""}, {"bts_sites", "code", "'=A", "=A", "", ""}, {"bts_sites", "code", at, "2020-03-05", "", ""}, {"bts_sites", "name", "", nil, "", ""}, {"bts_sites", "name", "a\x00b", nil, RuleText, ""},
		{"bts_sites", "name", "Mường\x0bẢng", nil, RuleText, "Mường Ảng"}, {"bts_sites", "name", "a\u202eb", nil, RuleText, "a b"}, {"bts_sites", "name", "a\tb", "a b", "", ""},
		{"bts_sites", "valid_from", at, date, "", ""}, {"bts_sites", "valid_from", "5/3/2020", date, "", ""}, {"bts_sites", "valid_from", 43895.0, nil, RuleDate, "2020-03-05"}, {"bts_sites", "valid_from", true, nil, RuleDate, ""}, {"bts_sites", "valid_to", int64(2020), nil, RuleDateReadings, ""},
		{"communes", "population", "5.915", int64(5915), "", ""}, {"communes", "population", "5,915", int64(5915), "", ""}, {"communes", "population", "12.000", nil, RuleNumberReadings, ""}, {"communes", "population", "9007199254740993", int64(9007199254740993), "", ""}, {"communes", "population", int64(9007199254740993), int64(9007199254740993), "", ""}, {"communes", "population", 12.5, nil, RuleNumber, ""}, {"communes", "population", "12,5", nil, RuleNumber, ""},
		{"mail_routes", "level", "cấp II", int64(2), "", ""}, {"mail_routes", "level", "III", int64(3), "", ""}, {"mail_routes", "level", "4", nil, RuleNumber, ""}, {"mail_routes", "level", "cấp một", nil, RuleVocabulary, ""}, {"postal_points", "post_office_level", "II", int64(2), "", ""}, {"postal_points", "kind", "Điểm BĐ-VHX", "commune_culture_point", "", ""},
	} {
		got, f := column(t, tt.layer, tt.field, Options{}).value(tt.cell)
		if (f == nil) != (tt.rule == "") || f != nil && (f.Rule != tt.rule || f.Correction != tt.correction || f.Detail.VI == "" || f.Detail.EN == "") {
			t.Errorf("%s %q: %+v, want rule %q, correction %q", tt.field, tt.cell, f, tt.rule, tt.correction)
		}
		if want, ok := tt.want.([]string); ok {
			if list, _ := got.([]string); !slices.Equal(list, want) {
				t.Errorf("%s %q: %v", tt.field, tt.cell, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s %q: %v (%T), want %v (%T)", tt.field, tt.cell, got, got, tt.want, tt.want)
		}
	}
}

// TestAColumnProvesItsHabits: one value that only one way can read settles the others.
func TestAColumnProvesItsHabits(t *testing.T) {
	if got, f := column(t, "bts_sites", "height_m", Options{}, "1,5", "1.234").value("1.234"); f == nil || f.Rule != RuleNumber {
		t.Errorf("a mast of 1234 m: %v, %+v", got, f) // read with a comma, and too high
	}
	if got, f := column(t, "bts_sites", "height_m", Options{}, "1.5").value("1.234"); f != nil || got != 1.234 {
		t.Errorf("%v, %+v", got, f)
	}
	if _, f := column(t, "bts_sites", "height_m", Options{}, "1.5", "1,5").value("1.234"); f == nil || f.Rule != RuleNumberReadings {
		t.Errorf("a column of both kinds: %+v", f)
	}
	if got, f := column(t, "bts_sites", "height_m", Options{DecimalComma: PointDecimal}, "1,5").value("1.234"); f != nil || got != 1.234 {
		t.Errorf("what somebody said: %v, %+v", got, f)
	}
	if got, f := column(t, "communes", "population", Options{}, "1.5").value("5.915"); f == nil || f.Correction != "5915" {
		t.Errorf("%v, %+v", got, f)
	}
	if _, f := column(t, "bts_sites", "valid_from", Options{}, "03/25/2020").value("05/03/2020"); f == nil || f.Rule != RuleDateReadings {
		t.Errorf("beside a date of the month first: %+v", f)
	}
	if got, f := column(t, "bts_sites", "concealed", Options{}, "x", "", "X").value(""); f != nil || got != false {
		t.Errorf("a blank among crosses: %v, %+v", got, f)
	}
	if got, f := column(t, "bts_sites", "concealed", Options{}, "x", "không").value(""); f != nil || got != nil {
		t.Errorf("a blank among words: %v, %+v", got, f)
	}
}

func TestFactorsAreDecimal(t *testing.T) {
	l := layerNamed(t, "districts")
	c, _ := Match([]string{"dt_km2"}, l, Mapping{}, false)
	r := newCells(&c[0], &evidence{}, l, &Options{}, CommaUnknown)
	for cell, want := range map[any]float64{"64,27": 64270000, "1.639,85": 1639850000, 6.427: 6427000, "0.07": 70000, "12 ha": 120000} {
		if got, f := r.value(cell); f != nil || got != want {
			t.Errorf("%v km²: %v, %+v", cell, got, f)
		}
	}
}

// TestEveryWordOfAVocabulary: codes and titles are read in both languages, in any case and
// without marks; no two values of a field have a title in common.
func TestEveryWordOfAVocabulary(t *testing.T) {
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range registry.All() {
		for i := range l.Fields {
			f := &l.Fields[i]
			v := newVocabulary(f, nil)
			for _, value := range f.Values {
				for _, as := range []string{value.Code, value.Title.VI, value.Title.EN, layer.Bare(value.Title.VI), " " + value.Title.VI} {
					if got, ok := v.read(as); !ok || got != value.Code {
						t.Errorf("%s.%s: %q is %q, not %q", l.Name, f.Name, as, got, value.Code)
					}
				}
			}
		}
	}
	v := newVocabulary(&layer.Field{Name: "operator"}, []layer.Value{{Code: "GTEL", Title: geo.Text{VI: "Gtel Mobile", EN: "Gtel Mobile"}}})
	if code, ok := v.read("gtel mobile"); !ok || code != "GTEL" || !v.closed {
		t.Errorf("the words that were given: %q", code)
	}
	if _, ok := v.read("Viettel"); ok {
		t.Error("an operator that was not given is known")
	}
}

// FuzzReadNumber: what is read is what one of the two ways reads, and nothing panics.
func FuzzReadNumber(f *testing.F) {
	for _, s := range []string{"1.234.567,89", "1,5", "-0.5", "1e9", "1 234", "١٢", "", "+", "1.234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, fault := ReadNumber(s, CommaUnknown)
		for _, comma := range []Comma{CommaDecimal, PointDecimal} {
			y, other := ReadNumber(s, comma)
			if fault == nil && (other != nil || x != y) {
				t.Fatalf("%q is %v, but %v (%q)", s, x, y, comma)
			}
			if fault != nil && fault.Rule == RuleNumber && other == nil {
				t.Fatalf("%q is no number, but %v (%q)", s, y, comma)
			}
		}
		if fault == nil {
			if y, again := ReadNumber(strconv.FormatFloat(x, 'e', -1, 64), PointDecimal); again != nil || y != x {
				t.Fatalf("%q: %v comes back as %v, %+v", s, x, y, again)
			}
		}
	})
}

// FuzzReadDate: a date that is read is read again from its own form.
func FuzzReadDate(f *testing.F) {
	for _, s := range []string{"05/03/2020", "2020-03-05", "2020", "tháng 3/2020", "ngày 5 tháng 3 năm 2020", "1/1/1", "05/03/2020 00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, order := range []DateOrder{OrderUnknown, DayFirst, MonthFirst} {
			d, fault := ReadDate(s, order)
			if fault != nil {
				continue
			}
			if again, err := geo.ParseDate(d.String()); err != nil || again != d {
				t.Fatalf("%q: %v comes back as %v, %v", s, d, again, err)
			}
		}
	})
}

// A question mark within a word stands for a letter that an encoding did not have.
func TestLostLetters(t *testing.T) {
	for text, lost := range map[string]bool{"C?t HT-0001": true, "Ph??ng Noong Bua": true, "M\ufffdờng": true, "Xong chưa?": false, "? Cột": false, "http://x.vn/a?b=c": false, "Cột": false, "": false} {
		if f := LostLetters(text); (f != nil) != lost {
			t.Errorf("%q: %+v", text, f)
		}
	}
	file := csvTable(t, []byte("code,name,status,lon,lat\nA,Ph??ng,existing,103.01,21.4\n"), ',')
	if report, _ := understood(t, file, "kiosks", Options{Territory: province()}); report.FaultCount != 1 || report.Faults[0].Column != "name" || report.Faults[0].Rule != RuleText {
		t.Errorf("%+v", report.Faults)
	}
}

// A year or a month alone is taken for its first day, and each reading tells of how many.
func TestPartDatesAreTold(t *testing.T) {
	m := &table{columns: []string{"code", "valid_from"}, rows: []tables.Row{
		{Number: 2, Cells: []any{"A", "2019"}}, {Number: 3, Cells: []any{"B", "tháng 3/2020"}}, {Number: 4, Cells: []any{"C", int64(2020)}}, {Number: 5, Cells: []any{"D", "05/03/2020"}}, {Number: 6, Cells: []any{"E", nil}},
	}}
	told := func(columns ...string) (said []string) {
		m.columns = columns
		report, _ := understood(t, m, "kiosks", Options{Territory: province()})
		for _, g := range report.Guesses {
			if g.What == "part_date" {
				said = append(said, g.Value+": "+g.Why.EN)
			}
		}
		return said
	}
	if got := told("code", "valid_from"); !slices.Equal(got, []string{`valid_from: the column "valid_from" has 3 dates that give a year or a month alone: they are taken for its first day`}) {
		t.Errorf("%q", got)
	}
	if got := told("code", "note"); got != nil {
		t.Errorf("of no column of dates: %q", got)
	}
}
