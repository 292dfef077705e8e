package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// Decimals of coordinates: a centimetre in degrees, a millimetre in metres.
const (
	decimalsDegrees = 7
	decimalsMetres  = 3
)

// formatFor says how coordinates are written in a reference system, in the order
// of its axes.
func formatFor(crs geo.CRS) formats.GeoJSONOptions {
	f := formats.GeoJSONOptions{Decimals: decimalsDegrees}
	if crs.Projected() {
		f.Decimals = decimalsMetres
	}
	if crs.Code() == 0 {
		return f
	}
	f.Transform = func(lon, lat float64) (float64, float64, error) {
		p, err := crs.Forward([2]float64{lon, lat})
		if crs.LatFirst() {
			return p[1], p[0], err
		}
		return p[0], p[1], err
	}
	return f
}

// listFeatures is one page of a layer's features.
func (a *api) listFeatures(w http.ResponseWriter, r *request) error {
	date := a.ReferenceDate()
	p, faults := parseListing(r.URL.RawQuery, r.layer, date)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Crs", "<"+p.crs.URI()+">")
	etag := tag(a.Version, a.base(r), r.layer.Name, strconv.FormatInt(versions[r.layer.Name], 10),
		r.viewer.Class(), date.String(), p.values.Encode())
	if cached(w, r, etag) {
		return nil
	}
	page := &page{api: a, r: r, p: p, versions: versions, format: formatFor(p.crs),
		out: spool{w: w, head: r.Method == http.MethodHead, mediaType: typeGeoJSON, byteRange: rangeOf(r)}}
	page.format.Fields = p.query.Fields
	err = page.write()
	if errors.Is(err, errHeadDone) {
		return nil
	}
	return err
}

// rangeOf returns the Range header to heed: none where If-Range names a version,
// because the ETags of lists are weak and cannot vouch for single bytes.
func rangeOf(r *request) string {
	if r.Method != http.MethodGet || r.Header.Get("If-Range") != "" {
		return ""
	}
	return r.Header.Get("Range")
}

// page is one answer of items on its way.
type page struct {
	api      *api
	r        *request
	p        listing
	versions layer.Versions // read before the rows
	out      spool
	format   formats.GeoJSONOptions
	returned int
	last     string // position of the last feature of a full page
	more     bool   // there is a further feature
}

// errPageFull ends the reading at the feature after the page's last.
var errPageFull = errors.New("page full")

// write sends the collection. What depends on having read the page stands behind
// the features, so that they need not be held.
func (g *page) write() error {
	g.out.buf = append(g.out.buf, `{"type":"FeatureCollection","timeStamp":"`...)
	g.out.buf = g.api.Now().UTC().AppendFormat(g.out.buf, time.RFC3339)
	g.out.buf = append(g.out.buf, `","features":[`...)
	if !g.p.nowhere && !g.p.hits {
		q := g.p.query
		q.Limit++ // one more tells whether there is a next page
		err := g.api.Store.Features(g.r.Context(), g.r.viewer, g.r.layer, q, g.add)
		if err != nil && !errors.Is(err, errPageFull) {
			return err
		}
	}
	b := append(g.out.buf, ']', ',')
	matched, told, err := g.matched()
	if err != nil {
		return err
	}
	if told {
		b = append(b, `"numberMatched":`...)
		b = append(strconv.AppendInt(b, matched, 10), ',')
	}
	links, err := encode(g.links())
	if err != nil {
		return err
	}
	b = append(b, `"numberReturned":`...)
	b = strconv.AppendInt(b, int64(g.returned), 10)
	b = append(b, `,"links":`...)
	g.out.buf = append(append(b, links...), '}')
	return g.out.close()
}

// add appends one feature.
func (g *page) add(row *layer.Row) error {
	if g.returned == g.p.query.Limit {
		g.more = true
		return errPageFull
	}
	if g.returned > 0 {
		g.out.buf = append(g.out.buf, ',')
	}
	b, err := formats.AppendFeature(g.out.buf, g.r.layer, row, g.format)
	if err != nil {
		return err
	}
	g.out.buf = b
	if g.returned++; g.returned == g.p.query.Limit {
		g.last = positionOf(row, g.p.query.Sort)
	}
	return g.out.settle()
}

// matched is how many features the request selects on all its pages; false where that
// is not told.
func (g *page) matched() (int64, bool, error) {
	onePage := g.p.query.After == 0 && !g.more && !g.p.hits
	if onePage || g.p.nowhere {
		return int64(g.returned), true, nil
	}
	return g.api.matched(g.r, g.p, g.versions)
}

func (g *page) links() []link {
	path := "/collections/" + g.r.layer.Name
	links := []link{
		{Href: g.api.href(g.r, path+"/items", g.p.values), Rel: "self", Type: typeGeoJSON},
		{Href: g.api.href(g.r, path, nil), Rel: "collection", Type: typeJSON},
	}
	if !g.more {
		return links
	}
	next := url.Values{}
	for name, values := range g.p.values {
		next[name] = values
	}
	next.Set("after", g.last)
	return append(links, link{Href: g.api.href(g.r, path+"/items", next), Rel: "next", Type: typeGeoJSON})
}
