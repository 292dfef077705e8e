package httpapi

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// readIn is how a layer is read to be shown in a reference system: as it is kept, where it
// is kept in that.
func readIn(l *layer.Layer, crs geo.CRS) *layer.Layer {
	if crs.SRID() == layer.SRID || crs.SRID() != l.StorageSRID() {
		return l
	}
	return l.InStorage()
}

// listFeatures is one page of a layer's features.
func (a *api) listFeatures(w http.ResponseWriter, r *request) error {
	if known, err := a.knownUnread(w, r); known || err != nil {
		return err
	}
	if r.html {
		r.URL.RawQuery = withoutEmpty(r.URL.RawQuery)
	}
	p, faults := parseListing(r.URL.RawQuery, r.layer, a.ReferenceDate(), itemsParameters())
	if err := remembers(r, p.values); err != nil {
		return err
	}
	p.query.KnownAt = a.knownAtIn(p.values, &faults)
	p.readOutput(r, &faults)
	if r.html {
		p.limitPage()
	}
	switch {
	case len(faults) > 0 && r.html:
		return a.refuseItems(w, r, p, faults)
	case len(faults) > 0:
		return faultsProblem(invalidParameter, faults)
	}
	versions, known, err := a.knownAlready(w, r, &p)
	if known || err != nil {
		return err
	}
	p.query.NoOlder = versions[r.layer.Name] // what the ETag says
	return a.inTurn(w, r, &p, func(w http.ResponseWriter) error {
		g := &page{api: a, r: r, p: p, versions: versions, out: a.answerTo(w, r, contentType(&p.format))}
		if r.html {
			return g.writeHTML()
		}
		err := g.write()
		if errors.Is(err, errHeadDone) {
			return nil
		}
		return tooLarge(err, &p.format)
	})
}

// knownUnread is knownAlready before the question is read, of a format that f= does not ask
// for and that is made in no file: the ETag is made of all that the answer depends on, the question as it came among it,
// so that whoever has it was answered this very question. Else it changes nothing; * is of
// a question that may never have been answered.
func (a *api) knownUnread(w http.ResponseWriter, r *request) (bool, error) {
	theirs, format := r.Header.Get("If-None-Match"), negotiated(r.Header.Get("Accept"))
	if theirs == "" || r.html || format.InFile {
		return false, nil
	}
	_, etag, err := a.tagOfList(r, &format)
	return err == nil && strings.Contains(theirs, etag) && cached(w, r, etag), err
}

// knownAlready sets what tells of the answer's version, and reports whether the client
// has it already; then 304 has been sent. It returns the versions that it read.
func (a *api) knownAlready(w http.ResponseWriter, r *request, p *listing) (layer.Versions, bool, error) {
	versions, etag, err := a.tagOfList(r, &p.format)
	if err != nil {
		return nil, false, err
	}
	known := cached
	if p.format.InFile {
		known = cachedFile
	}
	if known(w, r, etag) {
		return versions, true, nil
	}
	w.Header()["Content-Crs"] = contentCRSOf(p.crs)
	return versions, false, nil
}

// tagOfList is the ETag of the features that are asked for in a format, and the versions
// that it read for it.
func (a *api) tagOfList(r *request, format *formats.Format) (layer.Versions, string, error) {
	versions, err := a.Store.LayerVersions(r.Context(), r.viewer)
	if err != nil {
		return nil, "", err
	}
	parts := []string{a.Version, a.base(r), r.URL.Path, strconv.FormatInt(versions[r.layer.Name], 10),
		r.viewer.Class(), a.ReferenceDate().String(), r.URL.RawQuery, format.Name(), r.language()}
	if r.html {
		parts = append(parts, typeHTML, a.Assets.Script, a.Assets.Style)
	}
	return versions, tag(parts...), nil
}

// answerTo is the answer to a request for features.
func (a *api) answerTo(w http.ResponseWriter, r *request, mediaType string) spool {
	return spool{w: w, buf: (*a.hold())[:0], used: &a.heldBefore, head: r.Method == http.MethodHead, mediaType: mediaType, byteRange: rangeOf(r, ""), room: &a.backlogRoom}
}

