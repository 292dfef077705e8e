package papers

import (
	"encoding/json"
	"time"

	"hatang/geo"
	"hatang/internal/layer"
	"hatang/internal/permit"
	"hatang/internal/plan"
)

// Setting is what a paper is set with, beside what it is about.
type Setting struct {
	Language string
	Heading  plan.Heading
	Layers   func(name string) (*layer.Layer, bool)
	// Organisations are the names of organisations by code; Units those of administrative
	// units by layer and code, as "communes/03136". Who lacks one is called by the code.
	Organisations map[string]geo.Text
	Units         map[string]string
	// Root is the address of the API, without a slash at its end.
	Root string
	Map  *Map // nil for none
}

// Grid is the reference system that people use where the heading is from; the zero one where
// it names none.
func Grid(h plan.Heading) geo.CRS {
	grid, _ := geo.LookupCRS(h.Grid)
	return grid
}

func (s *Setting) say(key string, args ...any) string { return say(s.Language, key, args...) }

// paper begins one, numbered, of a day.
func (s *Setting) paper(key, plain string, on geo.Date) *Paper {
	h := &s.Heading
	return &Paper{
		Language: s.Language, Title: s.say(key), Number: s.say("number", plain), Dated: dated(s.Language, h.Place.In(s.Language), on),
		Head: Head{Above: h.Above.In(s.Language), Agency: h.Agency.In(s.Language), State: h.State.In(s.Language), Motto: h.Motto.In(s.Language)},
		Seal: Seal{Title: s.say("seal"), Signer: s.say("signer"), Hint: s.say("signer_hint")},
	}
}

// zone is the time zone of days and times on papers.
func (s *Setting) zone() *time.Location {
	name := s.Heading.Zone
	if name == "" {
		name = permit.DefaultZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil { // the database knows it, this program does not
		return time.UTC
	}
	return zone
}

// mapSection is the part with the map; none where there is no map.
func (s *Setting) mapSection(on geo.Date, rounded bool) []Section {
	if s.Map == nil {
		return nil
	}
	m := *s.Map
	m.Title, m.North = s.say("map_title"), s.say("north")
	grid := s.say("map_plane")
	if m.Frame.grid.Projected() {
		grid = s.say("map_grid", m.Frame.grid.Name()+" ("+m.Frame.grid.String()+")")
	}
	m.Captions = []string{s.say("map_now", date(s.Language, on), grid)}
	if rounded {
		m.Captions = append(m.Captions, s.say("map_rounded"))
	}
	return []Section{{Title: s.say("map"), Map: &m}}
}

// organisation is the name of one, with its code.
func (s *Setting) organisation(code string) string {
	name, ok := s.Organisations[code]
	if !ok || name.In(s.Language) == code {
		return code
	}
	return name.In(s.Language) + " (" + code + ")"
}

// unit is the name of an administrative unit.
func (s *Setting) unit(layerName, code string) string {
	if name, ok := s.Units[layerName+"/"+code]; ok {
		return name
	}
	return code
}

// layerTitle is what a layer is called.
func (s *Setting) layerTitle(name string) string {
	if l, ok := s.Layers(name); ok {
		return l.Title.In(s.Language)
	}
	return name
}

// field is a member of a question as people read it, called and written as a layer's field is.
func (s *Setting) field(layerName, name string, raw json.RawMessage) (Fact, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return Fact{}, false
	}
	fact := Fact{name, string(raw)}
	if _, ok := texts[name]; ok {
		fact.Name = s.say(name)
	}
	if l, ok := s.Layers(layerName); ok {
		if f, ok := l.Field(name); ok {
			fact.Name = f.Title.In(s.Language)
			fact.Value = fieldValue(f, s.Language, raw)
			return fact, true
		}
	}
	fact.Value = plainValue(s.Language, raw)
	return fact, true
}

// fieldValue is a value as its field has it: the title of an allowed one.
func fieldValue(f *layer.Field, language string, raw json.RawMessage) string {
	return valueTitle(f, language, plainValue(language, raw))
}

// valueTitle is the title of an allowed value; others are returned as they are.
func valueTitle(f *layer.Field, language, plain string) string {
	for i := range f.Values {
		if f.Values[i].Code == plain {
			return f.Values[i].Title.In(language)
		}
	}
	return plain
}

// plainValue writes a value in JSON; words of the catalogue in the language.
func plainValue(language string, raw json.RawMessage) string {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return string(raw)
	}
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return say(language, map[bool]string{true: "true", false: "false"}[v])
	case float64:
		return number(language, v, 3)
	}
	return string(raw)
}
