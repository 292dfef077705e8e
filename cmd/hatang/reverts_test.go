package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An import is taken back from the terminal beside a running server, and that again; what was
// known between is read as it was; what was changed later is refused by name.
func TestAnImportIsTakenBack(t *testing.T) {
	t.Parallel()
	s := demo(t)
	file := filepath.Join(t.TempDir(), "kiosks.geojson")
	features := make([]string, 3)
	for i := range features {
		features[i] = fmt.Sprintf(`{"type":"Feature","properties":{"code":"REV-%d","name":"=%d","status":"existing"},"geometry":{"type":"Point","coordinates":[103.%d,21.4]}}`, i, i, i+1)
	}
	if err := os.WriteFile(file, []byte(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	items := func(query string) (codes []string) {
		var p page
		s.get(t, "/api/v1/collections/kiosks/items?limit=1000&filter="+url.QueryEscape("code LIKE 'REV-%'")+query, &p, bearer(s.key)...)
		for _, f := range p.Features {
			codes = append(codes, fmt.Sprint(f.Properties["code"]))
		}
		return codes
	}
	r := hatang(t, "import", "kiosks", file, "--data", s.dir)
	r.wants(t, exitDone, "3 inserted")
	_, request, _ := strings.Cut(strings.TrimSpace(r.stdout), "hatang revert --request ")
	between := s.sql(t, `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`)
	if got := len(items("")); got != 3 {
		t.Fatalf("%d features are imported", got)
	}
	hatang(t, "revert", "--request", request, "--data", s.dir, "--dry-run").wants(t, exitDone, "delete kiosks")
	if got := len(items("")); got != 3 {
		t.Errorf("%d features after a dry run", got)
	}
	back := hatang(t, "revert", "--request", request, "--data", s.dir)
	back.wants(t, exitDone, "kiosks: 0 rows come back, 0 get back what they had, 3 go, 0 are as they were")
	until(t, "the server to know", func() bool { return len(items("")) == 0 })
	if got := items("&known_at=" + between); len(got) != 3 {
		t.Errorf("as known between: %v", got)
	}
	hatang(t, "revert", "--request", request, "--data", s.dir).wants(t, exitFindings, "3 rows were changed later")
	_, again, _ := strings.Cut(strings.TrimSpace(back.stdout), "hatang revert --request ")
	hatang(t, "revert", "--request", again, "--data", s.dir, "--json").wants(t, exitDone, `"inserted":3`)
	until(t, "the server to know", func() bool { return len(items("")) == 3 })
	hatang(t, "revert", "--request", "nobody's", "--data", s.dir).wants(t, exitFindings, "there is no such change")
	s.changesAsWritten(t, request)
	s.revertedOverHTTP(t, request)
	for _, args := range [][]string{{}, {"--layer", "kiosks"}, {"--request", "x", "--who", "y"}, {"--layer", "kiosks", "--feature", "1", "--from", "2026-01-01", "--to", "2026-01-01"}, {"--layer", "none", "--from", "2026-01-01", "--to", "2026-01-01"}, {"--layer", "kiosks", "--from", "x", "--to", "y"}} {
		if r := hatang(t, append([]string{"revert", "--data", s.dir}, args...)...); r.code != exitUsage {
			t.Errorf("revert %v: exit %d, %s", args, r.code, r.stderr)
		}
	}
}

// changesAsWritten compares the files of changes with each other and with the API.
func (s *server) changesAsWritten(t *testing.T, request string) {
	t.Helper()
	dir := t.TempDir()
	table, lines := filepath.Join(dir, "changes.csv"), filepath.Join(dir, "changes.ndjson")
	for _, file := range []string{table, lines} {
		hatang(t, "changes", file, "--layer", "kiosks", "--request", request, "--data", s.dir).wants(t, exitDone, "")
	}
	raw, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "recorded_at" {
		t.Fatalf("%v\n%s", err, raw)
	}
	var api struct{ Changes []map[string]any }
	s.get(t, "/api/v1/changes?request="+request, &api, bearer(s.key)...)
	if raw, err = os.ReadFile(lines); err != nil {
		t.Fatal(err)
	}
	written := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(written) != 3 || len(api.Changes) != 3 {
		t.Fatalf("%d lines, %d changes", len(written), len(api.Changes))
	}
	for i, line := range written {
		var c map[string]any
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		delete(api.Changes[i], "links")
		if asJSON(c) != asJSON(api.Changes[i]) {
			t.Errorf("written:\n%s\nserved:\n%s", asJSON(c), asJSON(api.Changes[i]))
		}
		cells := rows[i+1]
		var after any
		if err := json.Unmarshal([]byte(cells[9]), &after); err != nil || asJSON(after) != asJSON(c["after"]) || cells[0] != c["recorded_at"] || cells[2] != fmt.Sprint(c["feature"]) && cells[2] != fmt.Sprintf("%.0f", c["feature"]) || cells[8] != "" || !strings.HasPrefix(cells[6], "REV-") {
			t.Errorf("as CSV: %v, %v", cells, err)
		}
	}
	hatang(t, "changes", "x.xlsx", "--data", s.dir).wants(t, exitUsage, "not as")
	hatang(t, "changes", "--feature", "1", "--data", s.dir).wants(t, exitUsage, "--feature goes with --layer")
}

// revertedOverHTTP edits a feature, and takes that back.
func (s *server) revertedOverHTTP(t *testing.T, imported string) {
	t.Helper()
	var p page
	s.get(t, "/api/v1/collections/kiosks/items?code=REV-1", &p, bearer(s.key)...)
	path := fmt.Sprintf("/api/v1/collections/kiosks/items/%d", p.Features[0].ID)
	headers := append(bearer(s.key), "Content-Type", "application/merge-patch+json")
	before := time.Now().UTC().Format(time.RFC3339Nano)
	edit := s.call(t, http.MethodPatch, path, `{"properties":{"name":"sai"}}`, headers...)
	edit.wants(t, http.StatusNoContent)
	revert := func(body string) answer {
		return s.call(t, http.MethodPost, "/api/v1/changes/reverts", body, append(bearer(s.key), "Content-Type", "application/json")...)
	}
	refused := revert(fmt.Sprintf(`{"request":%q}`, imported))
	refused.wants(t, http.StatusConflict)
	name := func(query string) any {
		var f struct{ Properties map[string]any }
		s.get(t, path+query, &f, bearer(s.key)...)
		return f.Properties["name"]
	}
	if name("") != "sai" || name("?known_at="+before) != "=1" {
		t.Errorf("the name is %v, was %v", name(""), name("?known_at="+before))
	}
	revert(fmt.Sprintf(`{"request":%q}`, edit.header.Get("X-Request-Id"))).wants(t, http.StatusOK)
	if name("") != "=1" {
		t.Errorf("after the revert the name is %v", name(""))
	}
	s.call(t, http.MethodPatch, path, `{"properties":{"name":"sai nữa"}}`, headers...).wants(t, http.StatusNoContent)
	revert(fmt.Sprintf(`{"collection":"kiosks","feature":%d,"to":%q}`, p.Features[0].ID, before)).wants(t, http.StatusOK)
	if name("") != "=1" {
		t.Errorf("after the second revert the name is %v", name(""))
	}
}
