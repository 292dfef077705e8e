package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"hatang/geo"
)

// qgis speaks as QGIS 3.32 and later do when they edit: QGIS itself is not here, or too
// old to write. It sends Content-Crs without brackets and no If-Match, finds out by
// OPTIONS what it may do, keeps what it has read, and takes the id out of Location.
type qgis struct {
	*server
	t     *testing.T
	who   []string // headers
	items string   // address
	crs   geo.CRS
}

// qgisFeature is a feature as QGIS keeps it.
type qgisFeature struct {
	ID         any            `json:"id,omitempty"`
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Geometry   struct {
		Type        string     `json:"type"`
		Coordinates [2]float64 `json:"coordinates"`
	} `json:"geometry"`
}

func (q *qgis) send(method, address, mediaType string, body any) answer {
	q.t.Helper()
	headers := append(slices.Clone(q.who), "User-Agent", "Mozilla/5.0 QGIS/33200")
	text := ""
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			q.t.Fatal(err)
		}
		text = string(raw)
		headers = append(headers, "Content-Type", mediaType, "Content-Crs", q.crs.URI())
	}
	return q.call(q.t, method, address, text, headers...)
}

// offers are the methods that QGIS makes buttons of.
func (q *qgis) offers(address string) []string {
	q.t.Helper()
	a := q.send(http.MethodOptions, address, "", nil)
	if a.status/100 != 2 {
		q.t.Fatalf("%s: %d", a.request, a.status)
	}
	return strings.Split(a.header.Get("Allow"), ", ")
}

func (q *qgis) read(address string) (f qgisFeature) {
	q.t.Helper()
	q.get(q.t, address+"?crs="+q.crs.URI(), &f, q.who...)
	return f
}

// at is where a place is in the layer's system, as QGIS has it on the map.
func (q *qgis) at(place orb.Point) [2]float64 {
	q.t.Helper()
	p, err := q.crs.Forward(place)
	if err != nil {
		q.t.Fatal(err)
	}
	if q.crs.LatFirst() {
		return [2]float64{p[1], p[0]}
	}
	return p
}

// isAt fails unless a feature lies within two millimetres of a place.
func (q *qgis) isAt(address string, place orb.Point) {
	q.t.Helper()
	var f qgisFeature
	q.get(q.t, address, &f)
	if d := geo.DistanceM(orb.Point(f.Geometry.Coordinates), place); d > 0.008 { // seven decimals of a degree
		q.t.Errorf("%s is %.4f m away from where it was put", address, d)
	}
}

// TestQGISEdits adds, moves, changes and removes a feature as QGIS does, in several
// reference systems, and looks for it all in the history.
func TestQGISEdits(t *testing.T) {
	s := demo(t)
	key := newKey(t, s, "officer")
	who := "key:" + strings.Split(key, "_")[1]
	items := s.url + "/api/v1/collections/postal_points/items"
	for i, name := range []string{"OGC:CRS84", "EPSG:4326", "EPSG:9205", "EPSG:3857", "EPSG:4756"} {
		crs, err := geo.ParseCRS(name)
		if err != nil {
			t.Fatal(err)
		}
		q := &qgis{server: s, t: t, who: bearer(key), items: items, crs: crs}
		t.Run(name, func(t *testing.T) {
			q.t = t
			history := editAsQGIS(q, fmt.Sprint("QGIS-", i))
			want := "insert update update update delete"
			if got := s.sql(t, "SELECT string_agg(operation, ' ' ORDER BY id) FROM history WHERE layer = 'postal_points' AND feature_id = $1 AND who = $2", history, who); got != want {
				t.Errorf("the history has %q of %s, want %q", got, who, want)
			}
		})
	}
	t.Run("others", func(t *testing.T) { refusedAsQGIS(t, s) })
}

