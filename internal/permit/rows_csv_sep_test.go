package permit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Spreadsheets write a first line that names the separator.
func TestCSVSeparatorLine(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"sep=;\r\nlon;lat;mast_type;a,b,c,d,e\r\n0,5;1;A2b;\r\n", "sep=;\nlon;lat;mast_type;a,b,c,d,e;verdict;commune;district;errors\n0,5;1;A2b;;permitted;c0;d;\n"},
		{"\ufeffSEP=,\nlon,lat,mast_type\n0,1,A2b\n", "\ufeffsep=,\nlon,lat,mast_type,verdict,commune,district,errors\n0,1,A2b,permitted,c0,d,\n"},
		{"\"sep=\t\"\nlon\tlat\tmast_type\n0\t1\tA2b\n", "sep=\t\nlon\tlat\tmast_type\tverdict\tcommune\tdistrict\terrors\n0\t1\tA2b\tpermitted\tc0\td\t\n"},
		{"sep=|\nlon|lat|mast_type\n0|1|A2b\n", "sep=|\nlon|lat|mast_type|verdict|commune|district|errors\n0|1|A2b|permitted|c0|d|\n"},
	} {
		got, _, err := runBatch(t, batchOf(CSV, OutCSV, DetailVerdict), tt.in)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		if again, _, err := runBatch(t, batchOf(CSV, OutCSV, DetailVerdict), got); err != nil || again != got {
			t.Errorf("judged again: %v\n%s", err, cmp.Diff(got, again))
		}
	}
	for _, in := range []string{"sep=x\nlon,lat,mast_type\n", "sep=;"} {
		if _, _, err := runBatch(t, batchOf(CSV, OutCSV, DetailVerdict), in); err == nil {
			t.Errorf("%q is read", in)
		}
	}
}
