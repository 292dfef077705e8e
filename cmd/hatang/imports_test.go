package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/httpapi"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// kiosksFile is a file of so many kiosks whose codes begin with a prefix.
func kiosksFile(prefix string, n int) string {
	var b strings.Builder
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"Feature","properties":{"code":"%s-%d","name":"Ki-ốt %d","status":"existing","tint":1},"geometry":{"type":"Point","coordinates":[%v,21.4]}}`, prefix, i, i, 103+float64(i)/1e6)
	}
	b.WriteString("]}")
	return b.String()
}

// sendImport sends a file and returns the address of its import.
func (s *server) sendImport(t *testing.T, query, body string) string {
	t.Helper()
	a := s.call(t, "POST", "/api/v1/imports?collection=kiosks"+query, body, append(bearer(s.key), "Content-Type", "application/geo+json")...)
	a.wants(t, http.StatusAccepted)
	return strings.TrimPrefix(a.header.Get("Location"), s.url)
}

// importAt returns an import as it is now.
func (s *server) importAt(t *testing.T, path string) layer.Import {
	t.Helper()
	var i layer.Import
	a := s.call(t, "GET", path, "", bearer(s.key)...)
	a.wants(t, http.StatusOK)
	if err := json.Unmarshal(a.body, &i); err != nil {
		t.Fatal(err)
	}
	return i
}

// importOver waits for the end of an import.
func (s *server) importOver(t *testing.T, path string) (i layer.Import) {
	t.Helper()
	until(t, "the end of "+path, func() bool {
		i = s.importAt(t, path)
		return i.State.Over()
	})
	return i
}

// left counts the kiosks and the entries of the history that an import has left.
func (s *server) left(t *testing.T, prefix string) string {
	t.Helper()
	return s.sql(t, fmt.Sprintf(`SELECT (SELECT count(*) FROM kiosks WHERE code LIKE '%[1]s-%%') || ' ' ||
		(SELECT count(*) FROM history h JOIN kiosks k ON k.id = h.feature_id AND h.layer = 'kiosks' WHERE k.code LIKE '%[1]s-%%')`, prefix))
}

func TestImportsOverHTTP(t *testing.T) {
	t.Parallel()
	s := demo(t)
	path := s.sendImport(t, "&dry_run=true", kiosksFile("OK", 30))
	if i := s.importOver(t, path); i.State != layer.ImportDone || i.Report.Inserted != 30 || i.Report.Applied || s.left(t, "OK") != "0 0" {
		t.Errorf("a dry run: %+v, %+v", i, i.Report)
	}
	path = s.sendImport(t, "&source=ok.geojson", kiosksFile("OK", 30))
	if i := s.importOver(t, path); i.State != layer.ImportDone || i.Report.Inserted != 30 || fmt.Sprint(i.Report.NotTaken) != "[tint]" || i.Progress.RowsWritten != 30 || s.left(t, "OK") != "30 30" {
		t.Errorf("%+v, %+v", i, i.Report)
	}
	s.call(t, "DELETE", path, "", bearer(s.key)...).wants(t, http.StatusConflict)
	for name, body := range map[string]string{"no file": "hello", "none": `{"type":"FeatureCollection","features":[]}`, "broken": kiosksFile("OK", 3)[:200]} {
		if i := s.importOver(t, s.sendImport(t, "", body)); i.State != layer.ImportRefused || len(i.Report.Problems) != 1 || i.Report.Problems[0].Detail.VI == "" {
			t.Errorf("%s: %+v, %+v", name, i, i.Report)
		}
	}
	twins := strings.ReplaceAll(kiosksFile("TWIN", 3), "TWIN-2", "TWIN-1")
	if i := s.importOver(t, s.sendImport(t, "", twins)); i.State != layer.ImportRefused || i.Report.RefusedRows != 2 || s.left(t, "TWIN") != "0 0" {
		t.Errorf("twins: %+v, %+v", i, i.Report)
	}
	if i := s.importOver(t, s.sendImport(t, "&good_rows=true", twins)); i.State != layer.ImportDone || s.left(t, "TWIN") != "1 1" {
		t.Errorf("good rows: %+v, %+v", i, i.Report)
	}
}

// TestKilledImports kills the server at random moments of imports. The next takes each up
// again, or says that it failed; in the register is all of it or nothing.
func TestKilledImports(t *testing.T) {
	t.Parallel()
	killImports(t, 10)
}

// killedRows is how many rows the imports have that are killed.
const killedRows = 3000

func killImports(t *testing.T, rounds int) {
	t.Helper()
	s := demo(t)
	began := time.Now()
	if i := s.importOver(t, s.sendImport(t, "", kiosksFile("WHOLE", killedRows))); i.State != layer.ImportDone {
		t.Fatalf("%+v", i)
	}
	took := time.Since(began)
	seed := uint64(began.UnixNano())
	random, ended := rand.New(rand.NewPCG(seed, 0)), map[layer.ImportState]int{}
	caught := 0
	for round := range rounds {
		prefix := fmt.Sprintf("KILL%d", round)
		path := s.sendImport(t, "", kiosksFile(prefix, killedRows))
		<-time.After(time.Duration(random.Int64N(int64(took))))
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-s.ended
		s = serve(t, s.dir, s.key, "--demo")
		if left := s.left(t, prefix); left != "0 0" && left != fmt.Sprintf("%d %[1]d", killedRows) {
			t.Fatalf("seed %d, round %d: %s after the kill", seed, round, left)
		} else if left == "0 0" {
			caught++
		}
		i := s.importOver(t, path)
		ended[i.State]++
		want := "0 0"
		if i.State == layer.ImportDone {
			want = fmt.Sprintf("%d %[1]d", killedRows)
		}
		if left := s.left(t, prefix); left != want || i.State != layer.ImportDone && i.State != layer.ImportFailed {
			t.Fatalf("seed %d, round %d: %s with %s, %+v", seed, round, i.State, left, i.Report)
		}
	}
	if pieces := s.sql(t, "SELECT count(*) FROM import_chunks"); pieces != "0" {
		t.Errorf("%s pieces of files are left", pieces)
	}
	t.Logf("%d kills within %v of the start, %d of them before the end; ended as %v", rounds, took, caught, ended)
}

// TestInterruptedImportCommand ends the command in the middle by SIGINT.
func TestInterruptedImportCommand(t *testing.T) {
	t.Parallel()
	s := demo(t)
	file := filepath.Join(freshDir(t), "kiosks.geojson")
	if err := os.WriteFile(file, []byte(kiosksFile("INT", 40_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "import", "kiosks", file, "--data", s.dir)
	said, err := os.Create(file + ".said")
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the beginning of the import", func() bool {
		text, err := os.ReadFile(file + ".said")
		return err == nil && strings.Contains(string(text), "Reading kiosks.geojson")
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFindings {
		t.Errorf("it ended with %v", err)
	}
	if left := s.left(t, "INT"); left != "0 0" {
		t.Errorf("it left %s behind", left)
	}
}

// A file has so many features, and not one more.
func TestImportsHaveALimit(t *testing.T) {
	r := newRegister(t)
	reader := newImports(r.store, func() geo.Date { return geo.NewDate(2020, 12, 31) }, slog.New(slog.DiscardHandler)).reader
	if reader.most != httpapi.MaxFileFeatures {
		t.Errorf("a server reads %d features of a file, and says that it reads %d", reader.most, httpapi.MaxFileFeatures)
	}
	reader.most = 1000
	fileLimit(t, reader)
}

// fileLimit reads files at the reader's limit, one feature below it and one above.
func fileLimit(t *testing.T, reader importReader) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "many.geojson")
	feature := `{"type":"Feature","properties":{"code":"x"},"geometry":null},`
	l, _ := reader.store.Layers().Get("kiosks")
	for _, n := range []int{reader.most - 1, reader.most, reader.most + 1} {
		text := `{"type":"FeatureCollection","features":[` + strings.TrimSuffix(strings.Repeat(feature, n), ",") + "]}"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var bytes atomic.Int64
		rows := 0
		_, err := reader.Read(context.Background(), account.Terminal("test"), layer.Import{Bytes: int64(len(text))}, l, file, &bytes, func(postgis.Incoming) error { rows++; return nil })
		var invalid *layer.InvalidError
		refused := n > reader.most
		if errors.As(err, &invalid) != refused || !refused && err != nil || rows != min(n, reader.most) || bytes.Load() != int64(len(text)) {
			t.Errorf("%d features, of %d at most: %d rows of %d bytes, %v", n, reader.most, rows, bytes.Load(), err)
		}
	}
}

// A reference layer takes so many rows of a table, and not one more.
func TestReferenceLayersHaveALimit(t *testing.T) {
	r := newRegister(t)
	file := filepath.Join(t.TempDir(), "three.csv")
	if err := os.WriteFile(file, []byte("code,lon,lat\na,103,21\nb,103,21.1\nc,103,21.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for most, refused := range map[int]bool{0: false, 2: true, 3: false} {
		s := stranger{store: r.store, date: geo.NewDate(2020, 12, 31)}
		out, _, err := s.restate(context.Background(), file, layer.SRID, most)
		if err == nil {
			err = os.Remove(out)
		}
		var invalid *layer.InvalidError
		if errors.As(err, &invalid) != refused || !refused && err != nil || refused && !strings.Contains(err.Error(), "more than 2") {
			t.Errorf("at most %d rows: %v", most, err)
		}
	}
	measuredByWhatOneSees(t, r)
}

// measuredByWhatOneSees reads a file that lies 5 km off three drafts of another: who sees them is
// asked about that, and who does not is told nothing by which he could find them.
func measuredByWhatOneSees(t *testing.T, r *register) {
	t.Helper()
	r.sql(t, `INSERT INTO bts_sites (code, status, mast_type, owner_organisation, jurisdiction, valid_from, illustrative, geom)
		SELECT 'HID-' || n, 'draft', 'A2b', 'VIETTEL', '11', '2016-01-01', false, ST_SetSRID(ST_Point(103.0 + n / 100.0, 21.4), 4326) FROM generate_series(1, 3) n`)
	file := filepath.Join(t.TempDir(), "guess.csv")
	if err := os.WriteFile(file, []byte("code,status,mast_type,lon,lat\nHID-1,draft,A2b,103.01,21.445\nHID-2,draft,A2b,103.02,21.445\nHID-3,draft,A2b,103.03,21.445\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reader := importReader{r.store, func() geo.Date { return geo.NewDate(2020, 12, 31) }, httpapi.MaxFileFeatures}
	l, _ := r.store.Layers().Get("bts_sites")
	operator := account.Viewer{Name: "key:x", Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator}}}
	for _, tt := range []struct {
		viewer account.Viewer
		told   bool
	}{{operator, false}, {account.Holder("key:y", account.Officer), true}} {
		var bytes atomic.Int64
		read, err := reader.Read(context.Background(), tt.viewer, layer.Import{}, l, file, &bytes, func(postgis.Incoming) error { return nil })
		if told := err != nil && strings.Contains(err.Error(), "off 3 known places"); told != tt.told || strings.Contains(string(read.File), `"offset"`) != tt.told {
			t.Errorf("%s is told %v, %s", tt.viewer.Name, err, read.File)
		}
	}
}