// editAsQGIS returns the id of what it has added and removed.
func editAsQGIS(q *qgis, code string) int64 {
	t, first, second := q.t, orb.Point{103.0165123, 21.3826456}, orb.Point{103.0201, 21.3911}
	if methods := q.offers(q.items); !slices.Contains(methods, "POST") {
		t.Fatalf("%s offers %v", q.items, methods)
	}
	// What nobody has filled in is null, what the server sets is too.
	added := qgisFeature{Type: "Feature", Properties: map[string]any{"code": code, "name": "Điểm mới", "valid_from": "2016-01-01", "valid_to": nil, "owner_organisation": nil, "jurisdiction": "11",
		"source": nil, "illustrative": nil, "accuracy_m": nil, "revision": nil, "updated_at": nil, "status": "existing", "kind": "agent", "services": nil, "commune_code": nil}}
	added.Geometry.Type, added.Geometry.Coordinates = "Point", q.at(first)
	a := q.send(http.MethodPost, q.items, "application/geo+json", added)
	a.wants(t, http.StatusCreated)
	location := a.header.Get("Location")
	_, id, found := strings.Cut(location, "/items/")
	if !found || id == "" {
		t.Fatalf("Location %q", location)
	}
	feature := q.items + "/" + id
	if methods := q.offers(feature); !slices.Contains(methods, "PUT") || !slices.Contains(methods, "PATCH") || !slices.Contains(methods, "DELETE") {
		t.Fatalf("%s offers %v", feature, methods)
	}
	q.isAt(feature, first)
	// A move as the first versions do it: the whole feature, with all that was read, some
	// of which only the server sets.
	f := q.read(feature)
	shown := f.Geometry.Coordinates
	f.ID, f.Geometry.Coordinates = id, q.at(second)
	q.send(http.MethodPut, feature, "application/geo+json", f).wants(t, http.StatusNoContent)
	q.isAt(feature, second)
	// And back, as later ones do it, with a merge patch; it lies on the same digits.
	q.send(http.MethodPatch, feature, "application/merge-patch+json", map[string]any{"geometry": map[string]any{"type": "Point", "coordinates": shown}}).wants(t, http.StatusNoContent)
	if again := q.read(feature).Geometry.Coordinates; again != shown {
		t.Errorf("moved there and back it is at %v, was at %v", again, shown)
	}
	// Attributes alone.
	q.send(http.MethodPatch, feature, "application/merge-patch+json", map[string]any{"properties": map[string]any{"name": "Điểm đã đổi", "services": []string{"chuyển phát"}, "accuracy_m": 2.5, "source": nil}}).wants(t, http.StatusNoContent)
	changed := q.read(feature)
	if changed.Properties["name"] != "Điểm đã đổi" || changed.Properties["accuracy_m"] != 2.5 || changed.Properties["illustrative"] != false || changed.Properties["revision"] != 4.0 || changed.Geometry.Coordinates != shown {
		t.Errorf("%+v", changed)
	}
	q.send(http.MethodDelete, feature, "", nil).wants(t, http.StatusNoContent)
	q.send(http.MethodGet, feature, "", nil).wants(t, http.StatusNotFound)
	n, _ := changed.ID.(float64)
	if math.Trunc(n) != n || fmt.Sprint(int64(n)) != id {
		t.Errorf("the id is %v, Location has %s", changed.ID, id)
	}
	return int64(n)
}

// refusedAsQGIS tries the same without a key, and with one that may not.
func refusedAsQGIS(t *testing.T, s *server) {
	operator := newKey(t, s, "operator", "--organisation", "VIETTEL")
	var p page
	s.get(t, "/api/v1/collections/postal_points/items?limit=1", &p)
	feature := fmt.Sprintf("%s/api/v1/collections/postal_points/items/%d", s.url, p.Features[0].ID)
	for _, tt := range []struct {
		who    []string
		status int
		offers bool
	}{{nil, http.StatusUnauthorized, true}, {bearer(operator), http.StatusForbidden, true}} {
		q := &qgis{server: s, t: t, who: tt.who, items: s.url + "/api/v1/collections/postal_points/items"}
		f := q.read(feature)
		before := f.Properties["revision"]
		added := qgisFeature{Type: "Feature", Properties: map[string]any{"code": "X", "valid_from": "2016-01-01", "jurisdiction": "11", "status": "existing", "kind": "agent"}, Geometry: f.Geometry}
		q.send(http.MethodPost, q.items, "application/geo+json", added).isProblem(t, tt.status)
		q.send(http.MethodPut, feature, "application/geo+json", f).isProblem(t, tt.status)
		q.send(http.MethodPatch, feature, "application/merge-patch+json", map[string]any{"properties": map[string]any{"name": "x"}}).isProblem(t, tt.status)
		q.send(http.MethodDelete, feature, "", nil).isProblem(t, tt.status)
		if after := q.read(feature); after.Properties["revision"] != before {
			t.Errorf("it was changed nevertheless: %v", after.Properties)
		}
		if got := slices.Contains(q.offers(feature), "PUT"); got != tt.offers {
			t.Errorf("PUT is offered: %v", got)
		}
	}
	// Where an operator has nothing to write, QGIS makes no button.
	q := &qgis{server: s, t: t, who: bearer(operator)}
	if methods := q.offers(s.url + "/api/v1/collections/roads/items"); slices.Contains(methods, "POST") {
		t.Errorf("roads offer an operator %v", methods)
	}
}
