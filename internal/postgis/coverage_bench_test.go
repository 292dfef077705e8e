package postgis_test

import "testing"

// BenchmarkCoverage looks for overlaps and gaps of 10 010 communes: 77 provinces, each the
// real communes of one, side by side.
func BenchmarkCoverage(b *testing.B) {
	s, layers, conn := units2015(b)
	run(b, conn, `INSERT INTO provinces (code, valid_from, jurisdiction, geom)
		SELECT 'P' || n, valid_from, 'P' || n, ST_Translate(geom, 2 * (n % 11) - 100, 2 * (n / 11) - 30) FROM provinces, generate_series(1, 76) n`)
	run(b, conn, `INSERT INTO communes (code, valid_from, jurisdiction, geom)
		SELECT n || '-' || code, valid_from, 'P' || n, ST_Translate(geom, 2 * (n % 11) - 100, 2 * (n / 11) - 30) FROM communes, generate_series(1, 76) n`)
	run(b, conn, "ANALYZE communes")
	communes := get(b, layers, "communes")
	for b.Loop() {
		if report := coverageOf(b, s, communes, "2020-12-31"); !report.Clean() {
			b.Fatalf("%d overlaps, %d gaps", report.Overlaps.Count, report.Gaps.Count)
		}
	}
}
