package postgis_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/account"
	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

func TestOpenWithoutSchema(t *testing.T) {
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := testdb.New(t)
	// Another database of the cluster has made the role already, or this statement does.
	run(t, connect(t, url), "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hatang_app') THEN CREATE ROLE hatang_app NOLOGIN; END IF; END $$")
	if s, err := postgis.Open(context.Background(), url, layers); !errors.Is(err, postgis.ErrNoSchema) {
		t.Errorf("%v, %v", s, err)
	}
}

func TestOpenWithoutServer(t *testing.T) {
	layers, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	url := "host=" + t.TempDir() + " dbname=hatang"
	if s, err := postgis.Open(context.Background(), url, layers); !errors.Is(err, layer.ErrUnavailable) {
		t.Errorf("%v, %v", s, err)
	}
	if err := postgis.CheckServer(context.Background(), url); !errors.Is(err, layer.ErrUnavailable) {
		t.Error(err)
	}
}

func TestCheckServerSaysWhatIsMissing(t *testing.T) {
	ctx := context.Background()
	url := testdb.New(t)
	if err := postgis.CheckServer(ctx, url); err != nil {
		t.Errorf("the cluster of the tests lacks something: %v", err)
	}
	conn := connect(t, url)
	role := scalar[string](t, conn, "SELECT 'hatang_test_' || md5(current_database())")
	run(t, conn, "CREATE ROLE "+role+" NOLOGIN")
	defer run(t, conn, "DROP ROLE "+role)
	run(t, conn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	err := postgis.CheckServer(ctx, url+" options='-c role="+role+"'")
	var invalid *layer.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("a user without rights: %v", err)
	}
	got := map[string]string{}
	for _, f := range invalid.Faults {
		got[f.At] = f.Detail.EN
		if f.Detail.VI == "" {
			t.Errorf("%s is not said in Vietnamese", f.At)
		}
	}
	for at, want := range map[string]string{"PostGIS": "CREATE EXTENSION postgis", "schema public": "may not create tables", "role hatang_app": "GRANT hatang_app"} {
		if !strings.Contains(got[at], want) {
			t.Errorf("%s: %q does not say %q", at, got[at], want)
		}
	}
}

func TestKeys(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	admin := account.Terminal("test")
	err := s.AddKey(ctx, admin, account.NewKeyRecord{ID: "x", Hash: account.Hash("y"), Organisation: "VNPT", Grants: []account.Grant{
		{Role: account.Operator, Territory: "11"}, {Role: account.Public, Layers: []string{"nowhere"}}, {Role: account.Administrator, Territory: "11"}, {Role: account.Officer, Layers: []string{}}}})
	var invalid *layer.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Faults) != 7 {
		t.Errorf("a key of an unknown organisation, territory, role and layer: %v", err)
	}
	run(t, connect(t, url), `INSERT INTO organisations (code, kind, name) VALUES ('VNPT', 'operator', '{}')`)
	create(t, s, get(t, layers, "provinces"), sample(t, get(t, layers, "provinces"), "11"))
	add := func(k account.NewKeyRecord) string {
		var key string
		k.ID, key = account.NewKey()
		k.Hash, k.Name = account.Hash(key), "thử"
		if err := s.AddKey(ctx, admin, k); err != nil {
			t.Fatal(err)
		}
		return key
	}
	officers := []account.Grant{{Role: account.Officer}}
	good := add(account.NewKeyRecord{Organisation: "VNPT", Grants: []account.Grant{{Role: account.Operator, Territory: "11"}}, Expires: time.Now().Add(time.Hour)})
	v, err := s.KeyViewer(ctx, good)
	if err != nil || !v.Has(account.Operator) || v.Organisation != "VNPT" || v.Grants[0].Territory != "11" || !strings.HasPrefix(v.Name, "key:") {
		t.Errorf("%+v, %v", v, err)
	}
	expired := add(account.NewKeyRecord{Grants: officers, Expires: time.Now().Add(-time.Second)})
	revoked := add(account.NewKeyRecord{Grants: officers})
	if v, err = s.KeyViewer(ctx, revoked); err != nil {
		t.Error(err)
	}
	if err := s.RevokeKey(ctx, admin, strings.TrimPrefix(v.Name, "key:")); err != nil {
		t.Error(err)
	}
	for name, key := range map[string]string{"expired": expired, "revoked": revoked, "unknown": "htg_x_y", "empty": "", "longer": good + "x", "upper": strings.ToUpper(good)} {
		if v, err := s.KeyViewer(ctx, key); !errors.Is(err, layer.ErrNotFound) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	// Many who ask at once are each told whose their own key is.
	staff := add(account.NewKeyRecord{Grants: officers})
	var asking sync.WaitGroup
	for worker := range 12 {
		asking.Go(func() {
			for range 30 {
				var v account.Viewer
				var err error
				switch worker % 4 {
				case 0:
					if v, err = s.KeyViewer(ctx, good); err != nil || v.Organisation != "VNPT" || !v.Has(account.Operator) || v.Has(account.Officer) {
						t.Errorf("an operator is %+v, %v", v, err)
					}
				case 1:
					if v, err = s.KeyViewer(ctx, staff); err != nil || v.Organisation != "" || v.Has(account.Operator) || !v.Has(account.Officer) {
						t.Errorf("an officer is %+v, %v", v, err)
					}
				case 2:
					if v, err = s.KeyViewer(ctx, revoked); !errors.Is(err, layer.ErrNotFound) {
						t.Errorf("nobody is %+v, %v", v, err)
					}
				default:
					if session, err := s.SessionViewer(ctx, staff); !errors.Is(err, layer.ErrNotFound) {
						t.Errorf("a key is the session of %+v, %v", session, err)
					}
				}
			}
		})
	}
	asking.Wait()
	if n := scalar[int64](t, connect(t, url), "SELECT count(*) FROM api_keys WHERE api_keys::text LIKE '%htg\\_%'"); n != 0 {
		t.Errorf("%d keys are kept in clear", n)
	}
}

