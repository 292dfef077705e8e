package httpapi

import (
	"testing"

	"hatang/internal/layer"
)

// A place that was exact when a cache took it must not stay in it once it is rounded,
// nor be confirmed to whoever has it still.
func TestARowThatIsShownOtherwiseHasAnotherTag(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	h := handlerOf(t, s)
	get := func(known string) (status int, tag string) {
		w := do(h, "GET", itemsPath+"/1", "", "If-None-Match: "+known)
		return w.Code, w.Header().Get("ETag")
	}
	_, exact := get("none")
	var tags []string
	for _, version := range []int64{2, 3} {
		s.rows[0].ShownAs = version
		for _, known := range append(tags, exact) {
			if status, tag := get(known); status != 200 || tag == known {
				t.Errorf("shown as set the %d. time: %d %s to one who has %s", version, status, tag, known)
			}
		}
		_, tag := get("none")
		if status, _ := get(tag); status != 304 {
			t.Errorf("%d to one who has it", status)
		}
		tags = append(tags, tag)
	}
	if s.rows[0].ShownAs = 0; exact != `"7"` {
		t.Errorf("as it is: %s", exact)
	}
	if status, _ := get(exact); status != 304 {
		t.Errorf("exact again: %d", status)
	}
}

// A browser that has a row from before somebody signed in must not be told that it is
// still good where more is shown now; If-Match takes either tag.
func TestARowOfWhichMoreIsShownHasAnotherTag(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	h := handlerOf(t, s)
	public := do(h, "GET", itemsPath+"/1", "").Header().Get("ETag")
	for i, f := range registryLayer(t, "bts_sites").Properties() {
		if f.Confidential {
			s.rows[0].Values[i] = []byte("Lan 0912")
		}
	}
	w := do(h, "GET", itemsPath+"/1", "", asOfficer, "If-None-Match: "+public)
	own := w.Header().Get("ETag")
	if w.Code != 200 || own == public {
		t.Errorf("%d %s to one who has %s", w.Code, own, public)
	}
	for tag, want := range map[string]int{own: 204, public: 204, `"6"`: 412, `"6-confidential"`: 412, `W/"7"`: 412, `"7`: 412, `"x"`: 412, `"`: 412} {
		if w := do(h, "PATCH", itemsPath+"/1", `{"properties":{"height_m":40}}`, asOfficer, "Content-Type: application/merge-patch+json", "If-Match: "+tag); w.Code != want {
			t.Errorf("If-Match %s: %d, want %d", tag, w.Code, want)
		}
	}
}

func registryLayer(t *testing.T, name string) *layer.Layer {
	t.Helper()
	l, ok := registry(t).Get(name)
	if !ok {
		t.Fatalf("no layer %s", name)
	}
	return l
}
