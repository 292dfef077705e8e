package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// standing gives limits a clock that stands until it is moved.
func standing(l *limits) *atomic.Int64 {
	clock := new(atomic.Int64)
	clock.Store(int64(time.Hour))
	l.now = func() time.Duration { return time.Duration(clock.Load()) }
	return clock
}

// refusal is the problem of an error; fails where it is none.
func refusal(t *testing.T, err error) *problemError {
	t.Helper()
	var p *problemError
	if !errors.As(err, &p) {
		t.Fatalf("%v is no problem", err)
	}
	return p
}

func staffViewer() account.Viewer {
	return account.Viewer{Name: "key:o", Grants: []account.Grant{{Role: account.Officer}}}
}

// Each rate at its limit − 1, at its limit and over it, and again when time has passed.
func TestRatesOfRequests(t *testing.T) {
	read, write := route{method: "GET", pattern: itemsPath}, route{method: "POST", pattern: itemsPath}
	key := account.Viewer{Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}}
	for _, tt := range []struct {
		name   string
		rt     route
		viewer account.Viewer
		rate   float64 // of the public
		most   int     // at once; 0: as many as one likes
		every  time.Duration
	}{
		{"reads", read, account.Anonymous(), 0, 0, 0},
		{"reads, limited", read, account.Anonymous(), 10, 20, 100 * time.Millisecond},
		{"reads of a key", read, key, 10, 0, 0},
		{"probes", route{method: "GET", pattern: "/readyz"}, account.Anonymous(), 10, 0, 0},
		{"questions", route{method: "POST", pattern: checksPath, asks: true}, account.Anonymous(), 0, 0, 0},
		{"questions, limited", route{method: "POST", pattern: checksPath, asks: true}, account.Anonymous(), 0.5, 1, 2 * time.Second},
		{"writes of an operator", write, key, 10, 2000, 5 * time.Millisecond},
		{"writes of staff", write, staffViewer(), 10, 2000, 2 * time.Millisecond},
		{"writes of a stranger", write, account.Anonymous(), 10, 30, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLimits(2, tt.rate, nil)
			clock := standing(l)
			try := func(viewer account.Viewer, addr string) error {
				leave, err := l.enter(tt.rt, viewer, from(addr))
				if err == nil {
					leave()
				}
				return err
			}
			n := tt.most
			if n == 0 {
				n = 10_000
			}
			for i := range n {
				if err := try(tt.viewer, "192.0.2.1:1"); err != nil {
					t.Fatalf("request %d: %v", i, err)
				}
			}
			err := try(tt.viewer, "192.0.2.1:1")
			if tt.most == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want := int((tt.every + time.Second - 1) / time.Second)
			if p := refusal(t, err); p.Type.Name != "too-many-requests" || p.RetryAfterS != want {
				t.Errorf("one more: %v, again in %d s, want %d", p, p.RetryAfterS, want)
			}
			other := tt.viewer
			if other.Known() {
				other.Name = "key:other"
			}
			if err := try(other, "192.0.2.2:1"); err != nil {
				t.Errorf("another client: %v", err)
			}
			clock.Add(int64(tt.every) - 1)
			if try(tt.viewer, "192.0.2.1:1") == nil {
				t.Error("let in a moment too early")
			}
			clock.Add(1)
			if err := try(tt.viewer, "192.0.2.1:1"); err != nil {
				t.Errorf("after %v: %v", tt.every, err)
			}
			if try(tt.viewer, "192.0.2.1:1") == nil {
				t.Error("two let in after the time of one")
			}
		})
	}
}

