package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

const importsPath = "/api/v1/imports"

func TestAddingAnImport(t *testing.T) {
	s := &fakeStore{}
	query := "?collection=bts_sites&dry_run=true&on_conflict=skip&in_force=2021-02-03&good_rows=true&crs=EPSG:9205&table=t&jurisdiction=11&source=a.gpkg"
	w := do(handlerOf(t, s), "POST", importsPath+query, "the file", asOfficer, "Content-Type: application/geopackage+sqlite3")
	if w.Code != http.StatusAccepted || w.Header().Get("Location") != "http://example.com/api/v1/imports/7" || w.Header().Get("Cache-Control") != "no-store" || decode(t, w)["id"] != 7.0 {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	want := layer.NewImport{Collection: "bts_sites", FileName: "a.gpkg", Wishes: layer.ImportWishes{DryRun: true, OnConflict: "skip", InForce: geo.NewDate(2021, 2, 3), GoodRows: true, CRS: "EPSG:9205", Table: "t", Jurisdiction: "11"}}
	if s.sent != want || string(s.received) != "the file" || s.asking.Name == "" {
		t.Errorf("%+v, %q by %+v", s.sent, s.received, s.asking)
	}
	do(handlerOf(t, s), "POST", importsPath+"?collection=roads", "{}", asOfficer, "Content-Type: application/geo+json")
	if s.sent != (layer.NewImport{Collection: "roads", FileName: "roads", Wishes: layer.ImportWishes{OnConflict: "update"}}) {
		t.Errorf("%+v", s.sent)
	}
	query = "?collection=roads&axis=yx&unshifted=true&allow_outside=true&strict=true&header_row=3&encoding=tcvn3&separator=%3B"
	reading := layer.Reading{Axis: "yx", Unshifted: new(true), HeaderRow: 3, Encoding: "tcvn3", Separator: ";"}
	do(handlerOf(t, s), "POST", importsPath+query, "x", asOfficer, "Content-Type: text/csv")
	if asked := s.sent.Wishes; !asked.AllowOutside || !asked.Strict || asked.Reading == nil || !cmp.Equal(*asked.Reading, reading) {
		t.Errorf("%+v, %+v", asked, asked.Reading)
	}
	w = do(handlerOf(t, s), "POST", importsPath+"?collection=roads&axis=north&unshifted=1&header_row=0&encoding=klingon&separator=%3B%3B", "x", asOfficer, "Content-Type: text/csv")
	if errs, ok := decode(t, w)["errors"].([]any); w.Code != http.StatusBadRequest || !ok || len(errs) != 5 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = do(handlerOf(t, s), "POST", importsPath+"?collection=none&dry_run=yes&on_conflict=drop&in_force=tomorrow&good_rows=1&crs=EPSG:1", "{}", asOfficer, "Content-Type: application/geo+json")
	if errs, ok := decode(t, w)["errors"].([]any); w.Code != http.StatusBadRequest || !ok || len(errs) != 6 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, tt := range []struct {
		as, query, contentType string
		err                    error
		want                   int
	}{
		{"Accept: */*", "?collection=roads", "application/geo+json", nil, 401}, {asOfficer, "", "application/geo+json", nil, 400},
		{asOfficer, "?collection=roads", "text/html", nil, 415}, {asOfficer, "?collection=roads&x=1", "application/geo+json", nil, 400},
		{asOfficer, "?collection=roads", "application/geo+json", layer.ErrConflict, 409}, {asOfficer, "?collection=roads", "application/geo+json", layer.ErrNoSpace, 507},
	} {
		if w := do(handlerOf(t, &fakeStore{err: tt.err}), "POST", importsPath+tt.query, "{}", tt.as, "Content-Type: "+tt.contentType); w.Code != tt.want {
			t.Errorf("%+v: %d %s", tt, w.Code, w.Body)
		}
	}
}

// The whole structure of a level of units is a change in force of units, and who writes a
// part of them alone brings in none.
func TestAddingAStructure(t *testing.T) {
	for _, tt := range []struct {
		query  string
		want   int
		faults int
	}{
		{"?collection=communes&complete=true&in_force=2025-07-01", http.StatusAccepted, 0},
		{"?collection=communes&complete=true&accept_gaps=true&in_force=2025-07-01", http.StatusAccepted, 0},
		{"?collection=communes&complete=false&accept_gaps=false", http.StatusAccepted, 0},
		{"?collection=communes&complete=true", http.StatusBadRequest, 1},
		{"?collection=mast_zones&complete=true&in_force=2025-07-01", http.StatusBadRequest, 1},
		{"?collection=communes&accept_gaps=true", http.StatusBadRequest, 1},
		{"?collection=mast_zones&accept_overlaps=true", http.StatusAccepted, 0},
		{"?collection=roads&accept_overlaps=true", http.StatusBadRequest, 1},
		{"?collection=roads&complete=true&accept_gaps=1", http.StatusBadRequest, 2},
	} {
		s := &fakeStore{}
		w := do(handlerOf(t, s), "POST", importsPath+tt.query, "{}", asOfficer, "Content-Type: application/geo+json")
		errs, _ := decode(t, w)["errors"].([]any)
		if w.Code != tt.want || len(errs) != tt.faults {
			t.Errorf("%s: %d %s", tt.query, w.Code, w.Body)
		}
		if wished := strings.Contains(tt.query, "complete=true"); w.Code == http.StatusAccepted && (s.sent.Wishes.Complete != wished || s.sent.Wishes.AcceptGaps != strings.Contains(tt.query, "accept_gaps=true") || s.sent.Wishes.AcceptOverlaps != strings.Contains(tt.query, "accept_overlaps=true")) {
			t.Errorf("%s: %+v", tt.query, s.sent.Wishes)
		}
	}
}

// importedOnes are imports of every state, of ids from 1.
func importedOnes() (all []layer.Import) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later := began.Add(10 * time.Second)
	for n, state := range layer.ImportStates() {
		i := layer.Import{ID: int64(n + 1), Collection: "bts_sites", Bytes: 1000, State: state, CreatedAt: began,
			Progress: layer.ImportProgress{BytesRead: 1000, RowsRead: 500, RowsToWrite: 400, RowsWritten: 100, StartedAt: &began, UpdatedAt: &later}}
		if state.Over() {
			i.FinishedAt, i.Report = &later, &layer.ImportReport{Refused: []layer.RefusedRow{{Row: 1}}}
		}
		all = append(all, i)
	}
	return all
}

