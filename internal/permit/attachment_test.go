package permit_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"hatang/internal/layer"
	"hatang/internal/permit"
)

// archive is a ZIP with the entries.
func archive(t *testing.T, entries ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range entries {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a file is its name and its content say together.
func TestMediaTypes(t *testing.T) {
	word := archive(t, "[Content_Types].xml", "word/document.xml")
	for _, tt := range []struct{ name, content, want string }{
		{"x.pdf", "%PDF-1.4", "application/pdf"}, {"x.PDF", "%PDF-1.4", "application/pdf"},
		{"x.png", "\x89PNG\r\n\x1a\n", "image/png"}, {"x.jpeg", "\xFF\xD8\xFF\xE0", "image/jpeg"},
		{"x.docx", word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"x.xlsx", word, ""}, {"x.zip", word, "application/zip"}, {"x.docx", "PK\x03\x04 and no more", ""}, {"x.zip", "PK\x05\x06" + strings.Repeat("\x00", 18), ""},
		{"x.docx", archive(t, "word/document.xml", "word/vbaProject.bin"), ""},
		{"x.dxf", "  0\r\nSECTION\r\n", "image/vnd.dxf"}, {"x.dxf", "hello", ""}, {"x.dwg", "AC1032", "image/vnd.dwg"},
		{"x.geojson", `{"type":"FeatureCollection","features":[]}`, "application/geo+json"}, {"x.geojson", "{", ""},
		{"x.kml", "<?xml version='1.0'?><kml/>", "application/vnd.google-earth.kml+xml"}, {"x.kml", "<html>", ""},
		{"x.txt", "Công văn số 12\r\n", "text/plain"}, {"x.csv", "a;b\n1;2\n", "text/csv"}, {"x.txt", "a\x00b", ""}, {"x.txt", "\xFF\xFE", ""},
		{"x.html", "<html>", ""}, {"x.svg", "<svg/>", ""}, {"x.exe", "MZ", ""}, {"x.pdf.exe", "%PDF-1.4", ""}, {"pdf", "%PDF-1.4", ""}, {"x.png", "%PDF-1.4", ""}, {"x.pdf", "", ""},
	} {
		got, err := permit.MediaTypeOf(tt.name, strings.NewReader(tt.content), int64(len(tt.content)))
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s %.20q: %q, %v; want %q", tt.name, tt.content, got, err, tt.want)
		}
	}
	if types := permit.AttachmentTypes(); len(types) < 20 {
		t.Errorf("%v", types)
	}
}

func TestNamesOfAttachments(t *testing.T) {
	for name, want := range map[string]string{
		"Ba\u0309n ve\u0303.pdf": "Bản vẽ.pdf", " x.pdf ": "x.pdf", strings.Repeat("x", permit.MaxAttachmentNameRunes): strings.Repeat("x", permit.MaxAttachmentNameRunes),
		"": "", strings.Repeat("x", permit.MaxAttachmentNameRunes+1): "", strings.Repeat("ể", 100): "", "../x.pdf": "", `a\b.pdf`: "", "a/b.pdf": "", ".htaccess": "", "x.pdf.": "",
		"x\u202Efdp.exe": "", "x\n.pdf": "", "con.pdf": "", "LPT1.txt": "", "x\xFF.pdf": "", `x".pdf`: "", "COMPANY.pdf": "COMPANY.pdf",
	} {
		var faults layer.Faults
		if got := permit.CheckAttachmentName(name, &faults); (len(faults) > 0) != (want == "") || want != "" && got != want {
			t.Errorf("%.40q: %q, %v", name, got, faults)
		}
	}
}
