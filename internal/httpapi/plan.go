package httpapi

import (
	"net/http"
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
	if units == nil {
		units = []any{}
	}
	return a.answer(w, r, typeJSON, map[string]any{"units": units, "date": date})
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
		return a.answer(w, r, typeJSON, units[0])
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
