package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

// Bodies of different codings have different strong tags, and each is good for asking again
// and for writing.
func TestStrongTagsTellCodingsApart(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, strings.Repeat("x", 1500))})
	item := itemsPath + "/1"
	for accepted, want := range map[string]string{"identity": `"7"`, "gzip": `"7-gzip"`, "zstd": `"7-zstd"`} {
		w := do(h, http.MethodGet, item, "", "Accept-Encoding: "+accepted)
		if tag := w.Header().Get("ETag"); w.Code != http.StatusOK || tag != want || (w.Header().Get("Content-Encoding") == "") != (accepted == "identity") {
			t.Errorf("%s: %d, %s, %s", accepted, w.Code, tag, w.Header().Get("Content-Encoding"))
		}
	}
	for name, tt := range map[string]struct {
		method  string
		headers []string
		status  int
		tag     string
	}{
		"has identity":                {http.MethodGet, []string{`If-None-Match: "7"`, "Accept-Encoding: gzip"}, http.StatusNotModified, `"7"`},
		"has gzip":                    {http.MethodGet, []string{`If-None-Match: "7-gzip"`}, http.StatusNotModified, `"7-gzip"`},
		"has zstd and something else": {http.MethodGet, []string{`If-None-Match: "6", "7-zstd"`}, http.StatusNotModified, `"7-zstd"`},
		"has gzip, asks for the head": {http.MethodHead, []string{`If-None-Match: "7-gzip"`}, http.StatusNotModified, `"7-gzip"`},
		"has what was before":         {http.MethodGet, []string{`If-None-Match: "6-gzip"`, "Accept-Encoding: gzip"}, http.StatusOK, `"7-gzip"`},
		"has another coding":          {http.MethodGet, []string{`If-None-Match: "7-br"`}, http.StatusOK, `"7"`},
		"reads if it is gzip's":       {http.MethodGet, []string{`If-Match: "7-gzip"`}, http.StatusOK, `"7"`},
		"writes on gzip's":            {http.MethodPut, []string{`If-Match: "7-gzip"`, asOfficer, geoJSON}, http.StatusNoContent, `"8"`},
		"writes on an old one":        {http.MethodPut, []string{`If-Match: "6-zstd"`, asOfficer, geoJSON}, http.StatusPreconditionFailed, ""},
		"writes unless it is gzip's":  {http.MethodPut, []string{`If-None-Match: "7-gzip"`, asOfficer, geoJSON}, http.StatusPreconditionFailed, ""},
	} {
		body := ""
		if tt.method == http.MethodPut {
			body = feature
		}
		w := do(h, tt.method, item, body, tt.headers...)
		if got := w.Header().Get("ETag"); w.Code != tt.status || got != tt.tag {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, got, tt.status, tt.tag)
		}
	}
}
