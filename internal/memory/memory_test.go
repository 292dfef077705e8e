package memory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/memory"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
	"hatang/internal/tiles"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// counting is a register that counts what it is asked, with a fault that a test switches on.
type counting struct {
	*postgis.Store
	tiles, pages, versions, all, since atomic.Int64
	cut                                atomic.Bool // polls are not answered
	holders                            atomic.Int64
	otherwise                          func(*memory.Holder[account.Viewer])
}

func (c *counting) TileRows(ctx context.Context, v account.Viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	c.tiles.Add(1)
	return c.Store.TileRows(ctx, v, l, box, q, fields, each)
}

func (c *counting) Features(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	c.pages.Add(1)
	return c.Store.Features(ctx, v, l, q, each)
}

func (c *counting) CountFeatures(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query) (int64, error) {
	c.pages.Add(1)
	return c.Store.CountFeatures(ctx, v, l, q)
}

func (c *counting) CountWithin(ctx context.Context, v account.Viewer, l *layer.Layer, q layer.Query, within time.Duration) (int64, bool, error) {
	c.pages.Add(1)
	return c.Store.CountWithin(ctx, v, l, q, within)
}

func (c *counting) FeatureAmongVersions(ctx context.Context, v account.Viewer, l *layer.Layer, id int64) (*layer.Row, []int64, error) {
	c.pages.Add(1)
	return c.Store.FeatureAmongVersions(ctx, v, l, id)
}

func (c *counting) LayerVersions(ctx context.Context, v account.Viewer) (layer.Versions, error) {
	c.versions.Add(1)
	return c.Store.LayerVersions(ctx, v)
}

func (c *counting) Told(ctx context.Context) (*memory.Told, error) {
	if c.cut.Load() {
		return nil, errors.New("no answer")
	}
	return c.Store.Told(ctx)
}

func (c *counting) AllRows(ctx context.Context, v account.Viewer, l *layer.Layer, each func(*layer.Row) error) (memory.Reading, error) {
	c.all.Add(1)
	return c.Store.AllRows(ctx, v, l, each)
}

func (c *counting) RowsSince(ctx context.Context, v account.Viewer, l *layer.Layer, since memory.Reading, each func(*layer.Row) error) (memory.Reading, []int64, bool, error) {
	c.since.Add(1)
	return c.Store.RowsSince(ctx, v, l, since, each)
}

// migrated returns a database of the test's own with nothing in it but the schema.
var migrated = testdb.Once(func(ctx context.Context, url string) error {
	layers, err := layer.Layers()
	if err != nil {
		return err
	}
	return postgis.Migrate(ctx, url, layers)
})

