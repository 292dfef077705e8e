package tiles

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math"
	"strings"
	"unicode/utf8"

	"hatang/internal/layer"
)

// appendValue appends a value of PostgreSQL's binary form (see layer.Kind.AppendJSON) as a
// tile has it: text, number or boolean; dates and times as text, lists as one text joined
// by commas. False for what has no form: an infinite date, a number that is none.
func appendValue(dst []byte, kind layer.Kind, wire []byte) ([]byte, bool, error) {
	switch kind {
	case layer.Text:
		return appendTextValue(dst, wire), true, nil
	case layer.Integer:
		if len(wire) != 8 {
			return dst, false, badValue(kind, wire)
		}
		n := int64(binary.BigEndian.Uint64(wire))
		if n < 0 {
			return appendUvarint(append(dst, tagValueNegative), zigzag(n)), true, nil
		}
		return appendUvarint(append(dst, tagValueInteger), uint64(n)), true, nil
	case layer.Number:
		if len(wire) != 8 {
			return dst, false, badValue(kind, wire)
		}
		x := math.Float64frombits(binary.BigEndian.Uint64(wire))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return dst, false, nil
		}
		return appendDouble(append(dst, tagValueDouble), x), true, nil
	case layer.Boolean:
		if len(wire) != 1 {
			return dst, false, badValue(kind, wire)
		}
		return append(dst, tagValueBoolean, min(wire[0], 1)), true, nil
	case layer.TextList:
		return appendList(dst, wire)
	default:
		quoted, err := kind.AppendJSON(nil, wire)
		if err != nil || len(quoted) < 2 || quoted[0] != '"' {
			return dst, false, err
		}
		return appendTextValue(dst, quoted[1:len(quoted)-1]), true, nil
	}
}

func badValue(kind layer.Kind, wire []byte) error {
	return fmt.Errorf("a value of %d bytes is no %s", len(wire), kind)
}

func appendTextValue(dst, text []byte) []byte {
	if !utf8.Valid(text) {
		text = []byte(strings.ToValidUTF8(string(text), "\uFFFD"))
	}
	return appendBytes(dst, tagValueText, text)
}

// appendList goes by JSON, which knows the wire form: few rows have lists.
func appendList(dst, wire []byte) ([]byte, bool, error) {
	raw, err := layer.TextList.AppendJSON(nil, wire)
	if err != nil {
		return dst, false, err
	}
	var list []*string
	if err := json.Unmarshal(raw, &list); err != nil {
		return dst, false, err
	}
	var texts []string
	for _, s := range list {
		if s != nil {
			texts = append(texts, *s)
		}
	}
	return appendTextValue(dst, []byte(strings.Join(texts, ","))), true, nil
}

// dictionary numbers the different values of a layer in the order of their first use. The
// zero value is empty.
type dictionary struct {
	seed  maphash.Seed
	slots []uint32 // 1 + the number of a value; a power of two of them
	ends  []int    // of the values in bytes
	bytes []byte
	last  uint32
}

// index returns the number of a value, a new one if need be.
func (d *dictionary) index(value []byte) uint32 {
	if int(d.last) < len(d.ends) && string(d.value(d.last)) == string(value) {
		return d.last
	}
	if len(d.ends)*2 >= len(d.slots) {
		d.grow()
	}
	at := d.slot(value)
	if n := d.slots[at]; n > 0 {
		d.last = n - 1
		return d.last
	}
	d.bytes = append(d.bytes, value...)
	d.ends = append(d.ends, len(d.bytes))
	d.slots[at] = uint32(len(d.ends))
	d.last = uint32(len(d.ends)) - 1
	return d.last
}

// slot is where the number of a value stands, or would.
func (d *dictionary) slot(value []byte) uint64 {
	last := uint64(len(d.slots) - 1)
	at := maphash.Bytes(d.seed, value) & last
	for d.slots[at] != 0 && string(d.value(d.slots[at]-1)) != string(value) {
		at = (at + 1) & last
	}
	return at
}

// clear takes all values out, the last first: so each is found past those before it.
func (d *dictionary) clear() {
	for n := len(d.ends) - 1; n >= 0; n-- {
		d.slots[d.slot(d.value(uint32(n)))] = 0
	}
	d.ends, d.bytes, d.last = d.ends[:0], d.bytes[:0], 0
}

func (d *dictionary) value(n uint32) []byte {
	from := 0
	if n > 0 {
		from = d.ends[n-1]
	}
	return d.bytes[from:d.ends[n]]
}

func (d *dictionary) grow() {
	if d.slots == nil {
		d.seed = maphash.MakeSeed()
	}
	d.slots = make([]uint32, max(64, 2*len(d.slots)))
	for n := range d.ends {
		d.slots[d.slot(d.value(uint32(n)))] = uint32(n) + 1
	}
}

// append appends the values as a layer has them.
func (d *dictionary) append(dst []byte) []byte {
	for n := range d.ends {
		dst = appendBytes(dst, tagLayerValue, d.value(uint32(n)))
	}
	return dst
}