// A client that sends bad keys is not looked up any more, good keys of its neighbours are.
func TestBadKeys(t *testing.T) {
	s := &fakeStore{}
	a := apiOf(t, s)
	clock := standing(a.limits)
	h := a.router()
	try := func(key string) *httptest.ResponseRecorder {
		return do(h, "GET", "/api/v1/conformance", "", "Authorization: Bearer "+key)
	}
	if w := try("officer"); w.Code != 200 {
		t.Fatal(w.Code)
	}
	for i := range 100 { // the database is away: no key is bad
		if w := try("lost"); w.Code != 503 {
			t.Fatalf("try %d: %d", i, w.Code)
		}
	}
	for i := range 60 {
		if w := try("bad" + strconv.Itoa(i)); w.Code != 401 {
			t.Fatalf("bad key %d: status %d", i, w.Code)
		}
	}
	w := try("bad")
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || decode(t, w)["type"] != "/problems/too-many-requests" {
		t.Errorf("the 61st: %d, %v, %s", w.Code, w.Header(), w.Body)
	}
	if w := try("officer"); w.Code != 200 {
		t.Errorf("a key that was good: %d", w.Code)
	}
	if w := try("operator"); w.Code != 429 {
		t.Errorf("a key that nobody has seen yet: %d", w.Code)
	}
	clock.Add(int64(time.Second))
	if w := try("operator"); w.Code != 200 {
		t.Errorf("the same after a second: %d", w.Code)
	}
	if w := try("bad"); w.Code != 401 { // the good one took no token
		t.Errorf("a bad one after a second: %d", w.Code)
	}
	if w := try("bad"); w.Code != 429 {
		t.Errorf("and another: %d", w.Code)
	}
}

// A key that was good and is revoked is a bad one from then on.
func TestARevokedKeyIsNoGoodKey(t *testing.T) {
	l := newLimits(2, 0, nil)
	standing(l)
	r := from("192.0.2.1:1")
	settle, err := l.tryKey(r, "k")
	if err != nil {
		t.Fatal(err)
	}
	settle(nil)
	for range 61 { // once as a good one
		settle, err := l.tryKey(r, "k")
		if err != nil {
			t.Fatal(err)
		}
		settle(layer.ErrNotFound)
	}
	if _, err := l.tryKey(r, "k"); err == nil {
		t.Error("a revoked key is tried without end")
	}
}

// Who is kept out fills no audit: three entries of an address, six of all, and then no more
// than one a second.
func TestNotesOfRefusedSignIns(t *testing.T) {
	l := newLimits(2, 0, nil)
	clock := standing(l)
	notes := func(addresses, each int) (noted int) {
		for i := range addresses * each {
			if l.mayNote(from(fmt.Sprintf("192.0.%d.%d:1", i/each/250, i/each%250))) {
				noted++
			}
		}
		return noted
	}
	for _, tt := range []struct{ addresses, each, want int }{{1, 2, 2}, {1, 10, 1}, {1000, 1, 3}} {
		if got := notes(tt.addresses, tt.each); got != tt.want {
			t.Errorf("%d of %d addresses, %d times: %d", tt.want, tt.addresses, tt.each, got)
		}
	}
	clock.Add(int64(time.Second))
	if got := notes(1000, 1); got != 1 {
		t.Errorf("%d a second later", got)
	}
}

// slowPlan measures units until it is told to end.
type slowPlan struct {
	fakePlan
	began, release chan struct{}
}

