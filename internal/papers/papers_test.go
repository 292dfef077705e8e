package papers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"hatang/geo"
	"hatang/geo/zoning"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// settingOf is what the tests' papers are set with.
func settingOf(t testing.TB, language string) Setting {
	t.Helper()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return Setting{
		Language: language, Root: "https://ban-do.example.vn/api/v1",
		Heading: plan.Heading{
			State: geo.Text{VI: "Cộng hòa xã hội chủ nghĩa Việt Nam", EN: "Socialist Republic of Viet Nam"}, Motto: geo.Text{VI: "Độc lập - Tự do - Hạnh phúc", EN: "Independence - Freedom - Happiness"},
			Above: geo.Text{VI: "Ủy ban nhân dân tỉnh Sông Lam", EN: "People’s Committee of Sông Lam"}, Agency: geo.Text{VI: "Sở Thông tin và Truyền thông", EN: "Department of Information"},
			Place: geo.Text{VI: "Sông Lam", EN: "Sông Lam"}, Grid: 9205,
		},
		Layers: layers.Get, Organisations: map[string]geo.Text{"VIETTEL": {VI: "Viettel", EN: "Viettel"}}, Units: map[string]string{"communes/03136": "Phường Mường Thanh"},
	}
}

func metresOf(x float64) *float64 { return &x }

// findingsOf are so many, each with sentences of its own.
func findingsOf(n int) (findings []zoning.Finding) {
	for i := range n {
		findings = append(findings, zoning.Finding{
			Rule: fmt.Sprintf("QT-%05d", i), Outcome: []zoning.Outcome{zoning.Pass, zoning.Fail, zoning.Condition, zoning.Unknown}[i%4], Binding: i%2 == 0, Clause: "Phần 2, III.2.4.1.đ",
			Measured: "self_supporting", Required: "A1a, A1b", MeasuredM: metresOf(138.91), RequiredM: metresOf(400), MarginM: metresOf(-261.09), Decides: i%4 == 1,
			Evidence: &zoning.Evidence{Collection: "bts_sites", ID: int64(i + 1), Code: fmt.Sprintf("ĐB-%05d", i)},
			Message: geo.Text{VI: fmt.Sprintf("Câu thứ %05d: ẵẫậệộỵ ƯỞNG đường Võ Nguyên Giáp, khoảng cách tối thiểu ≤ 400 m, phải lấy ý kiến của Bộ Chỉ huy Bộ đội Biên phòng tỉnh.", i),
				EN: fmt.Sprintf("Sentence %05d: the minimum is 400 m.", i)},
			Source: zoning.Source{Instrument: fmt.Sprintf("Quyết định %05d/QĐ-UBND", i)}})
	}
	return findings
}

