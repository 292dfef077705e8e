package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tiles"
)

// Where siteRow is, and next to it.
const (
	siteTile  = "/api/v1/collections/bts_sites/tiles/WebMercatorQuad/12/1798/3220"
	emptyTile = "/api/v1/collections/bts_sites/tiles/WebMercatorQuad/12/1798/3225"
	allTile   = "/api/v1/tiles/WebMercatorQuad/12/1798/3220"
)

func layersIn(t testing.TB, w *httptest.ResponseRecorder) mvt.Layers {
	t.Helper()
	if w.Code != 200 || w.Header().Get("Content-Type") != typeMVT {
		t.Fatalf("status %d, %s: %.300s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	layers, err := mvt.Unmarshal(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return layers
}

func TestTile(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 3, "Cột")})
	got := layersIn(t, do(h, "GET", siteTile, ""))
	if len(got) != 1 || got[0].Name != "bts_sites" || got[0].Extent != 4096 || len(got[0].Features) != 1 {
		t.Fatalf("%+v", got) // three sites in one place are shown as the first
	}
	want := map[string]any{"code": "DB-1", "name": "Cột", "valid_from": "2015-12-31", "revision": 7.0, "height_m": 45.0}
	if d := cmp.Diff(want, map[string]any(got[0].Features[0].Properties)); d != "" || got[0].Features[0].ID != 1.0 {
		t.Errorf("id %v: %s", got[0].Features[0].ID, d)
	}
	if w := do(h, "GET", emptyTile, ""); w.Code != 204 || w.Body.Len() != 0 || w.Header().Get("ETag") == "" {
		t.Errorf("an empty tile: %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
	for _, accept := range []string{"*/*", "application/x-protobuf", "application/vnd.mapbox-vector-tile"} {
		if w := do(h, "GET", siteTile, "", "Accept: "+accept); w.Code != 200 {
			t.Errorf("Accept %s: %d", accept, w.Code)
		}
	}
}

func TestTileOfSeveralLayers(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x")}
	h := handlerOf(t, s)
	for _, tt := range []struct {
		query string
		asks  int // of the store; the rest is in memory
	}{{"", 21}, {"?collections=bts_sites,roads", 0}, {"?collections=roads,bts_sites&datetime=2018-01-01", 2}} {
		query, want := tt.query, tt.asks
		s.calls = nil
		if got := layersIn(t, do(h, "GET", allTile+query, "")); len(got) != 1 || got[0].Name != "bts_sites" {
			t.Errorf("%s: %+v", query, got)
		}
		if asked := drawnTimes(s); asked != want {
			t.Errorf("%q asks the store %d times", query, asked)
		}
	}
	if w := do(h, "GET", allTile+"?collections=roads", ""); w.Code != 204 {
		t.Errorf("roads alone: %d", w.Code)
	}
	one, other := do(h, "GET", allTile+"?collections=bts_sites,roads", ""), do(h, "GET", allTile+"?collections=roads,bts_sites", "")
	if one.Body.String() != other.Body.String() || one.Header().Get("ETag") != other.Header().Get("ETag") {
		t.Error("the order of collections matters")
	}
}

func TestBadTiles(t *testing.T) {
	h := handlerOf(t, &fakeStore{})
	const base = "/api/v1/collections/bts_sites/tiles/WebMercatorQuad"
	for target, want := range map[string]int{
		base + "/25/0/0": 404, base + "/1/2/0": 404, base + "/1/0/2": 404, base + "/-1/0/0": 404, base + "/x/0/0": 404, base + "/01/0/0": 404, base + "/1/0": 404, base + "/1/0/0.mvt": 404,
		"/api/v1/tiles/WebMercatorQuad/1/2/2": 404, "/api/v1/tiles/WorldCRS84Quad": 404, "/api/v1/styles/none": 404, "/api/v1/collections/none/tiles": 404,
		siteTile + "?limit=3": 400, siteTile + "?bbox=1,2,3,4": 400, siteTile + "?datetime=yesterday": 400, siteTile + "?height_m=tall": 400, siteTile + "?collections=roads": 400,
		siteTile + "?datetime=2018-01-01&datetime=2019-01-01": 400, siteTile + "?unknown=1": 400,
		allTile + "?collections=none": 400, allTile + "?collections=": 400, allTile + "?mast_type=A2b": 400, allTile + "?f=json": 400,
		"/api/v1/tiles/WebMercatorQuad/tilejson?collections=none": 400, "/api/v1/tiles?collections=none": 400, "/api/v1/tiles/WebMercatorQuad?collections=none": 400,
	} {
		if w := do(h, "GET", target, ""); w.Code != want || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, want %d", target, w.Code, w.Header().Get("Content-Type"), want)
		}
	}
	if w := do(h, "GET", siteTile, "", "Accept: image/png"); w.Code != 406 {
		t.Errorf("a picture: %d", w.Code)
	}
}

