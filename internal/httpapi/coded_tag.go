package httpapi

import (
	"io"
	"net/http"
	"strings"
)

// codings are the content codings that answers are made in while they are sent.
var codings = []string{"gzip", "zstd"}

// codedTags tells the strong ETags of one answer's codings apart (RFC 9110 §8.8.3.3): "7" goes
// out as "7-gzip" where the body is compressed. Handlers know nothing of it: in what a client
// sends back the coding is taken off again. Weak tags stay as they are, for they hold for all
// codings.
type codedTags struct {
	http.ResponseWriter
	asked   string // If-None-Match, as the client sent it
	started bool
}

// withCodedTags is the writer of an answer and takes the codings off the tags of its request.
func withCodedTags(w http.ResponseWriter, r *http.Request) *codedTags {
	coded := &codedTags{ResponseWriter: w}
	for _, name := range []string{"If-None-Match", "If-Match"} {
		for i, value := range r.Header[name] {
			if name == "If-None-Match" {
				coded.asked += value + ","
			}
			for _, coding := range codings {
				value = strings.ReplaceAll(value, "-"+coding+`"`, `"`)
			}
			r.Header[name][i] = value
		}
	}
	return coded
}

func (c *codedTags) WriteHeader(status int) {
	if !c.started && status >= http.StatusOK {
		c.started = true
		c.code(status)
	}
	c.ResponseWriter.WriteHeader(status)
}

// code puts the coding into a strong ETag: that of the body or, where none is sent, that of
// what the client has.
func (c *codedTags) code(status int) {
	h := c.Header()
	tag := h.Get("ETag")
	if !strings.HasPrefix(tag, `"`) {
		return
	}
	for _, coding := range codings {
		of := tag[:len(tag)-1] + "-" + coding + `"`
		if status == http.StatusNotModified && strings.Contains(c.asked, of) || status != http.StatusNotModified && h.Get("Content-Encoding") == coding {
			h.Set("ETag", of)
			return
		}
	}
}

func (c *codedTags) Write(b []byte) (int, error) {
	if !c.started {
		c.WriteHeader(http.StatusOK)
	}
	return c.ResponseWriter.Write(b)
}

// ReadFrom leaves whole files to the connection.
func (c *codedTags) ReadFrom(from io.Reader) (int64, error) {
	if !c.started {
		c.WriteHeader(http.StatusOK)
	}
	return io.Copy(c.ResponseWriter, from)
}

// Flush sends what there is so far. What lies below can, except in tests.
func (c *codedTags) Flush() {
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (c *codedTags) Unwrap() http.ResponseWriter { return c.ResponseWriter }
