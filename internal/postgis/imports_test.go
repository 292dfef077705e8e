package postgis_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
)

// lines reads files of test imports: a code a line, of sites of which one lacks nothing.
type lines struct {
	t      testing.TB
	onRow  func(ctx context.Context, i layer.Import, row int) error // called before each row; nil for nothing
	status string                                                   // of the rows; "" leaves it out
}

// Options implements postgis.ImportReader.
func (r lines) Options(_ context.Context, i layer.Import) (postgis.ImportOptions, error) {
	o := correction(r.t)
	o.DryRun, o.GoodRows, o.OnConflict = i.Wishes.DryRun, i.Wishes.GoodRows, postgis.OnConflict(i.Wishes.OnConflict)
	return o, nil
}

// Read implements postgis.ImportReader.
func (r lines) Read(ctx context.Context, _ account.Viewer, i layer.Import, _ *layer.Layer, path string, read *atomic.Int64, add func(postgis.Incoming) error) (none postgis.ReadFile, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return none, err
	}
	for n, code := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if r.onRow != nil {
			if err := r.onRow(ctx, i, n+1); err != nil {
				return none, err
			}
		}
		in := site(r.t, n+1, code)
		if delete(in.Feature.Properties, "status"); r.status != "" {
			in.Feature.Properties["status"] = r.status
		}
		if code == "bad" {
			in.Faults.Add("/properties/code", "sai", "wrong")
		}
		if err := add(in); err != nil {
			return none, err
		}
		read.Add(int64(len(code) + 1))
	}
	return postgis.ReadFile{FileRead: layer.FileRead{NotTaken: []string{"column"}, File: []byte(`{"rows":1}`)}, Correct: correct}, nil
}

// correct returns what the store tells of the rows that were refused.
func correct(_ context.Context, stored map[int64]layer.Faults) ([]byte, int, error) {
	return fmt.Append(nil, stored), len(stored), nil
}

// keeper administers.
func keeper() account.Viewer { return account.Holder("key:keeper", account.Administrator) }

