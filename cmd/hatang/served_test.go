package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"hatang/internal/layer"
)

// TestServed holds everything that only reads, on one server.
func TestServed(t *testing.T) {
	dir, key := demoDir(t)
	s := serve(t, dir, key, "--demo")
	for _, test := range []struct {
		name string
		run  func(*testing.T, *server)
	}{
		{"landing", landing}, {"openapi", openAPI}, {"collections", collections},
		{"bbox", bboxInEverySystem}, {"items", itemsParametersWork}, {"filters", filtersWork}, {"pages", pagesVisitEachOnce}, {"orders", ordersAndProperties}, {"ranges", byteRanges},
		{"ogrinfo", ogrLists}, {"ogrinfo types", ogrTypes}, {"ogrinfo filters", ogrFilters}, {"ogr2ogr", ogrReadsAllPages}, {"vsicurl", ogrReadsURL},
		{"radii", statedRadii}, {"districts", districtsAddUp},
		{"points", schematicPoints}, {"verdicts", allVerdicts}, {"check", checkCommandJudges}, {"check file", checkCommandReadsFiles}, {"check rows", checkFilesAndStreams}, {"nearest", nearestPlaces}, {"network", networksAreJudged}, {"check cables", cablesAreChecked}, {"recorded verdicts", verdictsAreRecorded},
		{"tiles", tilesShowItems}, {"tile filters", tilesAreFiltered}, {"tile edges", tilesMeet}, {"tiles and rights", tilesKeepSecrets}, {"ogr tiles", ogrReadsTiles},
		{"rights", withheldRows}, {"keys", keysDecide}, {"people", peopleAndKeys},
		{"bad addresses", badAddresses}, {"bad bodies", badBodies}, {"bad features", badFeatures}, {"a huge body", hugeBody}, {"methods", methodsAndSlashes}, {"limits", limitsAreInForce},
		{"a second serve", secondServe}, {"exports", exportsComeBack}, {"exports and downloads", exportsAreDownloads},
		{"ogr2ogr formats", ogrReadsFormats}, {"ogr2ogr grids", ogrReadsGrids}, {"spoilt formats", spoiltFormatsAreFound}, {"open fibre", openFibreIsRoutes},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, s)
		})
	}
}

func TestFirstRun(t *testing.T) {
	run, err := template()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(run.stderr, "administrator key: htg_") != 1 {
		t.Errorf("the key is not printed once:\n%s", run.stderr)
	}
	for line := range strings.Lines(run.stderr) {
		if strings.HasPrefix(line, "{") && strings.Contains(line, run.key) {
			t.Errorf("the key is in the log: %s", line)
		}
	}
	if info, err := os.Stat(run.dir); err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("the data folder is open to others: %v, %v", info.Mode(), err)
	}
	t.Logf("from the start on an empty folder to the first answer: %.1f s", run.ready.Seconds())
}

func landing(t *testing.T, s *server) {
	var bare, slashed struct {
		Date  string
		Links []struct{ Href, Rel, Type string }
	}
	s.get(t, "/api/v1", &bare)
	s.get(t, "/api/v1/", &slashed)
	if len(bare.Links) == 0 || len(bare.Links) != len(slashed.Links) || bare.Date != "2020-12-31" {
		t.Errorf("landing pages: %+v, %+v", bare, slashed)
	}
	rels := map[string]bool{}
	for _, l := range bare.Links {
		rels[l.Rel+" "+l.Type] = true
		s.call(t, http.MethodGet, l.Href, "", "Accept", l.Type).wants(t, http.StatusOK)
	}
	for _, want := range []string{"data application/json", "conformance application/json", "service-desc application/vnd.oai.openapi+json;version=3.0"} {
		if !rels[want] {
			t.Errorf("the landing page has no link %s", want)
		}
	}
	var conformance struct{ ConformsTo []string }
	s.get(t, "/api/v1/conformance", &conformance)
	if !strings.Contains(strings.Join(conformance.ConformsTo, " "), "ogcapi-features-1/1.0/conf/core") {
		t.Errorf("conformance: %v", conformance.ConformsTo)
	}
	page := s.call(t, http.MethodGet, "/", "")
	if page.wants(t, http.StatusOK); !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("the page is %s", page.header.Get("Content-Type"))
	}
	pageAssets(t, s)
	for _, probe := range []string{"/healthz", "/readyz", "/metrics"} {
		s.call(t, http.MethodGet, probe, "").wants(t, http.StatusOK)
	}
}

