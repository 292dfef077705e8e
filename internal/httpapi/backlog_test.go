package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// gate is a client that reads nothing until it is opened.
type gate struct {
	open chan struct{}
	got  bytes.Buffer
	fail error
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	if g.fail != nil {
		return 0, g.fail
	}
	return g.got.Write(b)
}

func roomFor(n int64) *atomic.Int64 {
	room := new(atomic.Int64)
	room.Store(n)
	return room
}

// pieces are chunks that tell their order.
func pieces(n, size int) (all [][]byte, whole []byte) {
	for i := range n {
		piece := bytes.Repeat([]byte{byte('a' + i%26)}, size+i)
		all = append(all, bytes.Clone(piece))
		whole = append(whole, piece...)
	}
	return all, whole
}

// Everything arrives in order, whether it waited in memory or on disk, and the maker
// waits for nobody while there is room.
func TestBacklogKeepsOrder(t *testing.T) {
	for _, size := range []int{1, 1000, chunkBytes, 3 * backlogMemory} {
		room := roomFor(backlogDisk)
		client := &gate{open: make(chan struct{})}
		b := newBacklog(client, room)
		chunks, want := pieces(40, size)
		for i, chunk := range chunks {
			if i == len(chunks)/2 {
				close(client.open) // from here on both go at once
			}
			if _, err := b.put(chunk); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.finish(); err != nil || !bytes.Equal(client.got.Bytes(), want) {
			t.Errorf("chunks of %d: %d bytes of %d arrived, %v", size, client.got.Len(), len(want), err)
		}
		b.stop()
		if room.Load() != backlogDisk {
			t.Errorf("chunks of %d: %d bytes of room are lost", size, backlogDisk-room.Load())
		}
	}
}

// Where the disk has no room the maker waits, and nothing is lost either.
func TestBacklogWithoutDisk(t *testing.T) {
	chunks, want := pieces(60, chunkBytes)
	for what, room := range map[string]int64{"none": 0, "room for a few": 4 * chunkBytes} {
		t.Run(what, func(t *testing.T) { waitsForClient(t, roomFor(room), chunks, want) })
	}
	t.Run("no file can be made", func(t *testing.T) {
		t.Setenv("TMPDIR", t.TempDir()+"/none")
		waitsForClient(t, roomFor(backlogDisk), chunks, want)
	})
}

func waitsForClient(t *testing.T, room *atomic.Int64, chunks [][]byte, want []byte) {
	t.Helper()
	before := room.Load()
	client := &gate{open: make(chan struct{})}
	b := newBacklog(client, room)
	var put atomic.Int64
	made := make(chan error, 1)
	go func() {
		for _, chunk := range chunks {
			if _, err := b.put(bytes.Clone(chunk)); err != nil {
				made <- err
				return
			}
			put.Add(1)
		}
		made <- nil
	}()
	select {
	case err := <-made:
		t.Fatalf("the maker did not wait: %v", err)
	case client.open <- struct{}{}: // a client that reads one chunk
	}
	if n := put.Load(); n > int64(len(chunks))/2 {
		t.Errorf("%d chunks of %d were taken from the maker", n, len(chunks))
	}
	close(client.open)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	if err := b.finish(); err != nil || !bytes.Equal(client.got.Bytes(), want) {
		t.Errorf("%d bytes of %d arrived, %v", client.got.Len(), len(want), err)
	}
	if room.Load() != before {
		t.Errorf("%d bytes of room are lost", before-room.Load())
	}
}

// A client that has gone is told at the next chunk, or at the end; a stop lets go of
// a maker that waits.
func TestBacklogEnds(t *testing.T) {
	gone := &gate{open: make(chan struct{}), fail: errors.New("broken pipe")}
	close(gone.open)
	b := newBacklog(gone, roomFor(0))
	var err error
	for range 3 * backlogMemory / chunkBytes { // more than waits in memory
		if _, err = b.put(make([]byte, chunkBytes)); err != nil {
			break
		}
	}
	if !errors.Is(err, errClientGone) || !errors.Is(b.finish(), errClientGone) {
		t.Errorf("a client that has gone: %v", err)
	}
	last := newBacklog(gone, roomFor(0))
	if _, err := last.put([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := last.finish(); !errors.Is(err, errClientGone) {
		t.Errorf("a client that has gone at the end: %v", err)
	}
	slow := &gate{open: make(chan struct{})}
	stopped := newBacklog(slow, roomFor(0))
	if _, err := stopped.put([]byte("x")); err != nil {
		t.Fatal(err)
	}
	go close(slow.open)
	stopped.stop()
	if _, err := stopped.put([]byte("y")); !errors.Is(err, errStopped) {
		t.Errorf("after a stop: %v", err)
	}
}

// storeThatTells is a store that says when all rows have been read.
type storeThatTells struct {
	*fakeStore
	read chan struct{}
}

func (s storeThatTells) Features(ctx ctx, v account.Viewer, l *layer.Layer, q layer.Query, each func(*layer.Row) error) error {
	err := s.fakeStore.Features(ctx, v, l, q, each)
	close(s.read)
	return err
}

// The rows of a download are read to their end while its client has read nothing.
func TestSlowClientsKeepNoRows(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := storeThatTells{&fakeStore{rows: siteRows(t, 40, strings.Repeat("x", 1<<20))}, make(chan struct{})}
	c := config(t, s.fakeStore)
	c.Store = s
	server := httptest.NewServer(apiWith(t, c).router())
	defer server.Close()
	resp, err := http.Get(server.URL + downloadPath + "?f=ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-s.read
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v have names, %v", left, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || bytes.Count(body, []byte("\n")) != 40 {
		t.Errorf("%d features, %v", bytes.Count(body, []byte("\n")), err)
	}
}
