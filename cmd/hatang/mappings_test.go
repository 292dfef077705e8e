package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hatang/internal/layer"
)

// oddKiosks are two kiosks in columns that nobody would guess, on a grid, X to the north.
func oddKiosks(prefix string) string {
	return fmt.Sprintf("Danh sách\nc1|c2|c3|c4|c5\n%[1]s-1|Ki-ốt một|existing|2366000|500100\n%[1]s-2|Ki-ốt hai|existing|2366100|500200\n", prefix)
}

// TestSavedMappings: what is said once of files of one kind reads the next, on the terminal and
// over HTTP, until the layer has not what it names any more.
func TestSavedMappings(t *testing.T) {
	t.Parallel()
	s := demo(t)
	dir := t.TempDir()
	odd, from := filepath.Join(dir, "odd.csv"), filepath.Join(dir, "how.json")
	for path, text := range map[string]string{odd: oddKiosks("ODD"), from: `{"columns":{"c1":"code","c3":"status","c4":"@lat"},"header_row":2,"separator":"|"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.command(t, "import", "kiosks", odd).wants(t, exitFindings, "")
	s.command(t, "import", "kiosks", odd, "--mapping", "ki-ốt").wants(t, exitUsage, "nothing is saved under that name for kiosks")
	save := []string{"mapping", "save", "kiosks", "ki-ốt", "--from", from, "--column", "c2=name", "--column", "c4=@northing", "--column", "c5=@easting", "--crs", "EPSG:9205"}
	s.command(t, save...).wants(t, exitDone, `hatang import kiosks FILE --mapping "ki-ốt"`)
	s.command(t, append(save, "--column", "c2=n"+"mae")...).wants(t, exitFindings, `the layer kiosks has no field "n`+`mae"`)
	s.command(t, "mapping", "save", "kiosks", "x").wants(t, exitUsage, "nothing to save")
	s.command(t, "mapping", "save", "kiosks", "ki-ốt", "--organisation", "VNPT", "--column", "c1=code").wants(t, exitDone, "saved")
	s.command(t, "mapping", "list", "kiosks").wants(t, exitDone, `"c1"=code, "c2"=name, "c3"=status, "c4"=@northing, "c5"=@easting, separator "|", crs "EPSG:9205", header row 2`)
	s.command(t, "import", "kiosks", odd, "--mapping", "ki-ốt").wants(t, exitDone, "2 read, 2 inserted")
	s.mappedOverHTTP(t)

	// The layer has not what is named any more.
	s.sql(t, `UPDATE import_mappings SET reading = jsonb_set(reading, '{columns,c2}', '"ten_cu"') WHERE organisation IS NULL AND name = 'ki-ốt'`)
	s.command(t, "import", "kiosks", odd, "--mapping", "ki-ốt").wants(t, exitFindings, `/columns/c2: the layer kiosks has no field "ten_cu"`)
	s.command(t, "mapping", "list").wants(t, exitFindings, "cannot be used: /columns/c2")
	gone := s.call(t, http.MethodPost, "/api/v1/imports?collection=kiosks&mapping=ki-%E1%BB%91t", oddKiosks("GONE"), append(bearer(s.key), "Content-Type", "text/csv", "Accept-Language", "en")...)
	if gone.wants(t, http.StatusBadRequest); !strings.Contains(string(gone.body), "ten_cu") {
		t.Errorf("%s", gone.body)
	}
	s.command(t, "mapping", "remove", "kiosks", "ki-ốt").wants(t, exitDone, "")
	s.command(t, "mapping", "remove", "kiosks", "ki-ốt").wants(t, exitUsage, "nothing is saved")
	s.command(t, "mapping", "list").wants(t, exitDone, "VNPT")
}

// mappedOverHTTP has an operator and an officer import by the mapping that they each know of.
func (s *server) mappedOverHTTP(t *testing.T) {
	t.Helper()
	keyOf := func(args ...string) []string {
		var made struct{ Key string }
		if err := json.Unmarshal([]byte(s.command(t, append([]string{"key", "create", "x", "--json"}, args...)...).stdout), &made); err != nil {
			t.Fatal(err)
		}
		return bearer(made.Key)
	}
	operator, officer := keyOf("--role", "operator", "--organisation", "VNPT"), keyOf("--role", "officer")
	for _, tt := range []struct {
		as   []string
		want string
	}{{operator, "VNPT"}, {officer, ""}} {
		var listed struct{ Mappings []layer.Mapping }
		if s.get(t, "/api/v1/mappings", &listed, tt.as...); len(listed.Mappings) != 1 || listed.Mappings[0].Organisation != tt.want {
			t.Errorf("%q is told of %+v", tt.want, listed.Mappings)
		}
	}
	send := func(query string, as []string) answer {
		return s.call(t, http.MethodPost, "/api/v1/imports?collection=kiosks&mapping="+query, oddKiosks("HTTP"), append(as, "Content-Type", "text/csv")...)
	}
	sent := send("ki-%E1%BB%91t", officer)
	sent.wants(t, http.StatusAccepted)
	i := s.importOver(t, strings.TrimPrefix(sent.header.Get("Location"), s.url))
	if i.State != layer.ImportDone || i.Report.Inserted != 2 || i.Wishes.Mapping != "ki-ốt" || i.Wishes.Reading == nil || i.Wishes.Reading.Separator != "|" {
		t.Errorf("%+v, %+v", i, i.Report)
	}
	if away := s.sql(t, "SELECT count(*) FROM kiosks WHERE code IN ('HTTP-1', 'ODD-1') AND ST_Distance(geom::geography, ST_Transform('SRID=9205;POINT(500100 2366000)'::geometry, 4326)::geography) < 0.02"); away != "2" {
		t.Errorf("%s of 2 lie where they should", away)
	}
	// An operator is told nothing of the officers', and saves none.
	body := `{"collection":"kiosks","name":"riêng","reading":{"columns":{"c1":"code"}}}`
	s.call(t, http.MethodPost, "/api/v1/mappings", body, append(officer, "Content-Type", "application/json")...).wants(t, http.StatusCreated)
	send("ri%C3%AAng", operator).wants(t, http.StatusBadRequest)
	s.call(t, http.MethodPost, "/api/v1/mappings", body, append(operator, "Content-Type", "application/json")...).wants(t, http.StatusForbidden)
}
