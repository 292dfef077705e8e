package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"

	contract "hatang/api"
	"hatang/geo"
	"hatang/internal/layer"
)

func TestDocumentsAreValid(t *testing.T) {
	docs := documentsOf(t, apiOf(t, &fakeStore{}))
	for name, document := range map[string][]byte{"openapi.yaml": contract.OpenAPI, "3.0": docs.v30, "3.1": docs.v31} {
		if err := validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// In 3.1 null is a type, and nullable means nothing.
func TestNullIsATypeInThe31Document(t *testing.T) {
	docs := documentsOf(t, apiOf(t, &fakeStore{}))
	if bytes.Contains(docs.v31, []byte(`"nullable":`)) {
		t.Error("the document of 3.1 has nullable")
	}
	doc, err := openapi3.NewLoader().LoadFromData(docs.v31)
	if err != nil {
		t.Fatal(err)
	}
	answer := doc.Components.Schemas["Consultation"].Value.Properties["answer"].Value // one of a list
	for name, schema := range map[string]*openapi3.Schema{"a unit": doc.Components.Schemas["Unit"].Value, "an answer": answer} {
		if err := schema.VisitJSON(nil, openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("null as %s: %v", name, err)
		}
	}
	if err := answer.VisitJSON("perhaps", openapi3.EnableJSONSchema2020()); err == nil {
		t.Error("what is not listed is taken for an answer")
	}
}

// Servers of the same layers share the documents, and those of others do not.
func TestDocumentsAreMadeOnce(t *testing.T) {
	var cache openapiCache
	of := func(change func([]*layer.Layer)) *byte {
		t.Helper()
		registry, err := layer.Layers()
		if err != nil {
			t.Fatal(err)
		}
		layers := registry.All()
		change(layers)
		docs, err := cache.of(&Config{Title: geo.Text{EN: "x"}}, layers)
		if err != nil {
			t.Fatal(err)
		}
		return &docs.v30[0]
	}
	as := of(func([]*layer.Layer) {})
	if of(func([]*layer.Layer) {}) != as {
		t.Error("the documents of the same layers are made twice")
	}
	if of(func(layers []*layer.Layer) { layers[0].Fields[0].Doc.EN = "another" }) == as {
		t.Error("layers that have changed have the old documents")
	}
}

// Router and document have the same operations: templated as written, concrete as served.
func TestDocumentAgreesWithRouter(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	var routed []string
	err := chi.Walk(a.mux(), func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method != http.MethodHead && method != http.MethodOptions && pattern != root+"/" {
			routed = append(routed, method+" "+pattern)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(routed)
	if d := cmp.Diff(routed, operations(t, contract.OpenAPI)); d != "" {
		t.Errorf("openapi.yaml and the router differ (-router +document):\n%s", d)
	}
	var concrete []string
	for _, operation := range routed {
		if !strings.Contains(operation, "{collectionId}") {
			concrete = append(concrete, operation)
			continue
		}
		if strings.HasSuffix(operation, "{collectionId}") && !strings.HasPrefix(operation, "GET ") {
			continue // reference layers alone are changed and withdrawn
		}
		for _, l := range a.Registry.All() {
			concrete = append(concrete, strings.Replace(operation, "{collectionId}", l.Name, 1))
		}
	}
	slices.Sort(concrete)
	docs := documentsOf(t, a)
	for _, served := range [][]byte{docs.v30, docs.v31} {
		if d := cmp.Diff(concrete, operations(t, served)); d != "" {
			t.Errorf("the served document and the router differ:\n%s", d)
		}
	}
}

// operations lists "METHOD /path" with the server's prefix.
func operations(t *testing.T, document []byte) []string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for path, item := range doc.Paths.Map() {
		prefix := doc.Servers[0].URL
		if len(item.Servers) > 0 {
			prefix = strings.TrimSuffix(item.Servers[0].URL, "/")
		}
		for method := range item.Operations() {
			all = append(all, method+" "+strings.TrimSuffix(prefix+path, "/"))
		}
	}
	slices.Sort(all)
	return all
}

// The parameters a route lets through are those its operation documents.
func TestParametersAgree(t *testing.T) {
	a := apiOf(t, &fakeStore{})
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range a.routes() {
		path := strings.TrimPrefix(rt.pattern, root)
		if path == "" {
			path = "/"
		}
		item := doc.Paths.Value(path)
		var documented []string
		for _, p := range append(slices.Clone(item.Parameters), item.GetOperation(rt.method).Parameters...) {
			if p.Value.In == openapi3.ParameterInQuery {
				documented = append(documented, p.Value.Name)
			}
		}
		known := slices.Clone(rt.query)
		if rt.query == nil && strings.HasSuffix(rt.pattern, "/items") {
			known = itemsParameters()
		}
		if rt.query == nil && strings.HasSuffix(rt.pattern, "/download") {
			known = downloadParameters()
		}
		if rt.query == nil && strings.Contains(rt.pattern, "{collectionId}/tiles") {
			known = tileParameters()
			if !strings.HasSuffix(rt.pattern, tileAddress) {
				known = append(known, pageQuery...)
			}
		}
		slices.Sort(documented)
		slices.Sort(known)
		if !slices.Equal(documented, known) {
			t.Errorf("%s %s documents %v, takes %v", rt.method, rt.pattern, documented, known)
		}
	}
}

// What QGIS, GDAL and the OGC test suite look for, in the JSON as they read it.
func TestDocumentSuitsClients(t *testing.T) {
	w := do(handlerOf(t, &fakeStore{}), "GET", "/api/v1/openapi.json", "", "Accept: application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0, application/json")
	if w.Code != 200 || w.Header().Get("Content-Type") != typeOpenAPI30 {
		t.Fatalf("status %d, %s", w.Code, w.Header().Get("Content-Type"))
	}
	var doc struct {
		OpenAPI    string
		Components struct {
			Parameters map[string]struct {
				Name, In, Style string
				Explode         *bool
				Schema          struct {
					Type               string
					Maximum, Minimum   *float64
					Default            any
					MinItems, MaxItems int
					Items              struct{ Type string }
				}
			}
		}
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Ref             string `json:"$ref"`
					Name, In, Style string
					Explode         *bool
					Schema          struct{ Type string }
				}
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	limit := doc.Components.Parameters["limit"].Schema
	if doc.OpenAPI != "3.0.3" || limit.Maximum == nil || *limit.Maximum != 10000 || limit.Default != float64(1000) {
		t.Errorf("limit is %+v", limit)
	}
	bbox := doc.Components.Parameters["bbox"]
	if bbox.Schema.Type != "array" || bbox.Schema.MinItems != 4 || bbox.Schema.MaxItems != 6 || bbox.Schema.Items.Type != "number" || bbox.Style != "form" || bbox.Explode == nil || *bbox.Explode {
		t.Errorf("bbox is %+v", bbox)
	}
	found := false
	for _, p := range doc.Paths["/collections/bts_sites/items"].Get.Parameters {
		if p.Name == "mast_type" {
			found = p.In == "query" && p.Style == "form" && p.Explode != nil && !*p.Explode && p.Schema.Type == "string"
		}
	}
	if !found {
		t.Error("mast_type is not written out under /collections/bts_sites/items")
	}
	for _, id := range []string{"bts_sites.collection.vector.getTile", "bts_sites.collection.vector.getTileSet", "bts_sites.collection.vector.getTileSetsList", "dataset.vector.getTile", "dataset.vector.getTileSet", "dataset.vector.getTileSetsList", "getTileMatrixSet", "getTileMatrixSetsList"} {
		if !strings.Contains(w.Body.String(), `"operationId":"`+id+`"`) {
			t.Errorf("no operation %s", id)
		}
	}
	if strings.Contains(w.Body.String(), "{collectionId}") {
		t.Error("a templated collection path is left")
	}
}

// validate reads a finished document as its clients will.
func validate(document []byte) error {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return err
	}
	return doc.Validate(context.Background())
}
