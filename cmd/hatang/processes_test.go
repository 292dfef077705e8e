package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func secondServe(t *testing.T, s *server) {
	r := hatang(t, "serve", "--listen", "127.0.0.1:0", "--data", s.dir)
	r.wants(t, exitFindings, "another hatang serve already uses this folder")
	if r.stdout != "" {
		t.Errorf("the second serve said %q", r.stdout)
	}
}

// content sums up every row of the layers that the tests change.
func content(t *testing.T, s *server) string {
	t.Helper()
	return s.sql(t, `SELECT concat_ws(' ', (SELECT md5(string_agg(b::text, '' ORDER BY id)) FROM bts_sites b),
		(SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM communes c), (SELECT md5(string_agg(k::text, '' ORDER BY id)) FROM kiosks k),
		(SELECT count(*) FROM history WHERE layer IN ('bts_sites', 'communes', 'kiosks')))`)
}

// TestKilledServer kills the server between a write and the next start.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	s := demo(t)
	renamed := rename(t, s, "killed")
	want := content(t, s)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	next := serve(t, s.dir, s.key, "--demo") // at once: it joins the cluster or waits until that is down
	if got := content(t, next); got != want {
		t.Errorf("after the kill: %s, before %s", got, want)
	}
	var p page
	next.get(t, "/api/v1/collections/kiosks/items?name=killed", &p)
	if p.NumberMatched != 1 || p.Features[0].ID != renamed {
		t.Errorf("the last write is lost: %+v", p)
	}
	if strings.Contains(next.stderr(), "administrator key") {
		t.Error("a second administrator's key was made")
	}
	next.stop(t) // looks for what is left
	// Killed with nobody after it, the cluster stops by itself.
	last := serve(t, s.dir, s.key)
	if err := last.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-last.ended
	until(t, "the end of the cluster", func() bool { return len(processesOf(s.dir)) == 0 })
}

// rename gives a kiosk another name over HTTP and returns its id.
func rename(t *testing.T, s *server, name string) int64 {
	t.Helper()
	var p page
	s.get(t, "/api/v1/collections/kiosks/items?limit=1", &p)
	path := fmt.Sprintf("/api/v1/collections/kiosks/items/%d", p.Features[0].ID)
	s.call(t, "PATCH", path, fmt.Sprintf(`{"properties":{"name":%q}}`, name), append(bearer(s.key), "Content-Type", "application/merge-patch+json")...).wants(t, http.StatusNoContent)
	return p.Features[0].ID
}

