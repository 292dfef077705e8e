package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/layer"
)

// numbersOf are the numbers of sites.
type numbersOf struct {
	Sites, Positions int64
	SharedSites      int64 `json:"shared_sites"`
}

// TestOneMastFiveLists: operators send lists of their own positions, measured each by himself; an
// officer accepts what is proposed, and the numbers are those of the masts that there are.
func TestOneMastFiveLists(t *testing.T) {
	t.Parallel()
	s := demo(t)
	truth := s.sql(t, "SELECT json_build_object('sites', (SELECT count(*) FROM bts_sites WHERE status = 'existing'), 'positions', count(*), 'shared_sites', (SELECT count(*) FROM (SELECT FROM operator_positions WHERE status = 'existing' GROUP BY site_code HAVING count(*) > 1) s))::text FROM operator_positions WHERE status = 'existing'")
	var want numbersOf
	if err := json.Unmarshal([]byte(truth), &want); err != nil {
		t.Fatal(err)
	}
	lists := writeLists(t, s)
	s.sql(t, "DELETE FROM operator_positions")
	s.sql(t, "DELETE FROM bts_sites")
	for i, path := range lists {
		if i == 0 { // its sites first, and as they are
			s.command(t, "import", "bts_sites", path).wants(t, exitDone, "inserted")
		}
		if i > 0 {
			s.countedImport(t, path)
			continue
		}
		s.command(t, "import", "operator_positions", path, "--own-sites", "A2b").wants(t, exitDone, "shared sites")
	}
	var listed struct {
		Counts    numbersOf
		Proposals []struct{ Positions []struct{ Site string } }
	}
	officer := bearer(s.key)
	s.get(t, "/api/v1/site-proposals", &listed, officer...)
	if listed.Counts.Sites != want.Positions || listed.Counts.SharedSites != 0 || len(listed.Proposals) != int(want.SharedSites) {
		t.Fatalf("as sent: %+v, %d proposals; there are %+v", listed.Counts, len(listed.Proposals), want)
	}
	// One is refused with the reason and is not proposed again, one is merged by hand.
	refused, byHand := slices.Clone(listed.Proposals[0].Positions), slices.Clone(listed.Proposals[1].Positions)
	s.command(t, "sites", "apart", refused[0].Site, refused[1].Site, "--reason", "hai cột").wants(t, exitDone, "")
	body := fmt.Sprintf(`{"sites":[%q,%q]}`, byHand[0].Site, byHand[1].Site)
	merged := s.call(t, http.MethodPost, "/api/v1/site-proposals/mergers", body, append(officer, "Content-Type", "application/json")...)
	merged.wants(t, http.StatusOK)
	s.get(t, "/api/v1/site-proposals", &listed, officer...)
	if len(listed.Proposals) != int(want.SharedSites)-2 || listed.Counts.SharedSites != 1 {
		t.Errorf("%d proposals, %+v", len(listed.Proposals), listed.Counts)
	}
	s.command(t, "sites", "merge", refused[0].Site, refused[1].Site).wants(t, exitDone, "1 shared sites")
	before := content(t, s)
	s.command(t, "sites", "accept", "NOWHERE").wants(t, exitFindings, "NOWHERE is in no proposal")
	accepted := s.command(t, "sites", "accept")
	accepted.wants(t, exitDone, fmt.Sprintf("after: %d sites, %d positions, %d shared sites", want.Sites, want.Positions, want.SharedSites))
	_, request, _ := strings.Cut(strings.TrimSpace(accepted.stdout), "--request ")
	s.command(t, "revert", "--request", request).wants(t, exitDone, "rows come back")
	if rows := s.sql(t, "SELECT count(*) FROM bts_sites"); content(t, s) == before || rows != fmt.Sprint(want.Positions-2) {
		t.Errorf("%s sites after it was taken back", rows)
	}
	s.command(t, "sites", "proposals").wants(t, exitDone, "one mast?")
}

// countedImport brings in a list over HTTP, whose report has the numbers of sites that a dry run
// on the terminal foretold.
func (s *server) countedImport(t *testing.T, path string) {
	t.Helper()
	var foretold struct {
		Sites *struct {
			Before, After numbersOf
			Proposals     *int
		}
	}
	dry := s.command(t, "import", "operator_positions", path, "--own-sites", "A2b", "--dry-run", "--json")
	if err := json.Unmarshal([]byte(dry.stdout), &foretold); err != nil || foretold.Sites == nil {
		t.Fatalf("%v: %s", err, dry.stdout)
	}
	list, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sent := s.call(t, http.MethodPost, "/api/v1/imports?collection=operator_positions&own_sites=A2b", string(list), append(bearer(s.key), "Content-Type", "text/csv")...)
	sent.wants(t, http.StatusAccepted)
	i := s.importOver(t, strings.TrimPrefix(sent.header.Get("Location"), s.url))
	if i.State != layer.ImportDone || i.Report.Sites == nil || i.Report.Sites.Proposals == nil {
		t.Fatalf("%+v, %+v", i, i.Report)
	}
	got, want := i.Report.Sites, foretold.Sites
	same := func(a layer.SiteCounts, b numbersOf) bool { return numbersOf{a.Sites, a.Positions, a.SharedSites} == b }
	if !same(got.Before, want.Before) || !same(got.After, want.After) || *got.Proposals != *want.Proposals || got.After.Positions != got.Before.Positions+int64(i.Report.Inserted) {
		t.Errorf("%+v (%d proposals), foretold %+v (%d)", got, *got.Proposals, want, *want.Proposals)
	}
}

// writeLists writes the demonstration's positions as their operators would: a list for each, with codes
// of his own, every place measured anew within some metres, and returns the files.
func writeLists(t *testing.T, s *server) (paths []string) {
	t.Helper()
	var rows []struct {
		Operator, Code, MastType string
		Lon, Lat                 float64
	}
	text := s.sql(t, `SELECT json_agg(json_build_object('Operator', p.operator, 'Code', p.code, 'MastType', s.mast_type, 'Lon', ST_X(s.geom), 'Lat', ST_Y(s.geom)) ORDER BY p.code)::text
		FROM operator_positions p JOIN bts_sites s ON s.code = p.site_code WHERE p.status = 'existing'`)
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	lists := map[string]*csv.Writer{}
	dir := t.TempDir()
	for _, r := range rows {
		w := lists[r.Operator]
		if w == nil {
			path := filepath.Join(dir, r.Operator+".csv")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() }) // it has been read
			w = csv.NewWriter(f)
			lists[r.Operator], paths = w, append(paths, path)
			if err := w.Write([]string{"Mã", "Doanh nghiệp", "Loại cột", "Tình trạng", "Kinh độ", "Vĩ độ"}); err != nil {
				t.Fatal(err)
			}
		}
		at := geo.Destination(orb.Point{r.Lon, r.Lat}, 360*random.Float64(), 10*random.Float64()) // the nearest masts are 72 m apart
		if err := w.Write([]string{r.Code, r.Operator, r.MastType, "existing", fmt.Sprintf("%.6f", at[0]), fmt.Sprintf("%.6f", at[1])}); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range lists {
		if w.Flush(); w.Error() != nil {
			t.Fatal(w.Error())
		}
	}
	return paths
}
