package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"hatang/internal/layer"
)

// changeHead is what a change is told as, beside the row before and after.
type changeHead struct {
	Collection string          `json:"collection"`
	Feature    int64           `json:"feature"`
	Operation  layer.Operation `json:"operation"`
	RecordedAt time.Time       `json:"recorded_at"`
	Who        *string         `json:"who"`
	Request    *string         `json:"request"`
	Changed    []string        `json:"changed"`
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// AppendChange appends a change of the history as a JSON object, its rows as GeoJSON
// Features. Heights are among their coordinates where withZ is set.
func AppendChange(dst []byte, c *layer.Change, withZ bool) ([]byte, error) {
	var head bytes.Buffer
	e := json.NewEncoder(&head)
	e.SetEscapeHTML(false)
	if err := e.Encode(changeHead{c.Layer.Name, c.FeatureID, c.Operation, c.RecordedAt, orNull(c.Who), orNull(c.Request), Changed(c)}); err != nil {
		return dst, fmt.Errorf("a change of %s: %w", c.Layer.Name, err)
	}
	dst = append(dst, bytes.TrimSuffix(head.Bytes(), []byte("}\n"))...)
	var err error
	if dst, err = appendImage(append(dst, `,"before":`...), c.Layer, c.Before, withZ); err != nil {
		return dst, err
	}
	if dst, err = appendImage(append(dst, `,"after":`...), c.Layer, c.After, withZ); err != nil {
		return dst, err
	}
	return append(dst, '}'), nil
}

func appendImage(dst []byte, l *layer.Layer, row *layer.Row, withZ bool) ([]byte, error) {
	if row == nil {
		return append(dst, "null"...), nil
	}
	sheet := Sheet{Layer: l, WithZ: withZ}
	return AppendFeature(dst, l, row, sheet.GeoJSON())
}

// Changed names what an update changed; of other changes nothing, for it is all.
func Changed(c *layer.Change) []string {
	names := []string{}
	if c.Before == nil || c.After == nil {
		return names
	}
	for i, f := range c.Layer.Properties() {
		if f.ReadOnly { // each change brings it along
			continue
		}
		if !bytes.Equal(c.Before.Values[i], c.After.Values[i]) || (c.Before.Values[i] == nil) != (c.After.Values[i] == nil) {
			names = append(names, f.Name)
		}
	}
	if !bytes.Equal(c.Before.Geometry, c.After.Geometry) {
		names = append(names, "geometry")
	}
	return names
}

// Changes writes changes of the history one after the other, with heights: each an object
// on a line of its own (NDJSON), or a row of CSV by the rules of features, whose cells before
// and after are GeoJSON.
type Changes struct {
	out io.Writer
	csv bool
	buf []byte
}

// NewChanges begins to write changes: as CSV, with its line of names, or as NDJSON.
func NewChanges(out io.Writer, csv bool) (*Changes, error) {
	w := &Changes{out: out, csv: csv}
	if !csv {
		return w, nil
	}
	_, err := io.WriteString(out, "recorded_at,collection,feature,operation,who,request,code,changed,before,after\n")
	return w, err
}

// Write writes one change.
func (w *Changes) Write(c *layer.Change) (err error) {
	if w.buf = w.buf[:0]; w.csv {
		err = w.appendCSV(c)
	} else {
		w.buf, err = AppendChange(w.buf, c, true)
	}
	if err != nil {
		return err
	}
	_, err = w.out.Write(append(w.buf, '\n'))
	return err
}

func (w *Changes) appendCSV(c *layer.Change) error {
	dst := c.RecordedAt.UTC().AppendFormat(w.buf, time.RFC3339Nano)
	dst = append(append(dst, ','), c.Layer.Name...)
	dst = strconv.AppendInt(append(dst, ','), c.FeatureID, 10)
	dst = append(append(dst, ','), c.Operation...)
	for _, text := range []string{c.Who, c.Request, codeOf(c), strings.Join(Changed(c), ",")} {
		if dst = append(dst, ','); text != "" {
			dst = appendCell(dst, guard([]byte(text)))
		}
	}
	for _, row := range []*layer.Row{c.Before, c.After} {
		if dst = append(dst, ','); row == nil {
			continue
		}
		feature, err := appendImage(nil, c.Layer, row, true)
		if err != nil {
			return err
		}
		dst = appendCell(dst, feature)
	}
	w.buf = dst
	return nil
}

// codeOf is the code that the row has after a change, or had before it went.
func codeOf(c *layer.Change) string {
	row := c.After
	if row == nil {
		row = c.Before
	}
	for i, f := range c.Layer.Properties() {
		if f.Name == "code" {
			return string(row.Values[i])
		}
	}
	return ""
}
