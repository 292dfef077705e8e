package postgis_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
)

// naming are the columns that hold names of layers, "table.column", as the catalogue has
// them: whatever is added to the database is found by what it calls them.
func naming(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(context.Background(), `SELECT a.attrelid::regclass || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attname IN ('layer', 'layers', 'collection', 'collections') AND attnum > 0 AND NOT attisdropped
			AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype = 'c' AND conkey = ARRAY[attnum] AND pg_get_constraintdef(oid) LIKE '%''bts_sites''%') -- these keep their names
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return columns
}

// rowsNaming counts the rows that name a layer in a column, which is a text or a list of them.
func rowsNaming(t *testing.T, conn *pgx.Conn, column, name string) int64 {
	t.Helper()
	table, _, _ := strings.Cut(column, ".")
	return scalar[int64](t, conn, fmt.Sprintf("SELECT count(*) FROM %s WHERE '%s' = ANY (string_to_array(trim(both '{}' from %s::text), ','))", table, name, column))
}

// Whatever names a layer names it by its new name once it has one, and one that was
// withdrawn by none that another layer may get.
func TestNothingNamesALayerByANameItHasNoMore(t *testing.T) {
	s, _, url := open(t)
	ctx, conn := context.Background(), connect(t, url)
	hidden := publishing(t, schoolsAs("schools"), threeSchools)
	hidden.StaffOnly = true
	l := publish(t, s, hidden)
	feature := byCode(t, s, l, "S1").ID
	run(t, conn, "INSERT INTO api_keys (id, hash, name, created_by) VALUES ('k', 'x', 'x', 'x')")
	run(t, conn, "INSERT INTO grants (key, role, layers) VALUES ('k', 'consulted', '{schools,roads}')")
	run(t, conn, "INSERT INTO organisations VALUES ('SXD', 'agency', '{}') ON CONFLICT DO NOTHING")
	run(t, conn, fmt.Sprintf("INSERT INTO consultations (layer, feature, agency) VALUES ('schools', %d, 'SXD')", feature))
	run(t, conn, "UPDATE consultations SET answer = 'agreed'")
	run(t, conn, fmt.Sprintf("INSERT INTO consultations (layer, feature, agency) VALUES ('schools', %d, 'SXD')", feature))

	run(t, conn, "INSERT INTO imports (layer, file_name, bytes, sha256, options, state, finished_at) VALUES ('schools', 'x', 1, sha256(''), '{}', 'done', now())")

	run(t, conn, "INSERT INTO import_mappings (layer, name, reading) VALUES ('schools', 'x', '{}')")

	// Proposals are made for layers that keep their names; no trigger lets others in.
	untriggeredly(t, conn, `WITH p AS (INSERT INTO proposals (id, organisation, title, verdict) VALUES (1, 'VNPT', 'x', '{}') RETURNING id)
		INSERT INTO proposal_features (proposal, position, layer, feature, code, geom) SELECT id, 0, 'schools', 1, 'x', 'SRID=4326;POINT(103 21)' FROM p`)
	untriggeredly(t, conn, `WITH d AS (INSERT INTO decisions VALUES ('x', 1, 1, 'approved', now(), 'VNPT') RETURNING number) INSERT INTO decision_features SELECT number, 'schools', 1 FROM d`)

	columns := naming(t, conn)
	if len(columns) < 6 || !slices.Contains(columns, "consultations.layer") || !slices.Contains(columns, "history.layer") {
		t.Fatalf("the catalogue has %v", columns)
	}
	for _, column := range columns {
		// Changes wait there for the end of their transaction.
		if n := rowsNaming(t, conn, column, "schools"); n == 0 && column != "layer_changes.layer" {
			t.Errorf("%s names no layer: have this test put something there, and see what a new name does to it", column)
		}
	}
	audited := scalar[int64](t, conn, "SELECT count(*) FROM audit WHERE action LIKE 'consultation.%'")
	name := "academies"
	if err := s.ChangeLayer(ctx, officer(), "schools", layer.ReferenceChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	for _, column := range columns {
		if n := rowsNaming(t, conn, column, "schools"); n != 0 {
			t.Errorf("renamed: %d rows of %s have the name of before", n, column)
		}
		if n := rowsNaming(t, conn, column, name); n == 0 && column != "layer_changes.layer" {
			t.Errorf("renamed: nothing in %s has the new name", column)
		}
	}
	if n := scalar[int64](t, conn, "SELECT count(*) FROM audit WHERE action LIKE 'consultation.%'"); n != audited {
		t.Errorf("%d steps of consultations are in the audit, %d before: a new name is none", n, audited)
	}
	if err := s.WithdrawLayer(ctx, officer(), name); err != nil {
		t.Fatal(err)
	}
	for _, column := range columns {
		if n := rowsNaming(t, conn, column, name); n != 0 {
			t.Errorf("withdrawn: %d rows of %s have the name of before", n, column)
		}
	}
	if got := scalar[string](t, conn, "SELECT string_agg(coalesce(answer, 'none') || (withdrawn_at IS NOT NULL), ' ' ORDER BY answer) FROM consultations WHERE layer = 'withdrawn_1'"); got != "agreedfalse nonetrue" {
		t.Errorf("consultations on the withdrawn layer: %s; what is open ends with it, what was answered stays", got)
	}
}

// What a consultation is about changes with the name of the layer alone.
func TestConsultationsStayAboutWhatTheyAreAbout(t *testing.T) {
	s, _, url := open(t)
	conn := connect(t, url)
	publish(t, s, publishing(t, schoolsAs("schools"), threeSchools))
	run(t, conn, "INSERT INTO organisations VALUES ('SXD', 'agency', '{}') ON CONFLICT DO NOTHING")
	run(t, conn, "INSERT INTO consultations (layer, feature, agency) VALUES ('schools', 1, 'SXD')")
	for _, change := range []string{"layer = 'roads'", "layer = 'nowhere'", "feature = 2", "agency = 'VNPT'"} {
		if _, err := conn.Exec(context.Background(), "UPDATE consultations SET "+change); code(err) != "23001" {
			t.Errorf("%s: %v", change, err)
		}
	}
}
