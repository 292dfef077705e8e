package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"hatang/internal/formats"
	"hatang/internal/permit"
	"hatang/internal/tables"
)

// checkRows are the shared points as rows, with a row in the middle that cannot be
// judged, and what the server says of each by itself: verdict and commune.
type checkRows struct {
	table, collection, lines string
	want                     []string
}

func rowsOf(t *testing.T, s *server) checkRows {
	t.Helper()
	date, points := placementPoints(t)
	names := []string{"id", "crs", "x", "y", "lon", "lat", "mast_type", "height_m", "structure", "half_width_m", "date"}
	table := []string{"\ufeff" + strings.Join(names, ";") + ";ghi chú"}
	var r checkRows
	var features []string
	for i, p := range points {
		if i == 3 {
			table = append(table, "bad;;;;103;91;A2b;;;;;x")
			features = append(features, `{"type":"Feature","id":"bad","geometry":{"type":"Point","coordinates":[103,91]},"properties":{"mast_type":"A2b"}}`)
			r.want = append(r.want, " ")
		}
		v := s.check(t, p.proposal(date))
		commune := ""
		if v.Unit != nil {
			commune = v.Unit.Commune
		}
		r.want = append(r.want, v.Verdict+" "+commune)
		members := p.proposal(date)
		members["id"] = p.ID
		cells := make([]string, len(names))
		for j, name := range names {
			if value, ok := members[name]; ok {
				cells[j] = strings.Replace(fmt.Sprint(value), ".", ",", 1) // decimal commas
			}
		}
		table = append(table, strings.Join(cells, ";")+`;"a;""b"""`)
		features = append(features, featureOf(t, p, members))
	}
	r.table = strings.Join(table, "\r\n")
	r.lines = strings.Join(features, "\n")
	r.collection = `{"type":"FeatureCollection","features":[` + strings.Join(features, ",\n") + "]}"
	return r
}

