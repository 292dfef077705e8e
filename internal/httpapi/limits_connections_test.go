package httpapi

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// asked sends a request on a connection of its own and returns it open, with the status
// and the headers of the answer; 0 for none.
func asked(t *testing.T, address string) (conn net.Conn, status int, header http.Header) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") // told by what is read
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return conn, 0, nil
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return conn, resp.StatusCode, resp.Header
}

// Connections below the limit and at it are served, idle ones counted; one over it is 503
// at once, and served when another has been closed.
func TestConnectionsAtTheirLimit(t *testing.T) {
	const most = 3
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := Server("", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	served := make(chan error)
	limited := LimitConnections(server, listener, most)
	go func() { served <- server.Serve(limited) }()
	var open []net.Conn
	for n := 1; n <= most; n++ {
		conn, status, _ := asked(t, listener.Addr().String())
		if status != http.StatusNoContent {
			t.Errorf("connection %d of %d: %d", n, most, status)
		}
		open = append(open, conn)
	}
	for range 2 { // whoever is turned away does not count
		_, status, header := asked(t, listener.Addr().String())
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") != "2" || header.Get("Content-Type") != typeProblem {
			t.Errorf("connection %d of %d: %d, %v", most+1, most, status, header)
		}
	}
	if err := open[0].Close(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return limited.(*connectionLimit).open.Load() < most })
	if _, status, _ := asked(t, listener.Addr().String()); status != http.StatusNoContent {
		t.Errorf("when one is closed: %d", status)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// Those who are turned away and do not go are closed after a second, and more of them than
// are told at a time are closed at once.
func TestWhoIsTurnedAwayHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := make(pipes)
		limited := LimitConnections(&http.Server{}, listener, 0)
		ended := make(chan error)
		go func() {
			_, err := limited.Accept()
			ended <- err
		}()
		dial := func() net.Conn {
			ours, theirs := net.Pipe()
			listener <- theirs
			synctest.Wait()
			return ours
		}
		silent := make([]net.Conn, maxTurnedAway)
		for i := range silent {
			silent[i] = dial()
		}
		if _, err := dial().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("one more than are told: %v", err)
		}
		time.Sleep(turnedAwayTime) // of the bubble's clock
		synctest.Wait()
		for _, conn := range silent {
			if n, err := io.Copy(io.Discard, conn); n != 0 || err != nil {
				t.Errorf("after the time it has: %d bytes, %v", n, err)
			}
		}
		if resp, err := http.ReadResponse(bufio.NewReader(dial()), nil); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("when they are gone: %v", err)
		}
		close(listener)
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		time.Sleep(turnedAwayTime)
	})
}
