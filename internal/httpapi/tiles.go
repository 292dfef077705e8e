package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/tiles"
)

const (
	mercator    = "/tiles/WebMercatorQuad"
	tileAddress = "/{tileMatrix}/{tileRow}/{tileCol}"
)

// truncatedHeader names the layers of a tile that do not show everything.
const truncatedHeader = "Hatang-Truncated"

// selection is what of which layers tiles show: so much of a request is alike for tiles
// and for what describes them.
type selection struct {
	listing
	layers  []*layer.Layer
	filters []layer.Filter // of each layer; nil for none
}

// tileParameters are the parameters of a collection's tiles beside the layer's own fields.
func tileParameters() []string { return []string{"datetime", "filter", "filter-crs", "filter-lang"} }

// severalParameters are the parameters of tiles of several collections.
func severalParameters() []string { return append([]string{"collections"}, tileParameters()...) }

// ofLayer reads what the tiles of the path's collection show; further names more parameters.
func (a *api) ofLayer(r *request, further ...string) (selection, error) {
	var faults layer.Faults
	s := selection{layers: []*layer.Layer{r.layer}}
	if r.URL.RawQuery != "" {
		known := slices.Concat(tileParameters(), further, r.layer.QueryableNames())
		s.values = readQuery(r.URL.RawQuery, known, &faults)
		checkFormat(s.values, nil, r.pages, &faults)
		s.readEqualities(r.layer, &faults)
	}
	return s, a.read(&s, faults)
}

// ofLayers reads what tiles of several layers show: of all, where none are named.
func (a *api) ofLayers(r *request) (selection, error) {
	var faults layer.Faults
	s := selection{listing: listing{values: r.values}, layers: selected(r, &faults)}
	return s, a.read(&s, faults)
}

// read reads what all tiles may be asked for. A filter must suit every layer.
func (a *api) read(s *selection, faults layer.Faults) error {
	s.query.Date = a.ReferenceDate()
	s.readDatetime(&faults)
	s.filters = make([]layer.Filter, len(s.layers))
	for i, l := range s.layers {
		before := len(faults)
		if f := parseFilter(s.values, l, &faults); f != nil {
			s.filters[i] = f
		}
		if len(faults) == before {
			continue
		}
		if len(s.layers) > 1 {
			faults.Add("filter", "bộ lọc không hợp với lớp %s", "the filter does not suit the collection %s", l.Name)
		}
		break // what is wrong for one layer is as a rule wrong for all
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	return nil
}

// tileRequest is what a request for a tile asks.
type tileRequest struct {
	selection
	tile tiles.Tile
}

// collectionTile is a tile of one layer.
func (a *api) collectionTile(w http.ResponseWriter, r *request) error {
	tile, err := addressed(r)
	if err != nil {
		return err
	}
	s, err := a.ofLayer(r)
	if err != nil {
		return err
	}
	return a.answerTile(w, r, tileRequest{s, tile})
}

// tile is a tile of several layers, all where none are named.
func (a *api) tile(w http.ResponseWriter, r *request) error {
	tile, err := addressed(r)
	if err != nil {
		return err
	}
	s, err := a.ofLayers(r)
	if err != nil {
		return err
	}
	return a.answerTile(w, r, tileRequest{s, tile})
}

// addressed reads the address of a tile; 404 for one that the set has not.
func addressed(r *request) (tiles.Tile, error) {
	tile, ok := tiles.Parse(r.param("tileMatrix"), r.param("tileCol"), r.param("tileRow"))
	if !ok {
		return tile, problem(notFound, fmt.Sprintf("Không có ô này: mức từ 0 đến %d, hàng và cột từ 0 đến 2^mức - 1.", tiles.MaxZoom),
			fmt.Sprintf("There is no such tile: zooms are 0 to %d, rows and columns 0 to 2^zoom - 1.", tiles.MaxZoom))
	}
	return tile, nil
}

// selected returns the layers that collections names, in the order of the registry.
func selected(r *request, faults *layer.Faults) []*layer.Layer {
	all := r.layers.All()
	if !r.values.Has("collections") {
		return all
	}
	named := strings.Split(r.values.Get("collections"), ",")
	for _, name := range named {
		if _, ok := r.layers.Get(name); !ok {
			faults.Add("collections", "không có lớp %q; /api/v1/collections liệt kê các lớp", "there is no collection %q; /api/v1/collections lists them", clip(name))
		}
	}
	return slices.DeleteFunc(all, func(l *layer.Layer) bool { return !slices.Contains(named, l.Name) })
}

// answerTile sends a tile, or 304 where the client has it: its tag is made of the
// versions of its layers, which are read before anything else.
func (a *api) answerTile(w http.ResponseWriter, r *request, t tileRequest) error {
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return err
	}
	keys := make([]string, len(t.layers))
	for i := range t.layers {
		keys[i] = t.key(r, i, versions)
	}
	etag := tag(append([]string{a.Version, typeMVT}, keys...)...)
	if cached(w, r, etag) {
		return nil
	}
	whole, coding, err := a.wholeTile(r, &t, keys, versions, etag)
	if err != nil {
		return err
	}
	if whole.truncated != "" {
		w.Header().Set(truncatedHeader, whole.truncated)
	}
	if len(whole.bytes) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if coding != asDrawn {
		w.Header().Set("Content-Encoding", coding)
	}
	send(w, r, typeMVT, whole.bytes)
	return nil
}

