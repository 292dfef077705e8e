package httpapi

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// denseRows are so many sites in siteTile.
func denseRows(t testing.TB, n int) *fakeStore {
	t.Helper()
	s := &fakeStore{}
	for i := range n {
		row := siteRow(t, int64(i+1), "a name of some length")
		row.Geometry = pointAt(t, 103.01+float64(i)*0.0003, 21.38)
		s.rows = append(s.rows, row)
	}
	return s
}

// uncoded is the body of an answer as it was before it was compressed.
func uncoded(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var from io.Reader = w.Body
	var err error
	switch coding := w.Header().Get("Content-Encoding"); coding {
	case "gzip":
		from, err = gzip.NewReader(w.Body)
	case "zstd":
		from, err = zstd.NewReader(w.Body)
	case "":
	default:
		t.Fatalf("the coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A tile is drawn once, and compressed once in each coding.
func TestTileIsCompressed(t *testing.T) {
	s := denseRows(t, 200)
	h := handlerOf(t, s)
	plain := do(h, "GET", siteTile, "")
	for accept, want := range map[string]string{
		"gzip": "gzip", "zstd": "zstd", "gzip, deflate, br, zstd": "zstd", "gzip;q=1, zstd;q=0.5": "gzip", "zstd;q=0, gzip": "gzip",
		"GZIP": "gzip", "br": "", "identity": "", "gzip;q=0": "",
	} {
		for range 2 {
			w := do(h, "GET", siteTile, "", "Accept-Encoding: "+accept)
			if got := w.Header().Get("Content-Encoding"); got != want || w.Header().Get("ETag") != plain.Header().Get("ETag") {
				t.Errorf("%s: %q, %v", accept, got, w.Header())
			}
			if want != "" && w.Body.Len() >= plain.Body.Len() {
				t.Errorf("%s: %d bytes, %d without", accept, w.Body.Len(), plain.Body.Len())
			}
			if uncoded(t, w) != plain.Body.String() {
				t.Errorf("%s: another tile", accept)
			}
		}
	}
	if n := drawnTimes(s); n != 1 {
		t.Errorf("drawn %d times", n)
	}
	for _, accept := range []string{"identity", "gzip", "zstd"} {
		sameHeaders(t, accept, do(h, "GET", siteTile, "", "Accept-Encoding: "+accept), do(h, "HEAD", siteTile, "", "Accept-Encoding: "+accept))
	}
	part := do(h, "GET", siteTile, "", "Accept-Encoding: gzip", "Range: bytes=0-9")
	if part.Header().Get("Content-Encoding") != "" || part.Header().Get("Content-Length") != plain.Header().Get("Content-Length") {
		t.Errorf("a range: %v", part.Header())
	}
	several := do(h, "GET", allTile, "", "Accept-Encoding: zstd")
	if several.Header().Get("Content-Encoding") != "zstd" || uncoded(t, several) != plain.Body.String() {
		t.Errorf("several layers: %v", several.Header())
	}
	few := do(handlerOf(t, denseRows(t, 1)), "GET", siteTile, "", "Accept-Encoding: gzip")
	if few.Code != 200 || few.Header().Get("Content-Encoding") != "" || len(layersIn(t, few)) != 1 {
		t.Errorf("a small tile: %d, %v", few.Code, few.Header())
	}
}