// recordOf is a record of a mast that was refused with findings.
func recordOf(t testing.TB, findings []zoning.Finding) permit.Record {
	t.Helper()
	raw := func(v any) json.RawMessage {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	answer := raw(map[string]any{"verdict": "refused", "provisional": true, "findings": findings, "allowed_types": []string{"A1a", "A1b"}, "date": "2020-12-31", "rule_set": "song-lam@3",
		"alternatives": []any{map[string]any{"kind": "mast_type", "message": geo.Text{VI: "Được phép A1a.", EN: "A1a is permitted."}}, map[string]any{"kind": "share_mast", "message": geo.Text{VI: "Dùng chung cột HT-0028, cách 344,2 m.", EN: "Share mast HT-0028, 344.2 m away."}}},
		"unit":         map[string]string{"commune": "03136", "district": "094", "province": "11"}, "point": []float64{103.0165, 21.3826}})
	question := raw(map[string]any{"lon": 103.0165, "lat": 21.3826, "mast_type": "A2b", "height_m": 45, "structure": "self_supporting", "concealed": false, "operator": "VIETTEL"})
	body := permit.RecordBody{Type: "hatang-verdict/3", Number: "V-2026-EAN1-KJ17-6WDX", Code: "VM3Q-80QP-FHQG-8GN2", Kind: permit.Placement, Date: geo.NewDate(2020, 12, 31),
		KnownAt: time.Date(2026, 11, 29, 17, 40, 46, 0, time.UTC), Question: question, Answer: answer, RuleSet: &permit.RuleSetRef{ID: "song-lam", Version: 3, SHA256: strings.Repeat("0a", 32)}}
	return permit.Record{Body: raw(body), Key: "QMOBhb6ky5iMAfca2sznvPErxhWZSaI_NBwGTKXjXxY", Signature: bytes.Repeat([]byte{7}, 64)}
}

// verdictPaper sets a verdict, with a map.
func verdictPaper(t testing.TB, language string, findings []zoning.Finding) *Paper {
	t.Helper()
	v, err := ReadVerdict(recordOf(t, findings))
	if err != nil {
		t.Fatal(err)
	}
	s := settingOf(t, language)
	s.Map = mapOf(v.Place, v.Legend(language))
	return v.Paper(s, nil)
}

// mapOf is a map of a place in one of two communes.
func mapOf(place orb.Geometry, legend string) *Map {
	commune := func(west, east float64) orb.MultiPolygon {
		return orb.MultiPolygon{{{{west, 21.2}, {east, 21.2}, {east, 21.6}, {west, 21.6}, {west, 21.2}}}}
	}
	return &Map{Frame: NewFrame(place.Bound(), Grid(plan.Heading{Grid: 9205})), Features: []Feature{
		{Role: Unit, Geometry: commune(102.9, 103.02), Label: "Phường Mường Thanh", Legend: "Xã, phường", Colour: grey},
		{Role: Unit, Geometry: commune(103.02, 103.3), Label: "Phường Tân Thanh", Legend: "Xã, phường", Colour: grey},
		{Role: Border, Geometry: commune(104, 104.1), Label: "Far", Legend: "Xa tít", Colour: black},
		{Role: Evidence, Geometry: orb.Point{103.0175, 21.3835}, Label: "HT-0028", Legend: "Cột ăng ten", Colour: Colour{255, 127, 14}},
		{Role: Evidence, Geometry: orb.MultiLineString{{{103.0, 21.38}, {103.03, 21.385}}}, Label: "TUYEN-1", Legend: "Tuyến", Colour: Colour{0, 90, 200}},
		{Role: Subject, Geometry: place, Legend: legend, Colour: Colour{176, 16, 48}}}}
}

func pdfOf(t testing.TB, p *Paper) []byte {
	t.Helper()
	file, err := p.PDF()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// run runs a program on a file and returns what it writes, its blanks made one each.
func run(t *testing.T, file []byte, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paper.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, arg := range args {
		if args[i] = arg; arg == "FILE" {
			args[i] = path
		}
	}
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

// A reader of PDF finds every sentence, in both languages, with the title, the language, the
// contents and the numbers of pages; and the same paper is the same bytes.
func TestVerdictIsPrinted(t *testing.T) {
	findings := findingsOf(9)
	for language, wants := range map[string][]string{
		"vi": {"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "ỦY BAN NHÂN DÂN TỈNH SÔNG LAM", "Sông Lam, ngày 30 tháng 11 năm 2026", "KẾT LUẬN: KHÔNG ĐƯỢC PHÉP", "Kết luận tạm thời",
			"kinh độ 103,0165°, vĩ độ 21,3826°", "X (bắc) = 2.365.307,11 m, Y (đông) = 501.514,75 m", "Phường Mường Thanh, 094, 11", "A2b – cồng kềnh, trên mặt đất", "cột tự đứng", "Viettel (VIETTEL)", "138,9 m", "−261,1",
			"bắt buộc", "khuyến nghị", "Dùng chung cột HT-0028, cách 344,2 m.", "song-lam@3", "30/11/2026 00:40:46 UTC+07:00", "Ed25519, QMOBhb6ky5iMAfca2sznvPErxhWZSaI_NBwGTKXjXxY", "(Ký, ghi rõ họ tên và đóng dấu)", "Trang 1/3", "Trang 3/3"},
		"en": {"SOCIALIST REPUBLIC OF VIET NAM", "30 November 2026", "VERDICT: REFUSED", "northing 2,365,307.11 m, easting 501,514.75 m", "138.9 m", "binding", "Share mast HT-0028, 344.2 m away.", "Page 1/3"},
	} {
		p := verdictPaper(t, language, findings)
		file := pdfOf(t, p)
		if again := pdfOf(t, verdictPaper(t, language, findings)); !bytes.Equal(file, again) {
			t.Errorf("%s: the same paper is other bytes", language)
		}
		text := run(t, file, "pdftotext", "-layout", "FILE", "-")
		plain := run(t, file, "pdftotext", "FILE", "-")
		for _, f := range findings {
			wants = append(wants, f.Message.In(language), f.Rule, f.Evidence.Code, f.Source.Instrument)
		}
		for _, want := range wants {
			if !strings.Contains(text, want) && !strings.Contains(plain, want) {
				t.Errorf("%s: %q is not on the paper", language, want)
			}
		}
		if strings.Contains(plain, "A1a.") {
			t.Errorf("%s: a type of mast is told again that stands among those allowed", language)
		}
		info := run(t, file, "pdfinfo", "FILE")
		for _, want := range []string{"V-2026-EAN1-KJ17-6WDX", "Page size: 595.28 x 841.89 pts (A4)", "CreationDate: Sun Nov 29 17:40:46 2026"} {
			if !strings.Contains(info, want) {
				t.Errorf("%s: of the file is said %s", language, info)
			}
		}
		if !bytes.Contains(file, []byte("/Lang ("+language+")")) || !bytes.Contains(file, []byte("/Outlines")) {
			t.Errorf("%s: the file lacks its language or its contents", language)
		}
	}
}

// What a phone reads from the printed page is the address of the verification.
func TestCodeIsReadFromThePage(t *testing.T) {
	p := verdictPaper(t, "vi", findingsOf(1))
	page := filepath.Join(t.TempDir(), "page")
	run(t, pdfOf(t, p), "pdftoppm", "-r", "110", "-gray", "-png", "FILE", page)
	pages, err := filepath.Glob(page + "-*.png")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%v, %v", pages, err)
	}
	out, err := exec.CommandContext(t.Context(), "zbarimg", "--quiet", "--raw", pages[len(pages)-1]).Output()
	const want = "https://ban-do.example.vn/api/v1/verdicts/V-2026-EAN1-KJ17-6WDX/verification?code=VM3Q-80QP-FHQG-8GN2"
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%q, %v", out, err)
	}
}

// checkPages holds a set paper to what holds for all: nothing lies outside the page, and no line
// of text is over its margin.
func checkPages(t rapidT, s *setter) {
	for i := range s.pages {
		for _, shape := range s.pages[i].Shapes {
			for _, path := range shape.Paths {
				for _, p := range path {
					if p[0] < marginLeft-0.01 || p[0] > pageWidth-marginRight+0.01 || p[1] < 0 || p[1] > pageHeight {
						t.Fatalf("page %d: a line goes to %v", i+1, p)
					}
				}
			}
			if text := shape.Text; text != nil {
				width := s.faces[text.Style].width(text.Line, text.Size)
				left := text.At[0] - width*float64(text.Anchor)/2
				if left < marginLeft-0.01 || left+width > pageWidth-marginRight+0.01 || text.At[1] > pageHeight-8 {
					t.Fatalf("page %d: %q is from %v to %v, at %v", i+1, text.Line, left, left+width, text.At)
				}
			}
		}
	}
}

type rapidT interface {
	Fatalf(format string, args ...any)
}

// A finding is not broken where it fits on a page; one that fits on none goes on on the next;
// no head of a table stands alone.
func TestPageBreaks(t *testing.T) {
	findings := findingsOf(60)
	findings[30].Message.VI = strings.Repeat("Một câu rất dài về khoảng cách tối thiểu giữa các cột. ", 90)
	findings[30].Clause = strings.Repeat("Phần 2, III.2.4.1.đ ", 100)
	p := verdictPaper(t, "vi", findings)
	s, err := set(p)
	if err != nil {
		t.Fatal(err)
	}
	checkPages(t, s)
	first, last := map[string]int{}, map[string]int{}
	heads := 0
	for i := range s.pages {
		shown := 0
		for _, shape := range s.pages[i].Shapes {
			if shape.Text == nil {
				continue
			}
			line := shape.Text.Line
			if strings.HasPrefix(line, "QT-") {
				first[line[3:]], shown = i, shown+1
			}
			if rest, ok := strings.CutPrefix(line, "Nguồn: Quyết định "); ok {
				last[rest[:5]] = i
			}
			if line == "Quy tắc, điều khoản" {
				heads++
			}
			if strings.HasPrefix(line, "Một câu") {
				shown++
			}
		}
		if heads > 0 && shown == 0 && i < len(s.pages)-1 {
			t.Errorf("page %d has the head of a table alone", i+1)
		}
	}
	for rule, page := range first {
		if rule != "00030" && last[rule] != page {
			t.Errorf("finding %s is on pages %d and %d", rule, page+1, last[rule]+1)
		}
	}
	if len(first) != 60 || last["00030"] <= first["00030"] || heads < 5 {
		t.Errorf("%d findings, the long one from page %d to %d, %d heads", len(first), first["00030"], last["00030"], heads)
	}
}

// However long a paper is, whatever it ends with, and whether anything proves it, some of what
// it says stands on the page with the signature.
func TestNoSignatureStandsAlone(t *testing.T) {
	long := strings.Repeat("dòng ", 150)
	for ending, section := range map[string]func(n int) Section{
		"facts": func(n int) Section { return Section{Facts: slices.Repeat([]Fact{{"mục", "dòng"}}, n)} },
		"texts": func(n int) Section { return Section{Texts: append(slices.Repeat([]string{"dòng"}, n-1), long)} },
		"items": func(n int) Section { return Section{Items: slices.Repeat([]string{"dòng"}, n)} },
		"rows": func(n int) Section {
			return Section{Tables: []Table{{Columns: []Column{{Title: "cột", Width: 80}}, Rows: slices.Repeat([]Row{{Cells: []Cell{{Text: "dòng"}}}}, n)}}}
		},
		"long row": func(n int) Section {
			return Section{Tables: []Table{{Columns: []Column{{Title: "cột", Width: 80}}, Rows: []Row{{Cells: []Cell{{Text: strings.Repeat("dòng ", 14*n)}}}}}}}
		},
		"of proofs": func(n int) Section { return Section{Texts: slices.Repeat([]string{"một"}, n)} },
	} {
		for n := range 75 {
			p := &Paper{Language: "vi", Number: "Số: 1", Title: "Giấy", Sections: []Section{section(n + 1)}, Seal: Seal{Title: "Chứng thực", Ask: "hỏi", Address: "https://a.example/", Signer: "người ký", Hint: "ký"}}
			if ending == "of proofs" {
				p.Seal.Facts = slices.Repeat([]Fact{{"mục", "dòng"}}, 6)
			}
			p.Limit()
			s, err := set(p)
			if err != nil {
				t.Fatal(err)
			}
			checkPages(t, s)
			said, signed := 0, false
			for _, shape := range s.page().Shapes {
				if shape.Text != nil {
					signed = signed || shape.Text.Line == "NGƯỜI KÝ"
					if strings.HasPrefix(shape.Text.Line, "dòng") {
						said++
					}
				}
			}
			if !signed || said == 0 || (ending == "texts" || ending == "long row" && n > 1) && said < 2 || ending == "of proofs" && said != 6 {
				t.Errorf("%d %s: signed %v, with %d lines on the last of %d pages", n+1, ending, signed, said, len(s.pages))
			}
		}
	}
}

// As many findings as there may be are all there; of more it is said how many more
// there are. Long texts are cut, and long addresses have no code.
func TestPapersAtTheirLimits(t *testing.T) {
	for _, n := range []int{MaxRows - 1, MaxRows, MaxRows + 1, 3 * MaxRows} {
		p := verdictPaper(t, "vi", findingsOf(n))
		rows := p.Sections[2].Tables[0].Rows
		if last := rows[len(rows)-1].Notes[0]; n > MaxRows && last != fmt.Sprintf("… và %d dòng nữa, xem bản JSON.", n-MaxRows) || len(rows) != min(n, MaxRows+1) {
			t.Errorf("%d findings are %d rows, at the end %q", n, len(rows), last)
		}
		if n > MaxRows+1 {
			s, err := set(p)
			if err != nil {
				t.Fatal(err)
			}
			checkPages(t, s)
		}
	}
	for n, want := range map[int]int{MaxTextRunes - 1: MaxTextRunes - 1, MaxTextRunes: MaxTextRunes, MaxTextRunes + 1: MaxTextRunes + 1, 3 * MaxTextRunes: MaxTextRunes + 1} {
		p := Paper{Title: strings.Repeat("ộ", n)}
		if p.Limit(); utf8.RuneCountInString(p.Title) != want || n > MaxTextRunes && !strings.HasSuffix(p.Title, "ộ…") {
			t.Errorf("of %d characters there are %d", n, utf8.RuneCountInString(p.Title))
		}
	}
	for n, drawn := range map[int]bool{MaxQR - 1: true, MaxQR: true, MaxQR + 1: false} {
		if _, err := QR(strings.Repeat("a", n), 30); (err == nil) != drawn {
			t.Errorf("an address of %d bytes: %v", n, err)
		}
		if _, err := set(&Paper{Seal: Seal{Address: strings.Repeat("a", n)}}); err != nil {
			t.Errorf("a paper with an address of %d bytes: %v", n, err)
		}
	}
}

// Whatever is written into a paper, it is set, within the page.
func TestAnyTextIsSet(t *testing.T) {
	any := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("aộ ư\u0303\n\t\u200b\u202e漢😀ﷺ\u0000")))).Filter(func(s string) bool { return len(s) < 400 })
	rapid.Check(t, func(t *rapid.T) {
		text := any.Draw(t, "text")
		p := &Paper{Language: "vi", Title: text, Number: text, Dated: text, Head: Head{Above: text, Agency: text, State: text, Motto: text}, Result: Result{Text: text}, Notices: []string{text}, Sections: []Section{{
			Title: text, Facts: []Fact{{text, text}}, Texts: []string{text}, Items: []string{text},
			Tables: []Table{{Title: text, Columns: []Column{{text, 20, true}, {text, 150, false}}, Rows: []Row{{[]Cell{{text, text, Bad}, {text, "", Plain}}, []string{text}}}}}}},
			Seal: Seal{Facts: []Fact{{text, text}}, Ask: text, Signer: text, Hint: text}}
		p.Limit()
		s, err := set(p)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for i := range s.pages { // the numbers at the foot are never long
			s.pages[i].Shapes = s.pages[i].Shapes[:len(s.pages[i].Shapes)-2]
		}
		checkPages(t, s)
		if len(text)%5 == 0 { // it takes a hundred times as long
			if _, err := p.PDF(); err != nil {
				t.Fatalf("%v", err)
			}
		}
		if Clean(Clean(text)) != Clean(text) {
			t.Fatalf("%q is not clean the second time", text)
		}
	})
}

// The fonts have every Vietnamese letter in each face, as one character.
func TestFontsAreVietnamese(t *testing.T) {
	all, err := faces()
	if err != nil {
		t.Fatal(err)
	}
	const letters = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ₫–−≤≥°²³→“”…□"
	for style, f := range all {
		for _, r := range letters + strings.ToUpper(letters) {
			if r != '₫' && f.widths[r] <= 0 {
				t.Errorf("face %d lacks %c", style, r)
			}
		}
	}
	if got := Clean("Die\u0323\u0302n Bie\u0302n\u00a0漢\u200b\r\x00x"); got != "Diện Biên\u00a0□  x" {
		t.Errorf("%q", got)
	}
	for _, bad := range [][]byte{nil, []byte("OTTO"), bytes.Repeat([]byte{255}, 300), regularTTF[:5000]} {
		if _, err := readWidths(bad); err == nil {
			t.Errorf("%d bytes are a font", len(bad))
		}
	}
}

func BenchmarkPDF(b *testing.B) {
	for _, n := range []int{10, MaxRows} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			findings := findingsOf(n)
			for b.Loop() {
				pdfOf(b, verdictPaper(b, "vi", findings))
			}
		})
	}
}
