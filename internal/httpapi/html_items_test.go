package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html/atom"
)

// nasty are values that would be code if a page did not take them for text.
var nasty = []string{`<script>alert(1)</script>`, `" onmouseover="alert(1)`, `' autofocus onfocus='alert(1)`, `javascript:alert(1)`, `</textarea><script>alert(1)</script>`,
	`</title><img src=x onerror=alert(1)>`, `{{.Doc}}`, "`${alert(1)}`", `<!--`, `]]>`, `&lt;b&gt;`, "a\u2028b<svg/onload=alert(1)>"}

func TestValuesAreTextAndNoCode(t *testing.T) {
	for _, value := range nasty {
		s := &fakeStore{rows: siteRows(t, 2, value)}
		h := pagedAPI(t, s)
		sent := url.QueryEscape(value)
		for target, status := range map[string]int{
			itemsPath: 200, itemsPath + "/1": 200, itemsPath + "?name=" + sent: 200, itemsPath + "?filter=" + url.QueryEscape("name = '"+strings.ReplaceAll(value, "'", "''")+"'"): 200,
			itemsPath + "?filter=" + sent + "&bbox=" + sent + "&datetime=" + sent + "&limit=" + sent: 400, itemsPath + "?" + sent + "=" + sent: 400,
			"/api/v1/collections/" + url.PathEscape(value): 404, "/api/v1?f=html&lang=" + sent: 400, "/api/v1/styles/" + url.PathEscape(value): 404,
		} {
			w := do(h, "GET", target, "", "Accept: text/html")
			if w.Code != status || w.Header().Get("Content-Type") != typePage {
				t.Fatalf("%s: %d %s", target, w.Code, w.Header().Get("Content-Type"))
			}
			for _, fault := range faultsOf(t, w.Body.Bytes(), w.Header().Get("Content-Language")) {
				t.Errorf("%s: %s", target, fault)
			}
			if strings.HasPrefix(target, itemsPath) && status == 200 && !showsText(t, w.Body.Bytes(), value) {
				t.Errorf("%s does not show %q", target, value)
			}
		}
	}
}

// showsText reports whether a cell of a table, or the heading, is the text.
func showsText(t *testing.T, page []byte, text string) bool {
	t.Helper()
	return slices.ContainsFunc(elements(t, page), func(e htmlElement) bool { return (e.DataAtom == atom.Td || e.DataAtom == atom.H1) && e.text == text })
}

// A page of HTML is shorter, its map reads the same features, and the next one follows.
func TestPagesOfItems(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1200, "x")}
	h := pagedAPI(t, s)
	for target, want := range map[string]int{itemsPath: 50, itemsPath + "?limit=7": 7, itemsPath + "?limit=5000": 1000, itemsPath + "?bbox=&datetime=&limit=&filter=": 50, itemsPath + "?limit=100&after=1190": 10} {
		w := do(h, "GET", target, "", "Accept: text/html")
		rows, data, next := 0, "", ""
		for _, e := range elements(t, w.Body.Bytes()) {
			switch {
			case e.DataAtom == atom.Tr && e.attributes["data-id"] != "":
				rows++
			case e.attributes["id"] == "map":
				data = e.attributes["data-items"]
			case e.attributes["rel"] == "next":
				next = e.attributes["href"]
			}
		}
		if rows != want || (next == "") != strings.Contains(target, "1190") {
			t.Errorf("%s: %d rows, want %d, next %q", target, rows, want, next)
		}
		features := ids(t, decode(t, do(h, "GET", data, "")))
		if len(features) != want || !strings.Contains(w.Body.String(), `data-id="`+strconv.Itoa(features[want-1])+`"`) {
			t.Errorf("%s: the map reads %d features from %s", target, len(features), data)
		}
		if next != "" && !strings.Contains(do(h, "GET", next, "", "Accept: text/html").Body.String(), `data-id="`+strconv.Itoa(features[want-1]+1)+`"`) {
			t.Errorf("%s: the next page, %s, does not go on", target, next)
		}
	}
}

// A form that cannot be answered comes back as it was sent, with what is wrong beside it.
func TestFormsSayWhatIsWrong(t *testing.T) {
	h := pagedAPI(t, &fakeStore{})
	target := itemsPath + "?lang=vi&filter=nme%3D1&bbox=1&mast_type=A2b&hamster=2"
	w := do(h, "GET", target, "", "Accept: text/html")
	problem := decode(t, do(h, "GET", target, ""))
	if w.Code != 400 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
		t.Errorf("status %d, %v", w.Code, w.Header())
	}
	page := ""
	fields := map[string]htmlElement{}
	for _, e := range elements(t, w.Body.Bytes()) {
		if e.DataAtom == atom.Body {
			page = e.text
		}
		if name := e.attributes["name"]; name != "" {
			fields[name] = e
		}
	}
	for _, fault := range problem["errors"].([]any) {
		if text := fault.(map[string]any)["detail"].(string); !strings.Contains(page, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	if fields["filter"].text != "nme=1" || fields["bbox"].attributes["value"] != "1" || fields["filter"].attributes["aria-invalid"] != "true" || fields["limit"].attributes["aria-invalid"] != "" {
		t.Errorf("the fields are %+v", fields)
	}
	if fields["mast_type"].attributes["value"] != "A2b" || fields["lang"].attributes["value"] != "vi" || fields["hamster"].Node != nil {
		t.Errorf("the form keeps %+v", fields)
	}
}

// The head of a column turns the order, and the page links to every other format.
func TestColumnsSortAndFormatsAreLinked(t *testing.T) {
	h := pagedAPI(t, &fakeStore{rows: siteRows(t, 3, "x")})
	for _, tt := range []struct{ sortby, order, next string }{
		{"", "", "sortby=height_m"}, {"height_m", "ascending", "sortby=-height_m"}, {"%2Bheight_m", "ascending", "sortby=-height_m"}, {"-height_m", "descending", "sortby=height_m"}, {"code", "", "sortby=height_m"},
	} {
		target := itemsPath + "?lang=en&limit=2"
		if tt.sortby != "" {
			target += "&sortby=" + tt.sortby
		}
		w := do(h, "GET", target, "", "Accept: text/html")
		all := elements(t, w.Body.Bytes())
		column := slices.IndexFunc(all, func(e htmlElement) bool { return e.DataAtom == atom.Th && e.text == "Height (m)" })
		if column < 0 || all[column].attributes["aria-sort"] != tt.order || !strings.HasSuffix(all[column+1].attributes["href"], tt.next) || strings.Contains(all[column+1].attributes["href"], "after") {
			t.Fatalf("%s: the column is %+v", target, all[column:min(column+2, len(all))])
		}
		var types []string
		for _, e := range all {
			if e.attributes["rel"] == "alternate" && e.attributes["type"] != "" {
				types = append(types, e.attributes["type"])
			}
		}
		for _, want := range featureTypesOut() {
			if want != typeJSON && !slices.Contains(types, want) {
				t.Errorf("the page links to %v and not to %s", types, want)
			}
		}
	}
}

// A feature of which only some properties are asked for has no others on its page.
func TestPageOfSomeProperties(t *testing.T) {
	h := pagedAPI(t, &fakeStore{rows: siteRows(t, 1, "x")})
	rows := 0
	for _, e := range elements(t, do(h, "GET", itemsPath+"/1?properties=code,name", "", "Accept: text/html").Body.Bytes()) {
		if e.DataAtom == atom.Th && e.attributes["scope"] == "row" {
			rows++
		}
	}
	if rows != 4 { // the id, the two, the geometry
		t.Errorf("%d rows", rows)
	}
}