// newKey makes a key and returns its viewer.
func newKey(t testing.TB, s *postgis.Store, organisation string, grants ...account.Grant) account.Viewer {
	t.Helper()
	id, key := account.NewKey()
	if err := s.AddKey(context.Background(), keeper(), account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: "x", Organisation: organisation, Grants: grants}); err != nil {
		t.Fatal(err)
	}
	v, err := s.KeyViewer(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// addLines keeps a file for import.
func addLines(t testing.TB, s *postgis.Store, v account.Viewer, l *layer.Layer, wishes layer.ImportWishes, text string) int64 {
	t.Helper()
	if wishes.OnConflict == "" {
		wishes.OnConflict = "update"
	}
	id, err := s.AddImport(account.WithAsking(context.Background(), &account.Asking{Request: "the-request"}), v, l, layer.NewImport{Collection: l.Name, FileName: "sites.txt", Wishes: wishes}, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func importOf(t testing.TB, s *postgis.Store, v account.Viewer, id int64) layer.Import {
	t.Helper()
	i, err := s.ImportOf(context.Background(), v, id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// runOne runs the import that waits.
func runOne(t testing.TB, s *postgis.Store, r lines) {
	t.Helper()
	if ran, err := s.RunImport(context.Background(), r); !ran || err != nil {
		t.Fatalf("ran: %t, %v", ran, err)
	}
}

func TestImportsRunAsWhole(t *testing.T) {
	s, layers, url := open(t)
	l, conn, reader := get(t, layers, "bts_sites"), connect(t, url), lines{t: t, status: "existing"}
	lan := newKey(t, s, "", account.Grant{Role: account.Officer})
	for _, tt := range []struct {
		name, text    string
		wishes        layer.ImportWishes
		state         layer.ImportState
		rows          int64
		read, refused int
	}{
		{"a dry run", "A\nB", layer.ImportWishes{DryRun: true}, layer.ImportDone, 0, 2, 0},
		{"a bad row", "A\nbad\nB", layer.ImportWishes{}, layer.ImportRefused, 0, 3, 1},
		{"good rows", "A\nbad\nB", layer.ImportWishes{GoodRows: true}, layer.ImportDone, 2, 3, 1},
		{"again", "B\nC", layer.ImportWishes{}, layer.ImportDone, 3, 2, 0},
	} {
		id := addLines(t, s, lan, l, tt.wishes, tt.text)
		if i := importOf(t, s, lan, id); i.State != layer.ImportWaiting || i.By != lan.Name || i.Request != "the-request" || i.Bytes != int64(len(tt.text)) || i.Report != nil {
			t.Errorf("%s waits as %+v", tt.name, i)
		}
		runOne(t, s, reader)
		i := importOf(t, s, lan, id)
		if i.State != tt.state || i.FinishedAt == nil || i.Report == nil || i.Report.Read != tt.read || i.Report.RefusedRows != tt.refused || i.Progress.RowsRead != int64(tt.read) || !cmp.Equal(i.Report.NotTaken, []string{"column"}) || string(i.Report.File) != `{"rows": 1}` {
			t.Errorf("%s: %+v, %+v", tt.name, i, i.Report)
		}
		if n := total(t, s, l); n != tt.rows {
			t.Errorf("%s: %d rows", tt.name, n)
		}
		rows, err := s.ImportCorrections(context.Background(), lan, id)
		if (tt.refused > 0) != (err == nil) || tt.refused == 0 && !errors.Is(err, layer.ErrNotFound) || tt.refused > 0 && (!strings.Contains(string(rows), "2:[{/properties/code") || i.Report.Corrections.Rows != tt.refused) {
			t.Errorf("%s: to be corrected are %s, %v", tt.name, rows, err)
		}
		if strings.Count(string(i.Report.Changes), `"becomes": "insert"`) != map[bool]int{true: tt.read}[tt.wishes.DryRun] {
			t.Errorf("%s: %s", tt.name, i.Report.Changes)
		}
	}
	if n := scalar[int64](t, conn, "SELECT count(*) FROM import_chunks"); n != 0 {
		t.Errorf("%d pieces of files are left", n)
	}
	if who := scalar[string](t, conn, "SELECT string_agg(DISTINCT who || ' ' || request, ',') FROM history WHERE layer = 'bts_sites'"); who != lan.Name+" the-request" {
		t.Errorf("the history names %s", who)
	}
	if ran, err := s.RunImport(context.Background(), reader); ran || err != nil {
		t.Errorf("there is another: %t, %v", ran, err)
	}
}

// A file of any number of pieces comes out as it went in.
func TestImportKeepsFilesToTheByte(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	lan := newKey(t, s, "", account.Grant{Role: account.Officer})
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		want := bytes.Repeat([]byte{0, 1, 'x', 0xff, '\n', '\\', 7}, size/7+1)[:size]
		if _, err := s.AddImport(context.Background(), lan, l, layer.NewImport{Collection: l.Name, Wishes: layer.ImportWishes{OnConflict: "update"}}, bytes.NewReader(want)); err != nil {
			t.Fatal(err)
		}
		var got []byte
		if _, err := s.RunImport(context.Background(), whole{lines{t: t}, &got}); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes came out as %d, %v", size, len(got), err)
		}
	}
}

// whole reads the file and hands no row on.
type whole struct {
	lines
	got *[]byte
}

// Read implements postgis.ImportReader.
func (r whole) Read(_ context.Context, _ account.Viewer, _ layer.Import, _ *layer.Layer, path string, _ *atomic.Int64, _ func(postgis.Incoming) error) (none postgis.ReadFile, err error) {
	*r.got, err = os.ReadFile(path)
	return none, err
}

// An operator brings in drafts of its own and nothing else, whatever the file says, and is
// told nothing of others'.
func TestOperatorsImportDraftsOfTheirOwn(t *testing.T) {
	s, layers, url := open(t)
	l, conn := get(t, layers, "bts_sites"), connect(t, url)
	run(t, conn, "INSERT INTO organisations (code, kind, name) VALUES ('VNPT', 'operator', '{}'), ('VIETTEL', 'operator', '{}')")
	vnpt, viettel := newKey(t, s, "VNPT", account.Grant{Role: account.Operator}), newKey(t, s, "VIETTEL", account.Grant{Role: account.Operator})
	addLines(t, s, vnpt, l, layer.ImportWishes{}, "A\nB")
	runOne(t, s, lines{t: t})
	if got := scalar[string](t, conn, "SELECT string_agg(code || status || owner_organisation, ' ' ORDER BY code) FROM bts_sites"); got != "AdraftVNPT BdraftVNPT" {
		t.Errorf("VNPT brought in %s", got)
	}
	id := addLines(t, s, viettel, l, layer.ImportWishes{OnConflict: "fail"}, "A\nC")
	runOne(t, s, lines{t: t})
	if i := importOf(t, s, viettel, id); i.State != layer.ImportDone || i.Report.Inserted != 2 {
		t.Errorf("VIETTEL's own A: %+v, %+v", i, i.Report)
	}
	addLines(t, s, vnpt, l, layer.ImportWishes{}, "A\nB")
	runOne(t, s, lines{t: t})
	if n := scalar[int64](t, conn, "SELECT count(*) FROM bts_sites"); n != 4 {
		t.Errorf("%d rows after VNPT's drafts came again", n)
	}
	id = addLines(t, s, vnpt, l, layer.ImportWishes{}, "D\nE")
	runOne(t, s, lines{t: t, status: "existing"})
	if i := importOf(t, s, vnpt, id); i.State != layer.ImportRefused || i.Report.RefusedRows != 2 || len(i.Report.Refused[0].Faults) != 1 || i.Report.Refused[0].Faults[0].At != "" {
		t.Errorf("published rows of an operator: %+v, %+v", i, i.Report)
	}
	if _, err := s.AddImport(context.Background(), vnpt, get(t, layers, "communes"), layer.NewImport{}, strings.NewReader("")); !errors.Is(err, layer.ErrForbidden) {
		t.Errorf("communes by an operator: %v", err)
	}
	_, err := s.ImportOf(context.Background(), viettel, id)
	cancelErr := s.CancelImport(context.Background(), viettel, id)
	list, listErr := s.Imports(context.Background(), viettel, id, 10)
	if !errors.Is(err, layer.ErrNotFound) || !errors.Is(cancelErr, layer.ErrNotFound) || listErr != nil || len(list) != 0 {
		t.Errorf("another's import: %v, %v, %+v, %v", err, cancelErr, list, listErr)
	}
	all, err := s.Imports(context.Background(), keeper(), 0, 10)
	own, ownErr := s.Imports(context.Background(), vnpt, 0, 10)
	if err != nil || ownErr != nil || len(all) != 4 || len(own) != 3 || own[0].ID != id {
		t.Errorf("the administrator lists %d, VNPT %d: %v, %v", len(all), len(own), err, ownErr)
	}
}

// An officer of a district writes what lies within it, before and after.
func TestOfficersImportWithinTheirTerritory(t *testing.T) {
	s, layers, url := open(t)
	conn := connect(t, url)
	run(t, conn, `INSERT INTO districts (code, name, valid_from, jurisdiction, geom) VALUES
		('094', 'x', '2015-01-01', '11', ST_Multi(ST_MakeEnvelope(102.9, 20.9, 103.1, 21.1, 4326))), ('095', 'x', '2015-01-01', '11', ST_Multi(ST_MakeEnvelope(103.1, 20.9, 103.4, 21.1, 4326)))`)
	l := get(t, layers, "bts_sites")
	here := account.Viewer{Name: "key:here", Grants: []account.Grant{{Role: account.Officer, Territory: "094"}}}
	away := site(t, 2, "B")
	away.Feature.Geometry = orb.Point{103.2, 21}
	importAll(t, s, l, correction(t), site(t, 1, "A"), away)
	moved, pulled, fresh := site(t, 1, "A"), site(t, 2, "B"), site(t, 3, "C")
	moved.Feature.Geometry = orb.Point{103.2, 21}
	good := correction(t)
	good.GoodRows = true
	summary, err := s.Import(context.Background(), here, l, good, func(add func(postgis.Incoming) error) error {
		return errors.Join(add(moved), add(pulled), add(fresh))
	})
	if err != nil || !cmp.Equal(faultsAt(summary), []string{"1 ", "2 "}) || summary.Inserted != 1 || summary.Updated != 0 {
		t.Errorf("%+v, %v", summary, err)
	}
}

// What is refused is counted to the last, and listed up to a bound.
func TestImportListsSoManyFaults(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	for _, tt := range []struct{ bad, twins, listed int }{{999, 0, 999}, {1000, 0, 1000}, {1001, 0, 1000}, {0, 2500, 1000}, {600, 600, 1000}} {
		summary, err := s.Import(context.Background(), officer(), l, correction(t), func(add func(postgis.Incoming) error) error {
			for row := tt.bad + tt.twins; row > tt.twins; row-- {
				in := site(t, row, "bad"+strconv.Itoa(row))
				in.Faults.Add("/x", "sai", "wrong")
				if err := add(in); err != nil {
					return err
				}
			}
			for row := range tt.twins {
				if err := add(site(t, row+1, "twin"+strconv.Itoa(row%2))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || summary.RefusedRows != tt.bad+tt.twins || summary.Faults != tt.bad+tt.twins || len(summary.Refused) != tt.listed || summary.Applied {
			t.Fatalf("%+v: %d rows, %d faults, %d listed, %v", tt, summary.RefusedRows, summary.Faults, len(summary.Refused), err)
		}
		for i, refused := range summary.Refused {
			if refused.Row != i+1 {
				t.Fatalf("%+v: row %d stands at %d", tt, refused.Row, i)
			}
		}
	}
}

// One import of a user at a time, and rights are those of the moment it is done.
func TestImportsOfOneUser(t *testing.T) {
	s, layers, _ := open(t)
	ctx, l := context.Background(), get(t, layers, "bts_sites")
	lan, nga := newKey(t, s, "", account.Grant{Role: account.Officer}), newKey(t, s, "", account.Grant{Role: account.Officer})
	first := addLines(t, s, lan, l, layer.ImportWishes{}, "A")
	if _, err := s.AddImport(ctx, lan, l, layer.NewImport{Wishes: layer.ImportWishes{OnConflict: "update"}}, strings.NewReader("B")); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("a second import at once: %v", err)
	}
	other := addLines(t, s, nga, l, layer.ImportWishes{}, "B")
	if err := s.CancelImport(ctx, lan, first); err != nil {
		t.Error(err)
	}
	if err := s.CancelImport(ctx, lan, first); !errors.Is(err, layer.ErrConflict) {
		t.Errorf("cancelled twice: %v", err)
	}
	if err := s.RevokeKey(ctx, keeper(), strings.TrimPrefix(nga.Name, "key:")); err != nil {
		t.Error(err)
	}
	runOne(t, s, lines{t: t, status: "existing"})
	if i := importOf(t, s, nga, other); i.State != layer.ImportRefused || len(i.Report.Problems) != 1 || total(t, s, l) != 0 {
		t.Errorf("an import of a key that was revoked: %+v, %+v", i, i.Report)
	}
	for n := range 101 {
		id := addLines(t, s, lan, l, layer.ImportWishes{}, fmt.Sprint(n))
		if err := s.CancelImport(ctx, lan, id); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.Imports(ctx, lan, 0, 1000); err != nil || len(list) != 100 {
		t.Errorf("%d imports are remembered, %v", len(list), err)
	}
}

// An import that is cancelled while it works leaves nothing behind, and is over by then.
func TestCancellingAnImport(t *testing.T) {
	s, layers, url := open(t)
	ctx, l, conn := context.Background(), get(t, layers, "bts_sites"), connect(t, url)
	lan := newKey(t, s, "", account.Grant{Role: account.Officer})
	run(t, conn, `CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END'`)
	for _, stage := range []layer.ImportState{layer.ImportReading, layer.ImportWriting} {
		id := addLines(t, s, lan, l, layer.ImportWishes{}, "A\nB\nC")
		reader, ended := lines{t: t, status: "existing"}, make(chan error, 1)
		if stage == layer.ImportReading {
			reader.onRow = func(ctx context.Context, _ layer.Import, row int) error {
				if row == 2 {
					<-ctx.Done()
				}
				return ctx.Err()
			}
		} else {
			run(t, conn, "CREATE TRIGGER a_dawdle BEFORE INSERT ON bts_sites FOR EACH ROW EXECUTE FUNCTION dawdle()")
		}
		go func() {
			_, err := s.RunImport(ctx, reader)
			ended <- err
		}()
		for importOf(t, s, lan, id).State != stage { // it is told every half a second
			if i := importOf(t, s, lan, id); i.State.Over() {
				t.Fatalf("%s instead of %s: %+v", i.State, stage, i.Report)
			}
			run(t, conn, "SELECT pg_sleep(0.01)")
		}
		if err := s.CancelImport(ctx, lan, id); err != nil {
			t.Error(stage, err)
		}
		if i := importOf(t, s, lan, id); i.State != layer.ImportCancelled || i.Report != nil {
			t.Errorf("%s: cancelled as %+v", stage, i)
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: the work ended with %v", stage, err)
		}
		if left := scalar[int64](t, conn, "SELECT (SELECT count(*) FROM bts_sites) + (SELECT count(*) FROM history WHERE layer = 'bts_sites') + (SELECT count(*) FROM import_chunks)"); left != 0 {
			t.Errorf("%s: %d rows are left behind", stage, left)
		}
	}
}

// A server that stops leaves its import to the next, as often as it likes; one that breaks
// off does so three times.
func TestImportsGoOnAfterTheirServer(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	lan := newKey(t, s, "", account.Grant{Role: account.Officer})
	id := addLines(t, s, lan, l, layer.ImportWishes{}, "A\nB")
	for range 5 {
		ctx, stop := context.WithCancel(context.Background())
		ran, err := s.RunImport(ctx, lines{t: t, status: "existing", onRow: func(ctx context.Context, _ layer.Import, row int) error {
			if row == 2 {
				stop()
			}
			return ctx.Err()
		}})
		stop()
		if !ran || !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped: %t, %v", ran, err)
		}
		if i := importOf(t, s, lan, id); i.State != layer.ImportWaiting || total(t, s, l) != 0 {
			t.Errorf("stopped as %+v", i)
		}
	}
	runOne(t, s, lines{t: t, status: "existing"})
	if i := importOf(t, s, lan, id); i.State != layer.ImportDone || total(t, s, l) != 2 {
		t.Errorf("in the end %+v", i)
	}
	id = addLines(t, s, lan, l, layer.ImportWishes{}, "C")
	broken := errors.New("broken")
	for range 3 {
		if _, err := s.RunImport(context.Background(), lines{t: t, onRow: func(context.Context, layer.Import, int) error { return broken }}); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	runOne(t, s, lines{t: t, status: "existing"})
	if i := importOf(t, s, lan, id); i.State != layer.ImportFailed || len(i.Report.Problems) != 1 || total(t, s, l) != 2 {
		t.Errorf("broken off three times: %+v", i)
	}
}

// No two servers work on one import, and two do on two.
func TestServersShareImports(t *testing.T) {
	s, layers, _ := open(t)
	l := get(t, layers, "bts_sites")
	meet := make(chan int64)
	reader := lines{t: t, status: "existing", onRow: func(_ context.Context, i layer.Import, _ int) error {
		select {
		case meet <- i.ID:
		case other := <-meet:
			if other == i.ID {
				return errors.New("both work on one")
			}
		}
		return nil
	}}
	for n := range 2 {
		addLines(t, s, newKey(t, s, "", account.Grant{Role: account.Officer}), l, layer.ImportWishes{}, fmt.Sprint("S", n))
	}
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			ran, err := s.RunImport(context.Background(), reader)
			if !ran {
				err = errors.Join(err, errors.New("found none"))
			}
			ended <- err
		}()
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if n := total(t, s, l); n != 2 {
		t.Errorf("%d rows", n)
	}
}
