package permit

import (
	"bytes"
	"encoding/json"

	"hatang/geo"
	"hatang/internal/layer"
)

// feature is what a row in GeoJSON holds beside its proposal.
type feature struct {
	id       []byte   // its JSON; nil: none
	geometry []byte   // its JSON; nil unless it is a point that was read
	kept     [][]byte // its properties, each with its name
}

// features reads rows that are Features. Their point is the place; the properties
// that are named as in the API are the rest of the proposal; other properties are
// kept and not judged, lon, lat, crs, x and y among them. A third ordinate is not
// used.
type features struct {
	crs     *geo.CRS // nil: WGS 84, as GeoJSON has it
	ignored map[string]bool
}

func (fs *features) read(r *row, onDate geo.Date) {
	r.feature.forget()
	r.moved = fs.crs != nil
	if fs.readFast(r, onDate) {
		return
	}
	r.feature.forget()
	fs.readStrictly(r, onDate)
	if len(r.faults) > 0 {
		r.feature.geometry = nil
	}
}

func (f *feature) forget() { f.id, f.geometry, f.kept = nil, nil, f.kept[:0] }

// readFast takes a Feature that is well formed and complete.
func (fs *features) readFast(r *row, onDate geo.Date) bool {
	r.start(onDate)
	s := scanner{text: r.text}
	var isFeature, hasPoint, hasProperties bool
	done := s.object(func(name []byte) bool {
		ok := false
		switch string(name) {
		case "type":
			var kind []byte
			kind, ok = s.plain()
			ok = ok && !isFeature && string(kind) == "Feature"
			isFeature = true
		case "id":
			r.feature.id, ok = s.value()
			ok = ok && isScalar(r.feature.id)
		case "geometry":
			ok = !hasPoint && fs.readPoint(r, &s)
			hasPoint = true
		case "properties":
			ok = !hasProperties && fs.readProperties(r, &s)
			hasProperties = true
		default:
			_, ok = s.value()
		}
		return ok
	})
	return done && isFeature && hasPoint && hasProperties && s.atEnd() && r.finish()
}

func isScalar(value []byte) bool {
	return len(value) > 0 && (value[0] == '"' || value[0] == '-' || isDigit(value[0]))
}

// readPoint reads a geometry, which must be a point.
func (fs *features) readPoint(r *row, s *scanner) bool {
	s.space()
	from := s.at
	var isPoint, placed bool
	done := s.object(func(name []byte) bool {
		ok := false
		switch string(name) {
		case "type":
			var kind []byte
			kind, ok = s.plain()
			isPoint = ok && string(kind) == "Point"
			ok = isPoint
		case "coordinates":
			placed = !placed && fs.readPosition(r, s)
			ok = placed
		default:
			_, ok = s.value()
		}
		return ok
	})
	r.feature.geometry = s.text[from:s.at]
	return done && isPoint && placed
}

