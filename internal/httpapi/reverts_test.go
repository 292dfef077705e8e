package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hatang/internal/layer"
)

const revertsPath = root + "/changes/reverts"

func TestRevertsAreAskedFor(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	post := func(query, body string) (int, map[string]any) {
		w := do(h, "POST", revertsPath+query, body, asOfficer, "Content-Type: application/json")
		return w.Code, decode(t, w)
	}
	asked := func() string {
		q := s.history
		return fmt.Sprint(len(q.Layers) > 1, " ", q.Layers[0].Name, " ", q.Feature, q.Who, q.Request, " ", q.From.UTC().Format(time.RFC3339Nano), " ", q.Until.UTC().Format(time.RFC3339Nano), " ", s.dryRun)
	}
	const none = "0001-01-01T00:00:00Z"
	for body, want := range map[string]string{
		`{"request":"r-1"}`: "true bts_sites 0r-1 " + none + " " + none + " false",
		`{"collection":"kiosks","from":"2026-01-01","to":"2026-01-02T07:00:00+07:00","who":"key:x"}`: "false kiosks 0key:x 2026-01-01T00:00:00Z 2026-01-02T00:00:00Z false",
		`{"collection":"kiosks","feature":7,"to":"2026-01-01T00:00:00.0000019Z"}`:                    "false kiosks 7 2026-01-01T00:00:00.000002Z " + none + " false",
	} {
		if status, doc := post("", body); status != 200 || asked() != want {
			t.Errorf("%s: %d %v, asked %s, want %s", body, status, doc, asked(), want)
		}
	}
	for body, faults := range map[string]string{
		`{}`: "/collection /to /from", `{"request":""}`: "/request", `{"request":"r","collection":"kiosks","feature":1,"from":"2026-01-01","to":"2026-01-01","who":"x"}`: "/collection /feature /from /to /who",
		`{"collection":"none","from":"x","to":"y","who":"\u0000"}`: "/collection /from /to /who", `{"collection":"kiosks","feature":0,"to":"2026-01-01","from":"2026-01-01","who":"x"}`: "/feature /from /who",
		`{"collection":"kiosks","feature":1}`: "/to", `{"since":1}`: "/since", `{"feature":"x"}`: "/feature",
	} {
		s.calls = nil
		status, doc := post("", body)
		var at []string
		list, _ := doc["errors"].([]any)
		for _, fault := range list {
			at = append(at, fmt.Sprint(fault.(map[string]any)["pointer"]))
		}
		if want := strings.Fields(faults); status != 400 || len(at) != len(want) || len(s.calls) > 0 {
			t.Errorf("%s: %d, faults at %v, want %v", body, status, at, want)
		}
	}
	if status, _ := post("?dry_run=true", `{"request":"r"}`); status != 200 || !s.dryRun {
		t.Errorf("a dry run: %d, %t", status, s.dryRun)
	}
	if status, _ := post("?dry_run=yes", `{"request":"r"}`); status != 400 {
		t.Errorf("a dry run of yes: %d", status)
	}
	if w := do(h, "POST", revertsPath, `{"request":"r"}`, "Content-Type: application/json"); w.Code != 401 {
		t.Errorf("the public: %d", w.Code)
	}
}

