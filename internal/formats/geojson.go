package formats

import "hatang/internal/layer"

// features are written as GeoJSON Features, each by itself.
type features struct {
	stream
	sheet   Sheet
	options GeoJSONOptions
	members []string
}

func newFeatures(s Sheet) features {
	return features{sheet: s, options: s.GeoJSON(), members: members(s.Layer)}
}

func (f *features) feature(dst []byte, r *layer.Row) ([]byte, error) {
	return appendFeature(dst, f.sheet.Layer, f.members, r, f.options)
}

// featureCollection is one GeoJSON object with a line for each feature. A caller with
// further members puts them before its last brace.
type featureCollection struct {
	features
	some bool // a feature has been written
}

func newCollection(s Sheet) (Writer, error) {
	return &featureCollection{features: newFeatures(s)}, nil
}

// Begin implements Writer.
func (c *featureCollection) Begin(dst []byte) ([]byte, error) {
	return append(dst, `{"type":"FeatureCollection","features":[`...), nil
}

// Append implements Writer.
func (c *featureCollection) Append(dst []byte, r *layer.Row) ([]byte, error) {
	if c.some {
		dst = append(dst, ',')
	}
	c.some = true
	return c.feature(append(dst, '\n'), r)
}

// End implements Writer.
func (c *featureCollection) End(dst []byte) ([]byte, error) {
	return append(dst, "\n]}"...), nil
}

// sequence is a GeoJSON text sequence (RFC 8142): a record separator before each
// feature, a line feed behind it.
type sequence struct{ features }

func newSequence(s Sheet) (Writer, error) { return &sequence{newFeatures(s)}, nil }

// Append implements Writer.
func (q *sequence) Append(dst []byte, r *layer.Row) ([]byte, error) {
	dst, err := q.feature(append(dst, '\x1e'), r)
	return append(dst, '\n'), err
}

// lines has a feature on each line and nothing else.
type lines struct{ features }

func newLines(s Sheet) (Writer, error) { return &lines{newFeatures(s)}, nil }

// Append implements Writer.
func (n *lines) Append(dst []byte, r *layer.Row) ([]byte, error) {
	dst, err := n.feature(dst, r)
	return append(dst, '\n'), err
}
