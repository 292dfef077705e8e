package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// pipes is a listener whose connections are in memory, so that in a bubble of synctest
// their deadlines are of its clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error { return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// connection is a client's end of a connection to the whole server.
type connection struct {
	net.Conn
	in *bufio.Reader
}

// inBubble runs work with the clock of a bubble and connections to a server with the
// limits that are served with.
func inBubble(t *testing.T, work func(t *testing.T, dial func() *connection)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := make(pipes)
		server := Server("", handlerOf(t, &fakeStore{}))
		served := make(chan error)
		go func() { served <- server.Serve(listener) }()
		work(t, func() *connection {
			ours, theirs := net.Pipe()
			listener <- theirs
			return &connection{ours, bufio.NewReader(ours)}
		})
		close(listener)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// say sends text after a pause. That nobody takes it any more is told by what status reads.
func (c *connection) say(after time.Duration, text string) {
	time.Sleep(after)
	_, _ = io.WriteString(c, text)
}

// status reads an answer to its end and returns its status, 0 where the connection was
// closed instead.
func (c *connection) status() int {
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

const (
	moment = time.Millisecond
	probe  = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
)

func TestTimeOfTheHeaders(t *testing.T) {
	for late, want := range map[time.Duration]int{-moment: 200, moment: 0} {
		inBubble(t, func(t *testing.T, dial func() *connection) {
			c := dial()
			c.say(0, probe[:10])
			c.say(headerTime+late, probe[10:])
			if got := c.status(); got != want {
				t.Errorf("limit%+d ms: status %d, want %d", late.Milliseconds(), got, want)
			}
		})
	}
}

func TestTimeBetweenRequests(t *testing.T) {
	for late, want := range map[time.Duration]int{-moment: 200, moment: 0} {
		inBubble(t, func(t *testing.T, dial func() *connection) {
			c := dial()
			c.say(0, probe)
			if got := c.status(); got != 200 {
				t.Fatalf("status %d", got)
			}
			c.say(idleTime+late, probe)
			if got := c.status(); got != want {
				t.Errorf("limit%+d ms: status %d, want %d", late.Milliseconds(), got, want)
			}
		})
	}
}

// A body keeps its pace or is given up, and takes no longer than five minutes at any.
func TestPaceOfBodies(t *testing.T) {
	const pieces = 40
	for _, tt := range []struct {
		name  string
		piece int           // bytes that come at a time
		every time.Duration // and how often
		want  int
	}{
		{"a little more than 1 KiB a second", bodyPaceBytes / 10, time.Second - moment, 200},
		{"in time, but longer than five minutes", bodyPaceBytes, bodyTime/pieces + moment, 408},
		{"in five minutes", bodyPaceBytes, bodyTime/pieces - moment, 200},
		{"a byte too few", bodyPaceBytes - 1, bodyPaceTime - moment, 408},
		{"just too late", bodyPaceBytes, bodyPaceTime + moment, 408},
		{"nothing more", bodyPaceBytes, time.Hour, 408},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, dial func() *connection) {
				c := dial()
				head, tail := `{"mast_type":"A2b","x":"`, `"}`
				size := len(head) + pieces*tt.piece + len(tail)
				c.say(0, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", checksPath, size, head))
				answered := make(chan int)
				go func() { answered <- c.status() }()
				for range pieces {
					c.say(tt.every, strings.Repeat("x", tt.piece))
				}
				c.say(0, tail)
				if got := <-answered; got != tt.want {
					t.Errorf("status %d, want %d", got, tt.want)
				}
			})
		})
	}
}

// patientStore notes until when its work may take.
type patientStore struct {
	*fakeStore
	deadline time.Time
	limited  bool
}

func (s *patientStore) note(ctx context.Context) error {
	s.deadline, s.limited = ctx.Deadline()
	return nil
}

func (s *patientStore) CreateFeature(ctx context.Context, _ account.Viewer, _ *layer.Layer, _ layer.Feature) (int64, error) {
	return 1, s.note(ctx)
}

