package httpapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

func (a *api) createFeature(w http.ResponseWriter, r *request) error {
	f, err := a.readFeature(w, r, true)
	if err != nil {
		return err
	}
	id, err := a.Store.CreateFeature(r.Context(), r.viewer, r.layer, f)
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.href(r, "/collections/"+r.layer.Name+"/items/"+strconv.FormatInt(id, 10), nil))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (a *api) replaceFeature(w http.ResponseWriter, r *request) error {
	return a.updateFeature(w, r, true)
}

// patchFeature changes the properties and the geometry given and no others; null
// clears a property (RFC 7396, whose object here is the Feature).
func (a *api) patchFeature(w http.ResponseWriter, r *request) error {
	return a.updateFeature(w, r, false)
}

func (a *api) updateFeature(w http.ResponseWriter, r *request, whole bool) error {
	id, err := featureID(r)
	if err != nil {
		return err
	}
	f, err := a.readFeature(w, r, whole)
	if err != nil {
		return err
	}
	expected, err := a.expectedRevision(r, id)
	if err != nil {
		return err
	}
	revision, err := a.Store.UpdateFeature(r.Context(), r.viewer, r.layer, id, f, expected, whole)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", rowTag(revision))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) deleteFeature(w http.ResponseWriter, r *request) error {
	id, err := featureID(r)
	if err != nil {
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

// expectedRevision reads If-Match: 0 where any revision will do, else the one the
// row must have; it alone is compared, whoever the tag was made for. A list is compared with the row as it is now, and the store
// compares once more as it writes.
func (a *api) expectedRevision(r *request, id int64) (int64, error) {
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

// readFeature reads a Feature and returns all its faults at once. A whole one
// must have its geometry and every required property.
func (*api) readFeature(w http.ResponseWriter, r *request, whole bool) (layer.Feature, error) {
	var faults layer.Faults
	latFirst := contentCRS(r.Header.Get("Content-Crs"), &faults)
	raw, err := readBody(w, r)
	if err != nil {
		return layer.Feature{}, err
	}
	members, err := objectOf(raw)
	if err != nil {
		return layer.Feature{}, err
	}
	if raw, err = prepare(members, whole, latFirst); err != nil {
		return layer.Feature{}, err
	}
	f, found := formats.ReadFeature(raw, r.layer)
	faults = append(faults, found...)
	if whole {
		requireAll(r.layer, &f, &faults)
	} else if g, ok := members["geometry"]; ok && isNull(g) {
		faults.Add("/geometry", "không xóa được hình học: mỗi đối tượng phải có một", "the geometry cannot be cleared: a feature has one")
	}
	if len(faults) > 0 {
		return layer.Feature{}, faultsProblem(invalidBody, faults)
	}
	return f, nil
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// contentCRS reads Content-Crs, with or without angle brackets, and reports
// whether latitude comes first. Features are written in WGS 84 only.
func contentCRS(header string, faults *layer.Faults) bool {
	if header == "" {
		return false
	}
	crs, err := geo.ParseCRS(header)
	if err != nil || crs.Code() != 0 && crs.Code() != layer.SRID {
		faults.Add("Content-Crs", "chỉ ghi được tọa độ WGS 84: %s hoặc EPSG:4326", "features are written in WGS 84 only: %s or EPSG:4326", geo.CRS{}.URI())
	}
	return crs.LatFirst()
}

// prepare makes the Feature that formats reads: a patch may leave out members
// that a Feature has, and EPSG:4326 puts latitude first where GeoJSON has longitude.
func prepare(members map[string]json.RawMessage, whole, latFirst bool) (json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(members)+2)
	for name, value := range members {
		out[name] = value
	}
	if _, ok := out["type"]; !ok && !whole {
		out["type"] = json.RawMessage(`"Feature"`)
	}
	if _, ok := out["properties"]; !ok && !whole {
		out["properties"] = json.RawMessage(`{}`)
	}
	if latFirst {
		out["geometry"] = swapGeometry(out["geometry"])
	}
	return encode(out)
}

// swapGeometry exchanges the first two ordinates of every position. What is no
// geometry stays as it is: reading says what is wrong with it.
func swapGeometry(raw json.RawMessage) json.RawMessage {
	var geometry map[string]json.RawMessage
	if json.Unmarshal(raw, &geometry) != nil || geometry == nil {
		return raw
	}
	geometry["coordinates"] = swapPositions(geometry["coordinates"])
	swapped, err := json.Marshal(geometry)
	if err != nil {
		return raw
	}
	return swapped
}

func swapPositions(raw json.RawMessage) json.RawMessage {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || parts == nil {
		return raw
	}
	if len(parts) >= 2 && !strings.HasPrefix(string(parts[0]), "[") {
		parts[0], parts[1] = parts[1], parts[0]
	} else {
		for i := range parts {
			parts[i] = swapPositions(parts[i])
		}
	}
	swapped, err := json.Marshal(parts)
	if err != nil {
		return raw
	}
	return swapped
}

// requireAll reports what a whole feature lacks, where nothing else is wrong with
// the place already.
func requireAll(l *layer.Layer, f *layer.Feature, faults *layer.Faults) {
	read := *faults
	for _, lack := range l.CheckNew(*f) {
		within := func(fault layer.Fault) bool { return fault.At == lack.At || strings.HasPrefix(fault.At, lack.At+"/") }
		if !slices.ContainsFunc(read, within) {
			*faults = append(*faults, lack)
		}
	}
}
