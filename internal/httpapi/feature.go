package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"hatang/geo"
	"hatang/internal/formats"
	"hatang/internal/layer"
)

// readFeature reads a Feature and returns all its faults at once, after those found
// before. A whole one must have its geometry and every required property; of another, id
// is the row's that it changes.
func (*api) readFeature(w http.ResponseWriter, r *request, whole bool, id int64, p preferences, faults layer.Faults) (layer.Feature, error) {
	crs := contentCRS(r.Header.Get("Content-Crs"), &faults)
	raw, err := readBody(w, r)
	if err != nil {
		return layer.Feature{}, err
	}
	members, err := objectOf(raw)
	if err != nil {
		return layer.Feature{}, err
	}
	repeated(raw, &faults)
	if !whole {
		changesNoID(r, members, id, &faults)
		if err := mergeable(r, members); err != nil {
			return layer.Feature{}, err
		}
	}
	if raw, err = prepare(members, whole); err != nil {
		return layer.Feature{}, err
	}
	f, found := formats.ReadFeature(raw, r.layer, formats.ReadOptions{System: formats.System{ToWGS84: toWGS84(crs)}, Lenient: p.handling == "lenient", Strict: p.handling == "strict"})
	faults = append(faults, found...)
	g, given := members["geometry"]
	f.NoGeometry = r.layer.MayLackGeometry() && (given && isNull(g) || whole && !given)
	if whole {
		requireAll(r.layer, &f, &faults)
	} else {
		if isNull(g) && !f.NoGeometry {
			faults.Add("/geometry", "không xóa được hình học: mỗi đối tượng phải có một", "the geometry cannot be cleared: a feature has one")
		}
		if isNull(members["properties"]) {
			faults.Add("/properties", "không xóa được mọi thuộc tính cùng một lúc", "the properties cannot be cleared all at once")
		}
	}
	if len(faults) > 0 {
		return layer.Feature{}, faultsProblem(invalidBody, faults)
	}
	return f, nil
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// contentCRS reads Content-Crs, with or without angle brackets.
func contentCRS(header string, faults *layer.Faults) geo.CRS {
	if header == "" {
		return geo.CRS{}
	}
	crs, err := geo.ParseCRS(header)
	if err != nil {
		faults.Add("Content-Crs", "không có hệ tọa độ %q; các hệ có ở mục crs của lớp", "there is no reference system %q; the collection's crs lists them", clip(header))
	}
	return crs
}

// astray is how far from Vietnam a position in one of its reference systems may lie,
// degrees: neighbours are drawn, too, and positions with their axes exchanged are not. What
// is shown in a grid of another province goes back where it came from.
const astray = 3

// writtenIn is where positions of a reference system may lie.
func writtenIn(crs geo.CRS) orb.Bound {
	vietnam, _ := geo.LookupCRS(4756)
	if all := vietnam.AreaOfUse(); crs.Code() != 0 && crs.Code() != layer.SRID && crs.Code() != webMercatorCode {
		return all.Pad(astray)
	}
	return crs.AreaOfUse()
}

// toWGS84 returns how positions of a reference system, in the order of its axes, become
// longitude and latitude on WGS 84; nil where they are that. What is written as it was
// read stays where it is.
func toWGS84(crs geo.CRS) formats.Transform {
	if crs.Code() == 0 {
		return nil
	}
	used := writtenIn(crs)
	return func(x, y float64) (lon, lat float64, err error) {
		at := orb.Point{x, y}
		if crs.LatFirst() {
			at = orb.Point{y, x}
		}
		p, err := placeShownAt(at, crs)
		if err != nil || !used.Contains(p) {
			return 0, 0, layer.Wrong("[%s, %s] nằm ngoài nơi dùng %s: hãy xem thứ tự các trục", "[%s, %s] lies outside the area where %s is used: are the axes in its order?",
				strconv.FormatFloat(x, 'f', -1, 64), strconv.FormatFloat(y, 'f', -1, 64), crs)
		}
		return p[0], p[1], nil
	}
}

// placeShownAt is the longitude and latitude of the place that is shown as the position in a
// reference system, x before y. The shift of datum there and back would miss it by up to
// 2 mm, and again with each edit. Errors are those of CRS.Inverse.
func placeShownAt(at orb.Point, crs geo.CRS) (orb.Point, error) {
	p, err := crs.Inverse(at)
	if err != nil || crs.SRID() == layer.SRID {
		return p, err
	}
	shown, err := crs.Forward(p)
	if err != nil {
		return p, err
	}
	return crs.Inverse(orb.Point{2*at[0] - shown[0], 2*at[1] - shown[1]})
}

// prepare makes the Feature that formats reads: a patch may leave out members that a
// Feature has, and an id stands among the properties where a client's own table has it
// there. Members that a Feature does not have are left aside.
func prepare(members map[string]json.RawMessage, whole bool) (json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, name := range []string{"type", "geometry", "properties"} {
		if value, ok := members[name]; ok {
			out[name] = value
		}
	}
	if _, ok := out["type"]; !ok && !whole {
		out["type"] = json.RawMessage(`"Feature"`)
	}
	if properties, ok := membersOf(out["properties"]); ok {
		delete(properties, layer.IDName)
		var err error
		if out["properties"], err = encode(properties); err != nil {
			return nil, err
		}
	}
	return encode(out)
}

// membersOf returns the members of a value that is an object.
func membersOf(raw json.RawMessage) (members map[string]json.RawMessage, ok bool) {
	return members, raw != nil && json.Unmarshal(raw, &members) == nil && members != nil
}

// changesNoID refuses a merge patch that gives a row another id. In a Feature the id is
// left aside: it says what the address says.
func changesNoID(r *request, members map[string]json.RawMessage, id int64, faults *layer.Faults) {
	if !isType(r.Header.Get("Content-Type"), []string{typeMergePatch}) {
		return
	}
	properties, _ := membersOf(members["properties"])
	for _, of := range []struct {
		at      string
		members map[string]json.RawMessage
	}{{"/id", members}, {"/properties/id", properties}} {
		if value, given := of.members[layer.IDName]; given && strings.Trim(string(value), `"`) != strconv.FormatInt(id, 10) {
			faults.Add(of.at, "không đổi được số hiệu của bản ghi", "the id of a row cannot be changed")
		}
	}
}

// mergeable completes a merge patch by what the row has (RFC 7396): a geometry without a type
// keeps the row's, which is the layer's, and a property cleared that no row has changes
// nothing. A layer of several types of geometry needs to be told which.
func mergeable(r *request, members map[string]json.RawMessage) error {
	if !isType(r.Header.Get("Content-Type"), []string{typeMergePatch}) {
		return nil
	}
	geometry, ok := membersOf(members["geometry"])
	if _, typed := geometry["type"]; ok && !typed && r.layer.Geometry != layer.AnyGeometry {
		geometry["type"] = json.RawMessage(strconv.Quote(string(r.layer.Geometry)))
	}
	properties, _ := membersOf(members["properties"])
	for name, value := range properties {
		if _, known := r.layer.Named(name); !known && isNull(value) && name != layer.IDName {
			delete(properties, name)
		}
	}
	for name, object := range map[string]map[string]json.RawMessage{"geometry": geometry, "properties": properties} {
		if object == nil {
			continue
		}
		raw, err := encode(object)
		if err != nil {
			return err
		}
		members[name] = raw
	}
	return nil
}

// repeated reports names that an object has twice: of two values one would be lost
// without a word. raw is JSON that has been checked.
func repeated(raw json.RawMessage, faults *layer.Faults) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	repeatedIn(decoder, "", faults)
}

func repeatedIn(decoder *json.Decoder, at string, faults *layer.Faults) {
	start, err := decoder.Token()
	if err != nil {
		return // it has been read before
	}
	names := map[string]bool{}
	for i := 0; (start == json.Delim('{') || start == json.Delim('[')) && decoder.More(); i++ {
		below := at + "/" + strconv.Itoa(i)
		if start == json.Delim('{') {
			name, err := decoder.Token()
			if err != nil {
				return
			}
			text, _ := name.(string)
			below = at + "/" + escapePointer(text)
			if names[text] {
				faults.Add(below, "thành phần này có hai lần", "this member is given twice")
			}
			names[text] = true
		}
		repeatedIn(decoder, below, faults)
	}
	if start == json.Delim('{') || start == json.Delim('[') {
		_, _ = decoder.Token() // the end of what began
	}
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
