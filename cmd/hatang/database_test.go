package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/permit"
	"hatang/internal/testdb"
)

// TestDatabaseURL runs the program on a database that is not its own cluster's.
func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	hatang(t, "check", "--mast-type", "A2b", "--lon", "103", "--lat", "21", "--database-url", url).wants(t, exitFindings, "hatang migrate")
	hatang(t, "migrate", "--database-url", url).wants(t, exitDone, "up to date")
	hatang(t, "migrate", "--database-url", url).wants(t, exitDone, "up to date")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s, err := launchCommand(t.TempDir(), path, "serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	s.key = keyIn(s.stderr())
	var p page
	s.get(t, "/api/v1/collections/bts_sites/items?limit=1", &p)
	if p.NumberMatched != 847 || s.key == "" {
		t.Errorf("%d sites, key %q", p.NumberMatched, s.key)
	}
	rename(t, s, "elsewhere")
	judgePoints(t, s, "by URL")
	hatang(t, "demo", "--database-url", url).wants(t, exitDone, "nothing was loaded")
	hatang(t, "doctor", "--database-url", url).wants(t, exitDone, "no problems found")
}

func TestDatabaseURLsThatCannotWork(t *testing.T) {
	t.Parallel()
	url := testdb.New(t) // empty: without PostGIS, and hatang_app may do nothing in it
	poor := strings.Replace(url, "user=hatang ", "user=hatang_app ", 1)
	r := hatang(t, "serve", "--listen", "127.0.0.1:0", "--database-url", poor)
	for _, lack := range []string{"PostGIS", "CREATE EXTENSION postgis", "may not create tables"} {
		r.wants(t, exitFindings, lack)
	}
	for _, tt := range []struct{ url, said string }{
		{"postgres://nobody@127.0.0.1:1/x", "connect"},
		{"postgres://nobody@no-such-host.invalid/x", "no-such-host.invalid"},
		{"nonsense", "database"},
		{"mysql://x/y", "database"},
		{strings.Replace(url, "dbname=test_", "dbname=missing_", 1), "missing_"},
	} {
		hatang(t, "migrate", "--database-url", tt.url).wants(t, exitFindings, tt.said)
	}
}

// lockedBuffer collects what a program inside the test says.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestRunEnds serves inside the test: with its context everything ends. It is not
// parallel, because it counts goroutines.
func TestRunEnds(t *testing.T) {
	dir, _ := demoDir(t)
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr lockedBuffer
	code := make(chan int, 1)
	none := func(string) string { return "" }
	go func() {
		code <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--data", dir, "--date", "2018-12-31"}, none, strings.NewReader(""), &stdout, &stderr)
	}()
	until(t, "the address", func() bool { return strings.HasSuffix(stdout.String(), "\n") })
	s := &server{url: strings.TrimSpace(strings.TrimPrefix(stdout.String(), "listening on "))}
	var landing struct{ Date string }
	if s.get(t, "/api/v1", &landing); landing.Date != "2018-12-31" {
		t.Errorf("answers are for %s", landing.Date)
	}
	cancel()
	select {
	case got := <-code:
		if got != exitDone {
			t.Errorf("run returned %d:\n%s", got, stderr.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("run does not end:\n%s", stderr.String())
	}
	// PostgreSQL is down when run returns; its keeper may still be on the way out.
	until(t, "the end of the keeper", func() bool { return len(processesOf(dir)) == 0 })
	http.DefaultClient.CloseIdleConnections()
	until(t, "the goroutines to end", func() bool {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine() <= before
	})
	serveInVain(t, dir)
	if again := run(t.Context(), []string{"doctor", "--data", dir}, none, strings.NewReader(""), &stdout, &stderr); again != exitDone {
		t.Errorf("the doctor finds %d:\n%s%s", again, stdout.String(), stderr.String())
	}
}

// serveInVain starts servers that cannot listen: they say why and leave nothing.
func serveInVain(t *testing.T, dir string) {
	t.Helper()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct{ args, said string }{
		{"--listen " + taken.Addr().String(), "address already in use"},
		{"--listen nonsense", "nonsense"},
		{"--listen 127.0.0.1:0 --public-url ftp://x", "ftp://x"},
	} {
		hatang(t, append([]string{"serve", "--data", dir}, strings.Fields(tt.args)...)...).wants(t, exitFindings, tt.said)
		// PostgreSQL is down when the command ends; its keeper may still be on the way out.
		until(t, "the end of the keeper", func() bool { return len(processesOf(dir)) == 0 })
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	foreign := freshDir(t)
	copyTree(t, "main.go", filepath.Join(foreign, "main.go"))
	for _, tt := range []struct {
		args string
		code int
		said string
	}{
		{"", exitUsage, "expected"}, {"fly", exitUsage, "fly"}, {"serve --colour", exitUsage, "--colour"},
		{"--help", exitDone, "import"}, {"help", exitDone, "import"}, {"--version", exitDone, version},
		{"import", exitUsage, "expected"}, {"check --date yesterday --mast-type A2b --lon 1 --lat 2", exitUsage, "--date"},
		{"serve --listen 127.0.0.1:0 --data " + foreign, exitFindings, "not made by hatang"},
	} {
		var out bytes.Buffer
		code := run(t.Context(), strings.Fields(tt.args), none, strings.NewReader(""), &out, &out)
		result{code, out.String(), ""}.wants(t, tt.code, tt.said)
	}
	vietnamese := func(name string) string { return map[string]string{"LANG": "vi_VN.UTF-8"}[name] }
	var out bytes.Buffer
	code := run(t.Context(), strings.Fields("check --mast-type A2b --lon 103 --data "+foreign), vietnamese, strings.NewReader(""), &out, &out)
	result{code, out.String(), ""}.wants(t, exitUsage, "bắt buộc")
}

// The day of answers begins at midnight where the register is, wherever the server is.
func TestTodayIsThatOfThePlace(t *testing.T) {
	zone, err := time.LoadLocation(permit.DefaultZone)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]geo.Date{
		time.Date(2026, 3, 2, 23, 30, 0, 0, zone): geo.NewDate(2026, 3, 2), time.Date(2026, 3, 3, 0, 30, 0, 0, zone): geo.NewDate(2026, 3, 3),
	} {
		for _, server := range []*time.Location{time.UTC, zone, time.FixedZone("", -8*3600)} {
			if got := daysIn(zone, func() time.Time { return at.In(server) })(); got != want {
				t.Errorf("at %s it is %s", at.In(server), got)
			}
		}
	}
}
