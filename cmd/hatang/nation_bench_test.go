package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hatang/internal/layer"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// benchProbes is how many of the nation's proposals are asked about.
const benchProbes = 100_000

// probe is one of the generator's proposals as text: every second one A2b, of every
// four one A2a and one A1b, with all that the rules ask for.
type probe struct {
	lon, lat, mastType, height, structure, operator string
}

// openNation returns the national data and its proposals.
func openNation(b *testing.B) (testdb.Nation, []probe) {
	b.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	nation := testdb.National(b, 1, func(ctx context.Context, url string) error { return postgis.Migrate(ctx, url, layers) })
	conn, err := pgx.Connect(ctx, nation.Peer())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // all that it was for is read
	rows, err := conn.Query(ctx, `SELECT lon::text, lat::text, (ARRAY['A2b', 'A2b', 'A2a', 'A1b'])[1 + id % 4] AS kind, height::text,
			CASE WHEN id % 4 < 2 THEN 'self_supporting' ELSE 'rooftop' END, (ARRAY['VNPT', 'MOBIFONE', 'VIETTEL', 'VIETNAMOBILE', 'SFONE'])[operator]
		FROM probes ORDER BY id LIMIT $1`, benchProbes)
	if err != nil {
		b.Fatal(err)
	}
	probes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (probe, error) {
		var p probe
		return p, row.Scan(&p.lon, &p.lat, &p.mastType, &p.height, &p.structure, &p.operator)
	})
	if err != nil {
		b.Fatal(err)
	}
	return nation, probes
}

// peerConnections is with how many connections the peer's SQL is fastest.
const peerConnections = 16

// benchPeer asks the peer's prepared statement from several connections at once.
func benchPeer(b *testing.B, nation testdb.Nation) {
	const each = 64
	ctx := context.Background()
	statement := strings.Replace(testdb.BenchSQL(b, "05_placement.sql"), "= :i", "= $1", 1)
	conns := make([]*pgx.Conn, peerConnections)
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, nation.Peer()); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conns[i].Close(ctx) }() // nothing was written
		if _, err := conns[i].Prepare(ctx, "placement", statement); err != nil {
			b.Fatal(err)
		}
	}
	next := 0
	ask := func(n int) {
		err := inParallel(len(conns), func(worker int) error {
			for i := range n {
				rows, err := conns[worker].Query(ctx, "placement", 1+(next+worker*n+i)*7919%benchProbes)
				if err != nil {
					return err
				}
				rows.Close()
				if err := rows.Err(); err != nil {
					return err
				}
			}
			return nil
		})
		next += len(conns) * n
		if err != nil {
			b.Fatal(err)
		}
	}
	ask(10000 / len(conns)) // until the database has in memory what it reads
	for b.Loop() {
		ask(each)
	}
	b.ReportMetric(float64(b.N)*peerConnections*each/b.Elapsed().Seconds(), "checks/s")
}

func inParallel(workers int, work func(worker int) error) error {
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() { errs[i] = work(i) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// BenchmarkNationalHTTP asks a server about one proposal after the other over 64
// connections that stay open; this process and the server share the processors. The
// peer's way is the prepared statement, without HTTP. A floor is the same exchange with
// a server that reads the body and sends as many bytes: what HTTP itself takes here.
func BenchmarkNationalHTTP(b *testing.B) {
	nation, probes := openNation(b)
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
	for _, detail := range []string{"verdict", "findings", "full"} {
		b.Run(detail+"/ours", func(b *testing.B) { benchHTTP(b, strings.TrimPrefix(s.url, "http://"), detail, probes) })
		b.Run(detail+"/peer", func(b *testing.B) { benchPeer(b, nation) })
		b.Run("floor/"+detail, func(b *testing.B) { benchFloor(b, detail, probes) })
	}
}

// bareServer is the argument that makes this program a server that does nothing.
const bareServer = "bare-server"

// serveBare answers every request with so many bytes and says where it listens.
func serveBare(size string, out io.Writer) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer := bytes.Repeat([]byte{'x'}, n)
	fmt.Fprintln(out, listener.Addr())
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what the client sends is of no interest
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", size)
		_, _ = w.Write(answer)
	})}
	return server.Serve(listener)
}

func benchFloor(b *testing.B, detail string, probes []probe) {
	size := map[string]int{"verdict": 260, "findings": 3000, "full": 4500}[detail] // about those of the answers
	benchHTTP(b, bare(b, size), detail, probes)
}

// awaitSnapshot waits until the server has the register in memory.
func (s *server) awaitSnapshot(b *testing.B) {
	b.Helper()
	s.awaitFigure(b, "", `hatang_snapshot_age_seconds{viewers="public"}`)
}

