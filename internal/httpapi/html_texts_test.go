package httpapi

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	contract "hatang/api"
	"hatang/geo"
	"hatang/internal/layer"
)

var (
	usedTexts = regexp.MustCompile(`(?:\bT|say\() ?"([a-zA-Z.]+)"`)
	wordKinds = []string{"at.", "rel.", "geometry.", "kind.", "tag.", "in.", "status.", "value.", "type.", "outcome.", "share.", "verdict."}
)

// Every text is in both languages, and on some page.
func TestCatalogue(t *testing.T) {
	used := map[string]bool{}
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := pageFiles.ReadFile("pages/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range usedTexts.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
			if _, ok := pageTexts[m[1]]; !ok {
				t.Errorf("%s uses %q, which the catalogue lacks", f.Name(), m[1])
			}
		}
	}
	used["at"] = true // of view
	for key, text := range pageTexts {
		if text.VI == "" || text.EN == "" {
			t.Errorf("%s is not in both languages", key)
		}
		if !used[key] && !slices.ContainsFunc(wordKinds, func(kind string) bool { return strings.HasPrefix(key, kind) }) {
			t.Errorf("no page uses %s", key)
		}
	}
}

// The tags of the OpenAPI document are headings of a page.
func TestTagsHaveTexts(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range doc.Tags {
		if _, ok := pageTexts["tag."+tag.Name]; !ok {
			t.Errorf("the catalogue has no text for the tag %s", tag.Name)
		}
	}
}

func TestValuesAsPeopleWriteThem(t *testing.T) {
	l := sites(t)
	for _, tt := range []struct{ field, value, vi, en string }{
		{"height_m", "12345.5", "12.345,5", "12,345.5"}, {"height_m", "-1234.25", "−1234,25", "−1234.25"}, {"height_m", "0.5", "0,5", "0.5"}, {"revision", "1234567", "1.234.567", "1,234,567"},
		{"valid_from", `"2016-02-03"`, "03/02/2016", "3 Feb 2016"}, {"updated_at", `"2020-12-31T10:00:00.5Z"`, "31/12/2020 10:00:00 UTC", "31 Dec 2020 10:00:00 UTC"},
		{"concealed", "true", "có", "yes"}, {"technologies", `["2G","3G"]`, "2G, 3G", "2G, 3G"}, {"mast_type", `"A1b"`, "A1b – thân thiện môi trường", "A1b – environment-friendly"},
		{"name", `"a\"b"`, `a"b`, `a"b`}, {"name", "null", "", ""}, {"mast_type", `"other"`, "other", "other"},
	} {
		f, ok := l.Field(tt.field)
		if !ok {
			t.Fatalf("no field %s", tt.field)
		}
		for language, want := range map[string]string{"vi": tt.vi, "en": tt.en} {
			if got, err := showValue(f, []byte(tt.value), language); err != nil || got.Text != want {
				t.Errorf("%s %s in %s: %q, want %q (%v)", tt.field, tt.value, language, got.Text, want, err)
			}
		}
	}
	if got := fieldTitle(&layer.Field{Title: geo.Text{VI: "Diện tích", EN: "Area"}, Unit: "m2"}, "en"); got != "Area (m²)" {
		t.Error(got)
	}
	if _, err := showValue(&layer.Field{Name: "x", Kind: layer.Text}, []byte("7"), "en"); err == nil {
		t.Error("a number was shown as a text")
	}
}
