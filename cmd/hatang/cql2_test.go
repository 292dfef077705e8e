package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hatang/internal/account"
	"hatang/internal/filter"
)

// contradicted are published predicates whose counts, 2 each, contradict the data set that
// they are published with: of the populated places three begin with Ch, which are Chicago,
// Chengdu and Chișinău, and one of these with Chiș.
var contradicted = map[string]int{
	"ACCENTI(name) LIKE accenti('Ch%')":                 3,
	"ACCENTI(CASEI(name)) LIKE accenti(casei('Chiș%'))": 1,
	"ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))": 1,
}

// prediction is a predicate on a collection, and how many features it must select.
type prediction struct {
	class, collection, predicate string
	want                         int
}

// publishedTable reads a table of the standard's annex.
func publishedTable(t *testing.T, name string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "cql2", name))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(raw)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

// predictions are the standard's: 274 predicates, and 77 combinations of some.
func predictions(t *testing.T) (all []prediction) {
	t.Helper()
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range publishedTable(t, "predicates.tsv") {
		all = append(all, prediction{row[0], row[1], row[2], number(row[3])})
	}
	for _, row := range publishedTable(t, "combinations.tsv") {
		p1, p2, p3, p4 := row[0], row[1], row[2], row[3]
		predicate := fmt.Sprintf("(NOT (%s) AND %s) OR (%s and %s) or not (%s OR %s)", p2, p1, p3, p4, p1, p4)
		all = append(all, prediction{"combination", "ne_110m_populated_places_simple", predicate, number(row[4])})
	}
	return all
}

// TestThePublishedPredicatesOfCQL2 publishes the standard's test data set, by the terminal
// and by HTTP, and asks its predicates, in both encodings. Its places are all over the world:
// that is said, without which they are refused.
func TestThePublishedPredicatesOfCQL2(t *testing.T) {
	t.Parallel()
	r := newRegister(t)
	_, key := r.key(t, 0, "", time.Time{}, account.Grant{Role: account.Officer})
	path := filepath.Join("testdata", "cql2", "ne110m4cql2.gpkg")
	for _, name := range []string{"ne_110m_admin_0_countries", "ne_110m_rivers_lake_centerlines"} {
		args := []string{"import", "--database-url", r.db.ownerURL, "--as", name, "--table", name, path}
		hatang(t, args...).wants(t, exitFindings, "territory")
		hatang(t, append(args, "--allow-outside")...).wants(t, exitDone, "0 refused")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const places = "ne_110m_populated_places_simple"
	post := func(more string) answer {
		return send(r.server, http.MethodPost, "/api/v1/collections?name="+places+"&table="+places+more, string(raw), append(bearer(key), "Content-Type", "application/geopackage+sqlite3")...)
	}
	post("").wants(t, http.StatusBadRequest)
	post("&allow_outside=true").wants(t, http.StatusCreated)
	// What the terminal has done another server, which this one is to it, knows within a second.
	until(t, "the other collections", func() bool {
		return send(r.server, http.MethodGet, "/api/v1/collections/ne_110m_rivers_lake_centerlines", "").status == http.StatusOK
	})
	asked, right := 0, 0
	all := predictions(t)
	if len(all) != 274+77 {
		t.Fatalf("%d predicates, the standard has 274 and 77 combinations", len(all))
	}
	for _, p := range all {
		want := p.want
		if n, ok := contradicted[p.predicate]; ok {
			want = n
		}
		tree, err := filter.ParseText(p.predicate)
		if err != nil {
			t.Errorf("%s: %v", p.predicate, err)
			continue
		}
		for lang, text := range map[string]string{"cql2-text": p.predicate, "cql2-json": string(filter.JSON(tree))} {
			asked++
			if got := selected(t, r.server, p.collection, lang, text); got != want {
				t.Errorf("%s, %s: %d features, want %d\n\t%s\n\t%s", p.class, p.collection, got, want, p.predicate, text)
				continue
			}
			right++
		}
	}
	t.Logf("%d of %d right, of which %d as the data set has it and not as published", right, asked, 2*len(contradicted))
}

// selected is how many features a filter selects, -1 for an answer that is none.
func selected(t *testing.T, server http.Handler, collection, lang, text string) int {
	t.Helper()
	a := send(server, http.MethodGet, "/api/v1/collections/"+collection+"/items?limit=1000&filter-lang="+lang+"&filter="+url.QueryEscape(text), "")
	if a.status != http.StatusOK {
		t.Logf("%d %.400s", a.status, a.body)
		return -1
	}
	var p page
	a.read(t, &p)
	return len(p.Features)
}
