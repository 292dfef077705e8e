package tiles

import (
	"cmp"
	"slices"
	"sync"
)

// workspace is what a tile is made in. The next tile has it again, so that a tile leaves no
// more behind than itself.
type workspace struct {
	shaper   shaper
	features []feature
	spare    []feature // for putting features in order
	bytes    []byte    // of the features: commands, then values
	body     []byte    // of the layer
	taken    cells
	values   dictionary
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// mostKept is how much of a workspace waits for the next tile, bytes.
const mostKept = 16 << 20

// release gives the workspace back; the layer has none any more.
func (e *Layer) release() {
	w := e.workspace
	e.workspace = nil
	const ofFeature = 40
	if cap(w.bytes)+cap(w.body)+ofFeature*(cap(w.features)+cap(w.spare)) > mostKept {
		return
	}
	w.features, w.bytes = w.features[:0], w.bytes[:0]
	w.taken.clear()
	workspaces.Put(w)
}

// byID puts features in the order of their ids, and returns what else it had use for, too:
// byte by byte from the last, as far as they differ.
func byID(features, spare []feature) (inOrder, other []feature) {
	ordered := func(a, b feature) int { return cmp.Compare(a.id, b.id) }
	if slices.IsSortedFunc(features, ordered) {
		return features, spare
	}
	const few = 64
	if len(features) < few {
		slices.SortFunc(features, ordered)
		return features, spare
	}
	const sign = 1 << 63 // negative ids come first
	differ := uint64(0)
	for i := range features {
		differ |= uint64(features[i].id ^ features[0].id)
	}
	spare = slices.Grow(spare[:0], len(features))[:len(features)]
	for shift := 0; differ>>shift > 0; shift += 8 {
		if byte(differ>>shift) == 0 {
			continue
		}
		var ends [257]int
		for i := range features {
			ends[int(byte((uint64(features[i].id)^sign)>>shift))+1]++
		}
		for i := range 256 {
			ends[i+1] += ends[i]
		}
		for i := range features {
			at := &ends[byte((uint64(features[i].id)^sign)>>shift)]
			spare[*at] = features[i]
			*at++
		}
		features, spare = spare, features
	}
	return features, spare
}

// cells are numbers that stand at cells of a tile, 0 where none has been set. The zero value
// has none.
type cells struct {
	keys   []uint32 // 1 + the key of a cell; a power of two of them
	values []int32
	filled []uint32 // where there are any
}

// of returns the number at a cell of a side, to be read or set before the next.
func (c *cells) of(at cell, side int32) *int32 {
	if 2*len(c.filled) >= len(c.keys) {
		c.grow()
	}
	return c.find(1 + uint32((at.y+Buffer)/side)<<16 + uint32((at.x+Buffer)/side))
}

// find returns the number under a key, which it fills in where it is not.
func (c *cells) find(key uint32) *int32 {
	const golden = 0x9E3779B97F4A7C15 // spreads keys that lie close to each other
	last := uint32(len(c.keys) - 1)
	i := uint32(uint64(key)*golden>>32) & last
	for c.keys[i] != key {
		if c.keys[i] == 0 {
			c.keys[i], c.values[i] = key, 0
			c.filled = append(c.filled, i)
			break
		}
		i = (i + 1) & last
	}
	return &c.values[i]
}

func (c *cells) grow() {
	before := *c
	n := max(64, 2*len(before.keys))
	*c = cells{keys: make([]uint32, n), values: make([]int32, n), filled: make([]uint32, 0, n/2)}
	for _, i := range before.filled {
		*c.find(before.keys[i]) = before.values[i]
	}
}

func (c *cells) clear() {
	for _, i := range c.filled {
		c.keys[i] = 0
	}
	c.filled = c.filled[:0]
}
