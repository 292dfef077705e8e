package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// scarce is a place where the disk runs out. Root gets a small disk of its own; where
// none can be mounted, files of the server may not grow over a limit.
type scarce struct {
	dir    string
	prefix []string // the command that sets the limit; nil on a small disk
}

// diskBytes is the size of the small disk; limitBlocks that of a file, in units of
// 512 bytes: more than PostgreSQL's log segments of 16 MiB, which are there already.
const (
	diskBytes   = 256 << 20
	limitBlocks = 20 << 11
)

func scarceDisk(t *testing.T) scarce {
	t.Helper()
	dir := freshDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+strconv.Itoa(diskBytes)); err != nil {
		t.Logf("no disk can be mounted here (%v): files are limited instead", err)
		return scarce{dir, []string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -f %d; exec "$@"`, limitBlocks), "sh"}}
	}
	t.Cleanup(func() {
		// A process that is gone to all who look may still be closing its files.
		until(t, "the disk to be free", func() bool { return syscall.Unmount(dir, 0) == nil })
	})
	return scarce{dir: dir}
}

// spareBytes is what fill leaves: room for a few writes, too little for a new log segment.
const spareBytes = 10 << 20

// fill takes nearly all that is left of a small disk.
func (d scarce) fill(t *testing.T) {
	t.Helper()
	if d.prefix != nil {
		return
	}
	f, err := os.Create(filepath.Join(d.dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for len(block) > 0 {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk does not get full: %v", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err = errors.Join(err, f.Truncate(size-spareBytes), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// serve starts a server that meets the limit.
func (d scarce) serve(t *testing.T, data, key string) *server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args := append(append([]string{}, d.prefix...), path, "serve", "--demo", "--listen", "127.0.0.1:0", "--data", data)
	s, err := launchCommand(data, args[0], args[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	s.key = key
	t.Cleanup(func() { s.stop(t) })
	return s
}

// largeRoad is a road of many random points, which do not pack.
func largeRoad(n int) string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"Feature","properties":{"code":"FULL-%d","valid_from":"2015-01-01","jurisdiction":"11","illustrative":true,"road_class":"national"},"geometry":{"type":"MultiLineString","coordinates":[[`, n)
	const points = 100_000
	for i := range points {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "[%.12f,%.12f]", 102.5+random.Float64(), 21.2+random.Float64())
	}
	b.WriteString("]]}}")
	return b.String()
}

// TestFullDisk fills the disk under a serving server.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	template, key := demoDir(t)
	disk := scarceDisk(t)
	data := filepath.Join(disk.dir, "d")
	copyTree(t, template, data)
	s := disk.serve(t, data, key)
	before := content(t, s)
	disk.fill(t)
	stored := disk.writeUntilFull(t, s)
	t.Logf("%d roads of 1.6 MB were stored before the disk was full", stored)
	if disk.prefix == nil {
		file := filepath.Join(freshDir(t), "roads.geojson")
		if err := os.WriteFile(file, []byte(largeRoad(-1)), 0o600); err != nil {
			t.Fatal(err)
		}
		r := hatang(t, "import", "roads", file, "--data", data)
		r.wants(t, exitFindings, "hatang: ")
		t.Logf("import on a full disk: %s", r.stderr)
		hatang(t, "migrate", "--data", filepath.Join(disk.dir, "new")).wants(t, exitFindings, "no space left")
		if err := os.Remove(filepath.Join(disk.dir, "filler")); err != nil {
			t.Fatal(err)
		}
	} else {
		s.stop(t)
		s = serve(t, data, key, "--demo")
	}
	until(t, "a write to succeed once there is room", func() bool {
		a := s.call(t, "POST", "/api/v1/collections/roads/items", largeRoad(1000), append(bearer(key), "Content-Type", "application/geo+json")...)
		return a.status == http.StatusCreated
	})
	s.stop(t)
	s = serve(t, data, key, "--demo")
	if n := s.sql(t, "SELECT count(*) FROM roads WHERE code LIKE 'FULL-%' AND ST_NPoints(geom) = 100000"); n != strconv.Itoa(stored+1) {
		t.Errorf("%s large roads are there, %d were acknowledged", n, stored+1)
	}
	if after := content(t, s); after != before {
		t.Errorf("what was stored has changed: %s, before %s", after, before)
	}
}

// writeUntilFull posts roads until one is refused, and returns how many were stored.
// Reading goes on or says that it cannot.
func (d scarce) writeUntilFull(t *testing.T, s *server) int {
	t.Helper()
	for n := range 100 {
		a := s.call(t, "POST", "/api/v1/collections/roads/items", largeRoad(n), append(bearer(s.key), "Content-Type", "application/geo+json")...)
		read := s.call(t, "GET", "/api/v1/collections/bts_sites/items?limit=10000", "")
		switch read.status {
		case http.StatusOK:
			var p page
			if read.read(t, &p); len(p.Features) != 847 {
				t.Errorf("with a full disk %d sites are read", len(p.Features))
			}
		default:
			read.isProblem(t, http.StatusServiceUnavailable)
		}
		if a.status == http.StatusCreated {
			continue
		}
		t.Logf("the refused write got %d: %s", a.status, a.body)
		// PostgreSQL calls a file over its limit an internal error, which it is.
		if limited := a.status == http.StatusInternalServerError && d.prefix != nil; !limited && a.status != http.StatusServiceUnavailable && a.status != http.StatusInsufficientStorage {
			t.Errorf("the refused write got %d", a.status)
		}
		a.isProblem(t, a.status)
		return n
	}
	t.Fatal("the disk never got full")
	return 0
}