// readPosition reads two or three numbers.
func (fs *features) readPosition(r *row, s *scanner) bool {
	first := lon
	if fs.crs != nil {
		first = x
		r.given[crsName], r.crs = true, *fs.crs
		r.lastCRS = ""
	}
	if !s.take('[') {
		return false
	}
	for i := range member(3) {
		value, ok := s.number()
		if !ok {
			return false
		}
		if i < 2 {
			r.setNumber(first+i, value)
		}
		if i > 0 && s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
	return false
}

func (fs *features) readProperties(r *row, s *scanner) bool {
	var seen [members]bool
	return s.object(func(name []byte) bool {
		from, m, ok := s.nameAt, memberOf(name), false
		if m == foreign || m.isPlace() {
			fs.note(name)
			_, ok = s.value()
		} else {
			ok = !seen[m] && r.readMember(s, m)
			seen[m] = true
		}
		r.feature.keep(name, s.text[from:s.at])
		return ok
	})
}

// keep keeps a property for the answer, unless the answer has one of that name.
func (f *feature) keep(name, both []byte) {
	if !isResultName(string(name)) {
		f.kept = append(f.kept, both)
	}
}

// maxIgnored is how many names that are not judged are remembered.
const maxIgnored = 100

func (fs *features) note(name []byte) {
	if string(name) == "id" || string(name) == "code" || fs.ignored[string(name)] || len(fs.ignored) >= maxIgnored {
		return
	}
	fs.ignored[string(name)] = true
}

// readStrictly reads any text and says everything that is wrong with it.
func (fs *features) readStrictly(r *row, onDate geo.Date) {
	var members, properties map[string]json.RawMessage
	if !json.Valid(r.text) {
		r.faults.Add("", "không phải JSON đúng", "is not valid JSON")
		return
	}
	if err := json.Unmarshal(r.text, &members); err != nil || string(members["type"]) != `"Feature"` {
		r.faults.Add("", "phải là một đối tượng có type là \"Feature\"", "must be an object of type \"Feature\"")
		return
	}
	if isScalar(members["id"]) {
		r.feature.id = members["id"]
	}
	if raw := members["properties"]; raw != nil && json.Unmarshal(raw, &properties) != nil {
		r.faults.Add("/properties", "phải là một đối tượng", "must be an object")
	}
	proposal := map[string]json.RawMessage{}
	for name, value := range properties {
		if m := memberOf([]byte(name)); m != foreign && !m.isPlace() {
			proposal[name] = value
		}
	}
	fs.pointOf(r, members["geometry"], proposal)
	raw, err := json.Marshal(proposal)
	if err != nil {
		r.faults.AddError("", err)
		return
	}
	r.judgeStrictly(raw, onDate, placeInFeature)
	fs.keepAll(r)
}

// placeInFeature says where a fault of a proposal stands in a Feature.
func placeInFeature(at string) string {
	switch at {
	case "/lon", "/x":
		return "/geometry/coordinates/0"
	case "/lat", "/y":
		return "/geometry/coordinates/1"
	case "/crs", "":
		return "/geometry"
	}
	return "/properties" + at
}

// pointOf puts the point of a geometry into a proposal; where there is none, any
// point, so that its lack is told once.
func (fs *features) pointOf(r *row, raw json.RawMessage, proposal map[string]json.RawMessage) {
	first, second := "lon", "lat"
	if fs.crs != nil {
		first, second = "x", "y"
		proposal["crs"] = json.RawMessage(`"` + fs.crs.String() + `"`)
	}
	position, faults := readPoint(raw)
	r.faults = append(r.faults, faults...)
	if len(faults) > 0 {
		proposal["lon"], proposal["lat"] = json.RawMessage("0"), json.RawMessage("0")
		delete(proposal, "crs")
		return
	}
	proposal[first], proposal[second] = position[0], position[1]
	r.feature.geometry = raw
}

func readPoint(raw json.RawMessage) (position []json.RawMessage, faults layer.Faults) {
	var g map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &g) != nil || g == nil {
		faults.Add("/geometry", "phải có một điểm", "must be a point")
		return nil, faults
	}
	if string(g["type"]) != `"Point"` {
		faults.Add("/geometry/type", "phải là \"Point\"", "must be \"Point\"")
		return nil, faults
	}
	if json.Unmarshal(g["coordinates"], &position) != nil || len(position) < 2 || len(position) > 3 || !allNumbers(position) {
		faults.Add("/geometry/coordinates", "phải là hai hoặc ba số", "must be two or three numbers")
	}
	return position, faults
}

func allNumbers(list []json.RawMessage) bool {
	for _, raw := range list {
		if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '-' && !isDigit(trimmed[0]) {
			return false
		}
	}
	return true
}

// keepAll keeps the properties of a text that is known to be JSON.
func (fs *features) keepAll(r *row) {
	s := scanner{text: r.text, anyKey: true}
	s.object(func(name []byte) bool {
		if string(name) != "properties" || s.peeks('n') {
			_, ok := s.value()
			return ok
		}
		r.feature.kept = r.feature.kept[:0]
		return s.object(func(name []byte) bool {
			from := s.nameAt
			_, ok := s.value()
			if m := memberOf(name); m == foreign || m.isPlace() {
				fs.note(name)
			}
			r.feature.keep(name, s.text[from:s.at])
			return ok
		})
	})
}