// rangeOf returns the Range header to heed: none where If-Range names another version than
// the strong ETag. The weak ones of lists, for which "" stands, cannot vouch for single bytes.
func rangeOf(r *request, strong string) string {
	if condition := r.Header.Get("If-Range"); r.Method != http.MethodGet || condition != "" && condition != strong {
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
	writer   formats.Writer
	returned int
	last     string // position of the last feature of a page that is full
	more     bool   // there is a further feature
}

// errPageFull ends the reading at the feature after the page's last.
var errPageFull = errors.New("page full")

// write sends the page. What depends on having read it stands behind the features, in
// GeoJSON, so that they need not be held; in the header of all other formats.
func (g *page) write() (err error) {
	if g.writer, err = g.p.format.New(g.p.sheet); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.writer.Close()) }()
	defer g.out.stop()
	if g.out.buf, err = g.writer.Begin(g.out.buf); err != nil {
		return err
	}
	if err := g.read(g.add); err != nil {
		return err
	}
	if g.out.buf, err = g.writer.End(g.out.buf); err != nil {
		return err
	}
	matched, told, err := g.matched()
	if err != nil {
		return err
	}
	if g.inBody() {
		return g.closeBody(matched, told)
	}
	g.setHeaders(matched, told)
	if f := g.writer.File(); f != nil {
		return g.api.sendNew(g.out.w, g.r, g.out.mediaType, "", f) // a page is soon made again
	}
	return g.out.close()
}

// inBody reports whether the format has room for more than features.
func (g *page) inBody() bool { return g.p.format.MediaType == typeGeoJSON }

// closeBody adds the page's members to the collection and sends the rest.
func (g *page) closeBody(matched int64, told bool) error {
	b := g.out.buf[:len(g.out.buf)-1] // the last brace comes after
	b = append(b, `,"timeStamp":"`...)
	b = g.api.Now().UTC().AppendFormat(b, time.RFC3339)
	b = append(b, '"')
	if told {
		b = append(b, `,"numberMatched":`...)
		b = strconv.AppendInt(b, matched, 10)
	}
	b = append(b, `,"numberReturned":`...)
	b = strconv.AppendInt(b, int64(g.returned), 10)
	b, err := appendLinks(append(b, `,"links":`...), g.links())
	if err != nil {
		return err
	}
	b = append(b, '}')
	g.out.buf = b
	return g.out.close()
}

// setHeaders tells what a page in another format than GeoJSON has no members for.
func (g *page) setHeaders(matched int64, told bool) {
	h := g.out.w.Header()
	h.Set("Content-Disposition", g.p.attachment(g.r.layer))
	if told {
		h.Set("OGC-NumberMatched", strconv.FormatInt(matched, 10))
	}
	h.Set("OGC-NumberReturned", strconv.Itoa(g.returned))
	for _, l := range g.links() {
		h.Add("Link", fmt.Sprintf("<%s>; rel=%q; type=%q", l.Href, l.Rel, l.Type))
	}
}

// read calls each for the features of the page.
func (g *page) read(each func(*layer.Row) error) error {
	if g.p.nowhere || g.p.hits {
		return nil
	}
	q := g.p.query
	q.Limit++ // one more tells whether there is a next page
	err := g.api.Store.Features(g.r.Context(), g.r.viewer, g.r.layer, q, func(row *layer.Row) error {
		// A page whose links stand in the header ends when it is as long as an answer
		// that is complete before its first byte.
		if g.returned == g.p.query.Limit || !g.inBody() && len(g.out.buf) > maxComplete {
			g.more = true
			return errPageFull
		}
		if err := each(row); err != nil {
			return err
		}
		if g.returned++; g.returned == g.p.query.Limit || !g.inBody() { // any row may be the last of such a page
			g.last = positionOf(row, g.p.query.Sort)
		}
		return nil
	})
	if errors.Is(err, errPageFull) {
		return nil
	}
	return err
}

// add appends one feature.
func (g *page) add(row *layer.Row) (err error) {
	if g.out.buf, err = g.writer.Append(g.out.buf, row); err != nil || !g.inBody() {
		return err
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

// links lead to the page in each format, to the collection and to the next page.
func (g *page) links() []link {
	path := "/collections/" + g.r.layer.Name
	links := []link{
		{Href: g.api.href(g.r, path+"/items", g.p.values), Rel: "self", Type: g.r.selfType(g.p.format.MediaType)},
		{Href: g.api.href(g.r, path, nil), Rel: "collection", Type: typeJSON},
	}
	links = append(links, g.api.alternates(g.r, typeGeoJSON)...)
	if g.more {
		next := g.with("after", g.last)
		links = append(links, link{Href: g.api.href(g.r, path+"/items", next), Rel: "next", Type: g.r.selfType(g.p.format.MediaType)})
	}
	for _, f := range formats.Of(g.r.layer) {
		if f.Name() != g.p.format.Name() && (!f.LonLatOnly || g.p.crs.Code() == 0) && !g.p.values.Has("bom") {
			links = append(links, link{Href: g.api.href(g.r, path+"/items", g.with("f", f.Name())), Rel: "alternate", Type: f.MediaType, Title: f.Title})
		}
	}
	return links
}

// with is the query of the page with one parameter set.
func (g *page) with(name, value string) url.Values {
	values := maps.Clone(g.p.values)
	if values == nil {
		values = url.Values{}
	}
	values.Set(name, value)
	return values
}