// awaitFigure waits until the server's figures, as they are told with this header, have one
// that begins so.
func (s *server) awaitFigure(b *testing.B, header, figure string) {
	b.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+"/metrics", http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		if name, value, ok := strings.Cut(strings.TrimSpace(header), ": "); ok {
			request.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			b.Fatal(err)
		}
		if bytes.Contains(body, []byte(figure)) {
			return
		}
	}
	b.Fatalf("no %s after two minutes:\n%s", figure, s.stderr())
}

func benchHTTP(b *testing.B, address, detail string, probes []probe) {
	const connections, each = 64, 64
	requests := make([][]byte, len(probes))
	for i, p := range probes {
		body := fmt.Sprintf(`{"lon":%s,"lat":%s,"mast_type":%q,"height_m":%s,"half_width_m":0.4,"host_building_height_m":20,"concealed":%t,"structure":%q,"operator":%q}`,
			p.lon, p.lat, p.mastType, p.height, p.mastType == "A1b", p.structure, p.operator)
		requests[i] = fmt.Appendf(nil, "POST /api/v1/placement-checks?detail=%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			detail, address, len(body), body)
	}
	conns := make([]*bufio.ReadWriter, connections)
	for i := range conns {
		conns[i] = dial(b, address)
	}
	next, size := 0, 0
	round := func() {
		sizes := make([]int, connections)
		err := inParallel(connections, func(worker int) error {
			for i := range each {
				n, err := ask(conns[worker], requests[(next+worker*each+i)*7919%len(requests)])
				if err != nil {
					return err
				}
				sizes[worker] = n
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		next += connections * each
		size = sizes[0]
	}
	for range 4 { // until both ends are warm
		round()
	}
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(b.N)*connections*each/b.Elapsed().Seconds(), "checks/s")
	b.ReportMetric(float64(size), "bytes")
}

// ask sends a request and reads its answer, of which it returns the length: a client
// that costs as little as one can.
func ask(conn *bufio.ReadWriter, request []byte) (length int, err error) {
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	if err := conn.Flush(); err != nil {
		return 0, err
	}
	status, err := conn.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	known := bytes.HasPrefix(status, []byte("HTTP/1.1 304 "))
	if !known && !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		rest, _ := io.ReadAll(io.LimitReader(conn, 500)) // what it says of itself; the status is the error
		return 0, fmt.Errorf("%s%s", status, rest)
	}
	length = -1
	for {
		line, err := conn.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); len(name) == len("Content-Length") && textproto.CanonicalMIMEHeaderKey(string(name)) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if known {
		return 0, nil
	}
	if length < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	_, err = conn.Discard(length)
	return length, err
}

// BenchmarkNationalFile has the program check a file of a million rows. The rate
// leaves out what a file of one row takes (most of it reading the register); MiB is
// the most that the program held.
func BenchmarkNationalFile(b *testing.B) {
	nation, probes := openNation(b)
	path, err := program()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	one, million := writeProbes(b, filepath.Join(dir, "one.csv"), probes, 1), writeProbes(b, filepath.Join(dir, "million.csv"), probes, 1_000_000)
	for _, detail := range []string{"verdict", "findings"} {
		check := func(file string) (took time.Duration, maxRSS int64) {
			cmd := exec.Command(path, "check", "--file", file, "--detail", detail, "--out", os.DevNull, "--database-url", nation.URL, "--date", testdb.NationDate)
			start := time.Now()
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitFindings {
				b.Fatalf("%v\n%s", err, out)
			}
			usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			if !ok {
				b.Fatal("the system does not say how much memory a program used")
			}
			return time.Since(start), usage.Maxrss << 10
		}
		b.Run(detail+"/ours", func(b *testing.B) {
			const rows = 1_000_000
			var rate float64
			var memory int64
			for b.Loop() {
				alone, _ := check(one)
				took, maxRSS := check(million)
				rate, memory = rows/(took-alone).Seconds(), maxRSS
			}
			b.ReportMetric(rate, "checks/s")
			b.ReportMetric(float64(memory)/(1<<20), "MiB")
		})
		b.Run(detail+"/peer", func(b *testing.B) { benchPeer(b, nation) })
	}
}

func writeProbes(b *testing.B, path string, probes []probe, rows int) string {
	b.Helper()
	var text bytes.Buffer
	text.WriteString("id,lon,lat,mast_type,height_m,half_width_m,host_building_height_m,concealed,structure,operator\n")
	for i := range rows {
		p := probes[i*7919%len(probes)]
		fmt.Fprintf(&text, "T%07d,%s,%s,%s,%s,0.4,20,%t,%s,%s\n", i, p.lon, p.lat, p.mastType, p.height, p.mastType == "A1b", p.structure, p.operator)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