func (s *patientStore) LayerVersions(ctx context.Context, _ account.Viewer) (layer.Versions, error) {
	return layer.Versions{}, s.note(ctx)
}

// slowly is a body that comes after a time.
type slowly struct {
	io.Reader
	after time.Duration
}

func (s *slowly) Read(p []byte) (int, error) {
	time.Sleep(s.after)
	s.after = 0
	return s.Reader.Read(p)
}

// Work has the time that its route says, from when the request is complete.
func TestTimeOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &patientStore{fakeStore: &fakeStore{}}
		c := config(t, s.fakeStore)
		c.Store = s
		h := apiWith(t, c).router()
		for _, tt := range []struct {
			method, path, body string
			after, want        time.Duration
		}{
			{"GET", itemsPath, "", 0, reportTime},
			{"GET", itemsPath + "/1/", "", 0, 0},
			{"GET", "/api/v1/tiles/WebMercatorQuad/0/0/0", "", 0, requestTime},
			{"POST", itemsPath, feature, 9 * time.Second, requestTime},
		} {
			*s = patientStore{fakeStore: s.fakeStore}
			begun := time.Now()
			doReader(h, tt.method, tt.path, &slowly{strings.NewReader(tt.body), tt.after}, geoJSON, asOfficer)
			if got := s.deadline.Sub(begun.Add(tt.after)); s.limited != (tt.want > 0) || s.limited && got != tt.want {
				t.Errorf("%s %s: %v (limited: %t), want %v", tt.method, tt.path, got, s.limited, tt.want)
			}
		}
	})
}

func TestTimesOfRoutes(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	rows, one := from("192.0.2.1:1"), from("192.0.2.1:1")
	for r, contentType := range map[*http.Request]string{rows: typeCSV, one: typeJSON} {
		r.Method, r.URL = "POST", &url.URL{Path: checksPath}
		r.Header.Set("Content-Type", contentType)
	}
	for _, rt := range a.routes() {
		want := requestTime
		if strings.Contains(rt.pattern, "indicators") || strings.Contains(rt.pattern, "/plan/") || strings.HasSuffix(rt.pattern, "/uncovered") ||
			strings.HasSuffix(rt.pattern, "/sharing-clusters") || rt.pattern == checksPath || rt.pattern == checksPath+"/network" || strings.HasSuffix(rt.pattern, "/effects") || rt.pattern == "/api/v1/cable-checks" || rt.pattern == revertsPath || rt.pattern == proposalsPath || rt.method == "POST" && strings.Contains(rt.pattern, "/verdicts") || rt.method == "GET" && (strings.HasSuffix(rt.pattern, "/items") || strings.HasSuffix(rt.pattern, "/download")) {
			want = reportTime
		}
		if got := rt.time(one); got != want {
			t.Errorf("%s %s: %v, want %v", rt.method, rt.pattern, got, want)
		}
		if got := rt.time(rows); rt.pattern == checksPath && got != 0 {
			t.Errorf("a stream of rows: %v", got)
		}
	}
}

// The server lets through headers of as many bytes as are named.
func TestHeaderLimit(t *testing.T) {
	for extra, want := range map[int]int{-1: 200, 0: 200, 1: 431, 16 << 10: 431} {
		inBubble(t, func(t *testing.T, dial func() *connection) {
			c := dial()
			rest := maxHeaderBytes - len("Host: x\r\nX-Long: \r\n") + extra
			go c.say(0, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", rest)+"\r\n\r\n")
			if got := c.status(); got != want {
				t.Errorf("limit%+d: status %d, want %d", extra, got, want)
			}
		})
	}
	w := do(handlerOf(t, &fakeStore{}), "GET", "/healthz", "", "X-Long: "+strings.Repeat("x", maxHeaderBytes))
	if w.Code != 431 || decode(t, w)["type"] != "/problems/headers-too-large" {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}
