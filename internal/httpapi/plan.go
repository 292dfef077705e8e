package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"hatang/geo"
	"hatang/internal/layer"
)

func planQuery() []string { return []string{"date", "f", "plan"} }

// levels are the administrative levels that indicators are made for.
func levels() []string { return []string{"province", "district", "commune"} }

// dateOf reads date=, the reference date where there is none.
func (a *api) dateOf(r *request) (geo.Date, error) {
	if !r.values.Has("date") {
		return a.ReferenceDate(), nil
	}
	d, err := geo.ParseDate(r.values.Get("date"))
	if err != nil {
		return d, parameterFault("date", "date phải có dạng YYYY-MM-DD", "date must have the form YYYY-MM-DD")
	}
	return d, nil
}

// allIndicators measures every unit of a level; districts where none is named.
func (a *api) allIndicators(w http.ResponseWriter, r *request) error {
	level := "district"
	if r.values.Has("level") {
		level = r.values.Get("level")
	}
	if !slices.Contains(levels(), level) {
		return parameterFault("level", "level phải là province, district hoặc commune", "level must be province, district or commune")
	}
	date, err := a.dateOf(r)
	if err != nil {
		return err
	}
	units, err := a.Indicators.Units(r.Context(), r.viewer, level, "", date)
	if err != nil {
		return err
	}
	linked := make([]json.RawMessage, len(units))
	for i, u := range units {
		if linked[i], err = a.withUncovered(r, level, u, date); err != nil {
			return err
		}
	}
	return a.answer(w, r, typeJSON, map[string]any{"units": linked, "date": date})
}

// unitIndicators measures the unit that has the code on the date.
func (a *api) unitIndicators(level string) handler {
	return func(w http.ResponseWriter, r *request) error {
		date, err := a.dateOf(r)
		if err != nil {
			return err
		}
		code := r.param("code")
		if !plainText(code) {
			return layer.ErrNotFound
		}
		units, err := a.Indicators.Units(r.Context(), r.viewer, level, code, date)
		if err != nil {
			return err
		}
		if len(units) == 0 {
			return layer.ErrNotFound
		}
		body, err := a.withUncovered(r, level, units[0], date)
		if err != nil {
			return err
		}
		return a.answerBytes(w, r, typeJSON, body)
	}
}

// withUncovered encodes the figures of a unit with a link to its uncovered parts.
func (a *api) withUncovered(r *request, level string, figures any, date geo.Date) (json.RawMessage, error) {
	body, err := encode(figures)
	if err != nil {
		return nil, err
	}
	var of struct{ Unit struct{ Code string } }
	if err := json.Unmarshal(body, &of); err != nil {
		return nil, fmt.Errorf("read the unit of the figures: %w", err)
	}
	links, err := encode([]link{{
		Href: a.href(r, "/"+level+"s/"+url.PathEscape(of.Unit.Code)+"/uncovered", url.Values{"date": {date.String()}}),
		Rel:  "related", Type: typeGeoJSON, Title: geo.Text{VI: "Phần chưa được phủ", EN: "Uncovered parts"}.In(r.language()),
	}})
	if err != nil {
		return nil, err
	}
	return append(append(append(body[:len(body)-1], `,"links":`...), links...), '}'), nil
}

func uncoveredQuery() []string { return []string{"date", "f", "of", "operator", "stage"} }

// uncovered shows the parts of a unit that no service disc covers.
func (a *api) uncovered(level string) handler {
	return func(w http.ResponseWriter, r *request) error {
		date, err := a.dateOf(r)
		if err != nil {
			return err
		}
		if r.values.Has("of") && r.values.Get("of") != "bts_sites" {
			return parameterFault("of", "of chỉ có thể là bts_sites", "of can be bts_sites only")
		}
		stage := "built"
		if r.values.Has("stage") {
			stage = r.values.Get("stage")
		}
		if stage != "built" && stage != "with_planned" {
			return parameterFault("stage", "stage phải là built hoặc with_planned", "stage must be built or with_planned")
		}
		code, operator := r.param("code"), r.values.Get("operator")
		if !plainText(code) {
			return layer.ErrNotFound
		}
		if !plainText(operator) {
			return parameterFault("operator", "operator phải là mã của một doanh nghiệp", "operator must be the code of an operator")
		}
		parts, err := a.Indicators.Uncovered(r.Context(), r.viewer, level, code, operator, stage, date)
		if err != nil {
			return err
		}
		return a.answer(w, r, typeGeoJSON, parts)
	}
}

// planDocument is a document of the plan's ledger.
func (a *api) planDocument(name string) handler {
	return func(w http.ResponseWriter, r *request) error {
		date, err := a.dateOf(r)
		if err != nil {
			return err
		}
		plan := r.values.Get("plan")
		if !plainText(plan) {
			return layer.ErrNotFound
		}
		document, err := a.Ledger.Document(r.Context(), r.viewer, name, plan, date)
		if err != nil {
			return err
		}
		return a.answer(w, r, typeJSON, document)
	}
}

func (a *api) planTable(w http.ResponseWriter, r *request) error {
	table := r.param("table")
	if !plainText(table) {
		return layer.ErrNotFound
	}
	return a.planDocument("tables/"+table)(w, r)
}