func (p slowPlan) Units(ctx context.Context, v account.Viewer, level, code string, date geo.Date) ([]any, error) {
	p.began <- struct{}{}
	select {
	case <-p.release:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return p.fakePlan.Units(ctx, v, level, code, date)
}

// slowAPI has heavy requests that wait, and proxies that say who its clients are.
func slowAPI(t *testing.T) (*api, slowPlan) {
	t.Helper()
	p := slowPlan{began: make(chan struct{}, 1000), release: make(chan struct{})}
	c := config(t, &fakeStore{})
	c.Indicators, c.TrustedProxies = p, prefixes("0.0.0.0/0")
	a := apiWith(t, c)
	two := newLimits(2, 0, nil)
	a.limits.heavy, a.limits.heavyStaff = two.heavy, two.heavyStaff
	return a, p
}

// by is the header of a request of the client with the number.
func by(client int) string {
	return "X-Forwarded-For: 2001:db8:0:" + strconv.FormatInt(int64(client), 16) + "::1"
}

// Two work and 64 wait; the next are turned away at once, staff are not.
func TestHeavyRequests(t *testing.T) {
	a, p := slowAPI(t)
	h := a.router()
	const path = "/api/v1/districts/094/indicators"
	codes := make(chan int, 100)
	send := func(headers ...string) {
		go func() { codes <- do(h, "GET", path, "", headers...).Code }()
	}
	for range 16 { // the share of one
		send(by(1))
	}
	await(t, func() bool { n, m := a.limits.heavy.count(); return n == 2 && m == 14 })
	if w := do(h, "GET", path, "", by(1)); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("more than the share of one: %d, %v", w.Code, w.Header())
	}
	for i := range 50 {
		send(by(2 + i))
	}
	await(t, func() bool { _, m := a.limits.heavy.count(); return m == maxQueued })
	w := do(h, "GET", path, "", by(99))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || decode(t, w)["type"] != "/problems/unavailable" {
		t.Errorf("the 65th in the queue: %d, %s", w.Code, w.Body)
	}
	if w := do(h, "GET", itemsPath, "", by(99)); w.Code != 200 {
		t.Errorf("what is not heavy: %d", w.Code)
	}
	send(asOfficer)
	for range 3 {
		<-p.began // two of the public and the officer
	}
	if working, waiting := a.limits.heavyStaff.count(); working != 1 || waiting != 0 {
		t.Errorf("of staff %d work, %d wait", working, waiting)
	}
	for name, want := range map[string]string{
		`hatang_http_refused_total{reason="queue"}`: "1",
		`hatang_http_refused_total{reason="share"}`: "1",
		`hatang_http_refused_total{reason="keys"}`:  "0",
		`hatang_http_turns_running{lane="public"}`:  "2",
		`hatang_http_turns_queued{lane="public"}`:   "64",
		`hatang_http_turns_running{lane="staff"}`:   "1",
		`hatang_http_turns_running{lane="rows"}`:    "0",
	} {
		if metrics := do(h, "GET", "/metrics", "").Body.String(); !strings.Contains(metrics, name+" "+want+"\n") {
			t.Errorf("%s is not %s", name, want)
		}
	}
	close(p.release)
	for range 67 {
		if code := <-codes; code != 200 {
			t.Errorf("one that had its turn: %d", code)
		}
	}
	if working, waiting := a.limits.heavy.count(); working != 0 || waiting != 0 {
		t.Errorf("at the end %d work, %d wait", working, waiting)
	}
}

// A client that leaves, or whose work panics, gives its turn back.
func TestHeavyRequestsGiveTheirTurnsBack(t *testing.T) {
	a, p := slowAPI(t)
	server := httptest.NewServer(a.router())
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/indicators", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-p.began
		leave()
	}()
	if resp, err := server.Client().Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("answered")
	}
	await(t, func() bool { n, _ := a.limits.heavy.count(); return n == 0 })
	rt := route{method: "GET", pattern: root, heavy: true, handle: func(http.ResponseWriter, *request) error { panic("x") }}
	func() {
		defer func() { _ = recover() }()
		_ = a.work(rt, httptest.NewRecorder(), &request{Request: from("192.0.2.1:1")})
	}()
	if n, _ := a.limits.heavy.count(); n != 0 {
		t.Error("a panic keeps its turn")
	}
}

// The turn ends where the answer begins, whether or not the client reads it.
func TestSlowReadersHoldNoTurn(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	working := -1
	rt := route{method: "GET", pattern: root, heavy: true, handle: func(w http.ResponseWriter, _ *request) error {
		if n, _ := a.limits.heavy.count(); n != 1 {
			t.Errorf("%d work", n)
		}
		_, err := io.WriteString(w, "x")
		working, _ = a.limits.heavy.count()
		return err
	}}
	if err := a.work(rt, httptest.NewRecorder(), &request{Request: from("192.0.2.1:1")}); err != nil || working != 0 {
		t.Errorf("%d work while the answer is sent, %v", working, err)
	}
}

