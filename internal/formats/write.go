package formats

import (
	"errors"
	"io"

	"hatang/internal/layer"
)

// chunkBytes is how much is collected before it is written out.
const chunkBytes = 1 << 16

// Write writes a whole sheet to out; rows hands it the rows, and returns the error of
// each as it is. Memory is that of the format, beside chunkBytes and a row.
func (f *Format) Write(out io.Writer, s Sheet, rows func(each func(*layer.Row) error) error) (err error) {
	w, err := f.New(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	dst, err := w.Begin(nil)
	if err != nil {
		return err
	}
	err = rows(func(r *layer.Row) (err error) {
		if dst, err = w.Append(dst, r); err != nil || len(dst) < chunkBytes {
			return err
		}
		_, err = out.Write(dst)
		dst = dst[:0]
		return err
	})
	if err != nil {
		return err
	}
	if dst, err = w.End(dst); err != nil {
		return err
	}
	if _, err = out.Write(dst); err != nil {
		return err
	}
	file := w.File()
	if file == nil {
		return nil
	}
	_, err = io.Copy(out, file)
	return errors.Join(err, file.Close())
}