func openAdmin(t testing.TB, url string) *postgis.Admin {
	t.Helper()
	admin, err := postgis.OpenAdmin(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	return admin
}

func TestTheFirstKeyIsMadeOnce(t *testing.T) {
	_, _, url := open(t)
	var mu sync.Mutex
	var group sync.WaitGroup
	made := 0
	for i := range 5 {
		admin := openAdmin(t, url)
		group.Go(func() {
			id, key := account.NewKey()
			added, err := admin.AddFirstKey(context.Background(), account.NewKeyRecord{ID: id, Hash: account.Hash(key), Name: fmt.Sprint(i), Grants: []account.Grant{{Role: account.Administrator}}}, "first start")
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if added {
				made++
			}
		})
	}
	group.Wait()
	if n := scalar[int64](t, connect(t, url), "SELECT count(*) FROM api_keys"); made != 1 || n != 1 {
		t.Errorf("%d servers made a first key, %d are kept", made, n)
	}
}

// The vectors of the plan's facts: WGS 84 to VN-2000, metres.
func TestReferenceSystemsOfVietnam(t *testing.T) {
	_, _, url := open(t)
	conn := connect(t, url)
	for _, tt := range []struct {
		srid int
		e, n float64
	}{{9205, 502188.6965, 2365683.6115}, {3405, 294840.704, 2366266.020}} {
		var e, n, lon, lat float64
		if err := conn.QueryRow(context.Background(), `SELECT ST_X(g), ST_Y(g), ST_X(b), ST_Y(b) FROM ST_Transform('SRID=4326;POINT(103.0230 21.3860)'::geometry, $1::int) g,
			ST_Transform(ST_SetSRID(ST_MakePoint($2, $3), $1::int), 4326) b`, tt.srid, tt.e, tt.n).Scan(&e, &n, &lon, &lat); err != nil {
			t.Fatal(err)
		}
		if d := math.Hypot(e-tt.e, n-tt.n); d > 0.005 {
			t.Errorf("EPSG:%d is %.4f m off", tt.srid, d)
		}
		if math.Abs(lon-103.0230) > 5e-8 || math.Abs(lat-21.3860) > 5e-8 {
			t.Errorf("EPSG:%d back: %.9f, %.9f", tt.srid, lon, lat)
		}
	}
	for srid := 9205; srid <= 9218; srid++ {
		if !scalar[bool](t, conn, "SELECT EXISTS (SELECT FROM spatial_ref_sys WHERE srid = $1 AND auth_srid = $1)", srid) {
			t.Errorf("EPSG:%d is missing", srid)
		}
	}
}

func TestCheckSchemaFindsEveryDisagreement(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	if err := postgis.CheckSchema(ctx, conn, layers); err != nil {
		t.Error(err)
	}
	if problems, err := s.Inconsistencies(ctx); err != nil || len(problems) > 0 {
		t.Errorf("%q, %v", problems, err)
	}
	run(t, conn, "ALTER TABLE kiosks DROP COLUMN operator")
	run(t, conn, "ALTER TABLE kiosks ADD COLUMN colour text")
	run(t, conn, "ALTER TABLE roads ALTER COLUMN urban TYPE text")
	run(t, conn, "ALTER TABLE ducts ALTER COLUMN geom DROP NOT NULL")
	err := postgis.CheckSchema(ctx, conn, layers)
	var invalid *layer.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Faults) != 4 {
		t.Fatalf("%v", err)
	}
	for _, at := range []string{"kiosks.operator", "kiosks.colour", "roads.urban", "ducts.geom"} {
		if !strings.Contains(err.Error(), at+":") {
			t.Errorf("%s is not told in %v", at, err)
		}
	}
	if problems, err := s.Inconsistencies(ctx); err != nil || len(problems) != 1 {
		t.Errorf("%q, %v", problems, err)
	}
}

