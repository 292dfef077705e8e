package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

const (
	checksPath = "/api/v1/placement-checks"
	csvRows    = "id,lon,lat,mast_type\na,103,21,A2b\nb,x,21,A2b\nc,-103,21,A2b\n"
	oneFeature = `{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[103,21]},"properties":{"mast_type":"A2b"}}`
	manyOfThem = `{"type":"FeatureCollection","features":[` + oneFeature + `,null]}`
)

func TestRowsAreAnsweredInTheirFormat(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	for _, tt := range []struct {
		query, contentType, accept, body string
		status                           int
		mediaType, says                  string
	}{
		{"?detail=verdict", "text/csv", "", csvRows, 200, "text/csv", "id,lon,lat,mast_type,verdict,commune,district,errors\na,103,21,A2b,permitted,03136,094,\nb,x,21,A2b,,,,row 2: lon: must be a number\nc,-103,21,A2b,refused,03136,094,\n"},
		{"?detail=findings", "text/csv; charset=utf-8", "text/csv", csvRows, 200, "text/csv", "ZONE-b,,2020-12-31,\n"},
		{"", "text/csv", "*/*", csvRows, 200, "text/csv", ",because,,2020-12-31,\n"},
		{"?detail=verdict", "text/csv", "application/geo+json;q=0.9, text/csv;q=0.1", csvRows, 200, "application/geo+json", `"id":"a","geometry":{"type":"Point","coordinates":[103,21]}`},
		{"?detail=verdict", "application/geo+json", "", manyOfThem, 200, "application/geo+json", `"verdict":"permitted"`},
		{"", "application/geo+json", "application/geo+json-seq", manyOfThem, 200, "application/geo+json-seq", "\x1e{"},
		{"", "application/geo+json-seq", "", "\x1e" + oneFeature + "\n", 200, "application/geo+json-seq", `"en":"because"`},
		{"", "application/geo+json-seq", "application/geo+json", oneFeature + "\n", 200, "application/geo+json", `{"type":"FeatureCollection"`},
		{"", "application/geo+json", "text/csv", manyOfThem, 406, "application/problem+json", "application/geo+json-seq"},
		{"", "text/csv", "application/json", csvRows, 406, "application/problem+json", "text/csv"},
		{"", "application/json", "text/csv", `{"mast_type":"A2b"}`, 406, "application/problem+json", "JSON"},
		{"", "text/plain", "", csvRows, 415, "application/problem+json", "text/csv"},
		{"?detail=all", "text/csv", "", csvRows, 400, "application/problem+json", "findings"},
		{"?detail=verdict", "application/json", "", `{"mast_type":"A2b"}`, 200, "application/json", `"detail":2`},
		{"?nearest_within_m=5000", "text/csv", "", csvRows, 400, "application/problem+json", "JSON"},
		{"?detail=x", "application/json", "", `{"mast_type":"A2b"}`, 400, "application/problem+json", "detail"},
		{"?detail=full&x=1", "text/csv", "", csvRows, 400, "application/problem+json", `"parameter":"x"`},
		{"", "text/csv", "", "", 400, "application/problem+json", "no line of column names"},
		{"", "text/csv", "", "a,b\n", 400, "application/problem+json", "mast_type"},
		{"", "application/geo+json", "", `{"type":"FeatureCollection","features":[`, 400, "application/problem+json", "breaks off"},
		{"", "application/geo+json", "", `[]`, 400, "application/problem+json", "not GeoJSON"},
	} {
		w := do(h, "POST", checksPath+tt.query, tt.body, "Content-Type: "+tt.contentType, "Accept: "+tt.accept)
		if w.Code != tt.status || w.Header().Get("Content-Type") != tt.mediaType || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%+v: status %d, %s: %s", tt, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || tt.status == 200 && w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%+v: %v", tt, w.Header())
		}
	}
	vi := do(h, "POST", checksPath, csvRows, "Content-Type: text/csv", "Accept-Language: vi")
	if !strings.Contains(vi.Body.String(), "phải là số") || !strings.Contains(vi.Body.String(), "vì vậy") || vi.Header().Get("Content-Language") != "vi" {
		t.Errorf("in Vietnamese: %v, %s", vi.Header(), vi.Body)
	}
}

// A name that is written in another way is the same name.
func TestProposalsByAnyName(t *testing.T) {
	w := do(handlerOf(t, &fakeStore{}), "POST", checksPath, `{"\u0070roposals":[{"mast_type":"A2b"}]}`, "Content-Type: application/json")
	if _, many := decode(t, w)["results"]; !many {
		t.Errorf("%s", w.Body)
	}
}

// rowSource makes rows of CSV without end, or until some have been made.
type rowSource struct {
	left int
	rest []byte
}

