package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The codings in which tiles are kept. They are compressed once and sent many times, so
// better than what is compressed as it is sent.
const (
	asDrawn   = ""
	asZstd    = "zstd"
	asGzip    = "gzip"
	leastCode = 1024 // bytes from which compressing is worth it: less goes into one packet
)

// codingOf is the coding in which the client likes a tile best: zstd where it likes gzip no
// better. HEAD and ranges get none: their length is what they are sent for.
func codingOf(r *http.Request) string {
	header := r.Header.Get("Accept-Encoding")
	if header == "" || len(header) > maxHeader || r.Method == http.MethodHead || r.Header.Get("Range") != "" {
		return asDrawn
	}
	best, most := asDrawn, 0.0
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := quality(parameters)
		switch {
		case q <= 0 || q < most:
		case strings.EqualFold(name, asZstd), q > most && strings.EqualFold(name, asGzip):
			best, most = strings.ToLower(name), q
		}
	}
	return best
}

// coders compress tiles. They are safe for concurrent use.
type coders struct {
	gzip sync.Pool
	zstd *zstd.Encoder
}

func newCoders() (*coders, error) {
	const window = 1 << 20 // bytes: more than a tile has, much less than is usual
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(window))
	if err != nil {
		return nil, fmt.Errorf("set up the compression of tiles: %w", err)
	}
	return &coders{gzip: sync.Pool{New: func() any { return gzip.NewWriter(nil) }}, zstd: encoder}, nil
}

// compress returns a tile in a coding.
func (c *coders) compress(coding string, body []byte) ([]byte, error) {
	if coding == asZstd {
		return bytes.Clone(c.zstd.EncodeAll(body, make([]byte, 0, len(body)/2))), nil
	}
	var out bytes.Buffer
	w := c.gzip.Get().(*gzip.Writer)
	defer c.gzip.Put(w)
	w.Reset(&out)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
