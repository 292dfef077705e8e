package httpapi

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

// someChanges are an insert, an update of the name and the place, and a delete, all of one row.
func someChanges(t *testing.T) []*layer.Change {
	t.Helper()
	sites, _ := registry(t).Get("bts_sites")
	before, after := siteRow(t, 5, "cũ"), siteRow(t, 5, "mới")
	after.Geometry = bytes.Clone(after.Geometry)
	after.Geometry[len(after.Geometry)-8] ^= 1 // the lowest bit of the latitude
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	return []*layer.Change{
		{Layer: sites, FeatureID: 5, Operation: layer.Delete, RecordedAt: at, Before: after},
		{Layer: sites, FeatureID: 5, Operation: layer.Update, Who: "key:o", Request: "r-1", RecordedAt: at, Before: before, After: after},
		{Layer: sites, FeatureID: 5, Operation: layer.Insert, Who: "cli:lan", RecordedAt: at.Add(-time.Hour), After: before},
	}
}

const changesPath = root + "/changes"

func TestChangesAreListedInPages(t *testing.T) {
	s := &fakeStore{changes: someChanges(t)}
	h := handlerOf(t, s)
	w := do(h, "GET", changesPath+"?limit=2&collection=bts_sites&lang=vi", "", asOfficer)
	doc := decode(t, w)
	list, _ := doc["changes"].([]any)
	if w.Code != 200 || len(list) != 2 || w.Header().Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	gone, _ := list[0].(map[string]any)
	if gone["operation"] != "delete" || gone["who"] != nil || gone["request"] != nil || gone["after"] != nil || gone["before"] == nil || len(gone["changed"].([]any)) != 0 {
		t.Errorf("the delete: %v", gone)
	}
	update, _ := list[1].(map[string]any)
	if d := cmp.Diff([]any{"name", "geometry"}, update["changed"]); d != "" {
		t.Error(d)
	}
	after, _ := update["after"].(map[string]any)
	properties, _ := after["properties"].(map[string]any)
	if after["type"] != "Feature" || after["id"] != 5.0 || properties["name"] != "mới" || update["who"] != "key:o" || update["request"] != "r-1" || update["recorded_at"] != "2026-01-02T03:04:05.678901Z" {
		t.Errorf("the update: %v", update)
	}
	if about := linkTo(update, "about"); !strings.HasSuffix(about, itemsPath+"/5") {
		t.Errorf("it is about %q", about)
	}
	next, err := url.Parse(linkTo(doc, "next"))
	if err != nil || next.Query().Get("before") != "2026-01-02T03:04:05.678901Z,bts_sites,5,2" || next.Query().Has("lang") || next.Query().Get("limit") != "2" {
		t.Fatalf("the next page is at %v", next)
	}
	s.changes = s.changes[2:]
	doc = decode(t, do(h, "GET", next.RequestURI(), "", asOfficer))
	if list, _ := doc["changes"].([]any); len(list) != 1 || linkTo(doc, "next") != "" {
		t.Errorf("the last page: %v", doc)
	}
	want := layer.HistoryKey{RecordedAt: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), Layer: "bts_sites", FeatureID: 5, Shown: 2}
	if s.history.Older != want || s.history.Limit != 3 {
		t.Errorf("asked %+v", s.history)
	}
}

func TestALargePageOfChangesEndsEarly(t *testing.T) {
	s := &fakeStore{changes: someChanges(t)[1:2]}
	name := strings.Repeat("x", changesBytes/2)
	for i, f := range s.changes[0].Layer.Properties() {
		if f.Name == "name" {
			s.changes[0].Before.Values[i], s.changes[0].After.Values[i] = []byte(name), []byte(name)
		}
	}
	s.changes = append(s.changes, s.changes[0], s.changes[0])
	doc := decode(t, do(handlerOf(t, s), "GET", changesPath, "", asOfficer))
	if list, _ := doc["changes"].([]any); len(list) != 1 || !strings.Contains(linkTo(doc, "next"), "before=") {
		t.Errorf("%d changes, links %v", len(list), doc["links"])
	}
}

func TestChangesAreAskedFor(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	query := "?collection=communes&feature=9&code=%20a&bbox=103,21,104,22&from=2026-01-01&to=2026-01-02T10:00:00%2B07:00&who=key:x&request=r"
	if w := do(h, "GET", changesPath+query, "", asOfficer); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	q := s.history
	got := fmt.Sprint(len(q.Layers), q.Layers[0].Name, q.Feature, q.Code, q.From, q.Until.UTC(), q.Who, q.Request, q.Boxes, q.Limit)
	if want := fmt.Sprint(1, "communes", 9, " a", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), "key:x", "r", []orb.Bound{{Min: orb.Point{103, 21}, Max: orb.Point{104, 22}}}, 101); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	for query, faults := range map[string]int{
		"collection=none&feature=0&code=&bbox=1&from=x&to=y&who=%00&request=&limit=1001&before=x": 10,
		"feature=1": 1, "before=2026-01-01T00:00:00Z,bts_sites,1,0": 1, "before=2026-01-01T00:00:00Z,bts_sites,1,1": 0, "limit=1000": 0, "page=1": 1,
	} {
		w := do(h, "GET", changesPath+"?"+query, "", asOfficer)
		if errors, _ := decode(t, w)["errors"].([]any); len(errors) != faults || (w.Code == 400) != (faults > 0) {
			t.Errorf("%s: %d %s, want %d faults", query, w.Code, w.Body, faults)
		}
	}
	for as, want := range map[string]int{"Accept: */*": 401, asOfficer: 200} {
		if w := do(h, "GET", changesPath, "", as); w.Code != want {
			t.Errorf("%s: %d", as, w.Code)
		}
	}
	s.err = layer.ErrUnavailable
	if w := do(h, "GET", changesPath, "", asOfficer); w.Code != 503 {
		t.Errorf("without a database: %d", w.Code)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("2026-01-02T03:04:05.678901Z,bts_sites,5,2")
	f.Fuzz(func(t *testing.T, s string) {
		k, ok := parseCursor(s)
		if !ok {
			return
		}
		if again, ok := parseCursor(cursor(k)); !ok || !again.RecordedAt.Equal(k.RecordedAt) || again.Layer != k.Layer || again.FeatureID != k.FeatureID || again.Shown != k.Shown {
			t.Errorf("%q is %+v, and comes back as %+v", s, k, again)
		}
	})
}
