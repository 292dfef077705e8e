package httpapi

import "net/http"

// conformanceClasses are the classes met, no others: a test calls one for each, and fails
// where a class has none. Parts 4, 6 and 8 of OGC API – Features are drafts, whose names
// these are; Part 5 is OGC API – Common, Part 3, too, and QGIS looks for its name of before.
//
// Not declared: Part 3's queryables-query-parameters, since a value that a field may not
// have selects nothing here and is no error; Part 5's returnables-and-receivables, since
// QGIS sends back what only the server sets, which that class would have refused; Part 4's
// locking by timestamps, whose seconds are too long.
func conformanceClasses() []string {
	return []string{
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
		"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
		"http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
		"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
		"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
		"http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/schemas",
		"http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
		"http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/advanced-property-roles",
		"http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/queryables",
		"http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/sortables",
		"http://www.opengis.net/spec/ogcapi-features-6/1.0/conf/properties",
		"http://www.opengis.net/spec/ogcapi-features-6/1.0/conf/properties-features",
		"http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sortables",
		"http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sorting",
		"http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/features-sorting",
		"http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
		"http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
		"http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
		"http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
		"http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
		"http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
		"http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
		"http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
		"http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
		"http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
		"http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
		"http://www.opengis.net/spec/cql2/1.0/conf/property-property",
		"http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/datetime",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/oas30",
		"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
		"http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
		"http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
	}
}

func (a *api) conformance(w http.ResponseWriter, r *request) error {
	return a.answer(w, r, typeJSON, map[string]any{"conformsTo": conformanceClasses()})
}
