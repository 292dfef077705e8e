package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// tileBench is a server of the nation and its peer: ST_AsMVT on a connection, as a
// prepared statement, without HTTP, whether or not the tile has been made before.
type tileBench struct {
	server  *server
	nation  testdb.Nation
	peer    *pgx.Conn
	middle  orb.Point
	officer string // header of a request
	day     time.Time
}

// peerTiles are the statements of the peer, by layer.
var peerTiles = map[string]string{
	"bts_sites": `SELECT ST_AsMVT(q, 'sites', 4096, 'g', 'id') FROM (
		SELECT ST_AsMVTGeom(ST_Transform(s.geom, 3857), ST_TileEnvelope($1, $2, $3)) g, s.id, code, mast_type, status, phase
		FROM sites s WHERE s.geom && ST_Transform(ST_TileEnvelope($1, $2, $3), 4326)) q`,
	"communes": `SELECT ST_AsMVT(q, 'communes', 4096, 'g', 'id') FROM (
		SELECT ST_AsMVTGeom(ST_Transform(s.geom, 3857), ST_TileEnvelope($1, $2, $3)) g, s.id, code, name, kind
		FROM national.communes s WHERE s.geom && ST_Transform(ST_TileEnvelope($1, $2, $3), 4326)) q`,
}

func openTileBench(b *testing.B) *tileBench {
	b.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	t := &tileBench{nation: testdb.National(b, 1, func(ctx context.Context, url string) error { return postgis.Migrate(ctx, url, layers) }), day: time.Date(2020, 6, 30, 0, 0, 0, 0, time.UTC)}
	dir, err := os.MkdirTemp(os.Getenv(workDir), "nation")
	if err != nil {
		b.Fatal(err)
	}
	if t.server, err = launch(dir, "--database-url", t.nation.URL, "--date", testdb.NationDate); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { t.server.terminate() })
	t.peer = t.peerConn(b)
	if err := t.peer.QueryRow(ctx, "SELECT ST_X(geom), ST_Y(geom) FROM sites WHERE id = 1000").Scan(&t.middle[0], &t.middle[1]); err != nil {
		b.Fatal(err)
	}
	t.officer = officerHeader(b, t.nation.URL)
	for _, name := range []string{"bts_sites", "communes"} {
		for _, header := range []string{"", t.officer} {
			t.one(b, t.request(name, 6, header, t.day))
		}
	}
	t.server.awaitRows(b, t.officer, 210000)
	return t
}

// peerConn connects as the peer.
func (t *tileBench) peerConn(b *testing.B) *pgx.Conn {
	b.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, t.nation.Peer())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(ctx) }) // nothing was written
	if _, err := conn.Exec(ctx, "SET max_parallel_workers_per_gather = 0"); err != nil {
		b.Fatal(err)
	}
	return conn
}

// officerHeader is the header of requests with the key of an officer, which it makes.
func officerHeader(b *testing.B, url string) string {
	b.Helper()
	path, err := program()
	if err != nil {
		b.Fatal(err)
	}
	out, err := exec.Command(path, "key", "create", "benchmark", "--role", "officer", "--json", "--database-url", url).Output()
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(out), `"key":"`)
	key, _, _ := strings.Cut(strings.ReplaceAll(rest, `"key": "`, ""), `"`)
	if key == "" {
		b.Fatalf("no key in %s", out)
	}
	return "Authorization: Bearer " + key + "\r\n"
}

// awaitRows waits until the server has so many rows in memory, for the public and for officers.
func (s *server) awaitRows(b *testing.B, officer string, rows int) {
	b.Helper()
	s.awaitFigure(b, officer, fmt.Sprintf(`hatang_memory_rows{viewers="public"} %d`, rows))
	s.awaitFigure(b, officer, fmt.Sprintf(`hatang_memory_rows{viewers="officer"} %d`, rows))
}

// request is one for the tile that a site lies in. A day that nobody has asked for makes
// it cold.
func (t *tileBench) request(name string, zoom maptile.Zoom, header string, day time.Time) []byte {
	at := maptile.At(t.middle, zoom)
	return fmt.Appendf(nil, "GET /api/v1/collections/%s/tiles/WebMercatorQuad/%d/%d/%d?datetime=%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
		name, at.Z, at.Y, at.X, day.Format(time.DateOnly), header)
}

// connect opens a connection to the server.
func (t *tileBench) connect(b *testing.B) *bufio.ReadWriter {
	b.Helper()
	return dial(b, strings.TrimPrefix(t.server.url, "http://"))
}