var assets = regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)

// pageAssets: what a page of the API with a map needs beside its HTML is served.
func pageAssets(t *testing.T, s *server) {
	t.Helper()
	kinds := map[string]bool{}
	for _, m := range assets.FindAllSubmatch(s.call(t, http.MethodGet, "/api/v1/collections/roads", "", "Accept", "text/html").body, -1) {
		a := s.call(t, http.MethodGet, string(m[1]), "")
		a.wants(t, http.StatusOK)
		kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
		kinds[kind] = true
	}
	for _, want := range []string{"text/javascript", "text/css", "image/svg+xml"} {
		if !kinds[want] {
			t.Errorf("a page needs no %s: %v", want, kinds)
		}
	}
}

func openAPI(t *testing.T, s *server) {
	a := s.call(t, http.MethodGet, "/api/v1/openapi.json", "")
	a.wants(t, http.StatusOK)
	document, err := openapi3.NewLoader().LoadFromData(a.body)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for _, l := range layersOf(t) {
		if document.Paths.Find("/collections/"+l.Name+"/items") == nil && document.Paths.Find("/api/v1/collections/"+l.Name+"/items") == nil {
			t.Errorf("the document has no path for the items of %s", l.Name)
		}
	}
}

func layersOf(t *testing.T) []*layer.Layer {
	t.Helper()
	registry, err := layer.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return registry.All()
}

// packFeature is a feature as the demonstration's files have it.
type packFeature struct {
	Properties map[string]any
	Geometry   struct {
		Type        string
		Coordinates json.RawMessage
	}
}

// packFeatures reads a layer's file of the demonstration.
func packFeatures(t *testing.T, name string) []packFeature {
	t.Helper()
	return readFeatures(t, filepath.Join("..", "..", "internal", "plan", "packs", "dien-bien", "features", name+".geojson"))
}

func readFeatures(t *testing.T, path string) []packFeature {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Features []packFeature }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Features
}

// publicCount counts the rows of the demonstration that the public sees.
func publicCount(t *testing.T, l *layer.Layer) int {
	t.Helper()
	n := 0
	for _, f := range packFeatures(t, l.Name) {
		kind, _ := f.Properties["kind"].(string)
		if l.Name != "special_areas" || kind != "border_belt" && kind != "military" {
			n++
		}
	}
	return n
}

// page is what the tests read of items.
type page struct {
	NumberMatched, NumberReturned int
	Features                      []struct {
		ID         int64
		Properties map[string]any
		Geometry   struct {
			Type        string
			Coordinates json.RawMessage
		}
	}
	Links []struct{ Rel, Href, Type string }
}

func (p *page) next() string {
	for _, l := range p.Links {
		if l.Rel == "next" {
			return l.Href
		}
	}
	return ""
}

func collections(t *testing.T, s *server) {
	var list struct {
		Collections []struct {
			ID     string
			Extent struct{ Spatial struct{ Bbox [][]float64 } }
		}
	}
	s.get(t, "/api/v1/collections", &list)
	listed := map[string]bool{}
	for _, c := range list.Collections {
		listed[c.ID] = len(c.Extent.Spatial.Bbox) > 0
	}
	layers := layersOf(t)
	if len(listed) != len(layers) {
		t.Errorf("%d collections are listed, the registry has %d", len(listed), len(layers))
	}
	for _, l := range layers {
		if !listed[l.Name] {
			t.Errorf("%s is not listed with its extent", l.Name)
		}
		var p page
		s.get(t, "/api/v1/collections/"+l.Name+"/items?limit=10000&f=json", &p)
		if want := publicCount(t, l); p.NumberMatched != want || p.NumberReturned != want || len(p.Features) != want {
			t.Errorf("%s: %d matched, %d returned, %d there; the pack has %d", l.Name, p.NumberMatched, p.NumberReturned, len(p.Features), want)
		}
		for _, below := range []string{"", "/schema", "/queryables", "/sortables"} {
			s.call(t, http.MethodGet, "/api/v1/collections/"+l.Name+below, "").wants(t, http.StatusOK)
		}
	}
}
