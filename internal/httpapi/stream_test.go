package httpapi

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// get fetches over a real connection; encoding is sent as Accept-Encoding and the
// body is returned as it came, with the error that reading it met.
func get(t *testing.T, server *httptest.Server, method, path, encoding string) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequest(method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func TestStreams(t *testing.T) {
	pad := strings.Repeat("x", 1<<20)
	tests := []struct {
		name       string
		rows       int // of 1 MiB
		failAt     int
		method     string
		encoding   string
		status     int
		wantLength bool
		wantError  bool
	}{
		{"short answers have a length", 3, 0, "GET", "identity", 200, true, false},
		{"HEAD has the length", 3, 0, "HEAD", "identity", 200, true, false},
		{"HEAD has the length whatever it accepts", 3, 0, "HEAD", "gzip", 200, true, false},
		{"a short answer that fails is a problem", 3, 3, "GET", "identity", 503, true, false},
		{"long answers stream", 12, 0, "GET", "identity", 200, false, false},
		{"HEAD of a long answer", 12, 0, "HEAD", "identity", 200, false, false},
		{"a long answer that fails is cut off", 12, 12, "GET", "identity", 200, false, true},
		{"also when compressed", 12, 12, "GET", "gzip", 200, false, true},
		{"long and compressed", 12, 0, "GET", "gzip", 200, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(handlerOf(t, &fakeStore{rows: siteRows(t, tt.rows, pad), failAt: tt.failAt}))
			defer server.Close()
			resp, body, err := get(t, server, tt.method, itemsPath, tt.encoding)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d", resp.StatusCode, tt.status)
			}
			if (resp.ContentLength >= 0) != tt.wantLength {
				t.Errorf("Content-Length %d", resp.ContentLength)
			}
			if (err != nil) != tt.wantError {
				t.Errorf("the client's error is %v", err)
			}
			if err == nil && tt.method == "GET" {
				checkWhole(t, resp, body)
			}
		})
	}
}

func checkWhole(t *testing.T, resp *http.Response, body []byte) {
	t.Helper()
	if resp.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	if !json.Valid(body) {
		t.Errorf("%d bytes of broken JSON", len(body))
	}
}

// The lengths of HEAD and GET agree, and an answer exactly at the limit is whole.
func TestSpoolAtItsLimit(t *testing.T) {
	for _, extra := range []int{-1, 0, 1} {
		w := httptest.NewRecorder()
		s := spool{w: w, mediaType: typeJSON, buf: make([]byte, maxComplete+extra)}
		if err := s.settle(); err != nil {
			t.Fatal(err)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Content-Length") != ""; got != (extra <= 0) || w.Body.Len() != maxComplete+extra {
			t.Errorf("limit%+d: length known %v, %d bytes sent", extra, got, w.Body.Len())
		}
	}
}

func TestCompression(t *testing.T) {
	server := httptest.NewServer(handlerOf(t, &fakeStore{rows: siteRows(t, 50, "x")}))
	defer server.Close()
	plain, body, err := get(t, server, "GET", itemsPath, "identity")
	if err != nil || plain.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Errorf("identity: %v, %v", err, plain.Header)
	}
	small, zipped, err := get(t, server, "GET", itemsPath, "gzip")
	if err != nil || small.Header.Get("Content-Encoding") != "gzip" || len(zipped) > len(body)/3 {
		t.Errorf("gzip: %v, %d of %d bytes, %v", err, len(zipped), len(body), small.Header)
	}
	checkWhole(t, small, zipped)
	if !strings.Contains(strings.Join(small.Header.Values("Vary"), ","), "Accept-Encoding") {
		t.Errorf("Vary %v", small.Header.Values("Vary"))
	}
	if plain.Header.Get("ETag") != small.Header.Get("ETag") || !strings.HasPrefix(plain.Header.Get("ETag"), "W/") {
		t.Errorf("ETags %s and %s", plain.Header.Get("ETag"), small.Header.Get("ETag"))
	}
}