func featureOf(t *testing.T, p placementPoint, members map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"type": "Feature", "id": p.ID, "properties": members,
		"geometry": map[string]any{"type": "Point", "coordinates": []float64{*p.Lon, *p.Lat}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// checkFilesAndStreams: a row gets the same verdict alone and among others, from the
// command and from the server, as CSV and as GeoJSON.
func checkFilesAndStreams(t *testing.T, s *server) {
	rows := rowsOf(t, s)
	dir := freshDir(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"rows.csv": rows.table, "rows.geojson": rows.collection, "rows.ndjson": rows.lines, "sniffed": rows.collection} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := func(args ...string) string {
		r := hatang(t, append([]string{"check", "--data", s.dir}, args...)...)
		r.wants(t, exitFindings, "7 rows: ")
		r.wants(t, exitFindings, "±90")
		return r.stdout
	}
	server := func(contentType, query, body string) string {
		a := s.call(t, "POST", "/api/v1/placement-checks"+query, body, "Content-Type", contentType)
		a.wants(t, 200)
		return string(a.body)
	}
	file := func(name string) string {
		raw, err := os.ReadFile(in(name))
		if err != nil {
			t.Error(err)
		}
		return string(raw)
	}
	rows.isTable(t, "command", command("--file", in("rows.csv"), "--detail", "verdict"))
	rows.isTable(t, "server", server("text/csv", "?detail=verdict", rows.table))
	rows.isTable(t, "server, in full", server("text/csv", "", rows.table))
	rows.isCollection(t, "command", command("--file", in("rows.geojson"), "--out", "-"))
	rows.isCollection(t, "server", server("application/geo+json", "?detail=findings", rows.collection))
	command("--file", in("sniffed"), "--detail", "findings", "--out", in("out.json"))
	rows.isCollection(t, "written", file("out.json"))
	command("--file", in("rows.csv"), "--out", in("out.geojson"))
	rows.isCollection(t, "CSV written as GeoJSON", file("out.geojson"))
	command("--file", in("rows.ndjson"), "--out", in("out.geojsonl"))
	rows.isLines(t, "written", file("out.geojsonl"))
	rows.isLines(t, "server", strings.ReplaceAll(server("application/geo+json-seq", "", rows.lines), "\x1e", ""))
	writeWorkbook(t, in("rows.xlsx"), rows.table)
	command("--file", in("rows.xlsx"), "--each-other", "--out", in("out.xlsx"))
	rows.isWorkbook(t, in("out.xlsx"))
	answer := s.call(t, "POST", "/api/v1/placement-checks?detail=verdict&against=each_other", file("rows.xlsx"), "Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	if answer.wants(t, 200); !strings.Contains(answer.header.Get("Hatang-Summary"), `"rows":7`) {
		t.Errorf("no summary: %v", answer.header)
	}
	if err := os.WriteFile(in("answer.xlsx"), answer.body, 0o600); err != nil {
		t.Fatal(err)
	}
	rows.isWorkbook(t, in("answer.xlsx"))
	s.call(t, "POST", "/api/v1/placement-checks", "no workbook", "Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet").isProblem(t, 400)
	s.call(t, "POST", "/api/v1/placement-checks?against=all", rows.table, "Content-Type", "text/csv").isProblem(t, 400)
	hatang(t, "check", "--data", s.dir, "--file", in("rows.csv"), "--out", in("out.xlsx")).wants(t, exitUsage, "workbook")
	hatang(t, "check", "--data", s.dir, "--file", in("rows.geojson"), "--out", in("out.csv")).wants(t, exitUsage, "geojson")
	left, err := filepath.Glob(in(".hatang-check-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// writeWorkbook writes rows of CSV as a workbook.
func writeWorkbook(t *testing.T, path, text string) {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	reader.Comma = ';'
	records, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		for i := range record {
			record[i] = strings.Replace(record[i], ",", ".", 1)
		}
	}
	book, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := formats.NewTableWriter(book, "rows", permit.IsNumber)
	if err := errors.Join(csv.NewWriter(out).WriteAll(records), out.End(nil), book.Close()); err != nil {
		t.Fatal(err)
	}
}

func (r checkRows) isWorkbook(t *testing.T, path string) {
	t.Helper()
	table, err := tables.Open(t.Context(), path, tables.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	at := func(name string) int { return slices.Index(table.Columns(), name) }
	n := 0
	err = table.Read(t.Context(), func(row *tables.Row) error {
		text := func(name string) string { s, _ := row.Cells[at(name)].(string); return s }
		if got := text("verdict") + " " + text("commune"); got != r.want[n] || (text("id") == "bad") != (text("errors") != "") {
			t.Errorf("%s, %s: %s, want %s: %v", path, text("id"), got, r.want[n], row.Cells)
		}
		n++
		return nil
	})
	if err != nil || n != len(r.want) {
		t.Errorf("%s: %v, %d rows", path, err, n)
	}
}

func (r checkRows) isTable(t *testing.T, what, text string) {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	reader.Comma = ';'
	records, err := reader.ReadAll()
	if err != nil || len(records) != len(r.want)+1 {
		t.Fatalf("%s: %v, %d records: %s", what, err, len(records), text)
	}
	for i, record := range records[1:] {
		if got := record[12] + " " + record[13]; got != r.want[i] || (record[0] == "bad") != (record[len(record)-1] != "") {
			t.Errorf("%s, %s: %s, want %s: %q", what, record[0], got, r.want[i], record)
		}
	}
}

type checkedFeature struct {
	ID         string
	Properties struct{ Verdict, Commune string }
}

func (r checkRows) isCollection(t *testing.T, what, text string) {
	t.Helper()
	var doc struct{ Features []checkedFeature }
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%s: %v: %s", what, err, text)
	}
	r.areFeatures(t, what, doc.Features)
}

func (r checkRows) isLines(t *testing.T, what, text string) {
	t.Helper()
	var features []checkedFeature
	for line := range strings.Lines(text) {
		var f checkedFeature
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v: %s", what, err, line)
		}
		features = append(features, f)
	}
	r.areFeatures(t, what, features)
}

func (r checkRows) areFeatures(t *testing.T, what string, features []checkedFeature) {
	t.Helper()
	if len(features) != len(r.want) {
		t.Fatalf("%s: %d features", what, len(features))
	}
	for i, f := range features {
		if got := f.Properties.Verdict + " " + f.Properties.Commune; got != r.want[i] || f.ID == "" {
			t.Errorf("%s, %s: %s, want %s", what, f.ID, got, r.want[i])
		}
	}
}

// What is written to need not be a file: a pipe stays one, and is written into.
func TestOutputKeepsWhatIsNoFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		raw, err := os.ReadFile(pipe)
		read <- fmt.Sprintf("%s, %v", raw, err)
	}()
	rows := func(w io.Writer) error { _, err := io.WriteString(w, "rows"); return err }
	if err := writeFile(nil, pipe, 0o600, rows); err != nil {
		t.Fatal(err)
	}
	file, link := filepath.Join(t.TempDir(), "file"), filepath.Join(t.TempDir(), "link")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(nil, link, 0o644, rows); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != file {
		t.Errorf("the link is %q now, %v", target, err)
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "rows" {
		t.Errorf("what the link names holds %q, %v", raw, err)
	}
	info, err := os.Stat(pipe)
	if got := <-read; got != "rows, <nil>" || err != nil || info.Mode().IsRegular() {
		t.Errorf("%s; %v, %v", got, info.Mode(), err)
	}
}
