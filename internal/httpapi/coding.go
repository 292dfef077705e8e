package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"hatang/internal/formats"
)

// The codings in which answers are sent, and tiles are kept.
const (
	asDrawn   = ""
	asZstd    = "zstd"
	asGzip    = "gzip"
	leastCode = 1024 // bytes from which compressing is worth it: less goes into one packet
)

// codings are those that strong ETags tell apart.
var codings = []string{asGzip, asZstd}

// codingOf is the coding in which the client likes an answer best: zstd where it likes gzip
// no better, for it is smaller and takes half the time. Ranges get none: they are parts of
// what is not compressed. Only a GET can ask for one.
func codingOf(r *http.Request) string {
	header := r.Header.Get("Accept-Encoding")
	if header == "" || len(header) > maxHeader || r.Method != http.MethodHead && r.Header.Get("Range") != "" {
		return asDrawn
	}
	best, most := asDrawn, 0.0
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		name = strings.TrimSpace(name)
		q := quality(parameters)
		switch {
		case q <= 0 || q < most:
		case strings.EqualFold(name, asZstd), q > most && strings.EqualFold(name, asGzip):
			best, most = strings.ToLower(name), q
		}
	}
	return best
}

// coder compresses what is written to it for a writer that Reset names.
type coder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// compressor sends answers in the coding that their clients like best. Binary formats are
// worth it, too (a GeoPackage comes to a third). Streams of rows go past it: they are read
// and written at the same time. It is safe for concurrent use.
type compressor struct {
	types map[string]bool       // media types that are worth it
	idle  map[string]*sync.Pool // of coders, by coding
}

// newCompressor fails only on options that cannot work.
func newCompressor() (*compressor, error) {
	c := &compressor{types: map[string]bool{}, idle: map[string]*sync.Pool{}}
	for _, t := range []string{typeJSON, typeSchema, typeMVT, typeStyle, "application/vnd.oai.openapi+json",
		typeProblem, typeHTML, "text/css", "text/javascript", "text/plain", "image/svg+xml"} {
		c.types[t] = true
	}
	for _, f := range formats.All() {
		if !f.Packed {
			c.types[f.MediaType] = true
		}
	}
	for coding, make := range map[string]func() (coder, error){
		asGzip: func() (coder, error) { return gzip.NewWriterLevel(nil, gzip.BestSpeed) },
		asZstd: func() (coder, error) {
			const window = 128 << 10 // bytes: of each answer under way
			return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(window))
		},
	} {
		first, err := make()
		if err != nil {
			return nil, fmt.Errorf("set up compression as %s: %w", coding, err)
		}
		c.idle[coding] = &sync.Pool{New: func() any {
			next, _ := make() // as the first, which was good
			return next
		}}
		c.idle[coding].Put(first)
	}
	return c, nil
}

// wrap sends the answers of a handler coded. One that the handler breaks off is left as it
// is: nothing makes it look complete.
func (c *compressor) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		coded := &codedAnswer{ResponseWriter: w, all: c, head: r.Method == http.MethodHead}
		coded.takeTags(r.Header)
		if !isRows(r) {
			coded.liked = codingOf(r)
		}
		next.ServeHTTP(coded, r)
		coded.close()
	})
}

// codedAnswer is one answer. HEAD is told what GET would be: the coding, and then no length,
// which is not known before the answer is compressed (RFC 9110 §8.6).
//
// It tells the strong ETags of an answer's codings apart (RFC 9110 §8.8.3.3): "7" goes out
// as "7-gzip" where the body is compressed. Handlers know nothing of it: in what a client
// sends back the coding is taken off again. Weak tags stay as they are, for they hold for
// all codings.
type codedAnswer struct {
	http.ResponseWriter
	all     *compressor
	liked   string // the coding that the client likes best
	asked   string // of If-None-Match, as the client sent it, what names a coding
	head    bool
	started bool
	coder   coder // nil: what is written goes out as it is
}

// takeTags takes the codings off the tags of a request.
func (c *codedAnswer) takeTags(h http.Header) {
	for _, name := range []string{"If-None-Match", "If-Match"} {
		for i, value := range h[name] {
			bare := value
			for _, coding := range codings {
				bare = strings.ReplaceAll(bare, "-"+coding+`"`, `"`)
			}
			if len(bare) == len(value) {
				continue
			}
			if name == "If-None-Match" {
				c.asked += value + ","
			}
			h[name][i] = bare
		}
	}
}

func (c *codedAnswer) WriteHeader(status int) {
	if !c.started && status >= http.StatusOK {
		c.started = true
		c.begin(status)
	}
	c.ResponseWriter.WriteHeader(status)
}

// begin settles the coding, when all is known that it depends on but the body.
func (c *codedAnswer) begin(status int) {
	h := c.Header()
	if c.worth(status, h) {
		h["Content-Encoding"] = []string{c.liked}
		delete(h, "Content-Length")
		delete(h, "Accept-Ranges")
		if !c.head {
			c.coder = c.all.idle[c.liked].Get().(coder)
			c.coder.Reset(c.ResponseWriter)
		}
	}
	c.code(status, h)
}

// worth reports whether the body is to be compressed. One without a length is long.
func (c *codedAnswer) worth(status int, h http.Header) bool {
	if c.liked == asDrawn || status == http.StatusNoContent || status == http.StatusNotModified || h["Content-Encoding"] != nil || h["Content-Range"] != nil {
		return false
	}
	if length := h.Get("Content-Length"); length != "" {
		if n, err := strconv.Atoi(length); err != nil || n < leastCode {
			return false
		}
	}
	bare, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return c.all.types[bare]
}

// code puts the coding into a strong ETag: that of the body or, where none is sent, that of
// what the client has.
func (c *codedAnswer) code(status int, h http.Header) {
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

func (c *codedAnswer) Write(b []byte) (int, error) {
	if !c.started {
		c.WriteHeader(http.StatusOK)
	}
	if c.coder != nil {
		return c.coder.Write(b)
	}
	return c.ResponseWriter.Write(b)
}

// Flush sends what there is so far.
func (c *codedAnswer) Flush() {
	if !c.started {
		c.WriteHeader(http.StatusOK)
	}
	if c.coder != nil {
		_ = c.coder.Flush() // a client that has gone is noticed by the next Write
	}
	_ = http.NewResponseController(c.ResponseWriter).Flush() // as above
}

// close ends the coding.
func (c *codedAnswer) close() {
	if c.coder == nil {
		return
	}
	_ = c.coder.Close() // a failing one means that the client has gone; nobody is left to tell
	c.coder.Reset(nil)
	c.all.idle[c.liked].Put(c.coder)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *codedAnswer) Unwrap() http.ResponseWriter { return c.ResponseWriter }