// wholeTile returns a tile as it is sent, in the coding that the client likes best if
// there is enough of it.
func (a *api) wholeTile(r *request, t *tileRequest, keys []string, versions layer.Versions, etag string) (drawn, string, error) {
	coding := codingOf(r.Request)
	if len(keys) == 1 && coding == asDrawn {
		whole, err := a.join(r.Context(), r, t, keys, versions)
		return whole, asDrawn, err
	}
	d, there := a.drawn.find(etag + coding)
	if there {
		a.drawn.count(r.viewer, len(keys), true)
	} else {
		var err error
		if d, err = a.code(r, *t, keys, versions, coding, etag+coding); err != nil {
			return d, coding, err
		}
	}
	if !d.coded {
		coding = asDrawn
	}
	return d, coding, nil
}

// code draws a whole tile in a coding, and keeps it.
func (a *api) code(r *request, t tileRequest, keys []string, versions layer.Versions, coding, key string) (drawn, error) {
	d, there, err := a.drawn.get(r.Context(), key, func(ctx context.Context) (drawn, error) {
		whole, err := a.join(ctx, r, &t, keys, versions)
		if err == nil && coding != asDrawn && len(whole.bytes) >= leastCode {
			whole.bytes, err = a.drawn.compress(coding, whole.bytes)
			whole.coded = true
		}
		return whole, err
	})
	if there {
		a.drawn.count(r.viewer, len(keys), true)
	}
	return d, err
}

// join draws the layers of a tile behind each other.
func (a *api) join(ctx context.Context, r *request, t *tileRequest, keys []string, versions layer.Versions) (drawn, error) {
	var body []byte
	var cuts []tiles.Cut
	var names []string
	for i, l := range t.layers {
		one, err := a.drawLayer(ctx, r, t, i, keys[i], versions[l.Name])
		if err != nil {
			return drawn{}, changedMeanwhile(l, err)
		}
		if one.Truncated {
			cuts, names = append(cuts, tiles.Cut{Layer: l.Name, Result: one.Result}), append(names, l.Name)
		}
		if body == nil {
			body = slices.Clip(one.bytes) // others read it: what is appended must not be
			continue
		}
		body = append(body, one.bytes...)
	}
	return drawn{bytes: tiles.AppendTruncated(body, cuts), truncated: strings.Join(names, ", ")}, nil
}

// key is all that a layer of a tile depends on. Borders decide what a viewer sees whose
// rights end at them.
func (t *tileRequest) key(r *request, at int, versions layer.Versions) string {
	l := t.layers[at]
	b := make([]byte, 0, 128)
	for _, n := range []uint32{t.tile.Z, t.tile.Y, t.tile.X} {
		b = append(strconv.AppendUint(b, uint64(n), 10), '/')
	}
	b = append(append(b, l.Name...), ' ')
	b = strconv.AppendInt(b, versions[l.Name], 10)
	if r.viewer.Limited() {
		for _, units := range []string{"provinces", "districts", "communes"} {
			b = strconv.AppendInt(append(b, ','), versions[units], 10)
		}
	}
	b = strconv.AppendQuote(append(b, ' '), r.viewer.Class())
	for _, d := range []geo.Date{t.query.Date, t.query.Span[0], t.query.Span[1]} {
		b = append(b, ' ')
		if !d.IsZero() {
			b = append(b, d.String()...)
		}
	}
	for _, e := range t.query.Equal {
		b = strconv.AppendQuote(append(b, ' '), e.Field)
		b = strconv.AppendQuote(append(b, '='), e.Value)
	}
	if f := t.filters[at]; f != nil {
		b = strconv.AppendQuote(append(b, ' '), f.String())
	}
	return string(b)
}

// drawLayer returns a layer of a tile, from memory if it is there.
func (a *api) drawLayer(ctx context.Context, r *request, t *tileRequest, at int, key string, version int64) (drawn, error) {
	if t.nowhere {
		return drawn{}, nil
	}
	d, there := a.drawn.find(key)
	var err error
	if !there {
		q := t.query
		q.Filter, q.NoOlder = t.filters[at], version
		d, there, err = a.draw(ctx, r, t.layers[at], t.tile, q, key)
	}
	a.drawn.count(r.viewer, 1, there)
	return d, err
}

// draw draws a layer of a tile, and keeps it; who asks for it meanwhile waits for it, and is
// told that it was there.
func (a *api) draw(ctx context.Context, r *request, l *layer.Layer, tile tiles.Tile, q layer.Query, key string) (drawn, bool, error) {
	return a.drawn.get(ctx, key, func(ctx context.Context) (drawn, error) {
		leave, err := a.limits.enterTile(ctx, r.viewer, r.Request)
		if err != nil {
			return drawn{}, err
		}
		defer leave()
		fields := tiles.Fields(l, tile.Z)
		drawing := tiles.NewLayer(l, fields, tile)
		if err := a.Store.TileRows(ctx, r.viewer, l, tile.Box(), q, fields, drawing.Add); err != nil {
			return drawn{}, err
		}
		var d drawn
		d.bytes, d.Result, err = drawing.Append(nil)
		return d, err
	})
}