// Streams of rows: two of one client, six of the public, eight with staff.
func TestTooManyStreamsAreTurnedAway(t *testing.T) {
	c := held{waiting: make(chan struct{}, 100), release: make(chan struct{})}
	cfg := config(t, &fakeStore{})
	cfg.Checker, cfg.TrustedProxies = c, prefixes("0.0.0.0/0")
	h := apiWith(t, cfg).router()
	send := func(headers ...string) *httptest.ResponseRecorder {
		return do(h, "POST", checksPath+"?detail=verdict", csvRows, append(headers, "Content-Type: text/csv")...)
	}
	codes := make(chan int, maxStreams)
	var all sync.WaitGroup
	for i := range maxStreams {
		header := by(i / 2)
		if i >= maxStreams-staffStreams {
			header = asOfficer
		}
		all.Go(func() { codes <- send(header).Code })
		<-c.waiting
		if i == 1 {
			if w := send(by(0)); w.Code != 429 || w.Header().Get("Retry-After") == "" {
				t.Errorf("a third of one client: %d", w.Code)
			}
		}
	}
	if w := send(by(99)); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("a ninth: %d", w.Code)
	}
	if w := do(h, "POST", checksPath, `{"mast_type":"A2b"}`, by(99), "Content-Type: application/json"); w.Code != 200 {
		t.Errorf("one proposal: %d", w.Code)
	}
	close(c.release)
	all.Wait()
	for range maxStreams {
		if code := <-codes; code != 200 {
			t.Errorf("a stream in time got %d", code)
		}
	}
	if w := send(by(99)); w.Code != 200 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// viewerStore notes whom the contexts of its calls are for.
type viewerStore struct {
	*fakeStore
	of []account.Viewer
}

func (s *viewerStore) LayerVersions(ctx context.Context, _ account.Viewer) (layer.Versions, error) {
	v, ok := account.ViewerOf(ctx)
	if !ok {
		return nil, errors.New("it is not said whom this is for")
	}
	s.of = append(s.of, v)
	return s.fakeStore.LayerVersions(ctx, v)
}

func TestTheStoreIsToldWhoAsks(t *testing.T) {
	s := &viewerStore{fakeStore: &fakeStore{rows: siteRows(t, 1, "x")}}
	c := config(t, s.fakeStore)
	c.Store = s
	h := apiWith(t, c).router()
	for _, headers := range [][]string{nil, {asOfficer}} {
		if w := do(h, "GET", itemsPath, "", headers...); w.Code != 200 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
	}
	if len(s.of) != 2 || s.of[0].Known() || !s.of[1].Staff() {
		t.Errorf("%+v", s.of)
	}
}

func TestPublicRatesThatAreNone(t *testing.T) {
	for n, good := range map[float64]bool{-1: false, mostPublicRate + 1: false, 0: true, 0.5: true, mostPublicRate: true} {
		c := config(t, &fakeStore{})
		c.PublicRate = n
		if err := c.check(); (err == nil) != good {
			t.Errorf("%g: %v", n, err)
		}
	}
}

func TestPoolFigures(t *testing.T) {
	c := config(t, &fakeStore{})
	c.Pool = func(each func(string, int, int)) { each("public", 3, 4) }
	body := do(apiWith(t, c).router(), "GET", "/metrics", "").Body.String()
	for _, want := range []string{`hatang_database_connections_in_use{lane="public"} 3`, `hatang_database_connections_max{lane="public"} 4`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

// BenchmarkLimits measures what entering and leaving take.
func BenchmarkLimits(b *testing.B) {
	read := route{method: "GET", pattern: itemsPath}
	key := account.Viewer{Name: "key:v", Grants: []account.Grant{{Role: account.Operator}}}
	for _, bb := range []struct {
		name   string
		rt     route
		viewer account.Viewer
		rate   float64
	}{
		{"read", read, account.Anonymous(), 0},
		{"read of staff", read, staffViewer(), 0},
		{"read, limited", read, account.Anonymous(), mostPublicRate},
		{"heavy", route{method: "GET", pattern: root, heavy: true}, account.Anonymous(), 0},
		{"write", route{method: "PUT", pattern: itemsPath}, key, 0},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l := newLimits(2, bb.rate, nil)
			r := from("192.0.2.1:4000")
			b.ReportAllocs()
			for b.Loop() {
				if leave, err := l.enter(bb.rt, bb.viewer, r); err == nil {
					leave()
				}
			}
		})
	}
}
