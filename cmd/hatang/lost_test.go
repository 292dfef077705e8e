package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// fill puts many large settlements into the register: a page of them is far over
// what the server completes before it sends, and over what the sockets hold.
func fill(t *testing.T, s *server) {
	t.Helper()
	s.sql(t, `INSERT INTO settlements (code, name, valid_from, jurisdiction, illustrative, source, geom)
		SELECT 'LARGE-' || n, 'x', '2015-01-01', '11', true, (SELECT string_agg(md5(n * 200 + i || ''), '') FROM generate_series(1, 125) i), ST_SetSRID(ST_MakePoint(103, 21), 4326) FROM generate_series(1, 10000) n`)
}

// slow has whoever reads the settlements wait before one of the last of them while the register is
// held: the server reads as fast as it can, whatever its client does, and would be done. They are
// read in the order of an index: sorted, none would come before all are read. It is for
// connections made afterwards.
func slow(t *testing.T, s *server) {
	t.Helper()
	s.sql(t, fmt.Sprintf(`CREATE POLICY held ON settlements USING (CASE WHEN id = %s THEN EXISTS (SELECT FROM pg_advisory_xact_lock_shared(4711)) ELSE true END)`,
		s.sql(t, "SELECT id::text FROM settlements ORDER BY id OFFSET 9000 LIMIT 1")))
	s.sql(t, "ALTER TABLE settlements ENABLE ROW LEVEL SECURITY")
	s.sql(t, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_sort = off', current_database()); END $$")
}

// hold holds the register until it is let go.
func hold(t *testing.T, s *server) (letGo func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.ownerURL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(4711)"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// cutOff ends the database connections that read the settlements.
func cutOff(t *testing.T, s *server) {
	t.Helper()
	n := s.sql(t, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'hatang' AND state = 'active' AND query LIKE '%settlements%'`)
	if n != "1" {
		t.Errorf("%s readers were ended, want 1", n)
	}
}

// onceAfter calls do when more than n bytes have been read.
type onceAfter struct {
	io.ReadCloser
	n  int
	do func()
}

func (o *onceAfter) Read(b []byte) (int, error) {
	n, err := o.ReadCloser.Read(b)
	if o.n -= n; o.n < 0 && o.do != nil {
		o.do()
		o.do = nil
	}
	return n, err
}

const largeItems = "/api/v1/collections/settlements/items?limit=10000"

// TestLostDatabase loses the database in the middle of a large answer: no client
// may take what came for the whole.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	dir, key := demoDir(t)
	s := serve(t, dir, key, "--demo", "--rows-memory", "0") // pages from memory need no database
	fill(t, s)
	var whole page
	s.get(t, largeItems, &whole)
	if whole.NumberReturned != 10000 || whole.NumberMatched != 10012 {
		t.Fatalf("%d of %d", whole.NumberReturned, whole.NumberMatched)
	}
	slow(t, s)
	s.stop(t)
	s = serve(t, dir, key, "--demo", "--rows-memory", "0")
	letGo := hold(t, s)
	for _, encoding := range []string{"identity", "gzip"} {
		lostInMidStream(t, s, encoding)
	}
	lostUnderGDAL(t, s)
	letGo()
	s.get(t, largeItems, &whole)
	if whole.NumberReturned != 10000 {
		t.Errorf("afterwards %d are returned", whole.NumberReturned)
	}
}

// lostInMidStream cuts the connection while the server waits for its client.
func lostInMidStream(t *testing.T, s *server, encoding string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+largeItems, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cutOff(t, s)
	if got, err := io.ReadAll(resp.Body); err == nil || resp.ContentLength >= 0 || resp.Header.Get("Content-Encoding") == "gzip" != (encoding == "gzip") {
		t.Errorf("%s: %d bytes came, length %d, error %v: looks whole: %.400s", encoding, len(got), resp.ContentLength, err, got)
	}
}

// lostUnderGDAL reads through a proxy that loses the database when nine megabytes
// have passed.
func lostUnderGDAL(t *testing.T, s *server) {
	t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // links lead through the proxy
			r.Out.Header.Set("Accept-Encoding", "identity")
		},
		ModifyResponse: func(r *http.Response) error {
			r.Body = &onceAfter{r.Body, 9 << 20, func() { cutOff(t, s) }}
			return nil
		},
		ErrorLog: log.New(t.Output(), "", 0),
	}
	front := httptest.NewServer(proxy)
	defer front.Close()
	args := []string{"-f", "CSV", "/vsistdout/", "-oo", "PAGE_SIZE=10000", "OAPIF:" + front.URL + "/api/v1", "settlements"}
	out, err := exec.CommandContext(t.Context(), "ogr2ogr", args...).CombinedOutput()
	if !strings.Contains(string(out), "ERROR") {
		t.Errorf("GDAL took the half for the whole: %v, %d bytes\n%.300s", err, len(out), out)
	}
}