func TestTileQueryReachesTheStore(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	day := geo.NewDate(2018, 1, 1)
	for query, want := range map[string]layer.Query{
		"":                        {Date: reference},
		"?datetime=2018-01-01":    {Date: day},
		"?datetime=2018-01-01/..": {Span: [2]geo.Date{day, {}}},
		"?mast_type=A2b":          {Date: reference, Equal: []layer.Equality{{Field: "mast_type", Value: "A2b"}}},
		"?height_m=45.0":          {Date: reference, Equal: []layer.Equality{{Field: "height_m", Value: "45"}}},
	} {
		s.asked = layer.Query{}
		if w := do(h, "GET", siteTile+query, ""); w.Code != 204 {
			t.Fatalf("%s: %d", query, w.Code)
		}
		if d := cmp.Diff(want, s.asked, cmp.Comparer(func(a, b geo.Date) bool { return a == b })); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
	s.calls = nil
	if w := do(h, "GET", siteTile+"?mast_type=A9", ""); w.Code != 204 || slices.ContainsFunc(s.calls, func(c string) bool { return strings.HasPrefix(c, "TileRows") }) {
		t.Errorf("the store is asked for a value that cannot be: %d, %v", w.Code, s.calls)
	}
}

func drawnTimes(s *fakeStore) (n int) {
	for _, call := range s.calls {
		if strings.HasPrefix(call, "TileRows") {
			n++
		}
	}
	return n
}

// A tile is the client's until the layer changes, and from then on it is not.
func TestTileTags(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x"), number: 4}
	h := handlerOf(t, s)
	first := do(h, "GET", siteTile, "")
	tag := first.Header().Get("ETag")
	if first.Header().Get("Cache-Control") != "public, no-cache" {
		t.Errorf("%v", first.Header())
	}
	for range 2 {
		if w := do(h, "GET", siteTile, "", "If-None-Match: "+tag); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("unchanged: %d", w.Code)
		}
	}
	s.rows[0].Geometry = pointAt(t, 103.0171, 21.3827)
	s.number = 5
	w := do(h, "GET", siteTile, "", "If-None-Match: "+tag)
	if w.Code != 200 || w.Body.String() == first.Body.String() || w.Header().Get("ETag") == tag {
		t.Errorf("right after an edit: %d, tag %s", w.Code, w.Header().Get("ETag"))
	}
	tags := map[string]string{}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"public": w, "officer": do(h, "GET", siteTile, "", "Authorization: Bearer officer"), "operator": do(h, "GET", siteTile, "", "Authorization: Bearer operator"),
		"another day": do(h, "GET", siteTile+"?datetime=2018-01-01", ""), "a filter": do(h, "GET", siteTile+"?status=existing", ""),
		"several": do(h, "GET", allTile, ""), "beside": do(h, "GET", emptyTile, ""), "near": do(h, "GET", strings.Replace(siteTile, "/12/1798/3220", "/14/7195/12880", 1), ""),
	} {
		if other, taken := tags[w.Header().Get("ETag")]; taken || w.Header().Get("ETag") == "" {
			t.Errorf("%s and %s have the tag %s", name, other, w.Header().Get("ETag"))
		}
		tags[w.Header().Get("ETag")] = name
		if private := name == "officer" || name == "operator"; private != (w.Header().Get("Cache-Control") == "private, no-cache") {
			t.Errorf("%s: %s", name, w.Header().Get("Cache-Control"))
		}
	}
}

