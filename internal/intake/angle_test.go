package intake

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom/encoding/wkt"
)

func readAngle(s string) (angle, *textFault) {
	text := newScanner(s)
	a, wrong := text.angle()
	if wrong == nil {
		wrong = text.finished()
	}
	return a, wrong
}

func TestAngles(t *testing.T) {
	for _, tt := range []struct {
		text    string
		axis    int
		letters Letters
		want    float64
	}{
		{"21.3826", 1, "", 21.3826}, {"103,033544", 0, "", 103.033544}, {"-21.5", 1, "", -21.5}, {"+21.5", 1, "", 21.5}, {"21", 1, "", 21}, {" 21.5 ", 1, "", 21.5},
		{`103°02'00.8"Đ`, 0, "", 103 + 2./60 + 0.8/3600}, {`21°23'07.7"B`, 1, "", 21 + 23./60 + 7.7/3600}, {`21°23′07,7″B`, 1, "", 21 + 23./60 + 7.7/3600}, {`21º23’07.7” N`, 1, "en", 21 + 23./60 + 7.7/3600},
		{`21°23'07.7" N`, 1, "vi", -(21 + 23./60 + 7.7/3600)}, {`21° 23' 07.7'' N`, 1, "en", 21 + 23./60 + 7.7/3600}, {"21 23 07.7", 1, "", 21 + 23./60 + 7.7/3600}, {"21-23-07.7", 1, "", 21 + 23./60 + 7.7/3600},
		{"21:23:07.7 N", 1, "en", 21 + 23./60 + 7.7/3600}, {"21d23m07.7s", 1, "", 21 + 23./60 + 7.7/3600}, {"21d23m07.7sS", 1, "", -(21 + 23./60 + 7.7/3600)}, {"21d23m07.7s N", 1, "en", 21 + 23./60 + 7.7/3600}, {"103d02m D", 0, "", 103 + 2./60}, {"103o02'00.8''Ð", 0, "", 103 + 2./60 + 0.8/3600},
		{"21 độ 23 phút 07.7 giây Bắc", 1, "", 21 + 23./60 + 7.7/3600}, {"21°23.128'N", 1, "en", 21 + 23.128/60}, {"21.5°", 1, "", 21.5}, {"21.5 độ", 1, "", 21.5}, {"21,5° vĩ độ Bắc", 1, "", 21.5}, {"Kinh độ Đông: 103,5", 0, "", 103.5},
		{"N21.5", 1, "en", 21.5}, {"W 103.5", 0, "", -103.5}, {"103.5T", 0, "", -103.5}, {"103.5 E", 0, "", 103.5}, {"103.5D", 0, "", 103.5}, {"21 S", 1, "", -21}, {"21°N", 1, "vi", -21}, {"Nam 21", 1, "", -21}, {"0", 1, "", 0}, {"21°23'", 1, "", 21 + 23./60},
	} {
		a, wrong := readAngle(tt.text)
		var got float64
		if wrong == nil {
			got, wrong = a.value(tt.axis, tt.letters)
		}
		if wrong != nil || math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%q: %v, %+v; want %v", tt.text, got, wrong, tt.want)
		}
	}
}

// TestWhereAnAngleBreaks: the fault is at the character where reading stops.
func TestWhereAnAngleBreaks(t *testing.T) {
	for text, at := range map[string]int{
		"": 1, "abc": 1, "°": 1, "21°61'": 4, `21°23'60"`: 7, "21°23'07\"Q": 10, "21.5x": 5, "21°23'5\"N extra": 11, "-21N": 4, "N21N": 4, "21..5": 3, "21.5.5": 5, "1e5": 3, "21 23 07 08": 10, "--21": 2, "21,5,5": 5,
	} {
		if _, wrong := readAngle(text); wrong == nil || wrong.at != at {
			t.Errorf("%q: %+v, want a fault at %d", text, wrong, at)
		}
	}
	a, _ := readAngle("103.5E")
	if _, wrong := a.value(1, LettersEnglish); wrong == nil {
		t.Error("a longitude was taken for a latitude")
	}
	a, _ = readAngle("21N")
	if _, wrong := a.value(1, LettersUnknown); wrong == nil {
		t.Error("N without a language was taken")
	}
}

func TestPairs(t *testing.T) {
	for _, text := range []string{
		"21.5, 103.25", "21.5,103.25", "21.5 103.25", "21.5; 103.25", "21,5; 103,25", "21,5 103,25", "21,5,103,25", "21,5, 103,25", "(21.5, 103.25)", "[21.5,103.25]", "21.5|103.25", "21.5 / 103.25", "21.5\t103.25",
		`21°30'00"B 103°15'00"Đ`, `21°30'N, 103°15'E`, `21°30'N103°15'E`, `103°15'E 21°30'N`, "21 30 00 103 15 00", "B21-30-00 Đ103-15-00", "N 21.5 E 103.25", "lat: 21.5, lon: 103.25", "103.25, 21.5", "21°30'N, 103.25", "21,5°B 103,25°Đ", "21,5N, 103,25E", "vĩ độ 21.5; kinh độ 103.25",
	} {
		p, wrong := readPair(text)
		if wrong != nil {
			t.Errorf("%q: %+v", text, wrong)
			continue
		}
		lonLat, _ := p.ordered(false)
		lon, wrongLon := lonLat[0].value(0, LettersEnglish)
		lat, wrongLat := lonLat[1].value(1, LettersEnglish)
		if wrongLon != nil || wrongLat != nil || (orb.Point{lon, lat}) != (orb.Point{103.25, 21.5}) {
			t.Errorf("%q: %v, %v, %+v, %+v", text, lon, lat, wrongLon, wrongLat)
		}
	}
	for text, at := range map[string]int{"21.5": 5, "21.5, ": 7, "": 1, "21.5, x": 7, "21.5, 103.5, 7": 12, "21°N 22°N": 6, "21.5 103.5 7": 6} {
		if _, wrong := readPair(text); wrong == nil || wrong.at != at {
			t.Errorf("%q: %+v, want a fault at %d", text, wrong, at)
		}
	}
	p, _ := readPair("21.5, 103.25")
	if lonLat, swapped := p.ordered(true); !swapped || lonLat[0].degrees != 103.25 {
		t.Error("a latitude of 103° was not seen")
	}
}

