package formats

import (
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/layer"
)

// BenchmarkFormats writes 20 000 sites in each format.
func BenchmarkFormats(b *testing.B) {
	l := layerOf(b, "bts_sites")
	rows := make([]*layer.Row, 20_000)
	for i := range rows {
		at := orb.Point{102 + float64(i%141)/50, 20.5 + float64(i/141)/50}
		rows[i] = rowOf(b, l, int64(i+1), marshal(b, at, binary.LittleEndian), map[string]any{
			"name": "Phường Noong Bua", "height_m": 45.0, "technologies": []string{"2G", "4G"}, "concealed": false, "status": "approved", "phase": "P2", "source": "generator", "structure": "self_supporting", "service_radius_m": 2000.0})
	}
	for _, f := range Of(l) {
		b.Run(f.Name(), func(b *testing.B) {
			b.ReportAllocs()
			size := int64(0)
			for b.Loop() {
				size = writeRows(b, f, Sheet{Layer: l}, rows)
			}
			b.SetBytes(size)
			b.ReportMetric(float64(b.N)*float64(len(rows))/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// writeRows makes a file and throws it away; it returns its size.
func writeRows(b *testing.B, f Format, s Sheet, rows []*layer.Row) (size int64) {
	w, err := f.New(s)
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	step := func(next []byte, err error) {
		if err != nil {
			b.Fatal(err)
		}
		size += int64(len(next))
		dst = next[:0]
	}
	step(w.Begin(dst))
	for _, row := range rows {
		step(w.Append(dst, row))
	}
	step(w.End(dst))
	if f.InFile {
		file := w.File()
		size, err = file.Seek(0, io.SeekEnd)
		if err := errors.Join(err, file.Close()); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return size
}