// Tiles come from memory for those who see the same, and for no others.
func TestTilesInMemory(t *testing.T) {
	s := &fakeStore{rows: siteRows(t, 1, "x"), number: 4}
	a := apiOf(t, s)
	h := a.router()
	for _, who := range []string{"", "", "Authorization: Bearer officer", "Authorization: Bearer operator", "Authorization: Bearer officer", "Authorization: Bearer administrator"} {
		var headers []string
		if who != "" {
			headers = []string{who}
		}
		layersIn(t, do(h, "GET", siteTile, "", headers...))
	}
	if n := drawnTimes(s); n != 3 {
		t.Errorf("drawn %d times for three kinds of viewers: %v", n, s.calls)
	}
	figures := do(h, "GET", "/metrics", "", "Authorization: Bearer officer").Body.String()
	for _, want := range []string{
		`hatang_tile_layers_total{from="database",viewers="public"} 1`, `hatang_tile_layers_total{from="memory",viewers="public"} 1`,
		`hatang_tile_layers_total{from="database",viewers="others"} 2`, `hatang_tile_layers_total{from="memory",viewers="others"} 2`, "hatang_tile_memory_bytes ",
	} {
		if !strings.Contains(figures, want) {
			t.Errorf("no %s", want)
		}
	}
	if public := do(h, "GET", "/metrics", "").Body.String(); strings.Contains(public, `viewers="others"`) || !strings.Contains(public, `hatang_tile_layers_total{from="memory",viewers="public"} 1`) {
		t.Error("the public is told what others ask")
	} else if strings.Contains(public, "hatang_tile_memory_bytes") {
		t.Error("the public is told how large the tiles of others are")
	}
	s.number = 5
	do(h, "GET", siteTile, "")
	if n := drawnTimes(s); n != 4 {
		t.Errorf("after an edit drawn %d times", n)
	}
	s.err = layer.ErrUnavailable
	if w := do(h, "GET", siteTile, ""); w.Code != 503 {
		t.Errorf("versions that cannot be read: %d", w.Code)
	}
}