func TestHemispheresOfAFile(t *testing.T) {
	vietNam := &Territory{Bound: orb.Bound{Min: orb.Point{102, 8}, Max: orb.Point{110, 24}}}
	java := &Territory{Bound: orb.Bound{Min: orb.Point{105, -9}, Max: orb.Point{115, -5}}}
	for _, tt := range []struct {
		texts     []string
		territory *Territory
		want      Letters
		said      bool
	}{
		{[]string{"21N", "103E"}, nil, LettersEnglish, true}, {[]string{"21B", "103Đ"}, nil, LettersVietnamese, false}, {[]string{"7N", "110Đ"}, java, LettersVietnamese, true},
		{[]string{"21N", "103Đ"}, vietNam, LettersEnglish, true}, {[]string{"7N", "110Đ", "110E"}, java, LettersUnknown, true}, {[]string{"21N"}, nil, LettersEnglish, true}, {[]string{"21"}, nil, LettersEnglish, false},
	} {
		var h hemispheres
		for _, text := range tt.texts {
			a, wrong := readAngle(text)
			if wrong != nil {
				t.Fatal(text, wrong)
			}
			h.observe(a)
		}
		if got, why := h.decide(tt.territory); got != tt.want || (why != nil) != tt.said {
			t.Errorf("%q: %q, %v", tt.texts, got, why)
		}
	}
}

func TestWKT(t *testing.T) {
	for text, want := range map[string]string{
		"POINT (103 21)": "POINT (103 21)", "point(103 21)": "POINT (103 21)", "POINT Z (103 21 5)": "POINT Z (103 21 5)", "POINTZ(103 21 5)": "POINT Z (103 21 5)", "POINT (103 21 5)": "POINT Z (103 21 5)", "SRID=9205;POINT(500000 2365000.5)": "POINT (500000 2365000.5)",
		"LINESTRING (1 2, 3 4)": "LINESTRING (1 2, 3 4)", "MULTIPOINT (1 2, 3 4)": "MULTIPOINT (1 2, 3 4)", "MULTIPOINT ((1 2), (3 4))": "MULTIPOINT (1 2, 3 4)", "POLYGON ((0 0, 1 0, 1 1, 0 0))": "POLYGON ((0 0, 1 0, 1 1, 0 0))",
		"MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))": "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))", "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))": "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))", "LINESTRING M (1 2 3, 3 4 5)": "LINESTRING M (1 2 3, 3 4 5)",
	} {
		g, srid, wrong := readWKT(text)
		if wrong != nil {
			t.Errorf("%q: %+v", text, wrong)
			continue
		}
		asked, err := wkt.Unmarshal(want)
		if err != nil {
			t.Fatal(want, err)
		}
		got, err := wkt.Marshal(g)
		if again, _ := wkt.Marshal(asked); err != nil || got != again || (srid == 9205) != (text[0] == 'S') {
			t.Errorf("%q: %q, %d, %v", text, got, srid, err)
		}
	}
	if g, _, wrong := readWKT("POINT EMPTY"); g != nil || wrong != nil {
		t.Errorf("an empty point: %v, %+v", g, wrong)
	}
	for text, at := range map[string]int{"": 1, "PUNKT (1 2)": 1, "POINT 1 2": 7, "POINT (1)": 8, "POINT (1 2": 11, "POINT (1 2, 3 4)": 11, "POINT (1 x)": 8, "LINESTRING (1 2, 3 4 5)": 18, "POINT (1 2) x": 13, "SRID=x;POINT(1 2)": 6, "GEOMETRYCOLLECTION(POINT(1 2))": 1, "POINT (1-2 3)": 8, "MULTIPOINT ((1 2, 3 4))": 17} {
		if _, _, wrong := readWKT(text); wrong == nil || wrong.at != at {
			t.Errorf("%q: %+v, want a fault at %d", text, wrong, at)
		}
	}
}

// FuzzCoordinates: no text makes the readers fail otherwise than by a fault inside it, and
// what they read is a number.
func FuzzCoordinates(f *testing.F) {
	for _, s := range []string{`103°02'00.8"Đ`, "21 23 07.7", "21.5, 103.25", "B21-30-00 Đ103-15-00", "21,5,103,25", "POINT (1 2)", "SRID=1;MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))", "(21", "21d23m07.7sS", "''", "N"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		length := len(newScanner(s).text)
		inside := func(wrong *textFault) bool {
			return wrong == nil || wrong.at >= 1 && wrong.at <= length+1 && wrong.why.VI != "" && wrong.why.EN != ""
		}
		a, wrong := readAngle(s)
		if !inside(wrong) || wrong == nil && (math.IsNaN(a.degrees) || math.IsInf(a.degrees, 0)) {
			t.Fatalf("%q: %+v, %+v", s, a, wrong)
		}
		p, wrong := readPair(s)
		if !inside(wrong) {
			t.Fatalf("%q: %+v, %+v", s, p, wrong)
		}
		g, _, wrong := readWKT(s)
		if !inside(wrong) {
			t.Fatalf("%q: %+v", s, wrong)
		}
		if g != nil {
			if _, err := wkt.Marshal(g); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
		}
	})
}
