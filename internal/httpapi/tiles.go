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

// tileParameters are the parameters of a collection's tiles beside the layer's own fields.
func tileParameters() []string { return []string{"datetime"} }

// tileRequest is what a request for a tile asks.
type tileRequest struct {
	listing
	tile   tiles.Tile
	layers []*layer.Layer
}

// collectionTile is a tile of one layer.
func (a *api) collectionTile(w http.ResponseWriter, r *request) error {
	t, err := a.addressed(r)
	if err != nil {
		return err
	}
	var faults layer.Faults
	known := tileParameters()
	for _, f := range r.layer.Queryables() {
		known = append(known, f.Name)
	}
	t.values = readQuery(r.URL.RawQuery, known, &faults)
	t.readDatetime(&faults)
	t.readEqualities(r.layer, &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	t.layers = []*layer.Layer{r.layer}
	return a.answerTile(w, r, t)
}

// tile is a tile of several layers, all where none are named.
func (a *api) tile(w http.ResponseWriter, r *request) error {
	t, err := a.addressed(r)
	if err != nil {
		return err
	}
	var faults layer.Faults
	t.values = r.values
	t.readDatetime(&faults)
	t.layers = selected(r, &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	return a.answerTile(w, r, t)
}

// addressed reads the address of a tile; 404 for one that the set has not.
func (a *api) addressed(r *request) (tileRequest, error) {
	tile, ok := tiles.Parse(r.param("tileMatrix"), r.param("tileCol"), r.param("tileRow"))
	if !ok {
		return tileRequest{}, problem(notFound, fmt.Sprintf("Không có ô này: mức từ 0 đến %d, hàng và cột từ 0 đến 2^mức - 1.", tiles.MaxZoom),
			fmt.Sprintf("There is no such tile: zooms are 0 to %d, rows and columns 0 to 2^zoom - 1.", tiles.MaxZoom))
	}
	return tileRequest{tile: tile, listing: listing{query: layer.Query{Date: a.ReferenceDate()}}}, nil
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
	for i, l := range t.layers {
		keys[i] = t.key(r, l, versions)
	}
	if cached(w, r, tag(append([]string{a.Version, typeMVT}, keys...)...)) {
		return nil
	}
	var body []byte
	var cuts []tiles.Cut
	var names []string
	for i, l := range t.layers {
		t.query.NoOlder = versions[l.Name]
		drawn, err := a.drawLayer(r, t, l, keys[i])
		if err != nil {
			return changedMeanwhile(l, err)
		}
		if drawn.Truncated {
			cuts, names = append(cuts, tiles.Cut{Layer: l.Name, Result: drawn.Result}), append(names, l.Name)
		}
		if body == nil {
			body = slices.Clip(drawn.bytes) // others read it: what is appended must not be
			continue
		}
		body = append(body, drawn.bytes...)
	}
	body = tiles.AppendTruncated(body, cuts)
	if len(names) > 0 {
		w.Header().Set(truncatedHeader, strings.Join(names, ", "))
	}
	if len(body) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	send(w, r, typeMVT, body)
	return nil
}

// key is all that a layer of a tile depends on. Borders decide what a viewer sees whose
// rights end at them.
func (t *tileRequest) key(r *request, l *layer.Layer, versions layer.Versions) string {
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
	return string(b)
}

// drawLayer returns a layer of a tile, from memory if it is there.
func (a *api) drawLayer(r *request, t tileRequest, l *layer.Layer, key string) (drawnLayer, error) {
	if t.nowhere {
		return drawnLayer{}, nil
	}
	return a.drawn.get(r.Context(), r.viewer, key, func(ctx context.Context) (drawnLayer, error) {
		leave, err := a.limits.enterTile(ctx, r.viewer, r.Request)
		if err != nil {
			return drawnLayer{}, err
		}
		defer leave()
		fields := tiles.Fields(l, t.tile.Z)
		drawing := tiles.NewLayer(l, fields, t.tile)
		if err := a.Store.TileRows(ctx, r.viewer, l, t.tile.Box(), t.query, fields, drawing.Add); err != nil {
			return drawnLayer{}, err
		}
		var drawn drawnLayer
		drawn.bytes, drawn.Result, err = drawing.Append(nil)
		return drawn, err
	})
}
