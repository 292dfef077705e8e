package httpapi

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"hatang/internal/layer"
)

// maxSortKeys is how many keys an order may have, so that a position in it fits into an
// address.
const maxSortKeys = 5

// readSort reads sortby: names, each after + or - for the direction. A + that nobody
// escaped comes as a space.
func (p *listing) readSort(l *layer.Layer, faults *layer.Faults) {
	if !p.values.Has("sortby") {
		return
	}
	sortables := l.Sortables()
	names := strings.Split(p.values.Get("sortby"), ",")
	if len(names) > maxSortKeys {
		faults.Add("sortby", "sortby có nhiều nhất %d trường", "sortby has at most %d fields", maxSortKeys)
		return
	}
	for _, raw := range names {
		name := strings.TrimSpace(raw)
		bare := strings.TrimPrefix(strings.TrimPrefix(name, "+"), "-")
		key := layer.SortKey{Descending: strings.HasPrefix(name, "-")}
		i := slices.IndexFunc(sortables, func(f layer.Field) bool { return f.Name == bare })
		switch {
		case i < 0 || len(name)-len(bare) > 1:
			faults.Add("sortby", "không sắp xếp theo %q được; mục sortables của lớp liệt kê các trường", "there is no sorting by %q; the collection's sortables list the fields", clip(name))
			continue
		case slices.ContainsFunc(p.query.Sort, func(k layer.SortKey) bool { return k.Field.Name == bare }):
			faults.Add("sortby", "sortby nêu %q hai lần", "sortby names %q twice", bare)
			continue
		}
		key.Field = &sortables[i]
		p.query.Sort = append(p.query.Sort, key)
	}
}

// readAfter reads where the page begins. It is called when the order is known.
func (p *listing) readAfter(faults *layer.Faults) {
	if !p.values.Has("after") {
		return
	}
	var err error
	if p.query.AfterKeys, p.query.After, err = parsePosition(p.values.Get("after"), p.query.Sort); err != nil {
		faults.Add("after", "after phải lấy từ liên kết next của cùng một sortby", "after must come from a next link, of the same sortby")
	}
}

// positionOf writes the position of a row in an order, for after: the id, where it is
// all that rows are sorted by; else the keys and the id with a sum, which tells positions
// of another order and slips of the pen.
func positionOf(row *layer.Row, order []layer.SortKey) string {
	if len(order) == 0 {
		return strconv.FormatInt(row.ID, 10)
	}
	b := make([]byte, 4, 64)
	for _, key := range row.Keys {
		b = binary.AppendUvarint(b, uint64(len(key)+1))
		if key == nil {
			b[len(b)-1] = 0
		}
		b = append(b, key...)
	}
	b = binary.AppendUvarint(b, uint64(row.ID))
	binary.BigEndian.PutUint32(b, sumOf(b[4:], order))
	return base64.RawURLEncoding.EncodeToString(b)
}

func sumOf(position []byte, order []layer.SortKey) uint32 {
	sum := crc32.ChecksumIEEE(position)
	for _, k := range order {
		sum = crc32.Update(sum, crc32.IEEETable, []byte(k.Field.Name+strconv.FormatBool(k.Descending)))
	}
	return sum
}

var errNoPosition = errors.New("not a position in this order")

// parsePosition reads what positionOf writes. Whatever it returns, the database can
// compare rows with.
func parsePosition(s string, order []layer.SortKey) (keys [][]byte, id int64, err error) {
	if len(order) == 0 {
		id, err = strconv.ParseInt(s, 10, 64)
		if err != nil || id < 0 {
			return nil, 0, errNoPosition
		}
		return nil, id, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 4 || binary.BigEndian.Uint32(b) != sumOf(b[4:], order) {
		return nil, 0, errNoPosition
	}
	b = b[4:]
	for _, k := range order {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n)+1 {
			return nil, 0, errNoPosition
		}
		b = b[n:]
		if size == 0 {
			keys = append(keys, nil)
			continue
		}
		key := b[:size-1]
		if !k.Field.Kind.ValidWire(key) {
			return nil, 0, errNoPosition
		}
		keys, b = append(keys, key), b[size-1:]
	}
	row, n := binary.Uvarint(b)
	if n <= 0 || n != len(b) || int64(row) < 1 {
		return nil, 0, errNoPosition
	}
	return keys, int64(row), nil
}
