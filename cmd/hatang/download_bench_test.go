package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/testdb"
)

// BenchmarkNationalDownload has the server send all 200 000 sites of the nation: as it reads
// them from the database, to four clients at once, and as it has them in memory already. The
// peers' way is that PostgreSQL writes every feature: by COPY, or row by row. MiB is the
// most memory that the server held above what it held before.
func BenchmarkNationalDownload(b *testing.B) {
	nation, _ := openNation(b)
	dir, err := os.MkdirTemp(os.Getenv(workDir), "nation")
	if err != nil {
		b.Fatal(err)
	}
	s, err := launch(dir, "--database-url", nation.URL, "--date", testdb.NationDate)
	if err != nil {
		b.Fatal(err)
	}
	defer s.terminate()
	s.awaitSnapshot(b)
	conn, err := pgx.Connect(context.Background(), nation.URL+" options='-c max_parallel_workers_per_gather=0 -c jit=off'")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // nothing was written
	const rows = `SELECT ST_AsGeoJSON(t.*, 'geom', 7) FROM (SELECT * FROM bts_sites WHERE valid_from <= '2025-06-30' AND (valid_to IS NULL OR valid_to > '2025-06-30') ORDER BY id) t`
	peers := map[string]func() (int64, error){
		"copy": func() (int64, error) {
			var n counter
			_, err := conn.PgConn().CopyTo(context.Background(), &n, "COPY ("+rows+") TO STDOUT")
			return int64(n), err
		},
		"rows": func() (n int64, err error) {
			found, err := conn.Query(context.Background(), rows)
			if err != nil {
				return 0, err
			}
			defer found.Close()
			for found.Next() {
				n += int64(len(found.RawValues()[0]))
			}
			return n, found.Err()
		},
	}
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		for _, f := range formats.Of(&layer.Layer{Name: "bts_sites"}) {
			if f.InFile && encoding != "identity" {
				continue
			}
			b.Run(f.Name()+"_"+encoding, func(b *testing.B) { benchDownload(b, s, f.Name(), encoding, false) })
		}
	}
	for _, name := range []string{"copy", "rows"} {
		b.Run("geojson_against_"+name+"/ours", func(b *testing.B) { benchDownload(b, s, "geojson", "identity", false) })
		b.Run("geojson_against_"+name+"/peer", func(b *testing.B) {
			for b.Loop() {
				if n, err := peers[name](); err != nil || n < 1<<20 {
					b.Fatalf("%d bytes, %v", n, err)
				}
			}
		})
	}
	b.Run("geojson_first_byte", func(b *testing.B) { benchDownload(b, s, "geojson", "identity", true) })
	b.Run("geojson_of_four", func(b *testing.B) { benchDownloads(b, s, 4, "geojson", "identity", false) })
	if _, err := ask(dial(b, strings.TrimPrefix(s.url, "http://")), ofSites("items?limit=1", "")); err != nil { // has the sites read into memory
		b.Fatal(err)
	}
	s.awaitFigure(b, officerHeader(b, nation.URL), `hatang_memory_rows{viewers="public"} 200000`)
	b.Run("geojson_kept", func(b *testing.B) { benchDownload(b, s, "geojson", "identity", false) })
}

// counter counts what is written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// benchDownload downloads the sites; first times no more than until the first byte.
func benchDownload(b *testing.B, s *server, format, encoding string, first bool) {
	benchDownloads(b, s, 1, format, encoding, first)
}

// benchDownloads is benchDownload by so many clients at once.
func benchDownloads(b *testing.B, s *server, clients int, format, encoding string, first bool) {
	path := s.url + "/api/v1/collections/bts_sites/download?f=" + format
	sizes := make([]int64, clients)
	get := func(client int) error {
		req, err := http.NewRequest(http.MethodGet, path, http.NoBody)
		if err != nil {
			return err
		}
		req.Header.Set("Accept-Encoding", encoding)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(resp.Body) // the status is the error
			return fmt.Errorf("%s: %s", resp.Status, body)
		}
		buffer := make([]byte, 256<<10)
		if _, err := io.ReadFull(resp.Body, buffer[:1]); err != nil {
			return err
		}
		if first {
			b.StopTimer()
			defer b.StartTimer()
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buffer)
		sizes[client] = n + 1
		return err
	}
	before := s.memory(b, true)
	for b.Loop() {
		if err := inParallel(clients, get); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(sizes[0] * int64(clients))
	b.ReportMetric(float64(s.memory(b, false)-before)/(1<<20), "MiB")
}

// memory is the most resident memory of the server since it was reset, or what it has at
// the moment of the reset.
func (s *server) memory(b *testing.B, reset bool) int64 {
	b.Helper()
	pid := s.cmd.Process.Pid
	if reset {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o200); err != nil {
			b.Fatal(err)
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	kib, err := strconv.ParseInt(strings.TrimSpace(string(line)), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib << 10
}
