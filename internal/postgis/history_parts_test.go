package postgis

import (
	"slices"
	"testing"
)

func TestPartsOfHeads(t *testing.T) {
	for _, tt := range []struct {
		bytes, want []int
	}{
		{nil, nil},
		{[]int{mostImageBytes * 2}, []int{1}},
		{[]int{1, mostImageBytes - 1, 1, 5}, []int{2, 2}},
		{[]int{1, mostImageBytes + 1, 1}, []int{1, 1, 1}},
	} {
		var heads []head
		for i, n := range tt.bytes {
			heads = append(heads, head{id: int64(i), bytes: n})
		}
		var got []int
		next := int64(0)
		for part := range parts(heads) {
			got = append(got, len(part))
			for _, h := range part {
				if h.id != next {
					t.Errorf("%v: record %d comes for %d", tt.bytes, h.id, next)
				}
				next++
			}
		}
		if !slices.Equal(got, tt.want) || next != int64(len(heads)) {
			t.Errorf("%v: parts of %v records, want %v", tt.bytes, got, tt.want)
		}
	}
}