func TestRevertsSayWhatWasDone(t *testing.T) {
	kiosks, _ := registry(t).Get("kiosks")
	s := &fakeStore{reverted: layer.Reverted{
		Layers: []layer.RevertedLayer{{Layer: kiosks, Inserted: 1, Updated: 2, Deleted: 3, Unchanged: 4}},
		Rows:   []layer.RevertedRow{{Layer: kiosks, FeatureID: 5, Code: "K", Operation: layer.Insert}},
	}}
	h := handlerOf(t, s)
	w := do(h, "POST", revertsPath, `{"request":"r"}`, asOfficer, "Content-Type: application/json")
	doc := decode(t, w)
	links := doc["links"]
	delete(doc, "links")
	want := map[string]any{
		"applied": true, "request": w.Header().Get("X-Request-Id"), "more": 5.0,
		"collections": []any{map[string]any{"collection": "kiosks", "inserted": 1.0, "updated": 2.0, "deleted": 3.0, "unchanged": 4.0}},
		"rows":        []any{map[string]any{"collection": "kiosks", "feature": 5.0, "code": "K", "operation": "insert"}},
	}
	if diff := cmp.Diff(want, doc); diff != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v\n%s", w.Header(), diff)
	}
	if got := fmt.Sprint(links); !strings.Contains(got, "/changes?request="+w.Header().Get("X-Request-Id")) {
		t.Errorf("links %s", got)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		err    error
		status int
	}{
		"nothing": {fmt.Errorf("x: %w", layer.ErrNotFound), 404}, "not theirs": {layer.ErrForbidden, 403}, "a code that is taken": {layer.ErrConflict, 409},
		"rows that changed": {fmt.Errorf("revert: %w", &layer.OvertakenError{Count: 7, Rows: []layer.OvertakenRow{{Layer: kiosks, FeatureID: 5, Code: "K", RecordedAt: at, Request: "r-2"}, {Layer: kiosks, FeatureID: 6, RecordedAt: at}}}), 409},
	} {
		s.err = tt.err
		w := do(h, "POST", revertsPath, `{"request":"r"}`, asOfficer, "Content-Type: application/json")
		if w.Code != tt.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if doc := decode(t, w); name == "rows that changed" {
			want := []any{map[string]any{"collection": "kiosks", "feature": 5.0, "code": "K", "recorded_at": "2026-01-02T03:04:05Z", "request": "r-2"},
				map[string]any{"collection": "kiosks", "feature": 6.0, "code": "", "recorded_at": "2026-01-02T03:04:05Z", "request": nil}}
			if diff := cmp.Diff(want, doc["rows"]); diff != "" || doc["more"] != 5.0 {
				t.Errorf("%v\n%s", doc, diff)
			}
		}
	}
}

// What was known in the past is asked of the store by those who see it, in every format, and
// has an ETag of its own.
func TestFeaturesAsKnown(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 3, "x"), number: 4}
	h := handlerOf(t, s)
	const known = "2020-01-01T07:00:00+07:00"
	at, query := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), "?known_at="+url.QueryEscape(known)
	for _, target := range []string{itemsPath + query, itemsPath + query + "&f=html", itemsPath + query + "&f=csv", itemsPath + "/1" + query, itemsPath + "/1" + query + "&f=html", strings.TrimSuffix(itemsPath, "items") + "download" + query + "&f=csv"} {
		s.asked = layer.Query{}
		w := do(h, "GET", target, "", asOfficer)
		if w.Code != 200 || !s.asked.KnownAt.Equal(at) || w.Header().Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %d, asked %v, %s", target, w.Code, s.asked.KnownAt, w.Body)
		}
		etag := w.Header().Get("ETag")
		if w := do(h, "GET", target, "", asOfficer, "If-None-Match: "+etag); w.Code != 304 {
			t.Errorf("%s again: %d", target, w.Code)
		}
		if now := do(h, "GET", strings.Replace(target, "?known_at="+url.QueryEscape(known), "?lang=en", 1), "", asOfficer).Header().Get("ETag"); now == etag {
			t.Errorf("%s has the ETag of now", target)
		}
		for status, who := range map[int][]string{401: nil, 403: {"Authorization: Bearer agency"}} {
			if w := do(h, "GET", target, "", who...); w.Code != status {
				t.Errorf("%s by %v: %d", target, who, w.Code)
			}
		}
	}
	if next := linkTo(decode(t, do(h, "GET", itemsPath+query+"&limit=2", "", asOfficer)), "next"); !strings.Contains(next, "known_at=2020-01-01T07%3A00%3A00%2B07%3A00") {
		t.Errorf("the next page is %s", next)
	}
	for _, bad := range []string{"", "2020-01-01", "9999-01-01T00:00:00Z", "x"} {
		if w := do(h, "GET", itemsPath+"?known_at="+bad, "", asOfficer); w.Code != http.StatusBadRequest {
			t.Errorf("known at %q: %d", bad, w.Code)
		}
	}
}
