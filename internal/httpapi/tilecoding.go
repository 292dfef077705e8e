package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

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
