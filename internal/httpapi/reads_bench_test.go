package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// discarding is a ResponseWriter that keeps nothing but the status.
type discarding struct {
	header http.Header
	status int
}

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) WriteHeader(status int)      { d.status = status }
func (d *discarding) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkReads is what our own work on a request takes, without network and database: an
// answer that the client has, one site, a page of a thousand in a box, and a tile that is drawn.
func BenchmarkReads(b *testing.B) {
	s := &fakeStore{rows: siteRows(b, 1000, "x"), versions: []int64{1}}
	h := handlerOf(b, s)
	const page = itemsPath + "?bbox=100,20,110,23&limit=1000"
	etag := do(h, "GET", page, "").Header().Get("ETag")
	for _, of := range []struct {
		name, target, tag string
		status            int
	}{{"known", page, etag, 304}, {"site", itemsPath + "/1", "", 200}, {"page", page, "", 200}, {"tile", siteTile, "", 200}} {
		b.Run(of.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", of.target, http.NoBody)
			r.Header.Set("If-None-Match", of.tag)
			w := &discarding{}
			b.ReportAllocs()
			for b.Loop() {
				s.calls = s.calls[:0]
				w.header = make(http.Header, 16)
				if h.ServeHTTP(w, r); w.status != of.status {
					b.Fatal(w.status)
				}
			}
		})
	}
}