func (s *rowSource) Read(p []byte) (int, error) {
	if s.rest == nil {
		s.rest = []byte("id,lon,lat,mast_type,note\n")
	}
	for len(s.rest) < len(p) && s.left > 0 {
		s.left--
		s.rest = fmt.Appendf(s.rest, "%d,103.%d,21,A2b,%60d\n", s.left, s.left%1000, 0)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// stream sends rows over a real connection; the answer is read while they are sent.
func stream(ctx context.Context, t *testing.T, server *httptest.Server, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", server.URL+checksPath+"?detail=verdict", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/csv")
	return server.Client().Do(req)
}

func TestRowsStreamBothWaysAtOnce(t *testing.T) {
	server := httptest.NewServer(handlerOf(t, &fakeStore{}))
	defer server.Close()
	const rows = 200_000 // 17 MB, in and out
	resp, err := stream(t.Context(), t, server, &rowSource{left: rows})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	n := -1 // the line of names
	for lines.Scan() {
		if n++; n > 0 && !strings.HasSuffix(lines.Text(), ",permitted,03136,094,") {
			t.Fatalf("row %d: %s", n, lines.Text())
		}
	}
	if err := lines.Err(); err != nil || n != rows || resp.ContentLength >= 0 {
		t.Errorf("%d rows of length %d, %v", n, resp.ContentLength, err)
	}
}

// breakOff is a source that fails in the middle.
type breakOff struct{ rowSource }

func (b *breakOff) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("the cable is cut")
	}
	return b.rowSource.Read(p)
}

func TestAStreamThatFailsIsCutOff(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	server := httptest.NewServer(h)
	defer server.Close()
	long := `{"type":"FeatureCollection","features":[` + strings.Repeat(oneFeature+",", 100_000)
	req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+checksPath+"?detail=verdict", strings.NewReader(long))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/geo+json")
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); resp.StatusCode != 200 || err == nil {
		t.Errorf("GeoJSON that breaks off: status %d, read without error", resp.StatusCode)
	}
	if w := doReader(h, "POST", checksPath, &breakOff{rowSource{left: 10}}, "Content-Type: text/csv"); w.Code != 400 || !strings.Contains(w.Body.String(), "broke off") {
		t.Errorf("a short one that breaks off: status %d, %s", w.Code, w.Body)
	}
}

// held is a checker whose batches wait before they judge.
type held struct {
	fakePlan
	waiting, release chan struct{}
	err              error
}

func (c held) Batch(q permit.Question) *permit.Batch {
	return &permit.Batch{Date: q.Date, Detail: q.Detail, Open: func(ctx context.Context, _ geo.Date) (permit.Judge, error) {
		c.waiting <- struct{}{}
		select {
		case <-c.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if c.err != nil {
			return nil, c.err
		}
		return fakeJudge{}, nil
	}}
}

func heldServer(t *testing.T, err error) (*httptest.Server, held) {
	t.Helper()
	c := held{waiting: make(chan struct{}, 100), release: make(chan struct{}), err: err}
	cfg := config(t, &fakeStore{})
	cfg.Checker = c
	server := httptest.NewServer(apiWith(t, cfg).router())
	t.Cleanup(server.Close)
	return server, c
}

func TestAStreamWithoutADatabaseIsAProblem(t *testing.T) {
	server, c := heldServer(t, layer.ErrUnavailable)
	close(c.release)
	resp, err := stream(t.Context(), t, server, strings.NewReader(csvRows))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc struct{ Type string }
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || resp.StatusCode != 503 || doc.Type != "/problems/unavailable" {
		t.Errorf("status %d, %+v, %v", resp.StatusCode, doc, err)
	}
}

// A client that leaves in the middle, whichever way, leaves its place to others.
func TestAClientThatLeavesGivesItsPlaceBack(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	server := httptest.NewServer(a.router())
	defer server.Close()
	for name, leave := range map[string]func(t *testing.T){
		"while it sends": func(t *testing.T) {
			conn := dial(t, server)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n%s", checksPath, csvRows)
			await(t, func() bool { return streams(a) == 1 })
			_ = conn.Close()
		},
		"while it reads": func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			resp, err := stream(ctx, t, server, &rowSource{left: 1 << 40})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
				t.Error(err)
			}
			stop()
		},
	} {
		t.Run(name, func(t *testing.T) {
			leave(t)
			await(t, func() bool { return streams(a) == 0 })
		})
	}
}

// A client that dawdles is cut off, in either direction.
func TestSlowClientsAreCutOff(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	a.pace = 5 * time.Millisecond
	server := httptest.NewServer(a.router())
	defer server.Close()
	conn := dial(t, server)
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n%s", checksPath, csvRows)
	if answer, err := io.ReadAll(conn); err == nil && len(answer) > 0 {
		t.Errorf("answered %q", answer)
	}
	deaf := dial(t, server) // sends, and never reads
	defer deaf.Close()
	fmt.Fprintf(deaf, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1000000000000\r\n\r\n", checksPath)
	if _, err := io.Copy(deaf, &rowSource{left: 1 << 40}); err == nil {
		t.Error("the connection was not cut")
	}
	await(t, func() bool { return streams(a) == 0 })
}

// streams is how many streams of rows are under way.
func streams(a *api) int {
	n, _ := a.limits.rows.count()
	return n
}

func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// await waits until something is so, and fails when it takes too long.
func await(t *testing.T, so func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatal("waited too long")
		case <-tick.C:
		}
	}
}
