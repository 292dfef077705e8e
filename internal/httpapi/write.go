package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// firstRevision is that of every new row.
const firstRevision = 1

func (a *api) createFeature(w http.ResponseWriter, r *request) error {
	p := preferencesOf(r.Header)
	f, err := a.readFeature(w, r, true, 0, p, nil)
	if err != nil {
		return err
	}
	id, err := a.Store.CreateFeature(r.Context(), r.viewer, r.layer, f)
	if err != nil {
		return err
	}
	return a.created(w, r, id, p)
}

// replaceFeature takes the place of a row as a whole. With an If-Match there must be one:
// 412, where it would be 404 without (OGC API – Features Part 4).
func (a *api) replaceFeature(w http.ResponseWriter, r *request) error {
	err := a.updateFeature(w, r, true)
	if r.Header.Get("If-Match") != "" && errors.Is(err, layer.ErrNotFound) {
		return layer.ErrStale
	}
	return err
}

// patchFeature changes the properties and the geometry given and no others; null
// clears a property (RFC 7396, whose object here is the Feature).
func (a *api) patchFeature(w http.ResponseWriter, r *request) error {
	return a.updateFeature(w, r, false)
}

// updateFeature corrects a row; with in_force it closes it on that date and opens the
// next one.
func (a *api) updateFeature(w http.ResponseWriter, r *request, whole bool) error {
	id, err := featureID(r)
	if err != nil {
		return err
	}
	if err := a.demandIfMatch(r); err != nil {
		return err
	}
	p := preferencesOf(r.Header)
	var faults layer.Faults
	date := readInForce(r, &faults)
	f, err := a.readFeature(w, r, whole, id, p, faults)
	if err != nil {
		return err
	}
	expected, err := a.expectedRevision(r, id)
	if err != nil {
		return err
	}
	if !date.IsZero() {
		next, err := a.Store.SucceedFeature(r.Context(), r.viewer, r.layer, id, f, expected, whole, date)
		if err != nil {
			return err
		}
		return a.created(w, r, next, p)
	}
	revision, err := a.Store.UpdateFeature(r.Context(), r.viewer, r.layer, id, f, expected, whole)
	if err != nil {
		return err
	}
	return a.written(w, r, http.StatusNoContent, id, revision, p)
}

func (a *api) deleteFeature(w http.ResponseWriter, r *request) error {
	id, err := featureID(r)
	if err != nil {
		return err
	}
	if err := a.demandIfMatch(r); err != nil {
		return err
	}
	expected, err := a.expectedRevision(r, id)
	if err != nil {
		return err
	}
	if err := a.Store.DeleteFeature(r.Context(), r.viewer, r.layer, id, expected); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readInForce reads the date on which a change comes into force; zero for a correction.
func readInForce(r *request, faults *layer.Faults) geo.Date {
	if !r.values.Has("in_force") {
		return geo.Date{}
	}
	date, err := geo.ParseDate(r.values.Get("in_force"))
	if err != nil {
		faults.Add("in_force", "in_force phải là ngày dạng YYYY-MM-DD", "in_force must be a date of the form YYYY-MM-DD")
	}
	return date
}

// demandIfMatch refuses a write without If-Match where the layer asks for it.
func (a *api) demandIfMatch(r *request) error {
	if !slices.Contains(a.RequireIfMatch, r.layer.Name) || r.Header.Get("If-Match") != "" {
		return nil
	}
	return problem(preconditionRequired, "Lớp này chỉ nhận sửa đổi kèm If-Match: hãy đọc bản ghi và gửi lại ETag của nó.",
		"This layer takes changes with If-Match only: read the row and send its ETag back.")
}

// expectedRevision reads If-Match: 0 where any revision will do, else the one the
// row must have; it alone is compared, whoever the tag was made for. A list is compared with the row as it is now, and the store
// compares once more as it writes.
func (a *api) expectedRevision(r *request, id int64) (int64, error) {
	if err := a.refuseMatching(r, id); err != nil {
		return 0, err
	}
	header := strings.Join(r.Header.Values("If-Match"), ",")
	if header == "" || strings.TrimSpace(header) == "*" {
		return 0, nil
	}
	row, err := a.Store.Feature(r.Context(), r.viewer, r.layer, id)
	if err != nil {
		return 0, err
	}
	for _, candidate := range strings.Split(header, ",") {
		if revision, ok := revisionIn(candidate); ok && revision == row.Revision {
			return row.Revision, nil
		}
	}
	return 0, layer.ErrStale
}

// refuseMatching refuses a write whose If-None-Match names the row as it is, or any row
// (RFC 9110 §13.1.2).
func (a *api) refuseMatching(r *request, id int64) error {
	header := strings.Join(r.Header.Values("If-None-Match"), ",")
	if header == "" {
		return nil
	}
	row, err := a.Store.Feature(r.Context(), r.viewer, r.layer, id)
	if errors.Is(err, layer.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if revision, ok := revisionIn(strings.TrimPrefix(candidate, "W/")); candidate == "*" || ok && revision == row.Revision {
			return problem(preconditionFail, "Bản ghi đã có như If-None-Match nêu.", "The row is there as If-None-Match names it.")
		}
	}
	return nil
}

// created answers with the address of a new row.
func (a *api) created(w http.ResponseWriter, r *request, id int64, p preferences) error {
	w.Header().Set("Location", a.href(r, "/collections/"+r.layer.Name+"/items/"+strconv.FormatInt(id, 10), nil))
	return a.written(w, r, http.StatusCreated, id, firstRevision, p)
}

// written answers that a row was written, with the row where the client prefers that.
func (a *api) written(w http.ResponseWriter, r *request, status int, id, revision int64, p preferences) error {
	h := w.Header()
	h["Cache-Control"] = noStore
	h.Set("ETag", rowTag(revision))
	if p.returns == "representation" {
		row, err := a.Store.Feature(r.Context(), r.viewer, r.layer, id)
		var body []byte
		if err == nil {
			body, err = formats.AppendFeature(nil, r.layer, row, formats.GeoJSONOptions{})
		}
		if err == nil {
			p.applied(w)
			h.Set("ETag", shownTag(r.layer, row))
			h.Set("Content-Crs", "<"+geo.CRS{}.URI()+">")
			if status == http.StatusNoContent {
				status = http.StatusOK
			}
			sendStatus(w, r, status, typeGeoJSON, body)
			return nil
		}
		p.returns = "" // what was written stands, though it cannot be shown
	}
	p.applied(w)
	if status == http.StatusCreated {
		h.Set("Content-Length", "0")
	}
	w.WriteHeader(status)
	return nil
}
