package layer

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func wire8(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
func wire4(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func wireFloat(x float64) []byte { return wire8(math.Float64bits(x)) }

// wireList writes text[] as PostgreSQL sends it; a nil item is null.
func wireList(dims []uint32, items ...[]byte) []byte {
	b := wire4(uint32(len(dims)))
	b = append(b, wire4(1)...)
	b = append(b, wire4(25)...)
	for _, n := range dims {
		b = append(append(b, wire4(n)...), wire4(1)...)
	}
	for _, item := range items {
		if item == nil {
			b = append(b, wire4(math.MaxUint32)...)
			continue
		}
		b = append(append(b, wire4(uint32(len(item)))...), item...)
	}
	return b
}

// checkText compares the bare text of a value with what its JSON says.
func checkText(t *testing.T, k Kind, value, written []byte) {
	t.Helper()
	text, ok, err := k.AppendText([]byte("x"), value)
	want := string(written)
	switch {
	case k == TextList:
		return // see TestListsAsText
	case k == Text:
		want = string(value)
	case want == "null":
		want = ""
	default:
		want = strings.Trim(want, `"`)
	}
	if null := string(written) == "null"; err != nil || ok == null || string(text) != "x"+want {
		t.Errorf("as text it is %q, %t, %v; in JSON %s", text, ok, err, written)
	}
}

// What is written as text is read back as it was.
func TestListsAsText(t *testing.T) {
	field := Field{Kind: TextList}
	for want, items := range map[string][]string{
		"2G,3G": {"2G", "3G"}, "Mường Ảng": {"Mường Ảng"}, "[]": {}, `["a,b","c"]`: {"a,b", "c"}, `["[x]"]`: {"[x]"}, "a[,]b": {"a[", "]b"}, `"2G"`: {`"2G"`},
	} {
		dims, raw := []uint32{uint32(len(items))}, [][]byte{}
		for _, item := range items {
			raw = append(raw, []byte(item))
		}
		if len(items) == 0 {
			dims = nil
		}
		text, ok, err := TextList.AppendText(nil, wireList(dims, raw...))
		if err != nil || !ok || string(text) != want {
			t.Errorf("%q is written %s, %t, %v", items, text, ok, err)
		}
		back, err := field.ParseText(string(text))
		if list, _ := back.([]string); err != nil || !slices.Equal(list, items) {
			t.Errorf("%s is read back as %q, %v, want %q", text, back, err, items)
		}
	}
	if text, _, err := TextList.AppendText(nil, wireList([]uint32{2}, []byte("a"), nil)); err != nil || string(text) != `["a",null]` {
		t.Errorf("a list with null is written %s, %v", text, err)
	}
}

func TestWireForms(t *testing.T) {
	const day = 24 * 3600 * 1000000
	for _, tt := range []struct {
		name  string
		kind  Kind
		value []byte
		want  string
	}{
		{"null", Integer, nil, "null"},
		{"integer", Integer, wire8(1 << 62), "4611686018427387904"},
		{"negative integer", Integer, wire8(math.MaxUint64), "-1"},
		{"number", Number, wireFloat(0.1), "0.1"},
		{"large number", Number, wireFloat(1e21), "1000000000000000000000"},
		{"NaN is no JSON", Number, wireFloat(math.NaN()), "null"},
		{"infinity is no JSON", Number, wireFloat(math.Inf(-1)), "null"},
		{"true", Boolean, []byte{1}, "true"},
		{"false", Boolean, []byte{0}, "false"},
		{"first day", Date, wire4(0), `"2000-01-01"`},
		{"day before", Date, wire4(math.MaxUint32), `"1999-12-31"`},
		{"leap day", Date, wire4(59), `"2000-02-29"`},
		{"date infinity", Date, wire4(math.MaxInt32), "null"},
		{"date minus infinity", Date, wire4(1 << 31), "null"},
		{"instant", Timestamp, wire8(day + 1500000), `"2000-01-02T00:00:01.5Z"`},
		{"instant before 2000", Timestamp, wire8(math.MaxUint64), `"1999-12-31T23:59:59.999999Z"`},
		{"instant four centuries on", Timestamp, wire8(146097 * day), `"2400-01-01T00:00:00Z"`},
		{"time infinity", Timestamp, wire8(math.MaxInt64), "null"},
		{"time minus infinity", Timestamp, wire8(1 << 63), "null"},
		{"text", Text, []byte("Điện Biên"), `"Điện Biên"`},
		{"empty text", Text, []byte{}, `""`},
		{"controls", Text, []byte("a\x00\x1f\n\t\r\"\\"), `"a\u0000\u001f\n\t\u000d\"\\"`},
		{"not UTF-8", Text, []byte("a\xff\xc3b"), `"a\ufffd\ufffdb"`},
		{"no items", TextList, wireList(nil), "[]"},
		{"items", TextList, wireList([]uint32{3}, []byte("2G"), nil, []byte(`"`)), `["2G",null,"\""]`},
		{"list of lists is flattened", TextList, wireList([]uint32{2, 2}, []byte("a"), []byte("b"), []byte("c"), []byte("d")), `["a","b","c","d"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.kind.AppendJSON([]byte("x"), tt.value)
			if err != nil || string(got) != "x"+tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
			if !json.Valid(got[1:]) {
				t.Errorf("%s is not JSON", got[1:])
			}
			checkText(t, tt.kind, tt.value, got[1:])
		})
	}
}

func TestWireValuesOfTheWrongSizeAreErrors(t *testing.T) {
	list := wireList([]uint32{2}, []byte("a"), []byte("bc"))
	for n := range len(list) {
		if _, err := TextList.AppendJSON(nil, list[:n]); err == nil {
			t.Errorf("a list cut at %d bytes was written", n)
		}
		if _, _, err := TextList.AppendText(nil, list[:n:n]); err == nil {
			t.Errorf("a list cut at %d bytes was written as text", n)
		}
	}
	for kind, size := range map[Kind]int{Integer: 8, Number: 8, Boolean: 1, Date: 4, Timestamp: 8} {
		for _, n := range []int{size - 1, size + 1} {
			if _, err := kind.AppendJSON(nil, make([]byte, n)); err == nil {
				t.Errorf("%d bytes were written as %s", n, kind)
			}
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "Mường Ảng", "\x00\"\\\u2028\x7f", "\xff\xfe", "\xed\xa0\x80", strings.Repeat("é", 50)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		written := AppendString(nil, s)
		var got string
		if err := json.Unmarshal(written, &got); err != nil {
			t.Fatalf("%q does not read back: %v", written, err)
		}
		if want := string([]rune(string(s))); got != want {
			t.Errorf("%q reads back as %q", want, got)
		}
		if !utf8.Valid(written) {
			t.Errorf("%q is not UTF-8", written)
		}
	})
}

func FuzzAppendTextList(f *testing.F) {
	f.Add(wireList([]uint32{2}, []byte("a"), nil))
	f.Add(wireList([]uint32{math.MaxUint32, math.MaxUint32}))
	f.Add(wireList([]uint32{1 << 16, 1 << 16, 1 << 16, 1 << 16}, []byte("a")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		written, err := TextList.AppendJSON(nil, raw)
		if err == nil && raw != nil && !json.Valid(written) {
			t.Errorf("%q is not JSON", written)
		}
	})
}

func TestTimestampsKeepMicroseconds(t *testing.T) {
	at := time.Date(2026, 11, 22, 17, 4, 5, 123456000, time.UTC)
	got, err := Timestamp.AppendJSON(nil, wire8(uint64(at.Sub(postgresEpoch).Microseconds())))
	if err != nil || string(got) != `"2026-11-22T17:04:05.123456Z"` {
		t.Errorf("got %s, %v", got, err)
	}
}

// Days and instants are written as package time writes them.
func TestDaysAsPackageTimeHasThem(t *testing.T) {
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	check := func(days int64, microseconds int64) {
		t.Helper()
		at := epoch.AddDate(0, 0, int(days))
		if got, want := string(appendDate(nil, int32(days))), `"`+at.Format(time.DateOnly)+`"`; got != want {
			t.Fatalf("%d days are %s, want %s", days, got, want)
		}
		at = at.Add(time.Duration(microseconds) * time.Microsecond)
		if got, want := string(appendTimestamp(nil, days*86400_000_000+microseconds)), `"`+at.Format(time.RFC3339Nano)+`"`; got != want {
			t.Fatalf("%d days and %d µs are %s, want %s", days, microseconds, got, want)
		}
	}
	for days := int64(-750_000); days < 3_000_000; days += 1 + (days*days)%13 {
		check(days, (days*days*7919)%86400_000_000)
	}
	for _, days := range []int64{-800_000, -730_424, -730_425, -730_426, 2_921_939, 2_921_940, 3_000_000, -100_000_000} {
		for _, microseconds := range []int64{0, 1, 500_000, 86399_999_999} {
			check(days, microseconds)
		}
	}
}

// Texts of every length, with what is odd at every place, are read as they were.
func TestTextsReadBackWhereverTheyAreOdd(t *testing.T) {
	for size := range 26 {
		for at := range size {
			for _, odd := range []string{`"`, `\`, "\n", "\x00", "\x1f", " ", "\x7f", "\x80", "\xff", "ệ", "\U0001F4E1", "\xe1\xbb", `ệ"`, "\xff\\"} {
				text := strings.Repeat("x", at) + odd + strings.Repeat("ý", size-at)
				var read string
				if err := json.Unmarshal(AppendString(nil, []byte(text)), &read); err != nil || read != string([]rune(text)) {
					t.Fatalf("%q was read as %q, %v", text, read, err)
				}
			}
		}
	}
}

// Numbers are written as package strconv writes them, whole or not.
func TestNumbersAsPackageStrconvHasThem(t *testing.T) {
	numbers := []float64{0, math.Copysign(0, -1), 1 << 53, 1<<53 - 1, -1 << 53, 1 << 62, 1 << 63, 1e300, -1e300, 0.1, 2.5, -7, 1e15, 123456789, math.SmallestNonzeroFloat64}
	for i := range 2000 {
		numbers = append(numbers, float64(i*i*i)-4e9, float64(i)/8, math.Pow(1.7, float64(i%700))*float64(1-i%2*2))
	}
	for _, x := range numbers {
		if got, want := string(appendFloat(nil, x)), strconv.FormatFloat(x, 'f', -1, 64); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
