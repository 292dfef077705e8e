package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hatang/internal/account"
)

// compareCaches has one server, which keeps snapshots, extents, figures and tags, answer
// everybody in turn while rows are written, and beside it one without memory: a new one
// for each request whose answer is made of anything kept. It makes no difference who has
// asked before.
func compareCaches(t *testing.T, o *origin, requests int) {
	p := newCrowd(t, o)
	for i := range requests {
		q := p.turn(i)
		warm := deliver(p.a.warm, q, p.as)
		p.note(q, warm)
		if !q.reads() {
			continue
		}
		fresh := p.a.cold
		if q.keeps() {
			_, fresh = o.server(t, p.a)
		}
		if d := deliver(fresh, q, p.as).differs(warm); d != "" {
			t.Fatalf("%s by %s: a server that keeps nothing, and one that does: %s", q, p.as.name, d)
		}
	}
	memory := p.a.memory.snapshots.Report()
	t.Logf("%v; checks from memory %d, from the database %d", p.counts, memory.FromMemory, memory.FromDatabase)
	if memory.FromMemory == 0 || memory.FromDatabase == 0 {
		t.Error("not all ways to an answer were taken")
	}
}

// keeps reports whether the answer may be made of something that servers keep beside
// their memory: extents, counts and figures.
func (q question) keeps() bool {
	path, _, _ := strings.Cut(q.path, "?")
	return q.computed() || strings.Contains(path, "/collections") && !strings.Contains(path, "/items/")
}

// computed reports whether the answer is made of figures, of which a server has to compute all.
func (q question) computed() bool {
	path, _, _ := strings.Cut(q.path, "?")
	return slices.ContainsFunc([]string{"/indicators", "/uncovered", "/sharing-clusters", "/plan/"}, func(part string) bool { return strings.Contains(path, part) })
}

// newCrowd is one world that everybody asks in turn.
func newCrowd(t *testing.T, o *origin) *pair {
	t.Helper()
	p := &pair{t: t, origin: o, rand: seed(t), etags: map[string][2]string{}, counts: map[string]int{}, quiet: append(slices.Clone(o.quiet), time.Now())}
	w := o.newWorld(t, p.sameDice)
	p.a, p.b = w, w
	p.stock = readStock(t, o, o.who("officer of 094"), w.conn, w.conn)
	for i := range p.stock.of { // what some do not see is what others do
		p.stock.of[i].hidden = append(p.stock.of[i].hidden, allOf[int64](t, w.conn, "SELECT id FROM "+i+" WHERE id >= 1::bigint << 48 ORDER BY id")...)
	}
	return p
}

// turn is the next request, of anybody.
func (p *pair) turn(i int) question {
	p.as = pick(p.rand, p.origin.viewers)
	q := p.next(i%100 > 90)
	if q.etag {
		q.headers, q.etag = append(q.headers, "If-None-Match", p.etags[q.path][0]), false
	}
	return q
}

// note checks what an answer says of itself to caches.
func (p *pair) note(q question, got reaction) {
	p.t.Helper()
	p.counts[p.as.name]++
	if tag := got.header.Get("ETag"); q.method == http.MethodGet && tag != "" {
		if _, known := p.etags[q.path]; !known {
			p.tagged = append(p.tagged, q.path)
		}
		p.etags[q.path] = [2]string{tag, tag}
	}
	if p.as.name != "anonymous" && strings.Contains(got.header.Get("Cache-Control"), "public") {
		p.t.Errorf("%s by %s: others may keep the answer: %v", q, p.as.name, got.header)
	}
	if p.as.name == "anonymous" && len(got.header["Set-Cookie"]) > 0 {
		p.t.Errorf("%s: the public gets a cookie: %v", q, got.header)
	}
	if !q.reads() {
		p.quiet = append(p.quiet, time.Now())
	}
}

// cachesByClass keeps whole answers by the class of viewers and by what they asked:
// viewers of one class see the same, so that it makes no difference. The control keeps
// them by classes that forget the organisation, and is found.
func cachesByClass(t *testing.T, o *origin) {
	if d := keptByClass(t, o, account.Viewer.Class); d != "" {
		t.Error(d)
	}
	forgetful := func(v account.Viewer) string {
		v.Organisation = ""
		return v.Class()
	}
	if keptByClass(t, o, forgetful) == "" {
		t.Error("answers kept by too few classes are not found")
	}
}

func keptByClass(t *testing.T, o *origin, class func(account.Viewer) string) string {
	t.Helper()
	p := newCrowd(t, o)
	kept := map[string]reaction{}
	var before []question
	for i := range 1200 {
		q := p.turn(i)
		if !q.reads() {
			p.note(q, deliver(p.a.warm, q, p.as))
			clear(kept)
			continue
		}
		if strings.Contains(q.path, "/session") || strings.Contains(q.path, "/keys") {
			continue // of the person, not of the class
		}
		if before = append(before, q); p.chance(60) { // what somebody has asked
			q = before[p.rand.IntN(len(before))]
		}
		got := deliver(p.a.warm, q, p.as)
		p.note(q, got)
		key := fmt.Sprint(class(p.as.viewer()), q, q.headers)
		was, ok := kept[key]
		if d := was.differs(got); ok && d != "" {
			return fmt.Sprintf("%s by %s: %s", q, p.as.name, d)
		}
		kept[key] = got
	}
	return ""
}
