package formats_test

import (
	"bytes"
	"testing"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

func FuzzReadLineage(f *testing.F) {
	f.Add([]byte("old_code,new_code,part,changed_on\n03127,03127,whole,2025-07-01\n03128,03127,part,\n"))
	f.Add([]byte("\ufeffMã cũ;Mã mới;Phần;Cấp\n1;2;toàn bộ;xã\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		changes, _, err := formats.ReadLineage(bytes.NewReader(raw), layer.Lineage{Level: "commune", On: geo.NewDate(2025, 7, 1), Act: "x"})
		if err != nil && len(changes) > 0 {
			t.Errorf("%d changes and %v", len(changes), err)
		}
		for _, c := range changes {
			if len(c.Faults) == 0 && (c.Predecessor == "" || c.Successor == "" || c.On.IsZero()) {
				t.Errorf("%q was taken as %+v", raw, c)
			}
		}
	})
}