// strewn is a register with points, areas, lines and withheld areas, and the owner's connection.
func strewn(t testing.TB) (*counting, *layer.Registry, *pgx.Conn) {
	t.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := migrated(t)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) }) // it has done its work
	for i, sql := range []string{
		`INSERT INTO provinces (code, name, valid_from, jurisdiction, geom) VALUES ('11', 'x', '2010-01-01', '11', ST_Multi(ST_MakeEnvelope(102, 20, 104, 22, 4326)))`,
		`INSERT INTO communes (code, name, valid_from, jurisdiction, urban, geom)
			SELECT 'C' || i, 'Xã ' || i, '2010-01-01', '11', i % 2 = 0, ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(102.1 + i % 10 * 0.15, 20.1 + i / 10 * 0.15), 4326), 0.07, 12)) FROM generate_series(0, 99) i`,
		`INSERT INTO bts_sites (code, valid_from, valid_to, jurisdiction, owner_organisation, mast_type, status, contact, height_m, geom)
			SELECT 'S' || i, '2016-01-01', CASE i % 7 WHEN 0 THEN date '2019-01-01' END, '11', (ARRAY['VNPT', 'VIETTEL'])[1 + i % 2], (ARRAY['A1a', 'A2b'])[1 + i % 2],
				CASE i % 5 WHEN 0 THEN 'draft' ELSE 'existing' END, 'Ông ' || i, i % 50, ST_SetSRID(ST_MakePoint(102.1 + i * 37 % 101 * 0.015, 20.1 + i * 53 % 97 * 0.015), 4326) FROM generate_series(1, 600) i`,
		`INSERT INTO fibre_routes (code, kind, valid_from, jurisdiction, status, geom)
			SELECT 'F' || i, 'border', '2016-01-01', '11', 'existing', ST_Force3D(ST_Multi(ST_MakeLine(ST_SetSRID(ST_MakePoint(102.1, 20.1 + i * 0.02), 4326), ST_SetSRID(ST_MakePoint(103.6, 20.2 + i * 0.015), 4326)))) FROM generate_series(1, 40) i`,
		`INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom)
			SELECT 'A' || i, '2016-01-01', '11', (ARRAY['military', 'aviation_surface'])[1 + i % 2], ST_Multi(ST_Expand(ST_SetSRID(ST_MakePoint(102.2 + i * 0.03, 21), 4326), 0.01)) FROM generate_series(1, 40) i`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(i, err)
		}
	}
	store, err := postgis.Open(ctx, url, layers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return &counting{Store: store}, layers, conn
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

const plenty = 64 << 20

// classes are viewers of each class that is served from memory.
func classes() []account.Viewer {
	return []account.Viewer{
		account.Anonymous(),
		{Name: "person:lan", Person: 1},
		{Name: "key:v", Organisation: "VIETTEL", Grants: []account.Grant{{Role: account.Operator}}},
		{Name: "key:s", Grants: []account.Grant{{Role: account.Officer, Layers: []string{"bts_sites"}}}},
		account.Holder("key:o", account.Officer),
	}
}

var shown = []string{"bts_sites", "communes", "fibre_routes", "special_areas"}

// edits change rows in every way that SQL can; %d is a number of the edit's own.
var edits = []string{
	`INSERT INTO bts_sites (code, valid_from, jurisdiction, mast_type, status, geom) VALUES ('NEW-%d', '2016-01-01', '11', 'A2b', 'existing', 'SRID=4326;POINT(103.001 21.002)')`,
	`UPDATE bts_sites SET geom = ST_Translate(geom, 0.013, 0.007) WHERE id %% 11 = 3`,
	`UPDATE bts_sites SET mast_type = 'A1b', contact = 'Bà %d' WHERE id %% 13 = 5`,
	`UPDATE bts_sites SET status = 'draft', owner_organisation = 'VIETTEL' WHERE code = 'S%d7'`,
	`UPDATE bts_sites SET status = 'existing' WHERE status = 'draft' AND id %% 4 = 1`,
	`UPDATE bts_sites SET owner_organisation = 'VNPT' WHERE status = 'draft' AND id %% 4 = 2`,
	`UPDATE bts_sites SET valid_to = '2020-01-01' WHERE valid_to IS NULL AND id %% 17 = 1`,
	`DELETE FROM bts_sites WHERE id IN (SELECT id FROM bts_sites ORDER BY id LIMIT 3)`,
	`UPDATE communes SET geom = ST_Multi(ST_Translate(geom, 0.01, 0)) WHERE id %% 9 = 2`,
	`UPDATE communes SET name = 'Phường %d' WHERE id %% 9 = 4`,
	`UPDATE fibre_routes SET geom = ST_Translate(geom, 0, 0.001) WHERE id %% 3 = 0`,
	`UPDATE special_areas SET kind = 'aviation_surface' WHERE kind = 'military' AND code LIKE '%%3'`,
	`UPDATE special_areas SET kind = 'military' WHERE kind = 'aviation_surface' AND code LIKE '%%5'`,
	`TRUNCATE special_areas`,
	`INSERT INTO special_areas (code, valid_from, jurisdiction, kind, geom) VALUES ('X%d', '2016-01-01', '11', 'military', ST_Multi(ST_Expand('SRID=4326;POINT(103 21)'::geometry, 0.2)))`,
	`BEGIN; DELETE FROM communes WHERE id %% 20 = 7; INSERT INTO communes (code, name, valid_from, jurisdiction, geom) VALUES ('N%d', 'Mới', '2015-01-01', '11', ST_Multi(ST_Expand('SRID=4326;POINT(102.4 20.4)'::geometry, 0.04))); COMMIT`,
	`UPDATE communes SET code = code WHERE false`,
}

// rowsOf draws a tile of a layer, and fails the test where that cannot be.
func rowsOf(t testing.TB, from interface {
	TileRows(context.Context, account.Viewer, *layer.Layer, orb.Bound, layer.Query, []*layer.Field, func(*layer.Row) error) error
}, v account.Viewer, l *layer.Layer, at tiles.Tile, q layer.Query) []byte {
	t.Helper()
	fields := tiles.Fields(l, at.Z)
	drawing := tiles.NewLayer(l, fields, at)
	if err := from.TileRows(context.Background(), v, l, at.Box(), q, fields, drawing.Add); err != nil {
		t.Fatal(err)
	}
	raw, _, err := drawing.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// queries are the dates that tiles are asked for.
func queries() []layer.Query {
	day := func(y int) geo.Date { return geo.NewDate(y, 1, 1) }
	return []layer.Query{{}, {Date: day(2017)}, {Date: day(2020)}, {Date: day(1000)}, {Date: day(9999)}, {Span: [2]geo.Date{day(2019)}}, {Span: [2]geo.Date{{}, day(2015)}}, {Span: [2]geo.Date{day(2012), day(2018)}}}
}

func tileAt(p orb.Point, zoom uint32) tiles.Tile {
	at := maptile.At(p, maptile.Zoom(zoom))
	return tiles.Tile{Z: zoom, X: at.X, Y: at.Y}
}

// Whatever is edited, however, tiles from memory are the database's byte for byte, for
// every class of viewers, and none of them asks the database.
func TestTilesFromMemoryAreTheDatabases(t *testing.T) {
	register, layers, conn := strewn(t)
	ctx := context.Background()
	m := memory.New(register, plenty, quiet())
	for _, v := range classes() {
		for _, name := range shown {
			l, _ := layers.Get(name)
			m.Has(v, l, 0) // has it kept
		}
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	before, differ := map[string]string{}, 0
	for i, edit := range slices.Concat([]string{""}, edits, edits) {
		if edit != "" {
			edit = fmt.Sprintf(edit+" -- %[1]d", i)
			if _, err := conn.Exec(ctx, edit); err != nil {
				t.Fatal(edit, err)
			}
		}
		if err := m.Catch(ctx); err != nil {
			t.Fatal(err)
		}
		for _, v := range classes() {
			versions, err := m.LayerVersions(ctx, v)
			if err != nil {
				t.Fatal(err)
			}
			told, err := register.Store.LayerVersions(ctx, v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(told, versions); d != "" {
				t.Fatalf("%s is told after %s (-database +memory)\n%s", v.Class(), edit, d)
			}
			for _, name := range shown {
				l, _ := layers.Get(name)
				places := []tiles.Tile{{}, tileAt(orb.Point{103, 21}, 6), tileAt(orb.Point{102 + 2*random.Float64(), 20 + 2*random.Float64()}, 8+uint32(random.IntN(7)))}
				for n, at := range places {
					q := queries()[(i+n+random.IntN(2))%len(queries())]
					q.NoOlder = versions[name]
					asked := register.tiles.Load()
					got := rowsOf(t, m, v, l, at, q)
					if register.tiles.Load() != asked {
						t.Fatalf("%s, %s: the database was asked after %s", v.Class(), name, edit)
					}
					if want := rowsOf(t, register.Store, v, l, at, q); !bytes.Equal(got, want) {
						t.Fatalf("seed %d: %s, %s, %v, %+v after %s: %d bytes from memory, %d from the database", seed, v.Class(), name, at, q, edit, len(got), len(want))
					}
					if n == 0 {
						if key := v.Class() + name + fmt.Sprint(q.Date, q.Span); before[key] != string(got) {
							before[key] = string(got)
							differ++
						}
					}
				}
			}
		}
	}
	if all := register.all.Load(); all != int64(len(classes())*len(shown)) || register.since.Load() < 60 || differ < 100 || register.versions.Load() != 0 {
		t.Errorf("%d readings of all, %d of changes, %d tiles changed, versions asked for %d times: the test proves little", all, register.since.Load(), differ, register.versions.Load())
	}
}

// Places are shown as the province has them published, from the edit of that on.
func TestPublicationsHoldInMemory(t *testing.T) {
	register, layers, _ := strewn(t)
	ctx, public := context.Background(), account.Anonymous()
	m := memory.New(register, plenty, quiet())
	l, _ := layers.Get("bts_sites")
	cell := 0.05
	seen := map[string]bool{}
	for _, p := range []account.Publication{
		{Jurisdiction: "11", Exactness: account.Exact}, {Jurisdiction: "11", Exactness: account.Rounded, CellDegrees: &cell},
		{Jurisdiction: "11", Exactness: account.Hidden}, {Jurisdiction: "11", Exactness: account.Exact},
	} {
		if err := register.SetPublication(ctx, account.Terminal("test"), p); err != nil {
			t.Fatal(err)
		}
		if m.Has(public, l, 0) {
			t.Errorf("%s: answered by what was read before", p.Exactness)
		}
		if err := m.Catch(ctx); err != nil {
			t.Fatal(err)
		}
		if !m.Has(public, l, 0) {
			t.Fatalf("%s: not in memory", p.Exactness)
		}
		got := rowsOf(t, m, public, l, tileAt(orb.Point{103, 21}, 9), layer.Query{})
		if want := rowsOf(t, register.Store, public, l, tileAt(orb.Point{103, 21}, 9), layer.Query{}); !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes from memory, %d from the database", p.Exactness, len(got), len(want))
		}
		seen[string(got)] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d different tiles", len(seen))
	}
}

// Without proof that it is the latest, nothing is answered from memory.
func TestOnlyTheLatestIsAnswered(t *testing.T) {
	register, layers, conn := strewn(t)
	ctx, public := context.Background(), account.Anonymous()
	m := memory.New(register, plenty, quiet())
	l, _ := layers.Get("bts_sites")
	has := func(want bool, when string) {
		t.Helper()
		if got := m.Has(public, l, 0); got != want {
			t.Errorf("%s: answered from memory is %t", when, got)
		}
		asked := register.versions.Load()
		versions, err := m.LayerVersions(ctx, public)
		if err != nil {
			t.Fatal(err)
		}
		if told, err := register.Store.LayerVersions(ctx, public); err != nil || !cmp.Equal(told, versions) {
			t.Errorf("%s: %v, %s", when, err, cmp.Diff(told, versions))
		}
		if fromMemory := register.versions.Load() == asked; when != "begun" && fromMemory != want {
			t.Errorf("%s: versions from memory is %t", when, fromMemory)
		}
	}
	catch := func() {
		t.Helper()
		if err := m.Catch(ctx); err != nil {
			t.Fatal(err)
		}
	}
	has(false, "empty")
	catch()
	has(true, "read")
	id := int64(0)
	if err := conn.QueryRow(ctx, "SELECT min(id) FROM bts_sites WHERE status = 'existing'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := register.UpdateFeature(ctx, account.Holder("key:o", account.Officer), l, id, layer.Feature{Properties: map[string]any{"name": "x"}}, 0, false); err != nil {
		t.Fatal(err)
	}
	has(false, "after a write of this process")
	catch()
	has(true, "caught up")
	versions, err := m.LayerVersions(ctx, public)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Has(public, l, versions["bts_sites"]) || m.Has(public, l, versions["bts_sites"]+1) {
		t.Error("a version that is not there yet is answered, or one that is there is not")
	}
	limited := account.Viewer{Name: "key:l", Grants: []account.Grant{{Role: account.Officer, Territory: "11"}}}
	for name, ask := range map[string]func(){
		"an agency that is consulted": func() {
			rowsOf(t, m, account.Viewer{Name: "key:c", Organisation: "BCHQS", Grants: []account.Grant{{Role: account.Consulted}}}, l, tiles.Tile{}, layer.Query{})
		},
		"a viewer whose rights end at a border": func() { rowsOf(t, m, limited, l, tiles.Tile{}, layer.Query{}) },
		"an equality": func() {
			rowsOf(t, m, public, l, tiles.Tile{}, layer.Query{Equal: []layer.Equality{{Field: "code", Value: "S1"}}})
		},
	} {
		asked := register.tiles.Load()
		if ask(); register.tiles.Load() != asked+1 {
			t.Errorf("%s is answered from memory", name)
		}
	}
	stop := errors.New("stop")
	if err := m.TileRows(ctx, public, l, tiles.Tile{}.Box(), layer.Query{}, nil, func(*layer.Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the reader's error comes back as %v", err)
	}
}

// The proof lasts a second: after that the database answers, until it has been asked again.
func TestProofsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := memory.NewTold("here", []memory.Version{{Layer: "roads", Audience: account.Everyone, Number: 7}})
		register := &still{told: told, lasts: time.Hour}
		m := memory.New(register, plenty, quiet())
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); m.Run(ctx) }()
		fromMemory := func() bool {
			asked := register.asked.Load()
			if _, err := m.LayerVersions(ctx, account.Anonymous()); err != nil {
				t.Fatal(err)
			}
			if n := register.asked.Load() - asked; n > 1 {
				t.Errorf("the versions are asked for %d times", n)
			}
			fromMemory := register.asked.Load() == asked
			if _, err := m.KeyViewer(ctx, "x"); err != nil {
				t.Fatal(err)
			}
			if n := register.asked.Load() - asked; (n == 0) != fromMemory {
				t.Errorf("versions from memory: %t; asked %d times with a key", fromMemory, n)
			}
			return fromMemory
		}
		time.Sleep(10 * time.Second)
		if _, err := m.KeyViewer(ctx, "x"); err != nil {
			t.Fatal(err)
		}
		if !fromMemory() {
			t.Error("not answered from memory")
		}
		register.silent.Store(true)
		time.Sleep(700 * time.Millisecond)
		if !fromMemory() {
			t.Error("the proof did not last")
		}
		time.Sleep(400 * time.Millisecond)
		if fromMemory() {
			t.Error("answered from memory without proof")
		}
		register.silent.Store(false)
		time.Sleep(time.Second)
		if !fromMemory() {
			t.Error("not answered from memory when the database is back")
		}
		cancel()
		<-done
	})
}