// TestKilledPostgres kills PostgreSQL under a serving server.
func TestKilledPostgres(t *testing.T) {
	t.Parallel()
	s := demo(t)
	for range 2 {
		kiosk := rename(t, s, "before")
		want := content(t, s)
		killed := s.postmaster()
		kill(t, killed)
		until(t, "the first whole answer", func() bool {
			a := s.call(t, "GET", "/api/v1/collections/bts_sites/items?limit=10000", "")
			switch a.status {
			case http.StatusOK:
				var p page
				if a.read(t, &p); p.NumberReturned != 847 || len(p.Features) != 847 {
					t.Fatalf("half an answer: %d features", len(p.Features))
				}
			case http.StatusServiceUnavailable:
				if a.isProblem(t, a.status); a.header.Get("Retry-After") == "" {
					t.Error("a 503 without Retry-After")
				}
			default:
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			// A process of the killed server may answer once more before it sees that it is alone.
			return a.status == http.StatusOK && s.postmaster() != 0 && s.postmaster() != killed
		})
		s.call(t, "GET", "/healthz", "").wants(t, http.StatusOK)
		until(t, "being ready", func() bool { return s.call(t, "GET", "/readyz", "").status == http.StatusOK })
		if got := content(t, s); got != want {
			t.Errorf("after the kill: %s, before %s", got, want)
		}
		killWhileWriting(t, s, kiosk)
	}
}

// kill ends a process that must be there; 0 and less would mean whole groups.
func kill(t *testing.T, pid int) {
	t.Helper()
	if pid <= 1 {
		t.Errorf("no process to kill: %d", pid)
		return
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// killWhileWriting renames a kiosk over and over while PostgreSQL is killed: the last
// name that was acknowledged is there, or the one that was being written.
func killWhileWriting(t *testing.T, s *server, kiosk int64) {
	t.Helper()
	path := fmt.Sprintf("/api/v1/collections/kiosks/items/%d", kiosk)
	acknowledged, attempted, refused := "", "", 0
	write := func(name string) int {
		attempted = name
		a := s.call(t, "PATCH", path, fmt.Sprintf(`{"properties":{"name":%q}}`, name), append(bearer(s.key), "Content-Type", "application/merge-patch+json")...)
		switch a.status {
		case http.StatusNoContent:
			acknowledged = name
		default:
			a.isProblem(t, http.StatusServiceUnavailable)
			refused++
		}
		return a.status
	}
	write("first")
	var killer sync.WaitGroup
	postgres := s.postmaster()
	killer.Go(func() { kill(t, postgres) })
	for n := 0; refused == 0 && n < 1000; n++ {
		write(fmt.Sprintf("name %d", n))
	}
	killer.Wait()
	var p struct{ Properties map[string]any }
	until(t, "reading again", func() bool {
		a := s.call(t, "GET", path, "")
		if a.status == http.StatusOK {
			a.read(t, &p)
		}
		return a.status == http.StatusOK
	})
	if name := p.Properties["name"]; name != acknowledged && name != attempted {
		t.Errorf("the name is %v; %q was acknowledged, %q attempted", name, acknowledged, attempted)
	}
	until(t, "writing again", func() bool { return write("after") == http.StatusNoContent })
}

// TestStopLetsRequestsFinish stops the server with a check under way.
func TestStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	s := demo(t)
	logMemory(t, s, "after the start")
	body := `{"proposals":[` + strings.TrimSuffix(strings.Repeat(`{"lon":103.03,"lat":21.39,"mast_type":"A2b","height_m":30,"date":"2020-06-30"},`, 10000), ",") + `]}`
	type outcome struct {
		a   answer
		err error
	}
	done := make(chan outcome, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		a, err := s.try(ctx, "POST", "/api/v1/placement-checks?detail=verdict", strings.NewReader(body), "Content-Type", "application/json")
		done <- outcome{a, err}
	}()
	until(t, "the check to be under way", func() bool {
		metrics := s.call(t, "GET", "/metrics", "")
		return strings.Contains(string(metrics.body), "hatang_http_requests_running 2") || len(done) > 0
	})
	s.stop(t)
	got := <-done
	var many struct{ Results []verdict }
	if got.err != nil || got.a.status != http.StatusOK {
		t.Fatalf("the check under way got %d, %v", got.a.status, got.err)
	}
	if got.a.read(t, &many); len(many.Results) != 10000 {
		t.Errorf("%d results", len(many.Results))
	}
	if _, err := s.try(t.Context(), "GET", "/api/v1", strings.NewReader("")); err == nil {
		t.Error("the stopped server still answers")
	}
}

// logMemory notes what the server takes, for the record; it is no limit.
func logMemory(t *testing.T, s *server, when string) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			t.Logf("%s: %s", when, strings.Join(strings.Fields(line), " "))
		}
	}
}

// A server that serves is one process. Its cluster has one for each connection, so many and
// no more: whoever takes the rest keeps out neither the server nor its probes.
func TestProcessesAtTheirLimit(t *testing.T) {
	t.Parallel()
	const own = 12 // the keeper and what PostgreSQL does beside connections
	s := demo(t)
	ctx := context.Background()
	most, err := strconv.Atoi(s.sql(t, "SHOW max_connections"))
	if err != nil || most != 48+6*runtime.NumCPU() {
		t.Fatalf("%d connections, %v", most, err)
	}
	var open []*pgx.Conn
	for refused := false; !refused; {
		conn, err := pgx.Connect(ctx, s.ownerURL())
		var full *pgconn.PgError
		switch {
		case err == nil:
			open = append(open, conn)
			t.Cleanup(func() { _ = conn.Close(ctx) })
		case errors.As(err, &full) && full.Code == "53300":
			refused = true
		default:
			t.Fatal(err)
		}
		if len(open) > most {
			t.Fatalf("%d connections are let in", len(open))
		}
	}
	if n := len(processesOf(s.dir)); n > most+own || n < most {
		t.Errorf("%d processes with %d connections", n, most)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", s.cmd.Process.Pid))
	if err != nil || len(bytes.Fields(children)) > 0 {
		t.Errorf("the server has processes of its own: %q, %v", children, err)
	}
	for _, path := range []string{"/readyz", "/api/v1/collections/bts_sites/items?limit=1"} {
		if r := s.call(t, http.MethodGet, path, ""); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}
