package tables

import (
	"bytes"
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

// communes are the names of the communes by their codes, as they should be read.
func communes(t testing.TB) map[string]string {
	t.Helper()
	f, err := os.Open(shared(t, "tables/dienbien_communes.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	code, name := slices.Index(rows[0], "code"), slices.Index(rows[0], "full_name")
	if code < 0 || name < 0 {
		t.Fatalf("columns %q", rows[0])
	}
	names := map[string]string{}
	for _, r := range rows[1:] {
		names[r[code]] = r[name]
	}
	return names
}

func TestCSVFilesOfAnOffice(t *testing.T) {
	names := communes(t)
	for _, c := range []struct {
		file, code, name string
		rows             int
		guesses          map[string]string
	}{
		{"toado_vn2000_kttt103.csv", "Mã xã", "Tên xã", 130, map[string]string{"separator": ";", "decimal_comma": "yes", "header_row": "1", "encoding": "utf-8"}},
		{"toado_vn2000_kttt105_sai.csv", "code", "full_name", 130, map[string]string{"separator": ",", "decimal_comma": "no", "header_row": "1", "encoding": "utf-8"}},
		{"diem_dms_cp1258.csv", "Mã", "Tên", 26, map[string]string{"separator": ",", "decimal_comma": "", "header_row": "1", "encoding": "windows-1258"}},
	} {
		table := opened(t, shared(t, "messy/"+c.file), Options{})
		for what, want := range c.guesses {
			if got := guessed(table, what); got != want {
				t.Errorf("%s: %s guessed as %q, want %q", c.file, what, got, want)
			}
		}
		rows := rowsOf(t, table)
		if len(rows) != c.rows {
			t.Errorf("%s: %d rows, want %d", c.file, len(rows), c.rows)
		}
		noFaults(t, rows)
		for i, r := range rows {
			code, name := cell(t, table, r, c.code), cell(t, table, r, c.name)
			if want := names[code.(string)]; name != want || r.Number != int64(i+2) {
				t.Errorf("%s line %d: %v is %q, want %q", c.file, r.Number, code, name, want)
			}
		}
	}
}

func TestCellsOfAnOfficeStayAsTheyAre(t *testing.T) {
	table := opened(t, shared(t, "messy/toado_vn2000_kttt103.csv"), Options{})
	want := []any{"1", "03124", "Phường Noong Bua", "2.365.624,080", "503.281,977", "X=Bắc, Y=Đông, KTT 103°00', múi 3°"}
	if got := rowsOf(t, table)[0].Cells; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	table = opened(t, shared(t, "messy/diem_dms_cp1258.csv"), Options{})
	want = []any{"03124", "Phường Noong Bua", `103°02'00.8"Đ`, `21°23'07.7"B`}
	if got := rowsOf(t, table)[0].Cells; !slices.Equal(got, want) || table.Columns()[2] != "Kinh độ" {
		t.Errorf("%q, want %q; columns %q", got, want, table.Columns())
	}
}

// inTCVN3 and inVNI write as the old fonts had it; capitals with marks are small letters in TCVN3.
func inTCVN3(s string) []byte { return inTable(s, tcvn3Table()) }
func inVNI(s string) []byte   { return inTable(s, vniTable()) }

func inTable(s string, table [128]string) []byte {
	var out []byte
	for _, r := range norm.NFC.String(s) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		if at := slices.Index(table[:], string(r)); at >= 0 {
			out = append(out, byte(at+128))
			continue
		}
		parts := []rune(norm.NFD.String(string(r)))
		base, marks := string(parts[0]), string(parts[1:])
		if at := slices.IndexFunc(table[:], func(of string) bool { return norm.NFD.String(of) == norm.NFD.String(marks) }); at >= 0 {
			out = append(append(out, base...), byte(at+128))
			continue
		}
		// the horn stands with its letter, the tone behind it
		horned := norm.NFC.String(base + "\u031b")
		tone := strings.Replace(marks, "\u031b", "", 1)
		at, mark := slices.Index(table[:], horned), slices.Index(table[:], tone)
		out = append(out, byte(at+128), byte(mark+128))
	}
	return out
}

func TestEncodingsAreToldApart(t *testing.T) {
	const text = "Mã;Tên;Ghi chú\n1;Xã Mường Toong;được cấp phép\n2;Thị trấn Tủa Chùa;chưa duyệt, sửa lại\n3;Phường Him Lam;đã kiểm tra ở hiện trường\n4;Xã Nậm Kè;dựng lẫn cột điện lực, nghiêng\n"
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	latin := func(b []byte) []byte {
		s, err := charmap.ISO8859_1.NewDecoder().Bytes(b)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	windows := in1258(t, text)
	for _, c := range []struct {
		what, guess string
		content     []byte
	}{
		{"UTF-8", "utf-8", []byte(text)},
		{"UTF-8, marks apart", "utf-8", []byte(norm.NFD.String(text))},
		{"UTF-16", "utf-16", utf16},
		{"Windows-1258", "windows-1258", windows},
		{"TCVN3", "tcvn3", inTCVN3(text)},
		{"VNI", "vni", inVNI(text)},
		{"TCVN3 in UTF-8", "tcvn3", latin(inTCVN3(text))},
		{"VNI in UTF-8", "vni", latin(inVNI(text))},
		{"UTF-8 in UTF-8", "utf-8-twice", latin([]byte(text))},
	} {
		table := opened(t, written(t, "x.csv", c.content), Options{})
		if got := guessed(table, "encoding"); got != c.guess {
			t.Errorf("%s: taken for %q", c.what, got)
		}
		rows := rowsOf(t, table)
		if len(rows) != 4 || !slices.Equal(table.Columns(), []string{"Mã", "Tên", "Ghi chú"}) || rows[1].Cells[1] != "Thị trấn Tủa Chùa" || rows[3].Cells[2] != "dựng lẫn cột điện lực, nghiêng" {
			t.Errorf("%s: %q %v", c.what, table.Columns(), rows)
		}
		noFaults(t, rows)
	}
}

// What the fonts' users wrote, not what our tables say of it.
// Lines that end in a carriage return alone, as Excel writes "CSV (Macintosh)".
func TestLinesOfAMacintosh(t *testing.T) {
	text := "mã;tên;cao\r1;\"hai\rdòng\";2,5\r2;b;3,5\r"
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{text, "\ufeff" + text, wide} {
		table := opened(t, written(t, "x.csv", []byte(text)), Options{})
		rows := rowsOf(t, table)
		if len(rows) != 2 || !slices.Equal(table.Columns(), []string{"mã", "tên", "cao"}) || rows[0].Cells[1] != "hai\ndòng" || guessed(table, "line_ends") != "cr" {
			t.Errorf("%q: %q, %+v", text, table.Columns(), rows)
		}
	}
	if table := opened(t, written(t, "x.csv", []byte("mã;tên\n1;a\n")), Options{}); guessed(table, "line_ends") != "" {
		t.Error("others are told of, too")
	}
}

func TestOldFonts(t *testing.T) {
	for name, texts := range map[string][3]string{
		"tcvn3": {"Céng hßa x· héi chñ nghÜa ViÖt Nam", "Céng hßa x· héi chñ nghÜa ViÖt Nam", "Cộng hòa xã hội chủ nghĩa Việt Nam"},
		"vni":   {"Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", "COÄNG HOØA XAÕ HOÄI CHUÛ NGHÓA VIEÄT NAM", "Cộng hòa xã hội chủ nghĩa Việt Nam"},
	} {
		for i, text := range texts[:2] {
			bytes, err := charmap.Windows1252.NewEncoder().String(text)
			if err != nil {
				t.Fatal(err)
			}
			rows := rowsOf(t, opened(t, written(t, "x.csv", []byte("a\n"+bytes+"\n")), Options{}))
			want := texts[2]
			if i == 1 && name == "vni" {
				want = strings.ToUpper(want)
			}
			if rows[0].Cells[0] != want {
				t.Errorf("%s: %v, want %s", name, rows[0].Cells[0], want)
			}
		}
	}
}

// in1258 writes as Windows does: letters whole, tones after them.
func in1258(t testing.TB, text string) []byte {
	t.Helper()
	var apart strings.Builder
	for _, r := range norm.NFC.String(text) {
		parts := []rune(norm.NFD.String(string(r)))
		var tone string
		base := string(parts[0])
		for _, mark := range parts[1:] {
			if isTone(mark) {
				tone = string(mark)
			} else {
				base += string(mark)
			}
		}
		apart.WriteString(norm.NFC.String(base) + tone)
	}
	out, err := charmap.Windows1258.NewEncoder().String(apart.String())
	if err != nil {
		t.Fatal(err)
	}
	return []byte(out)
}

func TestWhatIsSaidOverridesGuesses(t *testing.T) {
	path := written(t, "x.csv", []byte("a,b;c\n1,5;2\n"))
	table := opened(t, path, Options{Separator: ",", DecimalComma: "no", HeaderRow: -1})
	rows := rowsOf(t, table)
	if !slices.Equal(table.Columns(), []string{"column 1", "column 2"}) || len(rows) != 2 || rows[1].Cells[1] != "5;2" || guessed(table, "decimal_comma") != "no" {
		t.Errorf("%q %v", table.Columns(), rows)
	}
	path = written(t, "x.csv", append([]byte("t\xean\n"), inTCVN3("Mường\n")...))
	if rows := rowsOf(t, opened(t, path, Options{Encoding: "ABC"})); rows[0].Cells[0] != "Mường" {
		t.Errorf("%v", rows)
	}
	for said, o := range map[string]Options{
		"the encoding": {Encoding: "klingon"}, "the separator": {Separator: ",,"}, "the decimal comma": {DecimalComma: "maybe"},
		"the row of names 7": {HeaderRow: 7}, "one of the first": {HeaderRow: MaxHeaderRow + 1}, "is not divided": {Table: "x"},
	} {
		if got := refusal(t, path, o); !strings.Contains(got, said) {
			t.Errorf("%+v: %s", o, got)
		}
	}
}

func TestNamesOfColumns(t *testing.T) {
	for _, c := range []struct {
		what, text string
		columns    []string
		header     string
		first      int64
	}{
		{"titles above", "UBND TỈNH ĐIỆN BIÊN;;;\nDANH SÁCH CỘT ĂNG TEN;;;\n;;;\nTT;Tên;X;Y\n1;a;2,5;3,5\n2;b;4,5;5,5\n", []string{"TT", "Tên", "X", "Y"}, "4", 5},
		{"years", "Huyện,2019,2020\na,5,6\nb,7,8\n", []string{"Huyện", "2019", "2020"}, "1", 2},
		{"none", "1,a,2.5\n2,b,3.5\n", []string{"column 1", "column 2", "column 3"}, "-1", 1},
		{"twice and empty", "x,x,,y\n1,2,3,4\n5,6,7,8\n", []string{"x", "x (2)", "column 3", "y"}, "1", 2},
		{"groups and numbers", "TT;Tên;Toạ độ;\n;;X;Y\n(1);(2);(3);(4)\n1;a;2,5;3,5\n2;b;2,5;3,5\n", []string{"TT", "Tên", "Toạ độ X", "Toạ độ Y"}, "1", 4},
		{"Excel's line", "sep=;\na;b\n1;2\n", []string{"a", "b"}, "2", 3},
		{"one column", "tên\nHà Nội\nHuế\n", []string{"tên"}, "1", 2},
		{"lines in quotes", "\"tên\nxã\",x\n\"a\nb\",1\n\"c\",2\n", []string{"tên xã", "x"}, "1", 3},
	} {
		table := opened(t, written(t, "x.csv", []byte(c.text)), Options{})
		rows := rowsOf(t, table)
		if !slices.Equal(table.Columns(), c.columns) || guessed(table, "header_row") != c.header || len(rows) == 0 || rows[0].Number != c.first {
			t.Errorf("%s: %q, header %s, rows %v", c.what, table.Columns(), guessed(table, "header_row"), rows)
		}
	}
}

func TestListsOfAnInstrument(t *testing.T) {
	table := opened(t, written(t, "x.txt", []byte("TT X(m)  Y(m) H\n  1  2365624.080\t503281.977   512.3\n  2 2367722.634 502943.100  498.1 \n\n")), Options{})
	rows := rowsOf(t, table)
	if len(rows) != 2 || !slices.Equal(rows[0].Cells, []any{"1", "2365624.080", "503281.977", "512.3"}) || !slices.Equal(table.Columns(), []string{"TT", "X(m)", "Y(m)", "H"}) || guessed(table, "separator") != " " {
		t.Errorf("%v %q %v", table.Guesses(), table.Columns(), rows)
	}
	table = opened(t, written(t, "x.txt", []byte("a b\nc  d\n")), Options{Separator: " "})
	if rows := rowsOf(t, table); len(rows) != 1 || rows[0].Cells[1] != "d" {
		t.Errorf("%v", rows)
	}
	if got := guessed(opened(t, written(t, "x.txt", []byte("Danh sách các xã\nXã Mường Nhé\nXã Nậm Kè\n")), Options{}), "separator"); got != "" {
		t.Errorf("prose is parted by %q", got)
	}
}

func TestRowsThatAreWrongSaySo(t *testing.T) {
	table := opened(t, written(t, "x.csv", []byte("mã,tên\n1,Hà\n2,H\xff\n3,Nội,dư\n4,được\n5,Điện Biên\n6,rất tốt\n")), Options{Encoding: "utf-8"})
	rows := rowsOf(t, table)
	for i, want := range []string{"", "none of the encoding utf-8", "beyond the columns", ""} {
		got := ""
		if err := rows[i].Faults.Err(); err != nil {
			got = err.Error()
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("row %d: %q", i, got)
		}
	}
}

func TestHostileTextsAreRefused(t *testing.T) {
	for _, c := range []struct {
		content []byte
		said    string
	}{
		{nil, "empty"},
		{[]byte("\ufeff"), "empty"},
		{bytes.Repeat([]byte("a"), MaxLineBytes+1), "longer than"},
		{append([]byte("a,b\n1,\""), bytes.Repeat([]byte("a\n"), 2*MaxLineBytes)...), "longer than"},
		{bytes.Repeat([]byte("a,"), MaxColumns+1), "more than"},
		{[]byte("a,b\n\x00\x01"), "no format"},
	} {
		if got := refusal(t, written(t, "x.csv", c.content), Options{}); !strings.Contains(got, c.said) {
			t.Errorf("%.20q: %s", c.content, got)
		}
	}
}

func TestSyllables(t *testing.T) {
	s := newSpeller()
	for _, word := range strings.Fields("Mường Nhé Huổi Lếch Nậm Kè Tủa Sín Chải Điện Biên Phủ Nghĩa quyết giường gì khuỷu quốc xoong yếu ưu Tuyến ạ Ảng") {
		if !s.syllable(word) {
			t.Errorf("%q is a syllable", word)
		}
	}
	for _, word := range strings.Fields("Tårneby Phºêng qùốc bcã xuấtt mãt naïm zã") {
		if s.syllable(word) {
			t.Errorf("%q is none", word)
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a;b\n\"1,5\";2\n"))
	f.Add([]byte("\xff\xfea\x00\n\x00"))
	f.Add(inVNI("Mã;Tên\n1;Nậm Kè\n"))
	fuzzed(f, "x.csv")
}

// fuzzed opens and reads whatever it is given; what is found must be sound.
func fuzzed(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := Open(t.Context(), written(t, name, content), Options{})
		if err != nil {
			return
		}
		defer table.Close()
		n := 0
		_ = table.Read(t.Context(), func(r *Row) error {
			if n++; n > 10_000 {
				return errEnough
			}
			checkRow(t, table, r)
			return nil
		})
	})
}

// checkRow fails for a row that no reader may hand on.
func checkRow(t testing.TB, table Table, r *Row) {
	t.Helper()
	if len(r.Cells) != len(table.Columns()) {
		t.Errorf("row %d has %d cells for %d columns", r.Number, len(r.Cells), len(table.Columns()))
	}
	for i, c := range r.Cells {
		if s, ok := c.(string); ok && (!norm.NFC.IsNormalString(s) || strings.ContainsRune(s, 0) || strings.ToValidUTF8(s, "") != s) {
			t.Errorf("row %d, column %d: %q is no text", r.Number, i, s)
		}
	}
}
