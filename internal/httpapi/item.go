package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hatang/internal/formats"
	"hatang/internal/layer"
	"hatang/internal/permit"
)

// relDecisions leads from a feature to the decisions by which it is here.
const relDecisions = "decisions"

// featureID reads the id of the path; what is no row's id is not found.
func featureID(r *request) (int64, error) {
	id, err := strconv.ParseInt(r.param("featureId"), 10, 64)
	if err != nil || id < 1 {
		return 0, problem(notFound, "Không có đối tượng này: id là số nguyên dương.", "There is no such feature: an id is a positive integer.")
	}
	return id, nil
}

// rowTag is the strong ETag of a revision of a row, as If-Match takes it.
func rowTag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// shownTag is the ETag of a row as it is shown: its revision and, where that is not what
// everybody is shown, more. What a browser has from before somebody signed in, or a
// cache from before settings of publication, is good no more.
func shownTag(l *layer.Layer, row *layer.Row) string {
	tag := strconv.FormatInt(row.Revision, 10)
	for i, f := range l.Properties() {
		if f.Confidential && row.Values[i] != nil {
			tag += "-confidential"
			break
		}
	}
	if row.ShownAs != 0 {
		tag += "-" + strconv.FormatInt(row.ShownAs, 10)
	}
	return `"` + tag + `"`
}

// revisionIn is the revision that a tag of a row tells, false for a tag of something else.
func revisionIn(tag string) (int64, bool) {
	tag = strings.TrimSpace(tag)
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, false
	}
	digits, _, _ := strings.Cut(tag[1:len(tag)-1], "-")
	revision, err := strconv.ParseInt(digits, 10, 64)
	return revision, err == nil
}

// namesTag compares an If-Match header with a strong ETag (RFC 9110 §13.1.1).
func namesTag(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if candidate = strings.TrimSpace(candidate); candidate == "*" || candidate == etag {
			return true
		}
	}
	return false
}

// getFeature is one row, whatever its dates, with links to the other versions.
func (a *api) getFeature(w http.ResponseWriter, r *request) error {
	id, err := featureID(r)
	if err != nil {
		return err
	}
	if err := remembers(r, r.values); err != nil {
		return err
	}
	var faults layer.Faults
	at := a.knownAtIn(r.values, &faults)
	crs := parseCRS(r.values, "crs", &faults)
	fields, noGeometry := parseProperties(r.values, r.layer, &faults)
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	r.layer = readIn(r.layer, crs)
	var row *layer.Row
	var versions []int64
	var etag string
	if !at.IsZero() {
		row, etag, err = a.featureKnown(r, id, at)
	} else if row, versions, err = a.Store.FeatureAmongVersions(r.Context(), r.viewer, r.layer, id); err == nil {
		etag = shownTag(r.layer, row)
	}
	if err != nil {
		return err
	}
	if header := r.Header.Get("If-Match"); header != "" && !namesTag(header, etag) {
		return layer.ErrStale
	}
	// The tag of a page is made of the page: it shows more than the row.
	if !r.html && cached(w, r, etag) {
		return nil
	}
	w.Header()["Content-Crs"] = contentCRSOf(crs)
	links, err := a.itemLinks(r, row, versions, at)
	if err != nil {
		return err
	}
	narrow(row, r.layer, fields, noGeometry)
	sheet := formats.Sheet{Layer: r.layer.Narrowed(fields), CRS: crs}
	held := a.hold()
	defer a.heldBefore.Put(held)
	body, err := formats.AppendFeature((*held)[:0], sheet.Layer, row, sheet.GeoJSON())
	if err != nil {
		return err
	}
	if r.html {
		return a.answerItemHTML(w, r, body, links)
	}
	// The links become the last member of the Feature object.
	if body, err = appendLinks(append(body[:len(body)-1], `,"links":`...), links); err != nil {
		return err
	}
	body = append(body, '}')
	send(w, r, typeGeoJSON, body)
	if cap(body) <= maxComplete {
		*held = body
	}
	return nil
}

// usualLinks is how many links a row has, or a few less.
const usualLinks = 8

// itemLinks are the links of a row, as it is or as it was known at a time; this has none to
// its versions, which are those of today.
func (a *api) itemLinks(r *request, row *layer.Row, versions []int64, at time.Time) ([]link, error) {
	path, id := "/collections/"+r.layer.Name, strconv.FormatInt(row.ID, 10)
	links := append(make([]link, 0, usualLinks),
		link{Href: a.href(r, path+"/items/"+id, r.values), Rel: "self", Type: r.selfType(typeGeoJSON)},
		link{Href: a.href(r, path, nil), Rel: "collection", Type: typeJSON})
	links = append(links, a.alternates(r, typeGeoJSON)...)
	if at.IsZero() {
		kin, err := a.kinLinks(r, row)
		if err != nil {
			return nil, err
		}
		links = append(append(links, a.versionLinks(r, row.ID, versions)...), kin...)
	}
	of := "?collection=" + r.layer.Name + "&feature=" + id // neither has anything to escape
	if slices.Contains(permit.FiledLayers(), r.layer.Name) {
		links = append(links, link{Href: a.href(r, "/decisions", nil) + of, Rel: relDecisions, Type: typeJSON})
	}
	if !r.viewer.Past(r.layer.Name).None() {
		links = append(links, link{Href: a.href(r, "/changes", nil) + of, Rel: "version-history", Type: typeJSON})
	}
	return links, nil
}

// versionLinks links to the rows of the same code before, after and last in valid
// time (RFC 5829).
func (a *api) versionLinks(r *request, id int64, versions []int64) []link {
	here := slices.Index(versions, id)
	if here < 0 {
		return nil
	}
	to := func(i int, rel string) link {
		path := "/collections/" + r.layer.Name + "/items/" + strconv.FormatInt(versions[i], 10)
		return link{Href: a.href(r, path, nil), Rel: rel, Type: typeGeoJSON}
	}
	var links []link
	if here > 0 {
		links = append(links, to(here-1, "predecessor-version"))
	}
	if here < len(versions)-1 {
		links = append(links, to(here+1, "successor-version"))
	}
	return append(links, to(len(versions)-1, "latest-version"))
}