// What several ask for at once is drawn once; a failure is remembered for nobody.
func TestTilesAreDrawnOnce(t *testing.T) {
	s := &tilingStore{fakeStore: fakeStore{rows: siteRows(t, 1, "x"), drawing: make(chan struct{})}}
	c := config(t, &s.fakeStore)
	c.Store = s
	h := apiWith(t, c).router()
	s.told = sync.OnceFunc(func() { close(s.drawing) })
	var group sync.WaitGroup
	for range askers {
		group.Go(func() {
			if w := do(h, "GET", siteTile, ""); w.Code != 200 {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
		})
	}
	group.Wait()
	if n := drawnTimes(&s.fakeStore); n != 1 {
		t.Errorf("drawn %d times", n)
	}
	plain := &failingStore{fakeStore: fakeStore{rows: siteRows(t, 1, "x")}, fails: 1}
	c = config(t, &plain.fakeStore)
	c.Store = plain
	h = apiWith(t, c).router()
	if first, second := do(h, "GET", siteTile, ""), do(h, "GET", siteTile, ""); first.Code != 503 || second.Code != 200 {
		t.Errorf("a failure and what follows: %d, %d", first.Code, second.Code)
	}
}

func TestTilePanic(t *testing.T) {
	s := &failingStore{fakeStore: fakeStore{rows: siteRows(t, 1, "x")}, panics: true}
	c := config(t, &s.fakeStore)
	c.Store = s
	h := apiWith(t, c).router()
	if w := do(h, "GET", siteTile, ""); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	s.panics = false
	if w := do(h, "GET", siteTile, ""); w.Code != 200 {
		t.Errorf("after it: %d", w.Code)
	}
}

func TestTruncatedTileSaysSo(t *testing.T) {
	s := &fakeStore{}
	first := siteRow(t, 1, strings.Repeat("long ", 20))
	for i := range 20_000 {
		row := &layer.Row{ID: int64(i + 1), Geometry: pointAt(t, 103.01+float64(i%200)*0.0004, 21.34+float64(i/200)*0.0008), Values: slices.Clone(first.Values)}
		row.Values[0] = []byte("a code of some length that no other of all these sites has in the register " + strconv.Itoa(i))
		s.rows = append(s.rows, row)
	}
	h := handlerOf(t, s)
	w := do(h, "GET", siteTile, "")
	got := layersIn(t, w)
	if len(got) != 2 || got[1].Name != tiles.TruncatedLayer || w.Header().Get("Hatang-Truncated") != "bts_sites" || w.Body.Len() > tiles.MaxBytes+1000 {
		t.Fatalf("%d layers, %d bytes, %v", len(got), w.Body.Len(), w.Header())
	}
	if p := got[1].Features[0].Properties; p["layer"] != "bts_sites" || p["shown"] != float64(len(got[0].Features)) {
		t.Errorf("%v, shown %d", p, len(got[0].Features))
	}
	if again := do(h, "GET", siteTile, ""); again.Body.String() != w.Body.String() {
		t.Error("the tile from memory is another")
	}
	if several := layersIn(t, do(h, "GET", allTile, "")); len(several) != 2 || len(several[0].Features) != len(got[0].Features) {
		t.Errorf("with the other layers: %d", len(several))
	}
}

// follow fetches the target of a link.
func follow(t testing.TB, h http.Handler, doc map[string]any, rel string) map[string]any {
	t.Helper()
	href := linkTo(doc, rel)
	if href == "" {
		t.Fatalf("no link %s in %v", rel, doc["links"])
	}
	return decode(t, do(h, "GET", strings.TrimPrefix(href, "http://example.com"), ""))
}

// From the landing page and from a collection the way to a tile is by links alone, as
// GDAL and OpenLayers go it.
func TestTilesetsAreLinked(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	for _, start := range []string{"/api/v1", "/api/v1/collections/bts_sites"} {
		list := follow(t, h, decode(t, do(h, "GET", start, "")), relTilesets)
		sets := list["tilesets"].([]any)
		first := sets[0].(map[string]any)
		if len(sets) != 1 || first["dataType"] != "vector" || first["tileMatrixSetURI"] != tiles.MatrixSetURI || first["crs"] != tiles.CRSURI {
			t.Errorf("%s: %v", start, first)
		}
		set := follow(t, h, first, "self")
		matrices := follow(t, h, set, relTilingScheme)["tileMatrices"].([]any)
		if len(matrices) != 25 || matrices[3].(map[string]any)["id"] != "3" {
			t.Errorf("%d matrices", len(matrices))
		}
		for _, raw := range set["links"].([]any) {
			if l := raw.(map[string]any); l["rel"] == "item" && (l["type"] != typeMVT || l["templated"] != true) {
				t.Errorf("%v", l)
			}
		}
		item := linkTo(set, "item")
		target := strings.NewReplacer("http://example.com", "", "{tileMatrix}", "12", "{tileRow}", "1798", "{tileCol}", "3220").Replace(item)
		if got := layersIn(t, do(h, "GET", target, "")); got[0].Name != "bts_sites" {
			t.Errorf("%s gives %v", target, got[0].Name)
		}
		of := set["layers"].([]any)[0].(map[string]any)
		if set["boundingBox"] == nil || of["id"] != "bts_sites" || of["geometryDimension"] != 0.0 || of["dataType"] != "vector" {
			t.Errorf("%v", of)
		}
	}
	if schemes := follow(t, h, decode(t, do(h, "GET", "/api/v1", "")), relTilingSchemes)["tileMatrixSets"].([]any); len(schemes) != 1 || schemes[0].(map[string]any)["id"] != "WebMercatorQuad" {
		t.Errorf("%v", schemes)
	}
	some := decode(t, do(h, "GET", "/api/v1/tiles/WebMercatorQuad?collections=roads,bts_sites", ""))
	if item := linkTo(some, "item"); !strings.HasSuffix(item, "{tileCol}?collections=bts_sites%2Croads") || len(some["layers"].([]any)) != 2 {
		t.Errorf("the template of two is %s", item)
	}
}

// What a tileset is asked for goes along to its tiles, and reaches the store.
func TestTilesetsCarryWhatIsAsked(t *testing.T) {
	asked := url.Values{"datetime": {"2018-01-01"}, "filter": {"code LIKE 'DB%' AND height_m > 3"}, "filter-lang": {"cql2-text"}}
	for base, query := range map[string]url.Values{"/api/v1/collections/bts_sites": {"status": {"existing"}}, "/api/v1": {"collections": {"bts_sites"}}} {
		maps.Copy(query, asked)
		s := &fakeStore{rows: siteRows(t, 1, "x")}
		h := handlerOf(t, s)
		list := decode(t, do(h, "GET", base+"/tiles?f=json&"+query.Encode(), ""))
		set := follow(t, h, list["tilesets"].([]any)[0].(map[string]any), "self")
		tileJSON := follow(t, h, set, "describedby")
		if tileJSON["bounds"] != nil || set["boundingBox"] != nil {
			t.Error("bounds of another date")
		}
		for _, template := range []string{linkTo(set, "item"), tileJSON["tiles"].([]any)[0].(string)} {
			at := strings.NewReplacer("http://example.com", "", "{tileMatrix}", "12", "{tileRow}", "1798", "{tileCol}", "3220", "{z}", "12", "{y}", "1798", "{x}", "3220").Replace(template)
			address, err := url.Parse(at)
			if err != nil {
				t.Fatal(err)
			}
			if got := address.Query(); got.Encode() != query.Encode() {
				t.Errorf("%s asks for %v, not %v", at, got, query)
			}
			if w := do(h, "GET", at, ""); w.Code != 200 {
				t.Errorf("%s: %d %s", at, w.Code, w.Body)
			}
		}
		if s.asked.Date.String() != "2018-01-01" || s.asked.Filter == nil || len(s.asked.Equal) != len(query["status"]) {
			t.Errorf("the store is asked %+v", s.asked)
		}
		if n := drawnTimes(s); n != 1 {
			t.Errorf("drawn %d times", n)
		}
	}
}

// A filter must suit every layer, and all that is wrong is said at once.
func TestTileFilters(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	for target, want := range map[string][]string{
		siteTile + "?filter=nothing%3D1&datetime=x&unknown=1":                       {"filter", "datetime", "unknown"},
		siteTile + "?filter-crs=EPSG:1":                                             {"filter-crs"},
		allTile + "?collections=bts_sites,communes&filter=mast_type%3D%27A2b%27":    {"filter"},
		"/api/v1/tiles/WebMercatorQuad/tilejson?filter=mast_type%3D%27A2b%27":       {"filter"},
		"/api/v1/collections/bts_sites/tiles?filter=nothing%3D1":                    {"filter"},
		"/api/v1/collections/bts_sites/tiles/WebMercatorQuad?status=existing&f=xml": {"f"},
	} {
		w := do(h, "GET", target, "")
		for _, name := range want {
			if w.Code != 400 || !strings.Contains(w.Body.String(), `"`+name+`"`) {
				t.Errorf("%s: %d, no fault of %s: %s", target, w.Code, name, w.Body)
			}
		}
	}
	if w := do(h, "GET", allTile+"?collections=bts_sites,communes&filter=mast_type%3D%27A2b%27", "", "Accept-Language: en"); !strings.Contains(w.Body.String(), "does not suit the collection communes") {
		t.Errorf("the layer is not named: %s", w.Body)
	}
	both := do(h, "GET", allTile+"?collections=bts_sites,communes&filter=code%20IS%20NOT%20NULL", "")
	one := do(h, "GET", allTile+"?collections=bts_sites,communes", "")
	if both.Code != 200 || both.Header().Get("ETag") == one.Header().Get("ETag") {
		t.Errorf("%d, %s", both.Code, both.Header().Get("ETag"))
	}
}

// What MapLibre needs of a TileJSON.
func TestTileJSON(t *testing.T) {
	h := handlerOf(t, &fakeStore{rows: siteRows(t, 1, "x")})
	for target, layers := range map[string]int{"/api/v1/collections/bts_sites/tiles/WebMercatorQuad/tilejson": 1, "/api/v1/tiles/WebMercatorQuad/tilejson": 21, "/api/v1/tiles/WebMercatorQuad/tilejson?collections=bts_sites,roads": 2} {
		var doc struct {
			TileJSON, Name   string
			Tiles            []string
			MinZoom, MaxZoom int
			Bounds           []float64
			VectorLayers     []struct {
				ID     string
				Fields map[string]string
			} `json:"vector_layers"`
			Attribution *string
		}
		w := do(h, "GET", target, "", "Accept: application/json")
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		if doc.TileJSON != "3.0.0" || len(doc.Tiles) != 1 || doc.MinZoom != 0 || doc.MaxZoom != 14 || len(doc.VectorLayers) != layers || doc.Attribution == nil || !slices.Equal(doc.Bounds, []float64{102.1, 20.9, 103.6, 22.6}) {
			t.Errorf("%s: %+v", target, doc)
		}
		if doc.VectorLayers[0].ID != "bts_sites" || doc.VectorLayers[0].Fields["mast_type"] == "" {
			t.Errorf("%+v", doc.VectorLayers[0])
		}
		tile := strings.NewReplacer("http://example.com", "", "{z}", "12", "{y}", "1798", "{x}", "3220").Replace(doc.Tiles[0])
		layersIn(t, do(h, "GET", tile, ""))
	}
}

func TestStyles(t *testing.T) {
	s := &fakeStore{}
	h := handlerOf(t, s)
	list := decode(t, do(h, "GET", "/api/v1/styles", ""))
	if n := len(list["styles"].([]any)); n != 22 || list["default"] != "default" {
		t.Errorf("%d styles, %v", n, list["default"])
	}
	for _, raw := range list["styles"].([]any) {
		w := do(h, "GET", strings.TrimPrefix(linkTo(raw.(map[string]any), "stylesheet"), "http://example.com"), "", "Accept: application/json")
		style := decode(t, w)
		sources := style["sources"].(map[string]any)["hatang"].(map[string]any)
		if w.Header().Get("Content-Type") != typeStyle || style["version"] != 8.0 || !strings.HasPrefix(sources["url"].(string), "http://example.com/api/v1/") {
			t.Errorf("%v", style["sources"])
		}
		tilejson := decode(t, do(h, "GET", strings.TrimPrefix(sources["url"].(string), "http://example.com"), ""))
		known := map[string]bool{}
		for _, l := range tilejson["vector_layers"].([]any) {
			known[l.(map[string]any)["id"].(string)] = true
		}
		ids, drawn := map[string]bool{}, map[string]bool{}
		for _, raw := range style["layers"].([]any) {
			l := raw.(map[string]any)
			if id := l["id"].(string); ids[id] || !known[l["source-layer"].(string)] {
				t.Errorf("the layer %s of %v", id, l["source-layer"])
			}
			ids[l["id"].(string)], drawn[l["source-layer"].(string)] = true, true
		}
		if len(drawn) != len(known) {
			t.Errorf("%v draws %d of %d layers", raw, len(drawn), len(known))
		}
	}
	style := decode(t, do(h, "GET", "/api/v1/styles/bts_sites", ""))
	paint := style["layers"].([]any)[0].(map[string]any)["paint"].(map[string]any)
	want := []any{"match", []any{"get", "mast_type"}, "A1a", "#2ca02c", "A1b", "#98df8a", "A2a", "#ff7f0e", "A2b", "#d62728", "#d62728"}
	if d := cmp.Diff(want, paint["circle-color"]); d != "" {
		t.Error(d)
	}
}

// askers is how many ask for the same tile at once.
const askers = 8

// tilingStore lets the drawing go on when all have asked for versions.
type tilingStore struct {
	fakeStore
	told func()
	mu   sync.Mutex
	n    int
}

func (s *tilingStore) LayerVersions(c ctx, v viewer) (layer.Versions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n++; s.n == askers {
		s.told()
	}
	return layer.Versions{"bts_sites": 1}, nil
}

// failingStore fails to read tiles so many times, or panics.
type failingStore struct {
	fakeStore
	fails  int
	panics bool
}

func (s *failingStore) TileRows(c ctx, v viewer, l *layer.Layer, box orb.Bound, q layer.Query, fields []*layer.Field, each func(*layer.Row) error) error {
	if s.panics {
		panic("secret")
	}
	if s.fails--; s.fails >= 0 {
		return layer.ErrUnavailable
	}
	return s.fakeStore.TileRows(c, v, l, box, q, fields, each)
}