func TestTellingOfImports(t *testing.T) {
	s := &fakeStore{imported: importedOnes()}
	h := handlerOf(t, s)
	doc := decode(t, do(h, "GET", importsPath+"?limit=2", "", asOfficer))
	if list, ok := doc["imports"].([]any); !ok || len(list) != 2 || linkTo(doc, "next") != "http://example.com/api/v1/imports?after=2&limit=2" || s.limit != 3 {
		t.Errorf("%v, asked for %d", doc, s.limit)
	}
	doc = decode(t, do(h, "GET", importsPath+"?after=3", "", asOfficer))
	if linkTo(doc, "next") != "" || s.after != 3 || s.limit != defaultImports+1 || strings.Contains(fmt.Sprint(doc), "row:1") {
		t.Errorf("%v, asked behind %d", doc, s.after)
	}
	s.imported = importedOnes()
	for _, i := range s.imported {
		doc := decode(t, do(h, "GET", fmt.Sprint(importsPath, "/", i.ID), "", asOfficer))
		want := "map[done_ratio:0.4 left_s:<nil> rows_per_s:<nil>]" // a fifth for reading, and a quarter of the rest
		switch i.State {
		case layer.ImportReading, layer.ImportWriting:
			want = "map[done_ratio:0.4 left_s:15 rows_per_s:20]"
		case layer.ImportDone:
			want = "map[done_ratio:1 left_s:<nil> rows_per_s:<nil>]"
		}
		if got := fmt.Sprint(doc["pace"]); doc["state"] != string(i.State) || got != want {
			t.Errorf("%s: %v, %s", i.State, doc["state"], got)
		}
	}
	for path, want := range map[string]int{"/8": 404, "/0": 404, "/x": 404, "?limit=1001": 400, "?limit=1000": 200, "?limit=0": 400, "?after=x": 400, "?page=1": 400} {
		if w := do(h, "GET", importsPath+path, "", asOfficer); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for err, want := range map[error]int{nil: 204, layer.ErrConflict: 409, layer.ErrNotFound: 404, layer.ErrTimeout: 504} {
		if w := do(handlerOf(t, &fakeStore{err: err}), "DELETE", importsPath+"/7", "", asOfficer); w.Code != want {
			t.Errorf("cancelling, %v: %d %s", err, w.Code, w.Body)
		}
	}
}

// The rows that an import has refused are sent as a file that can be filled in, in the language that is
// asked for.
func TestRefusedRowsAreSent(t *testing.T) {
	s := &fakeStore{imported: importedOnes(), corrections: []byte(`{"columns":["Mã"],"rows":[{"row":3,"cells":["=S1"],"reasons":{"vi":"sai","en":"wrong"},"likely":"S1"}]}`)}
	s.imported[3].Report.Corrections = &layer.CorrectionsTold{Rows: 1}
	h := handlerOf(t, s)
	doc := decode(t, do(h, "GET", importsPath+"/4", "", asOfficer))
	if href := linkTo(doc, "enclosure"); href != "http://example.com/api/v1/imports/4/corrections?f=csv" || !strings.Contains(fmt.Sprint(doc["report"]), "corrections:map[left_out:0 rows:1]") {
		t.Errorf("%s, %v", href, doc["report"])
	}
	if href := linkTo(decode(t, do(h, "GET", importsPath+"/5", "", asOfficer)), "enclosure"); href != "" {
		t.Errorf("one that keeps none leads to %s", href)
	}
	path := importsPath + "/4/corrections"
	for _, tt := range []struct{ query, accept, mediaType, name, want string }{
		{"", "*/*", "text/csv", "corrections.csv", "\ufeffhàng tệp gốc,Mã,lý do từ chối,gợi ý sửa\n3,'=S1,sai,S1\n"},
		{"?f=csv&lang=en", "*/*", "text/csv", "corrections.csv", "\ufeffrow in the file,Mã,refused because,likely meant\n3,'=S1,wrong,S1\n"},
		{"?f=xlsx&lang=vi", "*/*", typeXLSX, "corrections.xlsx", "PK"},
		{"", typeXLSX, typeXLSX, "corrections.xlsx", "PK"},
	} {
		w := do(h, "GET", path+tt.query, "", asOfficer, "Accept: "+tt.accept, "Accept-Language: vi")
		if got := w.Header().Get("Content-Type"); w.Code != 200 || !strings.HasPrefix(got, tt.mediaType) || !strings.HasPrefix(w.Body.String(), tt.want) || !strings.Contains(w.Header().Get("Content-Disposition"), tt.name) {
			t.Errorf("%s %s: %d %v %q", tt.query, tt.accept, w.Code, w.Header(), w.Body)
		}
	}
	s.corrections = []byte(`{"columns":["wkt"],"rows":[{"row":3,"cells":["` + strings.Repeat("1", 40_000) + `"],"reasons":{},"likely":""}]}`)
	for query, want := range map[string]int{"?f=xlsx": 400, "?f=csv": 200, "?f=shp": 400, "?page=1": 400} {
		if w := do(h, "GET", path+query, "", asOfficer); w.Code != want {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := do(handlerOf(t, &fakeStore{err: layer.ErrNotFound}), "GET", path, "", asOfficer); w.Code != 404 {
		t.Errorf("none: %d", w.Code)
	}
}

func TestWhatIsWrongWithFilesIsTold(t *testing.T) {
	for _, err := range []error{formats.ErrUnknownFormat, formats.ErrNotGeoJSON, formats.ErrNotGeoPackage, formats.ErrEmpty, geo.ErrUnknownCRS, &formats.WhichTableError{Tables: []string{"a", "b"}}} {
		if faults := FileFaults(fmt.Errorf("x: %w", err)); len(faults) != 1 || faults[0].Detail.EN == "" || faults[0].Detail.VI == "" {
			t.Errorf("%v: %+v", err, faults)
		}
	}
	for _, err := range []error{nil, os.ErrClosed, errors.New("x"), layer.ErrUnavailable, &layer.InvalidError{Faults: layer.Faults{{At: "x"}}}} {
		if faults := FileFaults(err); len(faults) != 0 {
			t.Errorf("%v: %+v", err, faults)
		}
	}
}
