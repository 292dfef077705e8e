package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/httpapi"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/postgis"
	"hatang/internal/testdb"
)

// TestMain lets the test binary keep the test cluster.
func TestMain(m *testing.M) { testdb.Main(m) }

// nationalServer serves checks from a register of national size in memory.
func nationalServer(b *testing.B) http.Handler {
	b.Helper()
	ctx := context.Background()
	layers, err := layer.Layers()
	if err != nil {
		b.Fatal(err)
	}
	nation := testdb.National(b, 1, func(ctx context.Context, url string) error { return postgis.Migrate(ctx, url, layers) })
	store, err := postgis.Open(ctx, nation.URL, layers)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(store.Close)
	day, err := geo.ParseDate(testdb.NationDate)
	if err != nil {
		b.Fatal(err)
	}
	date := func() geo.Date { return day }
	memory := permit.NewMemory(store, date, slog.New(slog.DiscardHandler))
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); memory.Run(running) }()
	b.Cleanup(func() { stop(); <-ended })
	for fresh := false; !fresh; time.Sleep(10 * time.Millisecond) {
		if _, err := memory.Checker().AppendAnswer(ctx, permit.Question{Viewer: account.Anonymous(), Date: day}, nil, []byte(probeBody(0))); err != nil {
			b.Fatal(err)
		}
		for _, s := range memory.Report().Snapshots {
			fresh = fresh || s.Fresh
		}
	}
	h, err := httpapi.New(httpapi.Config{
		Registry: layers, Store: store, Accounts: store, Readers: store, Checker: memory.Checker(), Cables: permit.NewCables(store), Recorder: permit.NewRecorder(store, nil, time.UTC), Indicators: nobody{}, Ledger: nobody{}, Publisher: nobody{}, Importer: noImports{},
		ReferenceDate: date, Zone: time.UTC, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Memory: memory.Report,
		Passwords: account.NewPasswords(account.DefaultHashMemory),
	})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// nobody stands for what checks do not need.
type nobody struct{ httpapi.Publisher }

type noImports struct{ httpapi.Importer }

func (nobody) Units(context.Context, account.Viewer, string, string, geo.Date) ([]any, error) {
	return nil, layer.ErrNotFound
}

func (nobody) Document(context.Context, account.Viewer, string, string, geo.Date) (any, error) {
	return nil, layer.ErrNotFound
}

func (nobody) Uncovered(context.Context, account.Viewer, string, string, string, string, geo.Date) (any, error) {
	return nil, layer.ErrNotFound
}

func (nobody) SharingClusters(context.Context, account.Viewer, string, string, string, *float64, geo.Date) (any, error) {
	return nil, layer.ErrNotFound
}

func probeBody(i int) string {
	return fmt.Sprintf(`{"lon":%d.%06d,"lat":%d.%06d,"mast_type":"A2b","height_m":%d,"structure":"self_supporting","operator":"VIETTEL"}`,
		103+i%5, i*7919%1000000, 10+i%12, i*104729%1000000, 20+i%40)
}

// BenchmarkPlacementCheckHTTP asks one at a time over 64 connections; the clients run
// on the same cores. floor is the same exchange with a handler that does nothing,
// which is what HTTP itself takes here.
func BenchmarkPlacementCheckHTTP(b *testing.B) {
	ours := nationalServer(b)
	answer := bytes.Repeat([]byte("x"), 2000)
	floor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	})
	for _, tt := range []struct {
		name, query string
		handler     http.Handler
	}{{"full", "", ours}, {"findings", "?detail=findings", ours}, {"verdict", "?detail=verdict", ours}, {"floor", "", floor}} {
		b.Run(tt.name, func(b *testing.B) { ask(b, tt.handler, "/api/v1/placement-checks"+tt.query) })
	}
}

// BenchmarkPlacementCheckHandler is the server's own part of such a request: all of
// the middleware, the judging and the answer, without a connection.
func BenchmarkPlacementCheckHandler(b *testing.B) {
	h := nationalServer(b)
	for _, query := range []string{"detail=full", "detail=findings", "detail=verdict"} {
		b.Run(query, func(b *testing.B) {
			b.ReportAllocs()
			w := &discarded{header: http.Header{}}
			for i := 0; b.Loop(); i++ {
				r, err := http.NewRequestWithContext(b.Context(), "POST", "http://localhost/api/v1/placement-checks?"+query, strings.NewReader(probeBody(i)))
				if err != nil {
					b.Fatal(err)
				}
				r.Header["Content-Type"] = []string{"application/json"}
				clear(w.header)
				if h.ServeHTTP(w, r); w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// discarded is an answer that nobody reads.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) WriteHeader(status int)      { d.status = status }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }

// connections is how many clients ask at the same time.
const connections = 64

func ask(b *testing.B, h http.Handler, path string) {
	listener, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := httpapi.Server(listener.Addr().String(), h)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	var next, size atomic.Int64
	errs := make(chan error, connections)
	b.ReportAllocs()
	b.ResetTimer()
	before := processorSeconds(b)
	for range connections {
		go func() { errs <- client(listener.Addr().String(), path, &next, int64(b.N), &size) }()
	}
	for range connections {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric((processorSeconds(b)-before)/float64(b.N)*1e6, "cpu-us/op")
	b.ReportMetric(float64(size.Load())/float64(b.N), "bytes/answer")
}

// client asks over one connection until all have been asked.
func client(address, path string, next *atomic.Int64, most int64, size *atomic.Int64) error {
	conn, err := (&net.Dialer{}).Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	var out []byte
	for i := next.Add(1); i <= most; i = next.Add(1) {
		body := probeBody(int(i))
		out = fmt.Appendf(out[:0], "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
		if _, err := conn.Write(out); err != nil {
			return err
		}
		n, err := skipAnswer(in)
		if err != nil {
			return err
		}
		size.Add(int64(n))
	}
	return nil
}

// skipAnswer reads an answer that must be 200 and returns the length of its body.
func skipAnswer(in *bufio.Reader) (length int, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return 0, fmt.Errorf("%q: %w", line, err)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
		if len(line) == 2 {
			_, err := in.Discard(length)
			return length, err
		}
	}
}

// processorSeconds is how long the program has computed, on all cores together.
func processorSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
