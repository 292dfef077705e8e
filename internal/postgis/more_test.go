package postgis_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/paulmach/orb"

	"hatang/internal/account"
	"hatang/internal/layer"
)

// More rows are counted than the viewer sees by nobody.
func TestHasMore(t *testing.T) {
	s, layers, _ := open(t)
	sites := get(t, layers, "bts_sites")
	for i := range 3 {
		create(t, s, sites, sample(t, sites, fmt.Sprintf("P%d", i)))
	}
	draftOf(t, s, sites, "VNPT", "D1", orb.Point{103.1, 21.4})
	for _, tt := range []struct {
		who  account.Viewer
		q    layer.Query
		sees int
	}{
		{account.Anonymous(), layer.Query{}, 3}, {operatorOf("VNPT"), layer.Query{}, 4}, {operatorOf("VIETTEL"), layer.Query{}, 3}, {officer(), layer.Query{}, 4},
		{officer(), layer.Query{Equal: []layer.Equality{{Field: "code", Value: "P1"}}}, 1}, {officer(), layer.Query{Date: day(t, "1900-01-01")}, 0},
		{officer(), layer.Query{Limit: 1, After: 1 << 60}, 4},
	} {
		for n := range 6 {
			if more, err := s.HasMore(context.Background(), tt.who, sites, tt.q, n); err != nil || more != (tt.sees > n) {
				t.Errorf("%s sees more than %d by %+v: %t, %v", tt.who.Class(), n, tt.q, more, err)
			}
		}
	}
}
