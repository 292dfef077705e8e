package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hatang/internal/permit"
)

// slowChecker judges lists and what was known in the past when it is told to.
type slowChecker struct {
	fakePlan
	began, release chan struct{}
}

func (c slowChecker) wait(ctx context.Context) error {
	c.began <- struct{}{}
	select {
	case <-c.release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c slowChecker) Answers(ctx context.Context, q permit.Question, bodies []json.RawMessage) ([]permit.JSONAnswer, error) {
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	return c.fakePlan.Answers(ctx, q, bodies)
}

func (c slowChecker) AppendAnswer(ctx context.Context, q permit.Question, dst, body []byte) ([]byte, error) {
	if !q.KnownAt.IsZero() || q.NearestM > 0 || len(body) > lightBody {
		if err := c.wait(ctx); err != nil {
			return dst, err
		}
	}
	return c.fakePlan.AppendAnswer(ctx, q, dst, body)
}

// Lists of proposals, replays and long bodies take turns with the other heavy requests:
// two work here, 64 wait, and one more is turned away at once. One proposal takes none.
func TestListsOfProposalsTakeTurns(t *testing.T) {
	c := slowChecker{began: make(chan struct{}, 100), release: make(chan struct{})}
	cfg := config(t, &fakeStore{})
	cfg.Checker, cfg.TrustedProxies = c, prefixes("0.0.0.0/0")
	a := apiWith(t, cfg)
	a.limits.heavy = newTurns(2, maxQueued)
	h := a.router()
	const one, list = `{"mast_type":"A2b"}`, `{"proposals":[{"mast_type":"A2b"}]}`
	post := func(query, body string, headers ...string) *httptest.ResponseRecorder {
		return do(h, "POST", checksPath+query, body, append(headers, "Content-Type: application/json")...)
	}
	pad := func(size int) string { return strings.Repeat(" ", size-len(one)) + one }
	long := pad(lightBody + 1)
	codes := make(chan int, 100)
	for i := range 2 + maxQueued - 1 {
		query, body := "", list
		switch i {
		case 0:
			body = long
		case 1:
			query, body = "?known_at=2020-01-01T00:00:00Z", one
		case 2:
			query, body = "?nearest_within_m=5000", one
		}
		go func() { codes <- post(query, body, by(i)).Code }()
	}
	await(t, func() bool { n, m := a.limits.heavy.count(); return n == 2 && m == maxQueued-1 })
	go func() { codes <- post("", list, by(98)).Code }()
	await(t, func() bool { _, m := a.limits.heavy.count(); return m == maxQueued })
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a list": post("", list, by(99)), "a replay": post("?known_at=2020-01-01T00:00:00Z", one, by(99)), "a long one": post("", long, by(99)),
		"another heavy request": do(h, "GET", "/api/v1/indicators", "", by(99)),
	} {
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || decode(t, w)["type"] != "/problems/unavailable" {
			t.Errorf("%s more than may wait: %d, %v", name, w.Code, w.Header())
		}
	}
	for name, body := range map[string]string{"one": one, "one a byte shorter than may be": pad(lightBody - 1), "one of the longest": pad(lightBody)} {
		if w := post("", body, by(99)); w.Code != http.StatusOK {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	close(c.release)
	for range 2 + maxQueued {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one that had its turn: %d", code)
		}
	}
	if working, waiting := a.limits.heavy.count(); working != 0 || waiting != 0 || len(c.began) != 2+maxQueued {
		t.Errorf("at the end %d work, %d wait, %d began", working, waiting, len(c.began))
	}
}
