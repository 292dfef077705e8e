package layer

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
)

// date parses a date that is right.
func date(t *testing.T, s string) geo.Date {
	t.Helper()
	d, err := geo.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseText(t *testing.T) {
	height := metres("height_m", geo.Text{}, geo.Text{}).max(100)
	level := integer("level", geo.Text{}, geo.Text{}).oneOf(v("1", "", "", ""), v("2", "", "", ""))
	plain := func(k Kind) Field { return Field{Name: "f", Kind: k} }
	for _, tt := range []struct {
		field Field
		in    string
		want  any // nil: refused
	}{
		{plain(Integer), " 42 ", int64(42)},
		{plain(Integer), "9223372036854775807", int64(9223372036854775807)},
		{plain(Integer), "9223372036854775808", nil},
		{plain(Integer), "4.0", nil},
		{plain(Integer), "", nil},
		{level, "2", int64(2)},
		{level, "3", nil},
		{level, "-1", nil},
		{height, "0", 0.0},
		{height, "100", 100.0},
		{height, "100.0001", nil},
		{height, "-0.1", nil},
		{height, "NaN", nil},
		{height, "Inf", nil},
		{height, "1e999", nil},
		{plain(Boolean), "TRUE", true},
		{plain(Boolean), "0", false},
		{plain(Boolean), "yes", nil},
		{plain(Date), "2020-02-29", date(t, "2020-02-29")},
		{plain(Date), "2021-02-29", nil},
		{plain(Date), "infinity", nil},
		{plain(Date), "2020-1-1", nil},
		{plain(Timestamp), "2020-01-02T03:04:05+07:00", time.Date(2020, 1, 1, 20, 4, 5, 0, time.UTC)},
		{plain(Timestamp), "2020-01-02", nil},
		{plain(TextList), "2G, 4G,,", []string{"2G", "4G"}},
		{plain(Text), "  Mu\u031bo\u031b\u0300ng ", "Mường"},
		{plain(Text), "a\x00b", nil},
		{plain(Text), "\xff", nil},
		{plain(Text), strings.Repeat("x", MaxTextBytes), strings.Repeat("x", MaxTextBytes)},
		{plain(Text), strings.Repeat("x", MaxTextBytes+1), nil},
	} {
		got, err := tt.field.ParseText(tt.in)
		if (err != nil) != (tt.want == nil) {
			t.Errorf("%s %.40q: got %v, %v", tt.field.Kind, tt.in, got, err)
			continue
		}
		if at, ok := got.(time.Time); ok {
			got = at.UTC()
		}
		if err == nil && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %.40q: got %#v, want %#v", tt.field.Kind, tt.in, got, tt.want)
		}
	}
}

func TestParseJSON(t *testing.T) {
	refused := "refused"
	for _, tt := range []struct {
		kind Kind
		in   string
		want any
	}{
		{Integer, "12", int64(12)},
		{Integer, "12.0", int64(12)},
		{Integer, "1e3", int64(1000)},
		{Integer, "9007199254740993", int64(9007199254740993)},
		{Integer, "1.5", refused},
		{Integer, "1e30", refused},
		{Integer, `"12"`, refused},
		{Number, "12", 12.0},
		{Number, `"12"`, refused},
		{Number, "1e999", refused},
		{Boolean, "true", true},
		{Boolean, "1", refused},
		{Boolean, `"true"`, refused},
		{Text, `"x"`, "x"},
		{Text, "1", refused},
		{Text, "[]", refused},
		{Text, "{}", refused},
		{Date, `"2020-01-01"`, date(t, "2020-01-01")},
		{Date, "20200101", refused},
		{TextList, `["a"," b "]`, []string{"a", "b"}},
		{TextList, `[]`, []string{}},
		{TextList, `["a",null]`, refused},
		{TextList, `"a"`, refused},
		{Number, "null", nil},
		{TextList, "null", nil},
	} {
		decoder := json.NewDecoder(strings.NewReader(tt.in))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		f := Field{Name: "f", Kind: tt.kind}
		got, err := f.ParseJSON(value)
		if (err != nil) != (tt.want == refused) {
			t.Errorf("%s %s: got %v, %v", tt.kind, tt.in, got, err)
		} else if err == nil && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %s: got %#v, want %#v", tt.kind, tt.in, got, tt.want)
		}
	}
}

func TestCheckNewNamesAllThatIsMissing(t *testing.T) {
	r, err := Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.All() {
		missing := map[string]bool{}
		for _, f := range l.CheckNew(Feature{}) {
			missing[f.At] = true
		}
		want := map[string]bool{"/geometry": true}
		for _, f := range l.Fields {
			if f.Required && !f.ReadOnly && f.Kind != Boolean {
				want["/properties/"+f.Name] = true
			}
		}
		if diff := cmp.Diff(want, missing); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", l.Name, diff)
		}
	}
}

func TestCheckPeriod(t *testing.T) {
	var l Layer
	for _, tt := range []struct {
		from, to any
		faults   int
	}{
		{date(t, "2020-01-01"), date(t, "2020-01-02"), 0},
		{date(t, "2020-01-01"), date(t, "2020-01-01"), 1},
		{date(t, "2020-01-02"), date(t, "2020-01-01"), 1},
		{date(t, "2020-01-02"), nil, 0},
		{nil, date(t, "2020-01-01"), 0},
	} {
		if got := l.CheckPeriod(Feature{Properties: map[string]any{"valid_from": tt.from, "valid_to": tt.to}}); len(got) != tt.faults {
			t.Errorf("%v to %v: %v", tt.from, tt.to, got)
		}
	}
}

func TestImportNamesPreferAFullName(t *testing.T) {
	r, err := Layers()
	if err != nil {
		t.Fatal(err)
	}
	l, _ := r.Get("communes")
	name, _ := l.Field("name")
	if got := name.ImportNames(); got[0] != "full_name" || got[1] != "name" {
		t.Errorf("names are %v", got)
	}
	code, _ := l.Field("code")
	if got := code.ImportNames(); got[0] != "code" || len(got) < 2 {
		t.Errorf("names are %v", got)
	}
}