// still is a register without rows that tells the same again and again.
type still struct {
	memory.Register
	told   *memory.Told
	lasts  time.Duration // that a key does
	asked  atomic.Int64
	silent atomic.Bool
}

func (s *still) Edits() int64 { return 0 }

func (s *still) KeyHolder(context.Context, string) (memory.Holder[account.Viewer], error) {
	s.asked.Add(1)
	return memory.Holder[account.Viewer]{Server: "here", For: s.lasts}, nil
}

func (s *still) Told(context.Context) (*memory.Told, error) {
	if s.silent.Load() {
		return nil, errors.New("no answer")
	}
	return s.told, nil
}

func (s *still) LayerVersions(context.Context, account.Viewer) (layer.Versions, error) {
	s.asked.Add(1)
	return layer.Versions{}, nil
}

func (s *still) Watch(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

// A set that does not fit is not kept; one that nobody has asked for lately makes room.
func TestMemoryKeepsItsLimit(t *testing.T) {
	register, layers, _ := strewn(t)
	ctx, public := context.Background(), account.Anonymous()
	m := memory.New(register, plenty, quiet())
	sites, _ := layers.Get("bts_sites")
	communes, _ := layers.Get("communes")
	m.Has(public, sites, 0)
	if err := m.Catch(ctx); err != nil {
		t.Fatal(err)
	}
	held := func() (total int64) {
		m.Report(func(viewers string, rows, bytes int64) {
			if viewers != "public" || rows < 480 || bytes < rows*200 {
				t.Errorf("%d rows of %s, %d bytes", rows, viewers, bytes)
			}
			total += bytes
		})
		return total
	}
	first := held()
	m.MostRead(first + 100)
	m.Has(public, communes, 0)
	if err := m.Catch(ctx); err != nil {
		t.Fatal(err)
	}
	if !m.Has(public, sites, 0) || m.Has(public, communes, 0) {
		t.Error("a set that does not fit is kept, or takes the place of one in use")
	}
	rowsOf(t, m, public, communes, tiles.Tile{}, layer.Query{}) // from the database
	m.MostRead(first * 3)
	m.Age(public, communes)
	if err := m.Catch(ctx); err != nil || !m.Has(public, communes, 0) || !m.Has(public, sites, 0) {
		t.Fatal("what fits is not kept", err)
	}
	roads, _ := layers.Get("fibre_routes")
	m.MostRead(held() + 100)
	m.Age(public, sites)
	m.Has(public, roads, 0)
	if err := m.Catch(ctx); err != nil || !m.Has(public, communes, 0) || !m.Has(public, roads, 0) || m.Has(public, sites, 0) {
		t.Error("what was asked for long ago does not make room", err)
	}
}

// Readers and edits at once; the race detector looks on.
func TestReadersAndEditsAtOnce(t *testing.T) {
	register, layers, conn := strewn(t)
	ctx, cancel := context.WithCancel(context.Background())
	m := memory.New(register, plenty, quiet())
	var work sync.WaitGroup
	work.Go(func() { m.Run(ctx) })
	for _, v := range classes() {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l, _ := layers.Get(shown[i%len(shown)])
				at := tileAt(orb.Point{103, 21}, uint32(i%10))
				fields := tiles.Fields(l, at.Z)
				drawing := tiles.NewLayer(l, fields, at)
				if err := m.TileRows(context.Background(), v, l, at.Box(), layer.Query{}, fields, drawing.Add); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i, edit := range slices.Concat(edits, edits) {
		if _, err := conn.Exec(context.Background(), fmt.Sprintf(edit+" -- %[1]d", 100+i)); err != nil {
			t.Error(edit, err)
		}
	}
	cancel()
	work.Wait()
}
