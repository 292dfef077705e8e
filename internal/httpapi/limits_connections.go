package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Of clients over the most so many are told so at a time, each in so long; further ones
// are closed at once.
const (
	maxTurnedAway  = 64
	turnedAwayTime = time.Second
)

// LimitConnections returns a listener for the server whose clients have at most so many
// connections at a time, idle ones counted. One more is answered 503 without being asked
// anything, and closed: a client waits for nothing, and behind a balancer asks another
// server. It takes the server's ConnState for itself.
func LimitConnections(server *http.Server, l net.Listener, most int) net.Listener {
	limited := &connectionLimit{Listener: l, most: int64(most)}
	server.ConnState = limited.changed
	return limited
}

type connectionLimit struct {
	net.Listener
	most       int64
	open       atomic.Int64
	turnedAway atomic.Int64 // being told
}

// Accept returns the next connection for which there is room.
func (l *connectionLimit) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.most {
			return conn, nil
		}
		l.open.Add(-1)
		l.turnAway(conn)
	}
}

// changed counts connections that are no more, or no longer the server's.
func (l *connectionLimit) changed(_ net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		l.open.Add(-1)
	}
}

// turnAway tells a client that there are too many, and closes its connection.
func (l *connectionLimit) turnAway(conn net.Conn) {
	if l.turnedAway.Add(1) > maxTurnedAway {
		l.turnedAway.Add(-1)
		_ = conn.Close() // nothing was written that could be lost
		return
	}
	go func() {
		defer l.turnedAway.Add(-1)
		defer conn.Close()
		// A client that does not take it, or has gone, cannot be told.
		_ = conn.SetDeadline(time.Now().Add(turnedAwayTime))
		if _, err := conn.Write(tooManyConnections); err != nil {
			return
		}
		if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
			return
		}
		// What it sends is read and thrown away: closed before, it would lose the answer.
		_, _ = io.Copy(io.Discard, conn)
	}()
}

// tooManyConnections is the whole answer to a client over the limit, in English, because
// what language it likes has not been read.
var tooManyConnections = func() []byte {
	p := problem(unavailable, "Máy chủ đang có quá nhiều kết nối; hãy thử lại sau vài giây.", "The server has too many connections; try again in a few seconds.")
	body, err := json.Marshal(p.document("en"))
	if err != nil {
		return nil // texts always marshal; without one the connection is closed
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Language: en\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: %d\r\n\r\n%s",
		p.Type.Status, http.StatusText(p.Type.Status), typeProblem, len(body), retryAfterS, body)
}()