func dial(b *testing.B, address string) *bufio.ReadWriter {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() }) // all that was asked for is read
	return bufio.NewReadWriter(bufio.NewReaderSize(conn, 32<<10), bufio.NewWriter(conn))
}

// one asks once on a connection of its own, and returns the length of the answer.
func (t *tileBench) one(b *testing.B, request []byte) int {
	b.Helper()
	n, err := ask(t.connect(b), request)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// askPeer has the peer make the tile.
func (t *tileBench) askPeer(conn *pgx.Conn, name string, zoom maptile.Zoom) error {
	at := maptile.At(t.middle, zoom)
	var raw []byte
	return conn.QueryRow(context.Background(), peerTiles[name], at.Z, at.X, at.Y).Scan(&raw)
}

// BenchmarkNationalTileHTTP asks the server for a tile of the nation's sites or communes,
// one after another on one connection: cold, of a day that nobody has asked for, and warm.
func BenchmarkNationalTileHTTP(b *testing.B) {
	t := openTileBench(b)
	for _, of := range []struct {
		name, layer string
		header      string
		zooms       []maptile.Zoom
	}{
		{"sites", "bts_sites", "", []maptile.Zoom{6, 9, 12}}, {"communes", "communes", "", []maptile.Zoom{6, 9}},
		{"officer", "bts_sites", t.officer, []maptile.Zoom{6, 9, 12}},
	} {
		for _, zoom := range of.zooms {
			peer := func(b *testing.B) {
				for b.Loop() {
					if err := t.askPeer(t.peer, of.layer, zoom); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.Run(fmt.Sprintf("%s/z%d_cold/ours", of.name, zoom), func(b *testing.B) {
				conn, size := t.connect(b), 0
				for b.Loop() { // the request is written in a microsecond; to stop the clock meanwhile takes many
					t.day = t.day.AddDate(0, 0, 1)
					var err error
					if size, err = ask(conn, t.request(of.layer, zoom, of.header, t.day)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size), "bytes")
			})
			b.Run(fmt.Sprintf("%s/z%d_cold/peer", of.name, zoom), peer)
			b.Run(fmt.Sprintf("%s/z%d_warm/ours", of.name, zoom), func(b *testing.B) {
				conn, request := t.connect(b), t.request(of.layer, zoom, of.header, t.day)
				for b.Loop() {
					if _, err := ask(conn, request); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/z%d_warm/peer", of.name, zoom), peer)
		}
	}
}

// BenchmarkNationalTileLoad asks for warm tiles over 64 connections that stay open; the
// peer makes them on as many connections as it is fastest with. A floor is the same
// exchange with a server that sends as many bytes; 304 is the same tile, which the client has.
func BenchmarkNationalTileLoad(b *testing.B) {
	t := openTileBench(b)
	const zoom = 12
	request := t.request("bts_sites", zoom, "", t.day)
	size := t.one(b, request)
	own := strings.TrimPrefix(t.server.url, "http://")
	b.Run("ours", func(b *testing.B) { loadTiles(b, own, request) })
	b.Run("peer", func(b *testing.B) {
		conns := make([]*pgx.Conn, peerConnections)
		for i := range conns {
			conns[i] = t.peerConn(b)
		}
		const each = 64
		for b.Loop() {
			err := inParallel(len(conns), func(worker int) error {
				for range each {
					if err := t.askPeer(conns[worker], "bts_sites", zoom); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*peerConnections*each/b.Elapsed().Seconds(), "tiles/s")
	})
	b.Run("floor", func(b *testing.B) { loadTiles(b, bare(b, size), request) })
	b.Run("known", func(b *testing.B) { loadTiles(b, own, known(b, t.connect(b), request)) })
}

// bare starts a server that does nothing but send so many bytes.
func bare(b *testing.B, size int) (address string) {
	b.Helper()
	own, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(own, bareServer, strconv.Itoa(size))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = errors.Join(cmd.Process.Kill(), cmd.Wait()) }) // it never ends by itself
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// loadTiles sends a request again and again over many connections.
func loadTiles(b *testing.B, address string, request []byte) {
	const connections, each = 64, 64
	conns := make([]*bufio.ReadWriter, connections)
	for i := range conns {
		conns[i] = dial(b, address)
	}
	round := func() {
		err := inParallel(connections, func(worker int) error {
			for range each {
				if _, err := ask(conns[worker], request); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range 4 { // until both ends are warm
		round()
	}
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(b.N)*connections*each/b.Elapsed().Seconds(), "tiles/s")
}
