package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"hatang/geo"
	"hatang/internal/account"
	"hatang/internal/layer"
)

// Units tells how administrative units follow each other.
type Units interface {
	// Descent returns where the unit of a code came from and what became of it, seen from a
	// date; an empty level is that of the lowest level that has the code. ErrNotFound.
	Descent(ctx context.Context, v account.Viewer, level, code string, date geo.Date) (layer.Descent, error)
}

// Relations of our own, registered nowhere. The predecessor-version and successor-version of
// RFC 5829 are versions of one code; these are other units, or what a code was used for
// before and after.
const (
	relLineage     = "unit-lineage"
	relPredecessor = "unit-predecessor"
	relSuccessor   = "unit-successor"
)

// unitDocument is a unit in one of its forms.
type unitDocument struct {
	Code      string    `json:"code"`
	Name      string    `json:"name"`
	Level     string    `json:"level"`
	ValidFrom geo.Date  `json:"valid_from"`
	ValidTo   *geo.Date `json:"valid_to"` // null while it is in force
	Links     []link    `json:"links"`
}

// kinDocument is a unit that another came from or went into. Unit is null where the
// register has none.
type kinDocument struct {
	Code      string        `json:"code"`
	ChangedOn geo.Date      `json:"changed_on"`
	Part      string        `json:"part"` // whole or part: how much of the predecessor went over
	Act       *string       `json:"act"`
	Note      *string       `json:"note"`
	Source    string        `json:"source"`
	Unit      *unitDocument `json:"unit"`
}

// showLineage tells of the unit of a code where it came from and what became of it.
func (a *api) showLineage(w http.ResponseWriter, r *request) error {
	var faults layer.Faults
	date, level := dateIn(r, a.ReferenceDate(), &faults), r.values.Get("level")
	if r.values.Has("level") && !slices.Contains(levels(), level) {
		faults.Add("level", "level phải là province, district hoặc commune", "level must be province, district or commune")
	}
	if len(faults) > 0 {
		return faultsProblem(invalidParameter, faults)
	}
	code := r.param("code")
	if !plainText(code) {
		return layer.ErrNotFound
	}
	descent, err := a.Store.Descent(r.Context(), r.viewer, level, code, date)
	if err != nil {
		return err
	}
	return a.answer(w, r, typeJSON, map[string]any{
		"unit": a.unitOf(r, descent.Unit), "date": date,
		"predecessors": a.kinOf(r, descent.Predecessors, predecessorCode), "successors": a.kinOf(r, descent.Successors, successorCode),
		"links": []link{{Href: a.href(r, "/units/"+url.PathEscape(code)+"/lineage", r.values), Rel: "self", Type: typeJSON}},
	})
}

func predecessorCode(k layer.Kin) string { return k.Predecessor }
func successorCode(k layer.Kin) string   { return k.Successor }

func (a *api) kinOf(r *request, kin []layer.Kin, code func(layer.Kin) string) []kinDocument {
	documents := make([]kinDocument, len(kin))
	for i, k := range kin {
		documents[i] = kinDocument{Code: code(k), ChangedOn: k.On, Part: k.Part, Act: orNull(k.Act), Note: orNull(k.Note), Source: k.Source}
		if k.Version != nil {
			documents[i].Unit = a.unitOf(r, *k.Version)
		}
	}
	return documents
}

func (a *api) unitOf(r *request, u layer.UnitVersion) *unitDocument {
	d := unitDocument{Code: u.Code, Name: u.Name, Level: u.Level, ValidFrom: u.From, Links: []link{a.unitLink(r, u, "item"), a.lineageLink(r, u.Level, u.Code, u.From)}}
	if !u.To.IsZero() {
		d.ValidTo = &u.To
	}
	return &d
}

// unitLink leads to a unit's row.
func (a *api) unitLink(r *request, u layer.UnitVersion, rel string) link {
	return link{Href: a.href(r, "/collections/"+layer.UnitsOf(u.Level)+"/items/"+strconv.FormatInt(u.ID, 10), nil), Rel: rel, Type: typeGeoJSON, Title: u.Name}
}

// lineageLink leads to where a unit came from and what became of it, seen from a date.
func (a *api) lineageLink(r *request, level, code string, date geo.Date) link {
	return link{Href: a.href(r, "/units/"+url.PathEscape(code)+"/lineage", url.Values{"date": {date.String()}, "level": {level}}), Rel: relLineage, Type: typeJSON}
}

// kinLinks are the links of a row of units to the rows it came from and went into, and to
// what is known of both; none of other rows.
func (a *api) kinLinks(r *request, row *layer.Row) ([]link, error) {
	level := layer.LevelOf(r.layer.Name)
	code, since := r.layer.TextOf(row, "code"), r.layer.TextOf(row, "valid_from")
	if level == "" || code == "" {
		return nil, nil
	}
	from, err := geo.ParseDate(since)
	if err != nil {
		return nil, fmt.Errorf("row %d of %s: valid_from: %w", row.ID, r.layer.Name, err)
	}
	id := row.ID
	descent, err := a.Store.Descent(r.Context(), r.viewer, level, code, from)
	if errors.Is(err, layer.ErrNotFound) { // removed since it was read
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	links := []link{a.lineageLink(r, level, code, from)}
	for _, of := range []struct {
		rel string
		kin []layer.Kin
	}{{relPredecessor, descent.Predecessors}, {relSuccessor, descent.Successors}} {
		for _, k := range of.kin {
			if k.Version != nil && k.Version.ID != id {
				links = append(links, a.unitLink(r, *k.Version, of.rel))
			}
		}
	}
	return links, nil
}

// noUnit says of a unit that is not in force on the date when it was or will be, instead of
// that it is not there. Other errors stay as they are.
func (a *api) noUnit(r *request, level, code string, date geo.Date, err error) error {
	if !errors.Is(err, layer.ErrNotFound) {
		return err
	}
	descent, other := a.Store.Descent(r.Context(), r.viewer, level, code, date)
	if errors.Is(other, layer.ErrNotFound) {
		return err
	}
	if other != nil {
		return other
	}
	u := descent.Unit
	if u.Contains(date) { // there since it was looked for
		return err
	}
	if date.Before(u.From) {
		return problem(notFound, "Ngày "+date.String()+" chưa có đơn vị "+code+": có hiệu lực từ "+u.From.String()+".",
			"On "+date.String()+" the unit "+code+" is not there yet: it is in force from "+u.From.String()+" on.")
	}
	return problem(notFound, "Ngày "+date.String()+" không có đơn vị "+code+": có hiệu lực từ "+u.From.String()+" đến trước "+u.To.String()+"; xem /units/"+code+"/lineage.",
		"On "+date.String()+" there is no unit "+code+": it was in force from "+u.From.String()+" until "+u.To.String()+"; see /units/"+code+"/lineage.")
}
