//go:build soak

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bombs are files that are small and claim much, or large and of one piece.
func bombs(t *testing.T) map[string]string {
	t.Helper()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, name := range []string{"a.geojson", "xl/worksheets/sheet1.xml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, 1<<20)
		for range 600 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"a bomb": packed.String(), "a line": strings.Repeat("x", 60<<20), "a polygon": `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[` +
			strings.Repeat("[103.01,21.01],", 4_000_000) + `[103.01,21.01]]]}}]}`, "columns": strings.Repeat("a,", 5_000_000) + "b\n1\n", "rows": "name,lon,lat\n" + strings.Repeat("x,103.1,21.4\n", 900_000),
	}
}

// A server that may take 400 MiB stays below nine tenths of 512, and its cluster below nine tenths of
// 1 GiB, while everybody asks for what is dearest and files are sent that claim more than they are.
func TestSoakAServerKeepsItsMemory(t *testing.T) {
	dir, key := demoDir(t)
	s := serve(t, dir, key, "--demo", "--memory-limit", "400")
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	proposal := `{"lon":103.03,"lat":21.39,"mast_type":"A2b","height_m":30}`
	many := `{"proposals":[` + strings.Repeat(proposal+",", 9_999) + proposal + `]}`
	asked := [][2]string{
		{"/api/v1/placement-checks?detail=full", many}, {"/api/v1/placement-checks?nearest_within_m=5000", proposal}, {"/api/v1/placement-checks/network?operator=VNPT&f=xlsx", ""},
		{"/api/v1/collections/bts_sites/items?limit=10000", ""}, {"/api/v1/collections/communes/download?f=gpkg", ""}, {"/api/v1/collections/bts_sites/download?f=xlsx", ""},
		{"/api/v1/indicators?level=commune", ""}, {"/api/v1/collections/communes/tiles/WebMercatorQuad/6/28/50", ""}, {"/api/v1/provinces/11/uncovered", ""}, {"/api/v1/openapi.json", ""},
	}
	var answered, busy, refused atomic.Int64
	var clients sync.WaitGroup
	ask := func(path, body string, headers ...string) {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		a, err := s.try(ctx, method, path, strings.NewReader(body), headers...)
		switch {
		case err != nil && ctx.Err() == nil && body == "":
			t.Errorf("%s: %v", path, err)
		case err != nil: // it need not be read to its end where it is refused
		case a.status >= 500 && a.status != 503 && a.status != 504:
			t.Errorf("%s: %d %.300s", path, a.status, a.body)
		case a.status >= 500 || a.status == 429:
			busy.Add(1)
		case a.status >= 400:
			refused.Add(1)
		default:
			answered.Add(1)
		}
	}
	for i := range 24 {
		clients.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				q := asked[n%len(asked)]
				who := []string{"Content-Type", "application/json"}
				if n%3 == 0 {
					who = append(who, bearer(key)...)
				}
				ask(q[0], q[1], who...)
			}
		})
	}
	for name, file := range bombs(t) {
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				ask("/api/v1/imports?collection=kiosks&dry_run=true&source="+strconv.Itoa(n)+strings.ReplaceAll(name, " ", ""), file, append(bearer(key), "Content-Type", "application/octet-stream")...)
			}
		})
	}
	var cluster int64
	for ctx.Err() == nil {
		sum := int64(0)
		for _, pid := range processesOf(dir) {
			sum += kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
		}
		cluster = max(cluster, sum)
		s.call(t, "GET", "/healthz", "").wants(t, 200)
	}
	clients.Wait()
	server := kilobytes(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid), "VmHWM:")
	t.Logf("%d answered, %d refused, %d told to come again; the server took %d MiB at most, its cluster %d MiB", answered.Load(), refused.Load(), busy.Load(), server>>10, cluster>>10)
	if server == 0 || server > 512<<10*9/10 {
		t.Errorf("the server took %d MiB", server>>10)
	}
	if cluster == 0 || cluster > 1<<20*9/10 {
		t.Errorf("the cluster took %d MiB", cluster>>10)
	}
	if answered.Load() == 0 {
		t.Error("nothing was answered")
	}
}

// kilobytes is a figure that the system tells of a process; 0 where that has ended.
func kilobytes(path, what string) int64 {
	said, _ := os.ReadFile(path)
	_, rest, found := strings.Cut(string(said), what)
	if !found {
		return 0
	}
	n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return n
}