// terminate ends every connection of the serving program, as a failing server would.
func terminate(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	run(t, conn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'hatang'")
}

// works holds that the store recovers by itself: each request may still meet one
// dead connection of the pool, and there are eight.
func works(t *testing.T, s *postgis.Store) {
	t.Helper()
	err := s.Ready(context.Background())
	for try := 0; err != nil && try < 8; try++ {
		if !errors.Is(err, layer.ErrUnavailable) {
			t.Fatal(err)
		}
		err = s.Ready(context.Background())
	}
	if err != nil {
		t.Errorf("the database is back: %v", err)
	}
}

func TestALostDatabaseIsSaidAndForgotten(t *testing.T) {
	s, layers, url := open(t)
	ctx := context.Background()
	conn := connect(t, url)
	l := get(t, layers, "settlements")
	run(t, conn, `INSERT INTO settlements (code, name, valid_from, jurisdiction, geom)
		SELECT i, repeat('x', 1000), '2015-01-01', '11', 'SRID=4326;POINT(103 21)' FROM generate_series(1, 5000) i`)
	n := 0
	err := s.Features(ctx, officer(), l, layer.Query{}, func(*layer.Row) error {
		if n++; n == 1 {
			terminate(t, conn)
		}
		return nil
	})
	if !errors.Is(err, layer.ErrUnavailable) || n == 5000 {
		t.Errorf("%v after %d rows", err, n)
	}
	works(t, s)
	id := create(t, s, get(t, layers, "kiosks"), sample(t, get(t, layers, "kiosks"), "K"))
	_, err = s.Import(ctx, officer(), l, correction(t), func(add func(postgis.Incoming) error) error {
		terminate(t, conn)
		return add(incoming(1, l, map[string]any{"code": "1", "name": "half"}))
	})
	if !errors.Is(err, layer.ErrUnavailable) {
		t.Errorf("an import that lost its database: %v", err)
	}
	works(t, s)
	if _, err := s.Feature(ctx, officer(), get(t, layers, "kiosks"), id); err != nil {
		t.Errorf("a row of before: %v", err)
	}
	if half := scalar[int64](t, conn, "SELECT count(*) FROM settlements WHERE name = 'half'"); half != 0 {
		t.Error("half an import was kept")
	}
}

func TestTimeLimitsAreTold(t *testing.T) {
	s, layers, url := open(t)
	l := get(t, layers, "kiosks")
	id := create(t, s, l, sample(t, l, "K"))
	conn := connect(t, url)
	run(t, conn, "BEGIN")
	run(t, conn, "UPDATE kiosks SET name = 'x'")
	if err := s.DeleteFeature(context.Background(), officer(), l, id, 0); !errors.Is(err, layer.ErrTimeout) {
		t.Errorf("a row that another holds: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.CountFeatures(ctx, officer(), l, layer.Query{}); !errors.Is(err, context.Canceled) || errors.Is(err, layer.ErrUnavailable) {
		t.Errorf("a caller that went away: %v", err)
	}
}
