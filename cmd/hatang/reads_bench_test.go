package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"hatang/internal/testdb"
)

// readBench is a server of the nation and connections to its database.
type readBench struct {
	address string
	officer string // header of a request
	peers   []*pgx.Conn
	ids     []int64   // of sites, in no order
	box     orb.Bound // that holds a page of them and a few more
}

// readConnections is over how many connections is asked at once.
const readConnections = 16

func openReadBench(b *testing.B) *readBench {
	b.Helper()
	ctx := context.Background()
	nation, _ := openNation(b)
	dir, err := os.MkdirTemp(os.Getenv(workDir), "nation")
	if err != nil {
		b.Fatal(err)
	}
	s, err := launch(dir, "--database-url", nation.URL, "--date", testdb.NationDate)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.terminate() })
	s.awaitSnapshot(b)
	t := &readBench{address: strings.TrimPrefix(s.url, "http://"), officer: officerHeader(b, nation.URL), peers: make([]*pgx.Conn, readConnections)}
	for _, header := range []string{"", t.officer} { // has the sites read into memory
		if _, err := ask(dial(b, t.address), ofSites("items?limit=1", header)); err != nil {
			b.Fatal(err)
		}
	}
	s.awaitRows(b, t.officer, 200000)
	for i := range t.peers {
		if t.peers[i], err = pgx.Connect(ctx, nation.URL); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = t.peers[i].Close(ctx) }) // nothing was written
	}
	rows, err := t.peers[0].Query(ctx, "SELECT id FROM bts_sites ORDER BY md5(id::text) LIMIT 10000")
	if err != nil {
		b.Fatal(err)
	}
	if t.ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
		b.Fatal(err)
	}
	err = t.peers[0].QueryRow(ctx, `SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box) FROM (SELECT ST_Extent(geom) AS box FROM
		(SELECT geom FROM bts_sites ORDER BY geom <-> (SELECT geom FROM bts_sites WHERE id = $1) LIMIT 1200) near) around`, t.ids[0]).
		Scan(&t.box.Min[0], &t.box.Min[1], &t.box.Max[0], &t.box.Max[1])
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// ofSites is a request for what the sites have under a path.
func ofSites(path, header string) []byte {
	return fmt.Appendf(nil, "GET /api/v1/collections/bts_sites/%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path, header)
}

// load asks for what it is told over so many connections; of is the number of the request.
func (t *readBench) load(b *testing.B, connections int, of func(n int) []byte) {
	conns := make([]*bufio.ReadWriter, connections)
	for i := range conns {
		conns[i] = dial(b, t.address)
	}
	t.rounds(b, connections, func(worker, n int) error {
		_, err := ask(conns[worker], of(n))
		return err
	})
}

// floor is load of a server that only sends as many bytes.
func (t *readBench) floor(b *testing.B, size int, request []byte) {
	nothing := readBench{address: bare(b, size)}
	nothing.load(b, readConnections, func(int) []byte { return request })
}

// rounds has workers do something side by side, each with a number of its own.
func (t *readBench) rounds(b *testing.B, workers int, do func(worker, n int) error) {
	const each = 64
	next := 0
	round := func() {
		err := inParallel(workers, func(worker int) error {
			for i := range each {
				if err := do(worker, next+worker*each+i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		next += workers * each
	}
	for range 4 { // until both ends are warm
		round()
	}
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(b.N*workers*each)/b.Elapsed().Seconds(), "answers/s")
}

// BenchmarkNationalReads asks the server for single sites, for pages of a thousand in a
// box, and for what the client has already, as the public and as an officer. The peer's way
// for a site is a prepared statement by id, without HTTP; for a page PostGIS writes the
// collection; for what is known it is a server that only sends the status, which is what
// HTTP itself takes here.
func BenchmarkNationalReads(b *testing.B) {
	t := openReadBench(b)
	for _, as := range []struct{ class, header string }{{"", ""}, {"officer_", t.officer}} {
		b.Run(as.class+"site/ours", func(b *testing.B) {
			requests := make([][]byte, len(t.ids))
			for i, id := range t.ids {
				requests[i] = ofSites(fmt.Sprintf("items/%d", id), as.header)
			}
			t.load(b, readConnections, func(n int) []byte { return requests[n%len(requests)] })
		})
		b.Run(as.class+"site/peer", func(b *testing.B) {
			t.rounds(b, readConnections, func(worker, n int) error {
				return t.drain(worker, "SELECT * FROM bts_sites WHERE id = $1", t.ids[n%len(t.ids)])
			})
		})
		page := ofSites(fmt.Sprintf("items?bbox=%v,%v,%v,%v&limit=1000", t.box.Min[0], t.box.Min[1], t.box.Max[0], t.box.Max[1]), as.header)
		for _, of := range []struct {
			name        string
			connections int
		}{{"page", 1}, {"pages", readConnections}} {
			b.Run(as.class+of.name+"/ours", func(b *testing.B) { t.load(b, of.connections, func(int) []byte { return page }) })
			b.Run(as.class+of.name+"/peer", func(b *testing.B) { t.pages(b, of.connections) })
		}
		b.Run(as.class+"known/ours", func(b *testing.B) {
			request := known(b, dial(b, t.address), page)
			t.load(b, readConnections, func(int) []byte { return request })
		})
		b.Run(as.class+"known/peer", func(b *testing.B) { t.floor(b, 0, page) })
	}
	b.Run("floor/site", func(b *testing.B) { t.floor(b, 1900, ofSites("items/1", "")) })
}

// pages has PostGIS write a page over so many connections.
func (t *readBench) pages(b *testing.B, connections int) {
	const collection = `SELECT json_build_object('type', 'FeatureCollection', 'features', json_agg(ST_AsGeoJSON(t.*, 'geom', 7)::json)) FROM
		(SELECT * FROM bts_sites WHERE geom && ST_MakeEnvelope($1, $2, $3, $4, 4326) ORDER BY id LIMIT 1000) t`
	t.rounds(b, connections, func(worker, _ int) error {
		return t.drain(worker, collection, t.box.Min[0], t.box.Min[1], t.box.Max[0], t.box.Max[1])
	})
}

// drain reads all that a peer's statement selects.
func (t *readBench) drain(worker int, sql string, args ...any) error {
	rows, err := t.peers[worker].Query(context.Background(), sql, args...)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// known is a request of one who has the answer, which is asked for over the connection.
func known(b *testing.B, conn *bufio.ReadWriter, request []byte) []byte {
	b.Helper()
	if _, err := conn.Write(request); err != nil {
		b.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		b.Fatal(err)
	}
	resp, err := http.ReadResponse(conn.Reader, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		b.Fatal(err)
	}
	return append(bytes.TrimSuffix(request, []byte("\r\n")), "If-None-Match: "+resp.Header.Get("ETag")+"\r\n\r\n"...)
}
