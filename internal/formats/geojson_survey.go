package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"hatang/internal/layer"
)

// SurveyGeoJSON reads a file of features once, to its end, and returns what it holds. Of
// the column named key, or else of one whose name amounts to "code", it is found out
// whether its values are different. A feature that cannot be read counts and says nothing;
// whoever reads the file next is told. Errors are those of ReadGeoJSON. Memory: as there,
// and the hashes of ids and keys.
func SurveyGeoJSON(in io.Reader, key string) (Survey, error) {
	g := geoJSONSurvey{key: key, at: map[string]*tally{}, shapes: shapeCounts{}, ids: newKeys()}
	rest, err := readGeoJSON(in, MaxFeatureBytes, func(crs string) error {
		g.survey.CRS = crs
		return nil
	}, g.feature)
	if err != nil {
		return Survey{}, err
	}
	s := g.survey
	for _, t := range g.columns {
		t.seen[isNull] += s.Features - t.total
		t.total = s.Features
		s.Columns = append(s.Columns, t.column(s.Features))
	}
	s.Geometry = g.shapes.common()
	s.IDs = g.ids.all(s.Features)
	// A collection's name is no part of the standard, but programs write it.
	if json.Unmarshal(rest["name"], &s.Title) != nil {
		s.Title = ""
	}
	return s, nil
}

// geoJSONSurvey is a survey under way.
type geoJSONSurvey struct {
	survey  Survey
	key     string
	columns []*tally
	at      map[string]*tally
	shapes  shapeCounts
	ids     *keys
}

func (g *geoJSONSurvey) feature(raw []byte) error {
	g.survey.Features++
	var f struct {
		ID         json.RawMessage
		Geometry   json.RawMessage
		Properties Members
	}
	if json.Unmarshal(raw, &f) != nil {
		return nil //nolint:nilerr // it is no feature: whoever reads the file says so
	}
	if id := idText(f.ID); id != "" {
		g.ids.add(id)
	}
	var shape struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if json.Unmarshal(f.Geometry, &shape) == nil && shape.Type != "" {
		g.shapes[shape.Type]++
		g.survey.Heights = g.survey.Heights || ordinates(shape.Coordinates) > 2
	}
	for _, m := range f.Properties {
		if t := g.tally(m.Name); t != nil {
			t.add(ofJSON(m.Value))
		}
	}
	return nil
}

// Bounds of what is remembered of columns: far more than a layer may have.
const (
	mostColumns     = 1000
	mostColumnBytes = 200
)

// columnName reports whether a column of the name can become a field.
func columnName(name string) bool {
	return len(name) <= mostColumnBytes && strings.TrimSpace(name) != "" && layer.PlainText(name)
}

// tally counts a column; nil for one that is not counted, being one too many or having a
// name that none can have.
func (g *geoJSONSurvey) tally(name string) *tally {
	t, ok := g.at[name]
	if ok || len(g.at) >= mostColumns {
		return t
	}
	if !columnName(name) {
		g.survey.NotTaken = addOnce(g.survey.NotTaken, strings.ToValidUTF8(cut(name, mostColumnBytes), "\uFFFD"))
		return nil
	}
	t = &tally{name: name}
	if name == g.key || g.key == "" && layer.NormaliseName(name) == "code" {
		t.keys = newKeys()
	}
	g.at[name] = t
	g.columns = append(g.columns, t)
	return t
}

// ofJSON says what a JSON value is, and how it is told from others.
func ofJSON(raw json.RawMessage) (int, string) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return isOther, ""
	}
	switch v := value.(type) {
	case nil:
		return isNull, ""
	case bool:
		return isBoolean, string(raw)
	case json.Number:
		return ofNumber(v), v.String()
	case string:
		return ofText(v), v
	case []any:
		for _, item := range v {
			if _, ok := item.(string); !ok {
				return isOther, string(raw)
			}
		}
		return isList, string(raw)
	}
	return isOther, string(raw)
}

// ordinates is how many numbers the first position has.
func ordinates(coordinates []byte) int {
	start := bytes.IndexFunc(coordinates, func(r rune) bool { return r != '[' && r != ' ' && r != '\n' && r != '\t' && r != '\r' })
	if start < 0 {
		return 0
	}
	first, _, _ := bytes.Cut(coordinates[start:], []byte("]"))
	if len(bytes.TrimSpace(first)) == 0 {
		return 0
	}
	return bytes.Count(first, []byte(",")) + 1
}

// Members are the members of a JSON object in the order in which they stand.
type Members []Member

// Member is a member of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler. Of null there are none.
func (o *Members) UnmarshalJSON(raw []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	switch start, err := decoder.Token(); {
	case err != nil || start == nil:
		return err
	case start != json.Delim('{'):
		return errors.New("it is no object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		m := Member{}
		m.Name, _ = name.(string)
		if err := decoder.Decode(&m.Value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}
