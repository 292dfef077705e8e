package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"hatang/geo"
	"hatang/internal/layer"
)

func planQuery() []string { return []string{"date", "f", "plan"} }

// levels are the administrative levels that indicators are made for.
func levels() []string { return []string{"province", "district", "commune"} }

// dateOf reads date=, the reference date where there is none.
func (a *api) dateOf(r *request) (geo.Date, error) {
	var faults layer.Faults
	d := dateIn(r, a.ReferenceDate(), &faults)
	if len(faults) > 0 {
		return d, faultsProblem(invalidParameter, faults)
	}
	return d, nil
}

// stageOf reads stage=, what stands where there is none.
func stageOf(r *request) (string, error) {
	if !r.values.Has("stage") {
		return "built", nil
	}
	stage := r.values.Get("stage")
	if stage != "built" && stage != "with_planned" {
		return "", parameterFault("stage", "stage phải là built hoặc with_planned", "stage must be built or with_planned")
	}
	return stage, nil
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
		if linked[i], err = a.withLinks(r, level, u, date); err != nil {
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
		if err == nil && len(units) == 0 {
			err = layer.ErrNotFound
		}
		if err != nil {
			return a.noUnit(r, level, code, date, err)
		}
		body, err := a.withLinks(r, level, units[0], date)
		if err != nil {
			return err
		}
		return a.answerBytes(w, r, typeJSON, body)
	}
}

// withLinks encodes the figures of a unit with links to its uncovered parts and to the
// masts that could have been fewer.
func (a *api) withLinks(r *request, level string, figures any, date geo.Date) (json.RawMessage, error) {
	body, err := encode(figures)
	if err != nil {
		return nil, err
	}
	var of struct{ Unit struct{ Code string } }
	if err := json.Unmarshal(body, &of); err != nil {
		return nil, fmt.Errorf("read the unit of the figures: %w", err)
	}
	related := func(name string, title geo.Text) link {
		address := "/" + level + "s/" + url.PathEscape(of.Unit.Code) + "/" + name
		return link{Href: a.href(r, address, url.Values{"date": {date.String()}}), Rel: "related", Type: typeGeoJSON, Title: title.In(r.language())}
	}
	links, err := encode([]link{
		related("uncovered", geo.Text{VI: "Phần chưa được phủ", EN: "Uncovered parts"}),
		related("sharing-clusters", geo.Text{VI: "Cụm cột có thể dùng chung", EN: "Clusters of masts that could be shared"}),
	})
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
		stage, err := stageOf(r)
		if err != nil {
			return err
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
			return a.noUnit(r, level, code, date, err)
		}
		return a.answer(w, r, typeGeoJSON, parts)
	}
}

func clustersQuery() []string { return []string{"date", "f", "stage", "within_m"} }

// maxWithinM is the largest within_m, metres: farther apart, no two masts are one.
const maxWithinM = 10_000

// withinOf reads within_m=, nil where there is none.
func withinOf(r *request) (*float64, error) {
	if !r.values.Has("within_m") {
		return nil, nil
	}
	metres, err := strconv.ParseFloat(r.values.Get("within_m"), 64)
	if err != nil || !(metres > 0 && metres <= maxWithinM) {
		return nil, parameterFault("within_m", "within_m phải là số mét lớn hơn 0 và không quá 10000", "within_m must be a number of metres above 0 and not above 10000")
	}
	return &metres, nil
}

// sharingClusters shows the masts of a unit that could have been fewer.
func (a *api) sharingClusters(level string) handler {
	return func(w http.ResponseWriter, r *request) error {
		date, err := a.dateOf(r)
		if err != nil {
			return err
		}
		stage, err := stageOf(r)
		if err != nil {
			return err
		}
		withinM, err := withinOf(r)
		if err != nil {
			return err
		}
		code := r.param("code")
		if !plainText(code) {
			return layer.ErrNotFound
		}
		clusters, err := a.Indicators.SharingClusters(r.Context(), r.viewer, level, code, stage, withinM, date)
		if err != nil {
			return a.noUnit(r, level, code, date, err)
		}
		return a.answer(w, r, typeGeoJSON, clusters)
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
