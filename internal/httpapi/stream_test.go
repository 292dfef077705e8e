package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
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
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // cut off before its header was out
		return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Header: http.Header{}}, nil, err
	}
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
		{"HEAD has none where GET is compressed", 3, 0, "HEAD", "gzip", 200, false, false},
		{"a short answer that fails is a problem", 3, 3, "GET", "identity", 503, true, false},
		{"long answers stream", 12, 0, "GET", "identity", 200, false, false},
		{"HEAD of a long answer", 12, 0, "HEAD", "identity", 200, false, false},
		{"a long answer that fails is cut off", 12, 12, "GET", "identity", 200, false, true},
		{"also when compressed", 12, 12, "GET", "gzip", 200, false, true},
		{"long and compressed", 12, 0, "GET", "gzip", 200, false, false},
		{"also with zstd", 12, 0, "GET", "zstd", 200, false, false},
		{"with zstd and failing", 12, 12, "GET", "zstd", 200, false, true},
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
	if body = plainBody(t, resp, body); !json.Valid(body) {
		t.Errorf("%d bytes of broken JSON", len(body))
	}
}

// plainBody is a body without its encoding.
func plainBody(t *testing.T, resp *http.Response, body []byte) []byte {
	t.Helper()
	var z io.Reader
	var err error
	switch resp.Header.Get("Content-Encoding") {
	case "":
		return body
	case "gzip":
		z, err = gzip.NewReader(bytes.NewReader(body))
	case "zstd":
		z, err = zstd.NewReader(bytes.NewReader(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return body
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
	for asked, want := range map[string]string{"gzip": "gzip", "zstd": "zstd", "gzip, deflate, br, zstd": "zstd", "zstd;q=0.1, gzip": "gzip", "zstd;q=0, gzip;q=0": "", "br": ""} {
		small, zipped, err := get(t, server, "GET", itemsPath, asked)
		if err != nil || small.Header.Get("Content-Encoding") != want || want != "" && len(zipped) > len(body)/3 {
			t.Errorf("%s: %v, %d of %d bytes, %v", asked, err, len(zipped), len(body), small.Header)
		}
		if !bytes.Equal(plainBody(t, small, zipped), body) {
			t.Errorf("%s: the body is another", asked)
		}
		if !strings.Contains(strings.Join(small.Header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("Vary %v", small.Header.Values("Vary"))
		}
		if plain.Header.Get("ETag") != small.Header.Get("ETag") || !strings.HasPrefix(plain.Header.Get("ETag"), "W/") {
			t.Errorf("ETags %s and %s", plain.Header.Get("ETag"), small.Header.Get("ETag"))
		}
	}
	// Binary files are compressed, but for who wants a part.
	path := downloadPath + "?f=gpkg"
	whole, file, err := get(t, server, "GET", path, "identity")
	if err != nil || whole.Header.Get("Accept-Ranges") != "bytes" || whole.ContentLength != int64(len(file)) {
		t.Errorf("a file: %v, %v", err, whole.Header)
	}
	packed, zipped, err := get(t, server, "GET", path, "zstd")
	if err != nil || len(zipped) > len(file)/3 || !bytes.Equal(plainBody(t, packed, zipped), file) || packed.Header.Get("Accept-Ranges") != "" {
		t.Errorf("a file with zstd: %v, %d of %d bytes, %v", err, len(zipped), len(file), packed.Header)
	}
	if head, _, err := get(t, server, "HEAD", path, "identity"); err != nil || head.ContentLength != int64(len(file)) {
		t.Errorf("HEAD of a file: %v, %v", err, head.Header)
	}
}
